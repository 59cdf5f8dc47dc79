/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The columns of one chunk back into records. The content is not trusted: a column that ends early
 * or is not used up, a reserved bit, a guest out of range is -EBADMSG.
 */
#ifndef TTREC_DECODE_H
#define TTREC_DECODE_H

#include "format/trace/codec/record_predictor.h"
#include "format/trace/codec/predict.h"

struct column_cursor {
	const uint8_t *at;
	const uint8_t *end;
};

struct decoder {
	struct predictor predictor;
	const uint8_t *columns; /* where those of this chunk begin */
	struct column_cursor column[COLUMNS];
	struct record_predictor record_predictor;
	unsigned int run;    /* so many of the next records are as expected */
	uint64_t number;     /* of the next record */
	uint32_t left;	     /* records of this chunk not yet decoded */
	uint32_t follow;     /* the guest whose chain is wanted, or TRACE_GUEST_ALL */
	bool partial;	     /* not from record 0 on: unseen guests may have a past */
	const char *problem; /* why -EBADMSG, in words; the strings are constants */
};

int decoder_create(struct decoder **decoder);
void decoder_destroy(struct decoder *decoder);

/* Keep the chain of @guest only, or those of all from the next chunk on. */
void decoder_follow(struct decoder *decoder, uint32_t guest);

/* Reset all guests: the next chunk does not continue the last. */
void decoder_restart(struct decoder *decoder);

/*
 * Begin a records chunk; @content (its chunk head included) must stay until it is decoded.
 * A guest chain that contradicts what was decoded before is -EBADMSG.
 */
int decoder_begin(struct decoder *decoder, const uint8_t *content, size_t size);

/*
 * The next record, with @field_count fields; its kind may be one that this version does not know.
 * Returns 1, 0 at the end of the chunk, -EBADMSG, -ENOMEM.
 */
int decoder_next(struct decoder *decoder, struct trace_record *record, unsigned int *field_count,
		 bool *chained);

/* Compare or adopt the table of @count chains at @table. */
int decoder_chains(struct decoder *decoder, const uint8_t *table, uint32_t count);

#endif
