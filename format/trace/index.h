/* SPDX-License-Identifier: BSD-3-Clause */
/* The index at the end of a trace: a cache: which frame holds what. */
#ifndef TTREC_INDEX_H
#define TTREC_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_footer {
	uint64_t entries;
	uint64_t offset; /* of the index frame */
	uint64_t chain;	 /* over all frames before it */
	uint64_t hash;	 /* of the index frame up to here, seeded with the chain */
};

struct index_item {
	uint64_t offset;
	uint64_t number;
	uint64_t now;
	uint32_t content;
	uint32_t type;
	uint64_t frame; /* which frame of the file it is, the head being 0 */
};

/* Do the last bytes of the file look like an index? */
bool index_footer_present(int fd);

/* Returns 0, or -ENOENT when there is no index that can be used. */
int index_open(int fd, struct index_footer *footer);

/*
 * Entry @i of an opened index. Returns 0, -ERANGE behind the last or when it
 * makes no sense, or an error of reading.
 */
int index_get(int fd, const struct index_footer *footer, uint64_t i, struct index_item *item);

/*
 * Where to begin reading so that record @number comes: the last records chunk that starts at or
 * before it. Returns 0 or -ENOENT.
 */
int index_find(int fd, const struct index_footer *footer, uint64_t number, struct index_item *item);

/* The last records chunk that starts before virtual time @now, in ns. Returns 0 or -ENOENT. */
int index_find_time(int fd, const struct index_footer *footer, uint64_t now,
		    struct index_item *item);

/*
 * Check every bit from @offset, the end of the end frame, to the end of the file. Returns 0, -EPIPE
 * when the index is missing or cut off, -EBADMSG; *@problem says why in words.
 */
int index_verify(int fd, uint64_t offset, uint64_t chain, const char **problem);

#endif
