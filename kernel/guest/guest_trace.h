/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between guest_trace_read.c, which reads the descriptions of guests, and guest_trace_files.c,
 * which loads their files.
 */
#ifndef TTREC_GUEST_TRACE_H
#define TTREC_GUEST_TRACE_H

#include "kernel/guest/guest.h"

/* A file as the meta records name it. */
struct guest_file {
	char *path; /* in the sandbox */
	uint32_t mode;
	char *embedded; /* its name among the embedded files; NULL: @path */
	char *source;	/* where it was on the recording machine; NULL: it is embedded */
	char hash[2 * IMAGE_HASH_SIZE + 1]; /* of @source, in hex */
	uint64_t size;			    /* of @source; IMAGE_SIZE_UNKNOWN */
};

struct guest_file_list {
	struct guest_file *file;
	size_t count;
};

/* Where to find files, and the files that were read already. */
struct guest_file_store;

/* No more than @max_bytes are read, each content counted once. */
int guest_file_store_create(struct trace_reader *reader, uint64_t max_bytes,
			    struct guest_file_store **store);
void guest_file_store_destroy(struct guest_file_store *store);

/* Bring the files of @list; those of this machine only with @host_files. */
int guest_file_store_load(struct guest_file_store *store, const struct guest_file_list *list,
			  bool host_files, struct image_files *files, struct diagnosis *why);

#endif
