// SPDX-License-Identifier: BSD-3-Clause
/* Records into columns: what was predicted costs its tag, the rest goes where its like is. */
#include "format/encode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "format/chain.h"
#include "format/cleanup.h"

/* Bytes that one record can need in each column. */
static const uint8_t column_room[COLUMNS] = {
	[COLUMN_TAG] = 1,
	[COLUMN_CONTEXT] = 1,
	[COLUMN_GUEST] = 3,
	[COLUMN_NOW] = VARINT_MAX,
	[COLUMN_OP] = VARINT_MAX,
	[COLUMN_SEQ] = VARINT_MAX,
	[COLUMN_TIME] = 1,
	[COLUMN_PLANE ... COLUMN_PLANE + 7] = 1,
	[COLUMN_KIND] = 2,
	[COLUMN_FIELD] = VARINT_MAX * TRACE_FIELDS_MAX,
	[COLUMN_SIZE] = 3,
};

/* Stores of whole words may reach this far behind a column's end. */
#define COLUMN_SLACK 16

#define HEAD_ROOM (CHUNK_HEAD_SIZE + GUEST_ENTRY_SIZE * CHUNK_RECORDS_MAX + 5 * COLUMNS)

_Static_assert(HEAD_ROOM + (1 + 1 + 3 + 10 + 10 + 10 + 1 + 8 + 2 + 40 + 3) * CHUNK_RECORDS_MAX +
			       CHUNK_PAYLOAD_MAX <=
		       CHUNK_CONTENT_MAX,
	       "the largest chunk fits its bound");

static size_t column_size(enum column column)
{
	if (column == COLUMN_PAYLOAD)
		return CHUNK_PAYLOAD_MAX;
	return (size_t)column_room[column] * CHUNK_RECORDS_MAX + COLUMN_SLACK;
}

int encoder_create(struct encoder **created)
{
	struct encoder *encoder = calloc(1, sizeof(*encoder));
	size_t size = HEAD_ROOM;
	uint8_t *at;

	if (!encoder)
		return -ENOMEM;
	for (int i = 0; i < COLUMNS; i++)
		size += column_size(i);
	encoder->columns = malloc(size);
	if (!encoder->columns) {
		free(encoder);
		return -ENOMEM;
	}
	encoder->head = encoder->columns;
	at = encoder->head + HEAD_ROOM;
	for (int i = 0; i < COLUMNS; i++) {
		encoder->begin[i] = encoder->end[i] = at;
		at += column_size(i);
	}
	*created = encoder;
	return 0;
}

void encoder_destroy(struct encoder *encoder)
{
	if (!encoder)
		return;
	predictor_release(&encoder->predictor);
	free(encoder->columns);
	free(encoder);
}

static void encoder_begin(struct encoder *encoder, uint64_t now)
{
	for (int i = 0; i < COLUMNS; i++)
		encoder->end[i] = encoder->begin[i];
	encoder->guest_end = encoder->head + CHUNK_HEAD_SIZE;
	encoder->guest_count = 0;
	encoder->first_number = encoder->number;
	encoder->first_now = now;
	predictor_begin(&encoder->predictor, now);
}

static inline void add_byte(struct encoder *encoder, enum column column, uint8_t value)
{
	*encoder->end[column]++ = value;
}

static inline void add_varint(struct encoder *encoder, enum column column, uint64_t value)
{
	encoder->end[column] = put_varint(encoder->end[column], value);
}

static inline unsigned int byte_count(uint64_t value)
{
	return value ? 8 - (unsigned int)__builtin_clzll(value) / 8 : 0;
}

static void add_planes(struct encoder *encoder, enum time_code code, uint64_t value)
{
	unsigned int bytes = byte_count(value);

	add_byte(encoder, COLUMN_TIME, (uint8_t)(code + bytes));
	for (unsigned int i = 0; i < bytes; i++)
		add_byte(encoder, COLUMN_PLANE + i, (uint8_t)(value >> 8 * i));
}

/* A time that was not predicted: a common one by name, the rest as the shorter number. */
static void add_time(struct encoder *encoder, const struct guest *guest, uint64_t base,
		     uint64_t time)
{
	uint64_t distance = time - base;

	if (byte_count(distance) <= 3)
		add_planes(encoder, TIME_DISTANCE, distance);
	else if (time == 0)
		add_byte(encoder, COLUMN_TIME, TIME_ZERO);
	else if (time == INT64_MAX)
		add_byte(encoder, COLUMN_TIME, TIME_NEVER);
	else if (time == UINT64_MAX)
		add_byte(encoder, COLUMN_TIME, TIME_NONE);
	else if (time == guest->pending)
		add_byte(encoder, COLUMN_TIME, TIME_PENDING);
	else if (byte_count(distance) <= byte_count(time))
		add_planes(encoder, TIME_DISTANCE, distance);
	else
		add_planes(encoder, TIME_VALUE, time);
}

/* Guest, now and payload where they are not the expected ones; returns the flag for the tag. */
static uint8_t add_context(struct encoder *encoder, const struct trace_record *record,
			   uint64_t expected_now, uint8_t context)
{
	struct predictor *predictor = &encoder->predictor;

	if (record->guest != predictor->guest) {
		context |= CONTEXT_GUEST;
		add_varint(encoder, COLUMN_GUEST, record->guest);
		predictor->guest = record->guest;
	}
	if (record->now != expected_now) {
		context |= CONTEXT_NOW;
		add_varint(encoder, COLUMN_NOW, zigzag(record->now - expected_now));
	}
	if (!context)
		return 0;
	add_byte(encoder, COLUMN_CONTEXT, context);
	return TAG_CONTEXT;
}

static uint8_t add_payload(struct encoder *encoder, const struct trace_record *record)
{
	if (!record->payload_size)
		return 0;
	add_varint(encoder, COLUMN_SIZE, record->payload_size);
	encoder->end[COLUMN_PAYLOAD] =
		put_bytes(encoder->end[COLUMN_PAYLOAD], record->payload, record->payload_size);
	return CONTEXT_PAYLOAD;
}

/*
 * The body of both directions; @to is constant in each caller, so that each has its own
 * prediction in line.
 */
static inline __attribute__((always_inline)) void
add_message(struct encoder *encoder, struct guest *guest, const struct trace_record *record,
	    bool to)
{
	struct predictor *predictor = &encoder->predictor;
	uint64_t op = record->from.op, seq = record->from.seq, time = record->from.time;
	struct prediction expected = to ? predict_to(predictor, guest, op)
					: predict_from(predictor, guest, op);
	uint8_t tag = to ? TAG_TO : 0;

	if (op < TAG_OP_OTHER) {
		tag |= (uint8_t)op;
	} else {
		tag |= TAG_OP_OTHER;
		add_varint(encoder, COLUMN_OP, op);
	}
	if (seq != expected.seq) {
		tag |= TAG_SEQ;
		add_varint(encoder, COLUMN_SEQ, zigzag(seq - expected.seq));
	}
	if (time != expected.time) {
		tag |= TAG_TIME;
		add_time(encoder, guest, expected.base, time);
	}
	tag |= add_context(encoder, record, predict_now(predictor, guest, to, op, time),
			   add_payload(encoder, record));
	add_byte(encoder, COLUMN_TAG, tag);
	if (to)
		predictor_learn_to(predictor, guest, op, seq, time, record->now);
	else
		predictor_learn_from(predictor, guest, op, seq, time, record->now);
}

static void add_record(struct encoder *encoder, struct guest *guest,
		       const struct trace_record *record, unsigned int field_count, bool chained)
{
	struct predictor *predictor = &encoder->predictor;
	uint64_t *last = predictor->last[record->kind];
	uint8_t tag = TAG_RECORD | (chained ? TAG_CHAINED : 0);

	add_byte(encoder, COLUMN_KIND, (uint8_t)record->kind);
	add_byte(encoder, COLUMN_KIND, (uint8_t)field_count);
	for (unsigned int i = 0; i < field_count; i++) {
		add_varint(encoder, COLUMN_FIELD, zigzag(record->field[i] - last[i]));
		last[i] = record->field[i];
	}
	tag |= add_context(encoder, record, predictor->now, add_payload(encoder, record));
	add_byte(encoder, COLUMN_TAG, tag);
	predictor_learn_record(predictor, guest, record);
}

/* The chunk names the chain of every guest it continues. */
static inline void list_chain(struct encoder *encoder, struct guest *guest, uint32_t index)
{
	if (guest->listed == encoder->predictor.chunk)
		return;
	guest->listed = encoder->predictor.chunk;
	guest->known = true;
	encoder->guest_end = put_le64(put_le32(encoder->guest_end, index), guest->chain);
	encoder->guest_count++;
}

int encoder_add(struct encoder *encoder, const struct trace_record *record,
		unsigned int field_count, bool chained)
{
	struct guest *guest;

	assert(encoder->count < CHUNK_RECORDS_MAX && record->kind < TRACE_KIND_LIMIT);
	assert(encoder_payload(encoder) + record->payload_size <= CHUNK_PAYLOAD_MAX ||
	       !encoder->count);
	if (record->guest >= TRACE_GUEST_LIMIT)
		return -EINVAL;
	if (!encoder->count)
		encoder_begin(encoder, record->now);
	guest = predictor_guest(&encoder->predictor, record->guest);
	if (!guest)
		return -ENOMEM;
	if (chained) {
		list_chain(encoder, guest, record->guest);
		guest->chain = chain_record(guest->chain, record, field_count);
	}
	if (record->kind == TRACE_from)
		add_message(encoder, guest, record, false);
	else if (record->kind == TRACE_to)
		add_message(encoder, guest, record, true);
	else
		add_record(encoder, guest, record, field_count, chained);
	encoder->number++;
	encoder->count++;
	return 0;
}

bool encoder_full(const struct encoder *encoder, size_t payload_size)
{
	size_t payload = encoder_payload(encoder);

	if (!encoder->count)
		return false;
	return encoder->number % CHUNK_RECORDS_MAX == 0 || payload >= CHUNK_PAYLOAD_ENOUGH ||
	       payload + payload_size > CHUNK_PAYLOAD_MAX;
}

uint8_t *put_chunk_head(uint8_t *out, enum chunk_type type, uint32_t guests, uint32_t count,
			uint64_t number, uint64_t now, uint64_t chain)
{
	*out++ = (uint8_t)type;
	*out++ = 0;
	out = put_le16(out, (uint16_t)guests);
	out = put_le32(out, count);
	out = put_le64(out, number);
	out = put_le64(out, now);
	return put_le64(out, chain);
}

void encoder_finish(struct encoder *encoder, uint64_t frame_chain,
		    struct segment segments[ENCODER_SEGMENTS])
{
	uint8_t *out = encoder->guest_end;

	assert(encoder->count);
	put_chunk_head(encoder->head, CHUNK_RECORDS, encoder->guest_count, encoder->count,
		       encoder->first_number, encoder->first_now, frame_chain);
	for (int i = 0; i < COLUMNS; i++) {
		size_t size = (size_t)(encoder->end[i] - encoder->begin[i]);

		out = put_varint(out, size);
		segments[1 + i] = (struct segment){ encoder->begin[i], size };
	}
	segments[0] = (struct segment){ encoder->head, (size_t)(out - encoder->head) };
	encoder->count = 0;
}
