// SPDX-License-Identifier: BSD-3-Clause
/*
 * Records into columns: a predicted record costs its tag, other values go into the column of their
 * kind.
 */
#include "format/trace/codec/encode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "format/trace/codec/chain.h"
#include "format/base/cleanup.h"

/* Bytes that one record can need in each column. */
static const uint8_t column_room[COLUMNS] = {
	/* clang-format off */
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
	/* clang-format on */
};

/* Stores of whole words may reach this far beyond a column's end. */
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

int columns_create(struct columns **created)
{
	struct columns *columns = calloc(1, sizeof(*columns));
	size_t size = HEAD_ROOM;
	uint8_t *at;

	if (!columns)
		return -ENOMEM;
	for (int i = 0; i < COLUMNS; i++)
		size += column_size(i);
	columns->head = malloc(size);
	if (!columns->head) {
		free(columns);
		return -ENOMEM;
	}
	at = columns->head + HEAD_ROOM;
	for (int i = 0; i < COLUMNS; i++) {
		columns->begin[i] = columns->end[i] = at;
		at += column_size(i);
	}
	*created = columns;
	return 0;
}

void columns_destroy(struct columns *columns)
{
	if (!columns)
		return;
	free(columns->head);
	free(columns);
}

static size_t columns_payload(const struct columns *columns)
{
	return (size_t)(columns->end[COLUMN_PAYLOAD] - columns->begin[COLUMN_PAYLOAD]);
}

bool columns_full(const struct columns *columns, size_t payload_size)
{
	size_t payload = columns_payload(columns);

	if (!columns->count)
		return false;
	return (columns->first_number + columns->count) % CHUNK_RECORDS_MAX == 0 ||
	       payload >= CHUNK_PAYLOAD_ENOUGH || payload + payload_size > CHUNK_PAYLOAD_MAX;
}

void encoder_begin(struct encoder *encoder, struct columns *columns)
{
	for (int i = 0; i < COLUMNS; i++)
		columns->end[i] = columns->begin[i];
	columns->guest_end = columns->head + CHUNK_HEAD_SIZE;
	columns->guest_count = 0;
	columns->count = 0;
	columns->first_number = encoder->number;
	encoder->columns = columns;
}

void encoder_release(struct encoder *encoder)
{
	predictor_release(&encoder->predictor);
}

static inline void add_byte(struct columns *columns, enum column column, uint8_t value)
{
	*columns->end[column]++ = value;
}

static inline void add_varint(struct columns *columns, enum column column, uint64_t value)
{
	columns->end[column] = put_varint(columns->end[column], value);
}

static inline unsigned int byte_count(uint64_t value)
{
	return value ? 8 - (unsigned int)__builtin_clzll(value) / 8 : 0;
}

static void add_planes(struct columns *columns, enum time_code code, uint64_t value)
{
	unsigned int bytes = byte_count(value);

	add_byte(columns, COLUMN_TIME, (uint8_t)(code + bytes));
	for (unsigned int i = 0; i < bytes; i++)
		add_byte(columns, COLUMN_PLANE + i, (uint8_t)(value >> 8 * i));
}

/* A time that was not predicted: a common one by name, the rest as the shorter number. */
static void add_time(struct columns *columns, const struct guest *guest, uint64_t base,
		     uint64_t time)
{
	uint64_t distance = time - base;

	if (byte_count(distance) <= 3)
		add_planes(columns, TIME_DISTANCE, distance);
	else if (time == 0)
		add_byte(columns, COLUMN_TIME, TIME_ZERO);
	else if (time == INT64_MAX)
		add_byte(columns, COLUMN_TIME, TIME_NEVER);
	else if (time == UINT64_MAX)
		add_byte(columns, COLUMN_TIME, TIME_NONE);
	else if (time == guest->pending)
		add_byte(columns, COLUMN_TIME, TIME_PENDING);
	else if (byte_count(distance) <= byte_count(time))
		add_planes(columns, TIME_DISTANCE, distance);
	else
		add_planes(columns, TIME_VALUE, time);
}

/* Guest, now and payload where they are not the expected ones; returns the flag for the tag. */
static uint8_t add_context(struct encoder *encoder, const struct trace_record *record,
			   uint64_t expected_now, uint8_t context)
{
	struct predictor *predictor = &encoder->predictor;
	struct columns *columns = encoder->columns;

	if (record->guest != predictor->guest) {
		context |= CONTEXT_GUEST;
		add_varint(columns, COLUMN_GUEST, record->guest);
		predictor->guest = record->guest;
	}
	if (record->now != expected_now) {
		context |= CONTEXT_NOW;
		add_varint(columns, COLUMN_NOW, zigzag(record->now - expected_now));
	}
	if (!context)
		return 0;
	add_byte(columns, COLUMN_CONTEXT, context);
	return TAG_CONTEXT;
}

/* The payload and, where it is not @expected, its size; returns the flag for the context. */
static uint8_t add_payload(struct columns *columns, const struct trace_record *record,
			   uint64_t expected)
{
	columns->end[COLUMN_PAYLOAD] =
		put_bytes(columns->end[COLUMN_PAYLOAD], record->payload, record->payload_size);
	if (record->payload_size == expected)
		return 0;
	add_varint(columns, COLUMN_SIZE, record->payload_size);
	return CONTEXT_SIZE;
}

/*
 * The body of both directions; @to is constant in each caller, so that each has its own
 * prediction in line.
 */
static inline __attribute__((always_inline)) void add_message(struct encoder *encoder,
							      struct guest *guest,
							      const struct trace_record *record,
							      bool to)
{
	struct predictor *predictor = &encoder->predictor;
	struct columns *columns = encoder->columns;
	uint64_t op = record->from.op, seq = record->from.seq, time = record->from.time;
	struct prediction expected =
		to ? predict_to(predictor, guest, op) : predict_from(predictor, guest, op);
	uint8_t tag = to ? TAG_TO : 0;

	if (op < TAG_OP_OTHER) {
		tag |= (uint8_t)op;
	} else {
		tag |= TAG_OP_OTHER;
		add_varint(columns, COLUMN_OP, op);
	}
	if (seq != expected.seq) {
		tag |= TAG_SEQ;
		add_varint(columns, COLUMN_SEQ, zigzag(seq - expected.seq));
	}
	if (time != expected.time) {
		tag |= TAG_TIME;
		add_time(columns, guest, expected.base, time);
	}
	tag |= add_context(encoder, record, predict_now(predictor, guest, to, op, time),
			   add_payload(columns, record, 0));
	add_byte(columns, COLUMN_TAG, tag);
	if (to)
		predictor_learn_to(predictor, guest, op, seq, time, record->now);
	else
		predictor_learn_from(predictor, guest, op, seq, time, record->now);
}

static void add_record(struct encoder *encoder, struct guest *guest,
		       const struct trace_record *record, unsigned int field_count, bool chained)
{
	struct predictor *predictor = &encoder->predictor;
	struct columns *columns = encoder->columns;
	uint64_t now = predict_record_now(predictor, guest, record);
	uint8_t tag = TAG_RECORD | (chained ? TAG_CHAINED : 0);
	uint8_t fields = (uint8_t)field_count;
	struct field_walk walk;

	field_walk_begin(&walk, predictor, guest, record->guest, record->kind);
	for (unsigned int i = 0; i < field_count; i++) {
		uint64_t expected = field_walk_expect(&walk, record, i);

		field_walk_learn(&walk, i, record->field[i]);
		if (record->field[i] == expected)
			continue;
		fields |= (uint8_t)(1 << (FIELDS_OTHER + i));
		add_varint(columns, COLUMN_FIELD, zigzag(record->field[i] - expected));
	}
	add_byte(columns, COLUMN_KIND, (uint8_t)record->kind);
	add_byte(columns, COLUMN_KIND, fields);
	tag |= add_context(encoder, record, now,
			   add_payload(columns, record, field_walk_size(&walk)));
	add_byte(columns, COLUMN_TAG, tag);
	field_walk_end(&walk, record->payload_size);
	predictor_learn_record(predictor, guest, record);
}

/* The chunk names every guest with a record in it, and the chain that it continues. */
static inline void list_chain(struct encoder *encoder, struct guest *guest, uint32_t index)
{
	struct columns *columns = encoder->columns;

	if (guest->listed == encoder->predictor.chunk)
		return;
	guest->listed = encoder->predictor.chunk;
	guest->known = true;
	columns->guest_end = put_le64(put_le32(columns->guest_end, index), guest->chain);
	columns->guest_count++;
}

static void add_any(struct encoder *encoder, struct guest *guest, const struct trace_record *record,
		    unsigned int field_count, bool chained)
{
	list_chain(encoder, guest, record->guest);
	if (chained)
		guest->chain = chain_record(guest->chain, record, field_count);
	add_record(encoder, guest, record, field_count, chained);
}

int encoder_add(struct encoder *encoder, const struct trace_record *record,
		unsigned int field_count, bool chained)
{
	struct columns *columns = encoder->columns;
	struct guest *guest;

	assert(!columns_full(columns, record->payload_size));
	if (record->guest >= TRACE_GUEST_LIMIT)
		return -EINVAL;
	if (!columns->count) {
		columns->first_now = record->now;
		predictor_begin(&encoder->predictor, record->now);
	}
	guest = predictor_guest(&encoder->predictor, record->guest);
	if (!guest)
		return -ENOMEM;
	if (record->kind == TRACE_from || record->kind == TRACE_to) {
		list_chain(encoder, guest, record->guest);
		guest->chain = chain_message(guest->chain, record);
		if (record->kind == TRACE_from)
			add_message(encoder, guest, record, false);
		else
			add_message(encoder, guest, record, true);
	} else {
		add_any(encoder, guest, record, field_count, chained);
	}
	encoder->number++;
	columns->count++;
	return 0;
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

void columns_content(struct columns *columns, struct record_predictor *predictor, uint64_t chain,
		     struct segment segments[COLUMNS_SEGMENTS])
{
	uint8_t *out = columns->guest_end;

	assert(columns->count);
	columns_pack(columns, predictor);
	put_chunk_head(columns->head, CHUNK_RECORDS, columns->guest_count, columns->count,
		       columns->first_number, columns->first_now, chain);
	for (int i = 0; i < COLUMNS; i++) {
		size_t size = (size_t)(columns->end[i] - columns->begin[i]);

		out = put_varint(out, size);
		segments[1 + i] = (struct segment){ columns->begin[i], size };
	}
	segments[0] = (struct segment){ columns->head, (size_t)(out - columns->head) };
}
