/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a recording was started, as lines of its trace (ttrace(5)): written by each, read to make it
 * again.
 */
#ifndef TTREC_RUN_SETTINGS_H
#define TTREC_RUN_SETTINGS_H

#include "recorder/device/disk_hash.h"
#include "recorder/lab/lab.h"
#include "recorder/run/run_options.h"

/* What the text of the lab file is embedded as. */
#define RUN_LAB_NAME "/ttrec/lab.yaml"

/* Of the image of a disk: enough to see that it is another one. */
struct run_disk {
	uint32_t guest;
	size_t device; /* number among the guest's */
	uint64_t size;
	uint64_t modified;		   /* ns since 1970 */
	char hash[2 * DISK_HASH_SIZE + 1]; /* in hex; empty: not known, @modified counts */
	const char *embedded;		   /* the image is in the trace, as this file; NULL */
};

struct run_settings {
	char *verb;	/* "run"; NULL: of a recorder that did not say it yet */
	char *lab_path; /* NULL: there was no lab file */
	unsigned int
		disk_model; /* enum lab_disk_model; of a later version: -ENOTSUP was returned */
	struct run_disk *disk;
	size_t disk_count;
	char **text; /* what the options point to */
	size_t text_count;
};

/* The options, which were settled. */
int run_settings_write(const struct run_options *options, struct trace_writer *writer);

/* The lab's file and its disks. @lab must stay until the writer is closed. */
int run_settings_write_lab(const struct lab *lab, struct trace_writer *writer);

/*
 * Read both: what @options do not say yet they get from the trace. Moves the reader to its start.
 * @settings is to be freed, after @options were used, also on error. -ENOTSUP: the disks are of a
 * later version.
 */
int run_settings_read(struct trace_reader *reader, struct run_options *options,
		      struct run_settings *settings);
void run_settings_free(struct run_settings *settings);

/* The facts of @path now; -errno where it cannot be had. */
int run_disk_look(const char *path, struct run_disk *disk);

#endif
