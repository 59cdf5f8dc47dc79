/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Re-recording: the same lab with the same options and guests as in a trace, except for what the
 * user replaces. It has the same records up to the first difference, and is then a recording like
 * any other.
 */
#ifndef TTREC_RERECORD_H
#define TTREC_RERECORD_H

#include "kernel/guest/guest_replace.h"
#include "recorder/run/run_lab.h"
#include "recorder/run/run_settings.h"

struct rerecord {
	struct trace_reader *reader;
	struct run_settings settings;
	struct guest_recorded *guest; /* by index; what they are started with is the lab's, later */
	size_t count;
	bool same_digests; /* memory is hashed when it was */
	struct rerecord_image *image;
	size_t image_count;
};

/* The image of a disk out of the trace. */
struct rerecord_image {
	const char *name; /* in the trace */
	int fd;		  /* a memfd; -1 */
	char path[32];	  /* to open it by */
};

/*
 * Read from @options->rerecord how it was recorded, and apply replacements. Options that were not
 * given are taken from it. Refused with a diagnosis: a trace without the needed information, or of
 * guests that another scheduler ran; without @options->trust, one with commands to run here.
 * *@rerecord is to be closed after @options were used, also after an error.
 */
int rerecord_open(struct run_options *options, struct rerecord **rerecord, struct diagnosis *why);
void rerecord_close(struct rerecord *rerecord);

/* The lab that was recorded, with the disks that @options want. */
int rerecord_load_lab(const struct run_options *options, struct rerecord *rerecord,
		      struct lab **lab, struct diagnosis *why);

/* Set the recorded files of the guests of @lab, which has its devices. */
int rerecord_take_guests(struct rerecord *rerecord, struct run_lab *lab, struct diagnosis *why);

/*
 * rerecord_disks.c: the images of @lab are those that were recorded, out of the trace if it has
 * them, or those that the user names ("[NAME[:N]=]FILE").
 */
int rerecord_check_disks(const struct run_options *options, struct rerecord *rerecord,
			 struct lab *lab, struct diagnosis *why);
void rerecord_free_disks(struct rerecord *rerecord);

#endif
