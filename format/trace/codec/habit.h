/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which record follows which. Guests do the same over and over: what came after the last records of
 * a guest is expected to come after them again, and runs of expected records are only counted.
 * Packing and decoding call the same functions with the same records. ttrace(5), "Runs", is this
 * in words.
 */
#ifndef TTREC_HABIT_H
#define TTREC_HABIT_H

#include "format/trace/codec/history.h"

/* So many guests have a history of their own, the others share theirs. */
#define HABIT_GUESTS 256

/*
 * What a record is but for its numbers, in one word: tag, context byte, the two bytes of kind, and
 * the guest where the context names one. 0 is none.
 */
#define HABIT_TOKEN 0x8000000000000000u

static inline uint64_t habit_token(uint8_t tag, uint8_t context, uint8_t kind, uint8_t fields,
				   uint32_t guest)
{
	return HABIT_TOKEN | tag | (uint64_t)context << 8 | (uint64_t)kind << 16 |
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
enum { HABIT_LONG, HABIT_SHORT, HABIT_TABLES };
#define HABIT_SHORT_MASK 0x3ffff

struct habit {
	uint32_t guest;			/* of the last record */
	uint32_t place[HABIT_TABLES];	/* where the next record stands in the tables */
	uint64_t history[HABIT_GUESTS]; /* what each did last */
	uint64_t token[HABIT_TABLES][TABLE_SIZE];
};

/* A chunk begins. */
static inline void habit_begin(struct habit *habit)
{
	memset(habit, 0, sizeof(*habit));
}

/* The token expected next; 0: none. */
static inline uint64_t habit_expect(const struct habit *habit)
{
	uint64_t token = habit->token[HABIT_LONG][habit->place[HABIT_LONG]];

	return token ? token : habit->token[HABIT_SHORT][habit->place[HABIT_SHORT]];
}

static inline void habit_learn(struct habit *habit, uint64_t token)
{
	uint8_t tag = token_tag(token), op = tag & TAG_OP_MASK;
	uint64_t *history, key;

	habit->token[HABIT_LONG][habit->place[HABIT_LONG]] = token;
	habit->token[HABIT_SHORT][habit->place[HABIT_SHORT]] = token;
	if (token_context(token) & CONTEXT_GUEST)
		habit->guest = token_guest(token);
	history = &habit->history[habit->guest % HABIT_GUESTS];
	if (op == TAG_RECORD)
		*history = history_record(*history, token_kind(token));
	else
		*history = history_message(*history, op, tag & TAG_TO);
	/* An ACK is not in the history, but what follows it is not what follows its message. */
	key = 2 * habit->guest + (op == TRACE_OP_ACK);
	habit->place[HABIT_LONG] = (uint32_t)table_place(*history + key);
	habit->place[HABIT_SHORT] = (uint32_t)table_place((*history & HABIT_SHORT_MASK) + key);
}

#endif
