/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records into the columns of a chunk. The encoder keeps the history, the columns hold one chunk
 * and can be passed to another thread: give the encoder empty columns, add records until
 * columns_full() or it is time, take the columns back, turn them into a frame's content.
 */
#ifndef TTREC_ENCODE_H
#define TTREC_ENCODE_H

#include "format/trace/codec/record_predictor.h"
#include "format/trace/codec/predict.h"

struct columns {
	struct columns *next; /* for a list of its owner */
	uint8_t *begin[COLUMNS];
	uint8_t *end[COLUMNS];
	uint8_t *head;	    /* of the one allocation: chunk head, table of guests, sizes */
	uint8_t *guest_end; /* end of the table of guests in it */
	uint64_t first_number;
	uint64_t first_now;
	uint32_t count; /* records */
	uint32_t guest_count;
	bool pack; /* even when messages are alone */
};

struct encoder {
	struct predictor predictor;
	struct columns *columns; /* of the current chunk; NULL between two chunks */
	uint64_t number;	 /* of the next record */
};

/* A piece of a frame's content; large ones get a zstd block of their own. */
struct segment {
	const void *data;
	size_t size;
};
#define COLUMNS_SEGMENTS (1 + COLUMNS)

/* Columns with room for the largest chunk. Returns 0 or -ENOMEM. */
int columns_create(struct columns **columns);
void columns_destroy(struct columns *columns);

/* The chunk must be taken before the next record, which has @payload_size bytes, is added. */
bool columns_full(const struct columns *columns, size_t payload_size);

/*
 * The content of a frame, once; valid as long as the columns. @predictor is what the packing works
 * in,
 * @chain goes over all frames before it.
 */
void columns_content(struct columns *columns, struct record_predictor *predictor, uint64_t chain,
		     struct segment segments[COLUMNS_SEGMENTS]);

/* Only count the records that are as expected, instead of having tag, context, guest and kind. */
void columns_pack(struct columns *columns, struct record_predictor *predictor);

/* Begin a chunk in @columns; their contents are dropped. */
void encoder_begin(struct encoder *encoder, struct columns *columns);

/*
 * Add one record with @field_count fields; @chained says whether it belongs to the guest's chain.
 * Any content is accepted. Returns 0, -EINVAL if the guest is too large, -ENOMEM.
 */
int encoder_add(struct encoder *encoder, const struct trace_record *record,
		unsigned int field_count, bool chained);

void encoder_release(struct encoder *encoder);

/* Write a chunk head; returns the byte after it. */
uint8_t *put_chunk_head(uint8_t *out, enum chunk_type type, uint32_t guests, uint32_t count,
			uint64_t number, uint64_t now, uint64_t chain);

#endif
