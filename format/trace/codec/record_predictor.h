/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which record follows which. Guests repeat sequences of records: the record that followed a
 * guest's last records is expected to follow them again, and runs of expected records are only
 * counted. Packing and decoding call the same functions with the same records. ttrace(5), "Runs",
 * is this in words.
 */
#ifndef TTREC_RECORD_PREDICTOR_H
#define TTREC_RECORD_PREDICTOR_H

#include "format/trace/codec/history.h"

/* The number of guests with a history of their own; the others share one. */
#define PREDICTOR_GUESTS 256

/*
 * A record without its numbers, in one word: tag, context byte, the two bytes of kind, and the
 * guest where the context names one. 0: none.
 */
#define RECORD_TOKEN 0x8000000000000000u

static inline uint64_t record_token(uint8_t tag, uint8_t context, uint8_t kind, uint8_t fields,
				    uint32_t guest)
{
	return RECORD_TOKEN | tag | (uint64_t)context << 8 | (uint64_t)kind << 16 |
	       (uint64_t)fields << 24 | (uint64_t)guest << 32;
}

static inline uint8_t token_tag(uint64_t token)
{
	return (uint8_t)token;
}

static inline uint8_t token_context(uint64_t token)
{
	return (uint8_t)(token >> 8);
}

static inline uint8_t token_kind(uint64_t token)
{
	return (uint8_t)(token >> 16);
}

static inline uint8_t token_fields(uint64_t token)
{
	return (uint8_t)(token >> 24);
}

static inline uint32_t token_guest(uint64_t token)
{
	return (uint32_t)(token >> 32) & (TRACE_GUEST_LIMIT - 1);
}

/* Two tables: by all of the history, and by the last six records in it. */
enum { PREDICTOR_LONG, PREDICTOR_SHORT, PREDICTOR_TABLES };
#define PREDICTOR_SHORT_MASK 0x3ffff

struct record_predictor {
	uint32_t guest;			    /* of the last record */
	uint32_t place[PREDICTOR_TABLES];   /* where the next record is in the tables */
	uint64_t history[PREDICTOR_GUESTS]; /* what each did last */
	uint64_t token[PREDICTOR_TABLES][TABLE_SIZE];
};

/* A chunk begins. */
static inline void record_predictor_begin(struct record_predictor *predictor)
{
	memset(predictor, 0, sizeof(*predictor));
}

/* The token expected next; 0: none. */
static inline uint64_t record_predictor_expect(const struct record_predictor *predictor)
{
	uint64_t token = predictor->token[PREDICTOR_LONG][predictor->place[PREDICTOR_LONG]];

	return token ? token : predictor->token[PREDICTOR_SHORT][predictor->place[PREDICTOR_SHORT]];
}

static inline void record_predictor_learn(struct record_predictor *predictor, uint64_t token)
{
	uint8_t tag = token_tag(token), op = tag & TAG_OP_MASK;
	uint64_t *history, key;

	predictor->token[PREDICTOR_LONG][predictor->place[PREDICTOR_LONG]] = token;
	predictor->token[PREDICTOR_SHORT][predictor->place[PREDICTOR_SHORT]] = token;
	if (token_context(token) & CONTEXT_GUEST)
		predictor->guest = token_guest(token);
	history = &predictor->history[predictor->guest % PREDICTOR_GUESTS];
	if (op == TAG_RECORD)
		*history = history_record(*history, token_kind(token));
	else
		*history = history_message(*history, op, tag & TAG_TO);
	/* An ACK is not in the history, but what follows it is not what follows its message. */
	key = 2 * predictor->guest + (op == TRACE_OP_ACK);
	predictor->place[PREDICTOR_LONG] = (uint32_t)table_place(*history + key);
	predictor->place[PREDICTOR_SHORT] =
		(uint32_t)table_place((*history & PREDICTOR_SHORT_MASK) + key);
}

#endif
