/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames onto the end of a file: compress, write, chain, remember for the index. An error stays,
 * and leaves the file with its last whole frame.
 */
#ifndef TTREC_FRAME_WRITE_H
#define TTREC_FRAME_WRITE_H

#include <stdint.h>
#include <zstd.h>

#include "format/trace/codec/encode.h"

struct index_entry {
	uint64_t offset; /* of the frame in the file */
	uint64_t number; /* of its first record, or of the next one after it */
	uint64_t now;
	uint32_t content; /* of a file or part */
	uint8_t type;	  /* enum chunk_type */
};

struct frame_writer {
	int fd;
	int error;
	uint64_t offset; /* bytes of whole frames */
	uint64_t chain;	 /* over them */
	ZSTD_CCtx *records;
	ZSTD_CCtx *artifacts;
	uint8_t *frame;
	size_t frame_room;
	struct index_entry *index;
	size_t index_count, index_room;
};

/* @fd stays the caller's. @level is the zstd level of records. Returns 0 or -ENOMEM. */
int frame_writer_init(struct frame_writer *writer, int fd, int level);
void frame_writer_release(struct frame_writer *writer);

/*
 * Write one frame of @segments; the first begins with a chunk head. @entry names it in the index
 * (its offset and type are filled here). Returns 0 or the error that stays.
 */
int frame_write(struct frame_writer *writer, ZSTD_CCtx *context, const struct segment *segments,
		size_t count, const struct index_entry *entry);

/* Write the index frame, the last thing in a file. */
int frame_write_index(struct frame_writer *writer);

#endif
