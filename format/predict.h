/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a chunk's coder expects next: encoder and decoder call the same functions with the same
 * records, so what came as predicted costs nothing. A wrong prediction costs bytes, never
 * correctness. ttrace(5), "Prediction", is these rules in words.
 */
#ifndef TTREC_PREDICT_H
#define TTREC_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/layout.h"

/* What is known of one guest. All but the chain is forgotten when a chunk begins. */
struct guest {
	uint64_t chunk;	  /* serial number of the chunk that the predictions belong to */
	uint64_t offset;  /* controller's time minus the guest's */
	uint64_t pending; /* time of its last REQUEST */
	uint64_t step;	  /* how far ahead that was */
	uint64_t from_seq;
	uint64_t from_op; /* operation of its last message that was no ACK */
	uint64_t to_seq;
	uint64_t chain;	 /* hash of its history, see chain.h */
	uint64_t listed; /* serial number of the last chunk that carries its chain */
	bool known;	 /* the chain is that of the whole history */
};

struct predictor {
	struct guest *guests;
	uint32_t guest_limit; /* entries of @guests */
	uint64_t chunk;
	uint32_t guest; /* of the record before */
	uint64_t now;	/* what the next record's now is expected to be */
	uint64_t to_seq;
	uint64_t tod;	     /* answer to GET_TOD minus now */
	uint64_t free_until; /* last FREE_UNTIL, controller's time */
	uint64_t broadcast;
	bool to_seq_each; /* the controller counts for each guest, not over all */
	bool update_late; /* now follows one record after the UPDATE */
	uint64_t last[TRACE_KIND_LIMIT][TRACE_FIELDS_MAX]; /* fields of other records */
};

/* Expected seq and time of a message; @base is what a time is coded relative to. */
struct prediction {
	uint64_t seq;
	uint64_t time;
	uint64_t base;
};

void predictor_release(struct predictor *predictor);

/* Make room for @guest. Returns 0 or -ENOMEM. */
int predictor_grow(struct predictor *predictor, uint32_t guest);

/* Forget everything but the chains: a chunk that starts at @now begins. */
void predictor_begin(struct predictor *predictor, uint64_t now);

/* The guest's entry, reset when the chunk sees it first. NULL when memory is short. */
static inline struct guest *predictor_guest(struct predictor *predictor, uint32_t index)
{
	struct guest *guest;

	if (index >= predictor->guest_limit && predictor_grow(predictor, index))
		return NULL;
	guest = &predictor->guests[index];
	if (guest->chunk != predictor->chunk) {
		guest->chunk = predictor->chunk;
		guest->offset = guest->pending = guest->step = 0;
		guest->from_seq = guest->from_op = guest->to_seq = 0;
	}
	return guest;
}

static inline struct prediction predict_from(const struct predictor *predictor,
					     const struct guest *guest, uint64_t op)
{
	struct prediction expected = {
		.seq = guest->from_seq + 1,
		.base = predictor->now - guest->offset,
	};

	switch (op) {
	case TRACE_OP_ACK:
		expected.seq = guest->to_seq;
		break;
	case TRACE_OP_REQUEST:
		expected.time = expected.base + guest->step;
		break;
	case TRACE_OP_WAIT:
	case TRACE_OP_GET:
	case TRACE_OP_GET_TOD:
		expected.time = UINT64_MAX;
		break;
	case TRACE_OP_UPDATE:
		expected.time = expected.base;
		break;
	case TRACE_OP_BROADCAST:
		expected.time = predictor->broadcast;
		break;
	}
	return expected;
}

static inline struct prediction predict_to(const struct predictor *predictor,
					   const struct guest *guest, uint64_t op)
{
	struct prediction expected = {
		.seq = (predictor->to_seq_each ? guest->to_seq : predictor->to_seq) + 1,
		.base = predictor->now - guest->offset,
	};

	switch (op) {
	case TRACE_OP_ACK:
		expected.seq = guest->from_seq;
		if (guest->from_op == TRACE_OP_GET)
			expected.time = expected.base;
		else if (guest->from_op == TRACE_OP_GET_TOD)
			expected.time = predictor->tod + predictor->now;
		break;
	case TRACE_OP_RUN:
		expected.time = guest->pending;
		break;
	case TRACE_OP_FREE_UNTIL:
		expected.time = predictor->free_until - guest->offset;
		break;
	case TRACE_OP_BROADCAST:
		expected.time = predictor->broadcast;
		break;
	}
	return expected;
}

/* Expected now of a message, once its time is known. */
static inline uint64_t predict_now(const struct predictor *predictor, const struct guest *guest,
				   bool to, uint64_t op, uint64_t time)
{
	bool moves = to ? op == TRACE_OP_RUN : op == TRACE_OP_UPDATE && !predictor->update_late;

	return moves ? time + guest->offset : predictor->now;
}

static inline void predictor_learn_from(struct predictor *predictor, struct guest *guest,
					uint64_t op, uint64_t seq, uint64_t time, uint64_t now)
{
	uint64_t before = predictor->now;

	predictor->now = now;
	if (op == TRACE_OP_ACK)
		return;
	guest->from_seq = seq;
	guest->from_op = op;
	if (op == TRACE_OP_REQUEST) {
		guest->pending = time;
		guest->step = time - (before - guest->offset);
	} else if (op == TRACE_OP_UPDATE) {
		uint64_t told = time + guest->offset;

		if (told != before)
			predictor->update_late = now == before;
		if (predictor->update_late)
			predictor->now = told;
	} else if (op == TRACE_OP_BROADCAST) {
		predictor->broadcast = time;
	}
}

static inline void predictor_learn_to(struct predictor *predictor, struct guest *guest, uint64_t op,
				      uint64_t seq, uint64_t time, uint64_t now)
{
	predictor->now = now;
	if (op == TRACE_OP_ACK) {
		if (guest->from_op == TRACE_OP_GET_TOD)
			predictor->tod = time - now;
		return;
	}
	if (seq != predictor->to_seq + 1)
		predictor->to_seq_each = seq == guest->to_seq + 1;
	else if (seq != guest->to_seq + 1)
		predictor->to_seq_each = false;
	guest->to_seq = predictor->to_seq = seq;
	if (op == TRACE_OP_RUN)
		guest->offset = now - time;
	else if (op == TRACE_OP_FREE_UNTIL)
		predictor->free_until = time + guest->offset;
	else if (op == TRACE_OP_BROADCAST)
		predictor->broadcast = time;
}

/* A join tells the offset before the first RUN does. */
static inline void predictor_learn_record(struct predictor *predictor, struct guest *guest,
					  const struct trace_record *record)
{
	predictor->now = record->now;
	if (record->kind == TRACE_join)
		guest->offset = record->join.offset;
}

#endif
