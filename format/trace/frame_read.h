/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Chunks out of a file, one after another. Finds frame by frame, decompresses, and checks all that
 * can be checked without decoding records: bounds, checksums, the chain over the frames, that
 * record numbers follow each other, that the head comes first and nothing comes after the end.
 */
#ifndef TTREC_FRAME_READ_H
#define TTREC_FRAME_READ_H

#include <stdio.h>
#include <zstd.h>

#include "format/trace/codec/layout.h"

struct chunk {
	enum chunk_type type;
	uint64_t offset; /* of its frame in the file */
	uint64_t number;
	uint64_t now;
	uint32_t count;
	bool skipped;		/* not needed when following a guest: only the head with guests is
				   decompressed */
	const uint8_t *content; /* with its head; valid until the next chunk is read */
	size_t size;
};

struct frame_reader {
	int fd;
	ZSTD_DCtx *context;
	uint8_t *window; /* compressed bytes of the file from window_offset on */
	size_t window_room, window_size;
	uint64_t window_offset;
	uint8_t *content;
	uint64_t offset;      /* of the next frame */
	uint64_t last_offset; /* of the one before */
	uint64_t frames;      /* read so far */
	uint64_t number;      /* of the next record */
	uint64_t chain;	      /* over all frames before */
	bool jumped; /* number and chain are unknown: those of the next frame are taken for granted
		      */
	bool ended;
	uint32_t guest;	   /* whose records are wanted, or TRACE_GUEST_ALL */
	char problem[256]; /* in words, after an error */
};

/* @fd stays the caller's; position and content of the file are read with pread only. */
int frame_reader_init(struct frame_reader *reader, int fd);
void frame_reader_release(struct frame_reader *reader);

/*
 * The next chunk. Returns 1; 0 after the end chunk; -EPIPE when the file ends before that;
 * -EBADMSG; or an error of pread.
 */
int frame_reader_next(struct frame_reader *reader, struct chunk *chunk);

/* Skip the content of records chunks that have none of @guest; TRACE_GUEST_ALL: skip nothing. */
void frame_reader_follow(struct frame_reader *reader, uint32_t guest);

/* Go on at @offset, which is frame @frame (only for messages). */
void frame_reader_jump(struct frame_reader *reader, uint64_t offset, uint64_t frame);

/* Fill reader->problem with "frame N at byte M: WHY" and return @error. */
int frame_problem(struct frame_reader *reader, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Read exactly @size bytes at @offset. Returns 0, -EPIPE when the file ends before, -errno. */
int read_at(int fd, uint64_t offset, void *data, size_t size);

#endif
