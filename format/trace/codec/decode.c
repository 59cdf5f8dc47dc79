// SPDX-License-Identifier: BSD-3-Clause
/* Columns into records, the mirror of encode.c. */
#include "format/trace/codec/decode.h"

#include <errno.h>
#include <stdlib.h>

#include "format/trace/codec/chain.h"

int decoder_create(struct decoder **decoder)
{
	*decoder = calloc(1, sizeof(**decoder));
	if (!*decoder)
		return -ENOMEM;
	(*decoder)->follow = TRACE_GUEST_ALL;
	return 0;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	predictor_release(&decoder->predictor);
	free(decoder);
}

static bool decoder_follows(const struct decoder *decoder, uint32_t guest)
{
	return decoder->follow == TRACE_GUEST_ALL || decoder->follow == guest;
}

void decoder_follow(struct decoder *decoder, uint32_t guest)
{
	struct predictor *predictor = &decoder->predictor;

	for (uint32_t i = 0; i < predictor->guest_limit; i++)
		if (i != guest || !decoder_follows(decoder, i))
			predictor->guests[i].known = false;
	decoder->follow = guest;
	decoder->partial = true;
}

void decoder_restart(struct decoder *decoder)
{
	predictor_release(&decoder->predictor);
	memset(decoder->column, 0, sizeof(decoder->column));
	decoder->left = 0;
	decoder->run = 0;
	decoder->partial = true;
}

static int decoder_bad(struct decoder *decoder, const char *problem)
{
	decoder->problem = problem;
	return -EBADMSG;
}

static inline bool take_byte(struct column_cursor *column, uint8_t *value)
{
	if (column->at == column->end)
		return false;
	*value = *column->at++;
	return true;
}

static inline bool take_varint(struct column_cursor *column, uint64_t *value)
{
	uint8_t byte;

	*value = 0;
	for (unsigned int shift = 0; shift < 64; shift += 7) {
		if (!take_byte(column, &byte))
			return false;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return shift < 63 || byte <= 1;
	}
	return false;
}

int decoder_chains(struct decoder *decoder, const uint8_t *table, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, table += GUEST_ENTRY_SIZE) {
		uint32_t index = get_le32(table);
		uint64_t chain = get_le64(table + 4);
		struct guest *guest;

		if (index >= TRACE_GUEST_LIMIT)
			return decoder_bad(decoder, "guest number out of range");
		guest = predictor_guest(&decoder->predictor, index);
		if (!guest)
			return -ENOMEM;
		guest->listed = decoder->predictor.chunk;
		if (!decoder_follows(decoder, index))
			continue;
		if ((guest->known || !decoder->partial) && guest->chain != chain)
			return decoder_bad(decoder, "guest chain mismatch");
		guest->known = true;
		guest->chain = chain;
	}
	return 0;
}

/* The sizes of all columns; together they must be what is left of the content. */
static int split_columns(struct decoder *decoder, struct column_cursor *content)
{
	uint64_t size[COLUMNS], total = 0;

	for (int i = 0; i < COLUMNS; i++) {
		if (!take_varint(content, &size[i]) || size[i] > CHUNK_CONTENT_MAX)
			return decoder_bad(decoder, "invalid column size");
		total += size[i];
	}
	if (total != (uint64_t)(content->end - content->at))
		return decoder_bad(decoder, "columns do not fill the chunk");
	decoder->columns = content->at;
	for (int i = 0; i < COLUMNS; i++) {
		decoder->column[i].at = content->at;
		content->at += size[i];
		decoder->column[i].end = content->at;
	}
	return 0;
}

int decoder_begin(struct decoder *decoder, const uint8_t *content, size_t size)
{
	uint32_t guests = get_le16(content + 2);
	struct column_cursor rest = { content + CHUNK_HEAD_SIZE, content + size };
	int err;

	decoder->left = get_le32(content + 4);
	decoder->number = get_le64(content + 8);
	predictor_begin(&decoder->predictor, get_le64(content + 16));
	if ((size_t)(rest.end - rest.at) < guests * GUEST_ENTRY_SIZE)
		return decoder_bad(decoder, "truncated table of guests");
	err = decoder_chains(decoder, rest.at, guests);
	if (err)
		return err;
	rest.at += guests * GUEST_ENTRY_SIZE;
	err = split_columns(decoder, &rest);
	if (err)
		return err;
	record_predictor_begin(&decoder->record_predictor);
	decoder->run = 0;
	return 0;
}

static bool take_planes(struct decoder *decoder, unsigned int bytes, uint64_t *value)
{
	uint8_t byte;

	*value = 0;
	for (unsigned int i = 0; i < bytes; i++) {
		if (!take_byte(&decoder->column[COLUMN_PLANE + i], &byte))
			return false;
		*value |= (uint64_t)byte << 8 * i;
	}
	return true;
}

static bool take_time(struct decoder *decoder, const struct guest *guest, uint64_t base,
		      uint64_t *time)
{
	uint8_t code;

	if (!take_byte(&decoder->column[COLUMN_TIME], &code))
		return false;
	switch (code) {
	case TIME_DISTANCE ... TIME_DISTANCE + 8:
		if (!take_planes(decoder, code - TIME_DISTANCE, time))
			return false;
		*time += base;
		return true;
	case TIME_ZERO:
		*time = 0;
		return true;
	case TIME_NEVER:
		*time = INT64_MAX;
		return true;
	case TIME_NONE:
		*time = UINT64_MAX;
		return true;
	case TIME_PENDING:
		*time = guest->pending;
		return true;
	case TIME_VALUE ... TIME_VALUE + 8:
		return take_planes(decoder, code - TIME_VALUE, time);
	}
	return false;
}

static inline bool take_now(struct decoder *decoder, uint8_t context, uint64_t *now)
{
	uint64_t difference;

	if (!(context & CONTEXT_NOW))
		return true;
	if (!take_varint(&decoder->column[COLUMN_NOW], &difference))
		return false;
	*now += unzigzag(difference);
	return true;
}

/* @expected: the size, where the context does not say another. */
static inline bool take_payload(struct decoder *decoder, uint8_t context, uint64_t expected,
				struct trace_record *record)
{
	struct column_cursor *payload = &decoder->column[COLUMN_PAYLOAD];
	uint64_t size = expected;

	if (context & CONTEXT_SIZE &&
	    (!take_varint(&decoder->column[COLUMN_SIZE], &size) || size == expected))
		return false;
	if (!size)
		return true;
	if (size > TRACE_PAYLOAD_MAX || size > (uint64_t)(payload->end - payload->at))
		return false;
	record->payload = payload->at;
	record->payload_size = size;
	payload->at += size;
	return true;
}

static inline __attribute__((always_inline)) bool take_message(struct decoder *decoder,
							       struct guest *guest, uint64_t token,
							       struct trace_record *record, bool to)
{
	struct predictor *predictor = &decoder->predictor;
	uint8_t tag = token_tag(token), context = token_context(token);
	uint64_t op = tag & TAG_OP_MASK, difference;
	struct prediction expected;

	if (op == TAG_OP_OTHER && (!take_varint(&decoder->column[COLUMN_OP], &op)))
		return false;
	expected = to ? predict_to(predictor, guest, op) : predict_from(predictor, guest, op);
	if (tag & TAG_SEQ) {
		if (!take_varint(&decoder->column[COLUMN_SEQ], &difference))
			return false;
		expected.seq += unzigzag(difference);
	}
	if ((tag & TAG_TIME) && !take_time(decoder, guest, expected.base, &expected.time))
		return false;
	record->kind = to ? TRACE_to : TRACE_from;
	record->from.op = op;
	record->from.seq = expected.seq;
	record->from.time = expected.time;
	record->field[3] = 0;
	record->now = predict_now(predictor, guest, to, op, expected.time);
	if (!take_now(decoder, context, &record->now))
		return false;
	if (to)
		predictor_learn_to(predictor, guest, op, expected.seq, expected.time, record->now);
	else
		predictor_learn_from(predictor, guest, op, expected.seq, expected.time,
				     record->now);
	return take_payload(decoder, context, 0, record);
}

static bool take_fields(struct decoder *decoder, struct field_walk *walk, uint8_t fields,
			struct trace_record *record)
{
	for (unsigned int i = 0; i < (fields & FIELDS_COUNT_MASK); i++) {
		uint64_t value = field_walk_expect(walk, record, i), difference;

		if (fields >> (FIELDS_OTHER + i) & 1) {
			if (!take_varint(&decoder->column[COLUMN_FIELD], &difference))
				return false;
			value += unzigzag(difference);
		}
		record->field[i] = value;
		field_walk_learn(walk, i, value);
	}
	return true;
}

static bool take_record(struct decoder *decoder, struct guest *guest, uint64_t token,
			struct trace_record *record)
{
	struct predictor *predictor = &decoder->predictor;
	uint8_t context = token_context(token);
	struct field_walk walk;

	record->kind = token_kind(token);
	memset(record->field, 0, sizeof(record->field));
	field_walk_begin(&walk, predictor, guest, record->guest, record->kind);
	if (!take_fields(decoder, &walk, token_fields(token), record))
		return false;
	record->now = predict_record_now(predictor, guest, record);
	if (!take_now(decoder, context, &record->now) ||
	    !take_payload(decoder, context, field_walk_size(&walk), record))
		return false;
	field_walk_end(&walk, record->payload_size);
	predictor_learn_record(predictor, guest, record);
	return true;
}

/* Kind and fields of a record that is not a message. */
static bool take_kind(struct decoder *decoder, uint8_t *kind, uint8_t *fields)
{
	unsigned int count;

	if (!take_byte(&decoder->column[COLUMN_KIND], kind) ||
	    !take_byte(&decoder->column[COLUMN_KIND], fields) || *kind >= TRACE_KIND_LIMIT ||
	    *kind == TRACE_from || *kind == TRACE_to || *fields & FIELDS_RESERVED)
		return false;
	count = *fields & FIELDS_COUNT_MASK;
	return count <= TRACE_FIELDS_MAX && !(*fields >> FIELDS_OTHER >> count);
}

/* Decode a record that is not as expected. */
static int take_token(struct decoder *decoder, uint8_t tag, uint64_t *token)
{
	uint8_t context = 0, kind = 0, fields = 0;
	uint64_t guest = 0;

	if ((tag & TAG_OP_MASK) == TAG_RECORD && (tag & (TAG_SEQ | TAG_TIME)))
		return decoder_bad(decoder, "unknown tag");
	if ((tag & TAG_CONTEXT) &&
	    (!take_byte(&decoder->column[COLUMN_CONTEXT], &context) || (context & ~CONTEXT_MASK)))
		return decoder_bad(decoder, "invalid context");
	if ((context & CONTEXT_GUEST) &&
	    (!take_varint(&decoder->column[COLUMN_GUEST], &guest) || guest >= TRACE_GUEST_LIMIT))
		return decoder_bad(decoder, "guest number out of range");
	if ((tag & TAG_OP_MASK) == TAG_RECORD && !take_kind(decoder, &kind, &fields))
		return decoder_bad(decoder, "invalid kind");
	*token = record_token(tag, context, kind, fields, (uint32_t)guest);
	return 0;
}

static int next_token(struct decoder *decoder, uint64_t *token)
{
	uint8_t tag = 0;
	int err = 0;

	if (!decoder->run) {
		if (!take_byte(&decoder->column[COLUMN_TAG], &tag))
			return decoder_bad(decoder, "fewer tags than records");
		decoder->run = tag_run(tag);
	}
	if (!decoder->run) {
		err = take_token(decoder, tag, token);
	} else {
		decoder->run--;
		*token = record_predictor_expect(&decoder->record_predictor);
		if (!*token)
			err = decoder_bad(decoder, "record in a run without an expected token");
	}
	if (!err)
		record_predictor_learn(&decoder->record_predictor, *token);
	return err;
}

static int decoder_end(struct decoder *decoder)
{
	if (decoder->run)
		return decoder_bad(decoder, "run longer than the remaining records");
	for (int i = 0; i < COLUMNS; i++)
		if (decoder->column[i].at != decoder->column[i].end)
			return decoder_bad(decoder, "column longer than its records need");
	return 0;
}

static inline void link_chain(struct guest *guest, const struct trace_record *record, uint8_t tag,
			      unsigned int field_count)
{
	if ((tag & TAG_OP_MASK) == TAG_RECORD)
		guest->chain = chain_record(guest->chain, record, field_count);
	else
		guest->chain = chain_message(guest->chain, record);
}

int decoder_next(struct decoder *decoder, struct trace_record *record, unsigned int *field_count,
		 bool *chained)
{
	struct guest *guest;
	uint64_t token = 0;
	uint8_t tag;
	bool good;
	int err;

	if (!decoder->left)
		return decoder_end(decoder);
	err = next_token(decoder, &token);
	if (err)
		return err;
	tag = token_tag(token);
	if (token_context(token) & CONTEXT_GUEST)
		decoder->predictor.guest = token_guest(token);
	guest = predictor_guest(&decoder->predictor, decoder->predictor.guest);
	if (!guest)
		return -ENOMEM;
	record->number = decoder->number;
	record->guest = decoder->predictor.guest;
	record->payload = NULL;
	record->payload_size = 0;
	*chained = (tag & TAG_OP_MASK) != TAG_RECORD || (tag & TAG_CHAINED);
	*field_count = 3;
	if ((tag & TAG_OP_MASK) == TAG_RECORD) {
		*field_count = token_fields(token) & FIELDS_COUNT_MASK;
		good = take_record(decoder, guest, token, record);
	} else if (tag & TAG_TO) {
		good = take_message(decoder, guest, token, record, true);
	} else {
		good = take_message(decoder, guest, token, record, false);
	}
	if (!good)
		return decoder_bad(decoder, "invalid record");
	if (guest->listed != decoder->predictor.chunk)
		return decoder_bad(decoder, "guest missing in the table of guests");
	if (*chained && decoder_follows(decoder, record->guest))
		link_chain(guest, record, tag, *field_count);
	decoder->number++;
	decoder->left--;
	return 1;
}
