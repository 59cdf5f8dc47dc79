/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Predicts the next record of a chunk: encoder and decoder call the same functions with the same
 * records, so a correct prediction costs nothing. A wrong prediction costs bytes, never
 * correctness. ttrace(5), "Prediction", is these rules in words.
 */
#ifndef TTREC_PREDICT_H
#define TTREC_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/trace/codec/history.h"

/* How far ahead a REQUEST is depends on the message before it: this many are distinguished. */
#define PREDICT_STEPS 8

/* The state of one guest. Everything but the chain is reset at the start of a chunk. */
struct guest {
	uint64_t chunk;	  /* serial number of the chunk that the predictions belong to */
	uint64_t offset;  /* controller's time minus the guest's */
	uint64_t pending; /* time of its last REQUEST */
	uint64_t step[PREDICT_STEPS]; /* how far ahead REQUESTs were, by from_op */
	uint64_t from_seq;
	uint64_t from_op; /* operation of its last message that was no ACK */
	uint64_t to_seq;
	uint64_t history; /* its recent records, see history.h */
	uint64_t lag;	  /* from the last kick of all to the last buffer it got back */
	uint32_t kind;	  /* of its last record that was not a message */
	uint64_t chain;	  /* hash of its history, see chain.h */
	uint64_t listed;  /* serial number of the last chunk that carries its chain */
	bool known;	  /* the chain is that of the whole history */
};

/*
 * Two fields in a row of the records of one guest and kind; more are distinguished by their first
 * two fields. They are expected to go on counting.
 */
struct series {
	uint64_t chunk;
	uint64_t last[2];
	uint64_t step[2];
	uint64_t size;	 /* of the last payload */
	bool started;	 /* a record came: there is a last one */
	bool follows[2]; /* expect the value after such a record, not the next of a count */
};

/* The fields of the last record of one guest and kind that came after one certain other kind. */
struct sequel {
	uint64_t chunk;
	uint64_t field[TRACE_FIELDS_MAX];
};

/* How far ahead the REQUEST was that last followed on some history. */
struct stride {
	uint64_t chunk;
	uint64_t step;
};

struct predictor {
	struct guest *guests;
	struct series *series;
	struct sequel *sequels;
	struct stride *strides;
	uint32_t guest_limit; /* entries of @guests */
	uint64_t chunk;
	uint32_t guest; /* of the record before */
	uint64_t now;	/* what the next record's now is expected to be */
	uint64_t to_seq;
	uint64_t tod;	     /* answer to GET_TOD minus now */
	uint64_t free_until; /* last FREE_UNTIL, controller's time */
	uint64_t broadcast;
	uint64_t kicked;  /* now of the last kick of any guest */
	bool to_seq_each; /* the controller counts for each guest, not over all */
	bool update_late; /* now follows one record after the UPDATE */
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
		guest->offset = guest->pending = guest->lag = 0;
		guest->from_seq = guest->from_op = guest->to_seq = 0;
		guest->kind = 0;
		guest->history = 0;
		memset(guest->step, 0, sizeof(guest->step));
	}
	return guest;
}

static inline struct stride *find_stride(const struct predictor *predictor,
					 const struct guest *guest)
{
	uint64_t index = (uint64_t)(guest - predictor->guests);

	return &predictor->strides[table_place(guest->history + index)];
}

static inline uint64_t predict_step(const struct predictor *predictor, const struct guest *guest)
{
	const struct stride *stride = find_stride(predictor, guest);

	if (stride->chunk == predictor->chunk)
		return stride->step;
	return guest->step[guest->from_op % PREDICT_STEPS];
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
		expected.time = expected.base + predict_step(predictor, guest);
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

static inline void predictor_learn_step(struct predictor *predictor, struct guest *guest,
					uint64_t step)
{
	*find_stride(predictor, guest) = (struct stride){ predictor->chunk, step };
	guest->step[guest->from_op % PREDICT_STEPS] = step;
}

static inline void predictor_learn_from(struct predictor *predictor, struct guest *guest,
					uint64_t op, uint64_t seq, uint64_t time, uint64_t now)
{
	uint64_t before = predictor->now;

	predictor->now = now;
	if (op == TRACE_OP_ACK)
		return;
	if (op == TRACE_OP_REQUEST) {
		guest->pending = time;
		predictor_learn_step(predictor, guest, time - (before - guest->offset));
	} else if (op == TRACE_OP_UPDATE) {
		uint64_t told = time + guest->offset;

		if (told != before)
			predictor->update_late = now == before;
		if (predictor->update_late)
			predictor->now = told;
	} else if (op == TRACE_OP_BROADCAST) {
		predictor->broadcast = time;
	}
	guest->from_seq = seq;
	guest->from_op = op;
	guest->history = history_message(guest->history, op, false);
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
	guest->history = history_message(guest->history, op, true);
	if (op == TRACE_OP_RUN)
		guest->offset = now - time;
	else if (op == TRACE_OP_FREE_UNTIL)
		predictor->free_until = time + guest->offset;
	else if (op == TRACE_OP_BROADCAST)
		predictor->broadcast = time;
}

/* Whether it is a record of a device completing buffers, or precedes one. */
static inline bool is_given_back(uint32_t kind)
{
	return kind == TRACE_used || kind == TRACE_wrote || kind == TRACE_sent;
}

/*
 * Expected now of a record that is not a message, of which the fields are known. A device completes
 * a buffer a constant time after a peer's kick: the delay of a network or disk. A sent record
 * contains that time.
 */
static inline uint64_t predict_record_now(const struct predictor *predictor,
					  const struct guest *guest,
					  const struct trace_record *record)
{
	uint64_t lag = record->kind == TRACE_sent ? record->sent.delay : guest->lag;
	uint64_t due = predictor->kicked + lag;

	if (!is_given_back(record->kind) || (int64_t)(due - predictor->now) <= 0)
		return predictor->now;
	return due;
}

/* A join has the offset before the first RUN does. */
static inline void predictor_learn_record(struct predictor *predictor, struct guest *guest,
					  const struct trace_record *record)
{
	predictor->now = record->now;
	guest->kind = record->kind;
	guest->history = history_record(guest->history, record->kind);
	if (record->kind == TRACE_join)
		guest->offset = record->join.offset;
	else if (record->kind == TRACE_kick)
		predictor->kicked = record->now;
	else if (is_given_back(record->kind))
		guest->lag = record->now - predictor->kicked;
}

/*
 * The fields of a record that is not a message, one after the other: begin, then expect and learn
 * for each field, then the payload's size. The record's guest and kind, and what was learned, are
 * known.
 */
struct field_walk {
	struct predictor *predictor;
	struct sequel *sequel;
	struct series *first;  /* of fields 0 and 1, and of the size */
	struct series *series; /* of the field at hand */
	uint64_t place;
};

void field_walk_begin(struct field_walk *walk, struct predictor *predictor,
		      const struct guest *guest, uint32_t index, uint32_t kind);

/* The expected value of field @i of @record, whose fields before it are known. */
uint64_t field_walk_expect(struct field_walk *walk, const struct trace_record *record,
			   unsigned int i);
void field_walk_learn(struct field_walk *walk, unsigned int i, uint64_t value);

static inline uint64_t field_walk_size(const struct field_walk *walk)
{
	return walk->first->size;
}

void field_walk_end(struct field_walk *walk, uint64_t size);

#endif
