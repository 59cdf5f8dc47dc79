/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records into the columns of one chunk. Add records until encoder_full() or whenever it is time,
 * take the parts with encoder_finish(), and start the next chunk by adding again.
 */
#ifndef TTREC_ENCODE_H
#define TTREC_ENCODE_H

#include "format/predict.h"

struct encoder {
	struct predictor predictor;
	uint8_t *columns; /* one allocation, each column has room for a full chunk */
	uint8_t *begin[COLUMNS];
	uint8_t *end[COLUMNS];
	uint8_t *head; /* chunk head, guest table and column sizes, filled by encoder_finish */
	uint8_t *guest_end; /* end of the guest table in @head */
	uint64_t number; /* of the next record */
	uint64_t first_number;
	uint64_t first_now;
	uint32_t count; /* records in this chunk */
	uint32_t guest_count;
};

/* A piece of a frame's content; large ones get a zstd block of their own. */
struct segment {
	const void *data;
	size_t size;
};
#define ENCODER_SEGMENTS (1 + COLUMNS)

int encoder_create(struct encoder **encoder);
void encoder_destroy(struct encoder *encoder);

/*
 * Add one record with @field_count fields; @chained says whether it belongs to the guest's chain.
 * Any content is accepted. Returns 0, -EINVAL when the guest is too large, -ENOMEM.
 */
int encoder_add(struct encoder *encoder, const struct trace_record *record,
		unsigned int field_count, bool chained);

/* The chunk must be finished before the next record is added, which has @payload_size bytes. */
bool encoder_full(const struct encoder *encoder, size_t payload_size);

/*
 * The chunk's content as segments, valid until the next encoder_add. @frame_chain is the chain over
 * all frames before. Call only with records in it.
 */
void encoder_finish(struct encoder *encoder, uint64_t frame_chain,
		    struct segment segments[ENCODER_SEGMENTS]);

/* Write a chunk head; returns the byte after it. */
uint8_t *put_chunk_head(uint8_t *out, enum chunk_type type, uint32_t guests, uint32_t count,
			uint64_t number, uint64_t now, uint64_t chain);

/* Number and now of the first record that no finished chunk holds. */
static inline uint64_t encoder_written(const struct encoder *encoder)
{
	return encoder->count ? encoder->first_number : encoder->number;
}

static inline uint64_t encoder_written_now(const struct encoder *encoder)
{
	return encoder->count ? encoder->first_now : encoder->predictor.now;
}

static inline size_t encoder_payload(const struct encoder *encoder)
{
	return (size_t)(encoder->end[COLUMN_PAYLOAD] - encoder->begin[COLUMN_PAYLOAD]);
}

#endif
