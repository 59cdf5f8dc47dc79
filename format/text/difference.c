// SPDX-License-Identifier: BSD-3-Clause
/* Describes how two records differ. */
#include "format/text/difference.h"

#include <inttypes.h>
#include <string.h>

#include "format/base/line.h"
#include "format/base/units.h"

/* So much of a payload is shown. */
#define EXCERPT_BYTES 16
#define EXCERPT_TEXT  48

/* "REQUEST", "kick", "kind 40" */
static void name_record(const struct trace_record *record, char text[DIFFERENCE_TEXT])
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);
	bool message = record->kind == TRACE_from || record->kind == TRACE_to;
	const char *op = message ? trace_operation_name(record->from.op) : NULL;

	if (!info)
		snprintf(text, DIFFERENCE_TEXT, "a record of kind %" PRIu32, record->kind);
	else if (op)
		snprintf(text, DIFFERENCE_TEXT, "%s %s", op,
			 record->kind == TRACE_from ? "from the guest" : "to the guest");
	else
		snprintf(text, DIFFERENCE_TEXT, "%s", info->name);
}

static void print_ns(uint64_t ns, char text[DIFFERENCE_TEXT])
{
	if (ns == UINT64_MAX)
		snprintf(text, DIFFERENCE_TEXT, "none");
	else if (ns == INT64_MAX)
		snprintf(text, DIFFERENCE_TEXT, "never");
	else
		duration_exact(ns, text);
}

static void print_value(enum trace_unit unit, uint64_t value, char text[DIFFERENCE_TEXT])
{
	const char *name = unit == TRACE_UNIT_OP ? trace_operation_name(value) : NULL;

	if (unit == TRACE_UNIT_NS)
		print_ns(value, text);
	else if (unit == TRACE_UNIT_HEX)
		snprintf(text, DIFFERENCE_TEXT, "0x%" PRIx64, value);
	else if (name)
		snprintf(text, DIFFERENCE_TEXT, "%s", name);
	else
		snprintf(text, DIFFERENCE_TEXT, "%" PRId64, (int64_t)value);
}

static bool is_time(uint64_t ns)
{
	return ns < INT64_MAX;
}

static void print_shift(uint64_t a, uint64_t b, char text[DIFFERENCE_TEXT])
{
	struct line line = { 0 };

	line_duration(&line, a < b ? b - a : a - b);
	snprintf(text, DIFFERENCE_TEXT, "%.*s %s", (int)line.size, line.text ?: "",
		 a < b ? "later" : "earlier");
	line_free(&line);
}

/* How far apart two values are, where that means something. */
static void print_distance(enum trace_unit unit, uint64_t a, uint64_t b, char text[DIFFERENCE_TEXT])
{
	char number[UNITS_TEXT];

	if (unit == TRACE_UNIT_NS && is_time(a) && is_time(b))
		print_shift(a, b, text);
	else if (unit == TRACE_UNIT_COUNT || unit == TRACE_UNIT_BYTES)
		snprintf(text, DIFFERENCE_TEXT, "%s%s", a < b ? "+" : "-",
			 count_text(a < b ? b - a : a - b, number));
}

static size_t list_fields(const struct trace_record *a, const struct trace_record *b,
			  struct difference *list)
{
	const struct trace_kind_info *info = trace_kind_info(a->kind);
	size_t count = 0;

	for (unsigned int i = 0; info && i < info->field_count; i++) {
		struct difference *item = &list[count];

		if (a->field[i] == b->field[i])
			continue;
		*item = (struct difference){ .field = info->field[i].name };
		print_value(info->field[i].unit, a->field[i], item->before);
		print_value(info->field[i].unit, b->field[i], item->after);
		print_distance(info->field[i].unit, a->field[i], b->field[i], item->by);
		count++;
	}
	return count;
}

static size_t first_unlike(const struct trace_record *a, const struct trace_record *b)
{
	const uint8_t *x = a->payload, *y = b->payload;
	size_t least = a->payload_size < b->payload_size ? a->payload_size : b->payload_size;
	size_t i = 0;

	while (i < least && x[i] == y[i])
		i++;
	return i;
}

static size_t count_unlike(const struct trace_record *a, const struct trace_record *b)
{
	const uint8_t *x = a->payload, *y = b->payload;
	size_t least = a->payload_size < b->payload_size ? a->payload_size : b->payload_size;
	size_t count = a->payload_size + b->payload_size - 2 * least;

	for (size_t i = 0; i < least; i++)
		count += x[i] != y[i];
	return count;
}

/* The start of the line with byte @at, or of a part before @at in a long line. */
static size_t line_start(const uint8_t *text, size_t at)
{
	size_t start = at;

	while (start && text[start - 1] != '\n' && at - start < EXCERPT_TEXT / 2)
		start--;
	return start;
}

/* The text from @start to the end of the line, or as much as there is room for. */
static void print_text(const struct trace_record *record, size_t start, char text[DIFFERENCE_TEXT])
{
	size_t left = record->payload_size - start, size = 0;
	const char *from = left ? (const char *)record->payload + start : "";
	struct line line = { 0 };

	while (size < left && size < EXCERPT_TEXT && (!size || from[size - 1] != '\n'))
		size++;
	do {
		line.size = 0;
		line_escaped(&line, from, size, false);
	} while (line.size > DIFFERENCE_TEXT - 3 && size--);
	snprintf(text, DIFFERENCE_TEXT, "\"%.*s\"", (int)line.size, line.size ? line.text : "");
	line_free(&line);
}

static void print_bytes(const struct trace_record *record, size_t at, char text[DIFFERENCE_TEXT])
{
	size_t left = record->payload_size - at;
	size_t shown = left < EXCERPT_BYTES ? left : EXCERPT_BYTES;

	if (!left) {
		snprintf(text, DIFFERENCE_TEXT, "nothing");
		return;
	}
	hex_text((const uint8_t *)record->payload + at, shown, text);
	if (left > shown)
		strcpy(text + 2 * shown, "...");
}

static void print_place(const struct trace_record *a, const struct trace_record *b, size_t at,
			char text[DIFFERENCE_TEXT])
{
	if (a->payload_size != b->payload_size)
		snprintf(text, DIFFERENCE_TEXT, "from byte %zu on; %zu bytes instead of %zu", at,
			 b->payload_size, a->payload_size);
	else
		snprintf(text, DIFFERENCE_TEXT, "from byte %zu on; %zu of %zu bytes differ", at,
			 count_unlike(a, b), a->payload_size);
}

static size_t list_payload(const struct trace_record *a, const struct trace_record *b,
			   struct difference *item)
{
	const struct trace_kind_info *info = trace_kind_info(a->kind);
	size_t at = first_unlike(a, b), start;

	if (at == a->payload_size && at == b->payload_size)
		return 0;
	*item = (struct difference){ .field = "payload" };
	if (info && info->payload == TRACE_PAYLOAD_TEXT) {
		start = line_start(a->payload, at);
		print_text(a, start, item->before);
		print_text(b, start, item->after);
	} else {
		print_bytes(a, at, item->before);
		print_bytes(b, at, item->after);
	}
	print_place(a, b, at, item->by);
	return 1;
}

/* The next entry of block hashes: how many blocks are the same before it, and its hash (ttrace(5),
 * DIGESTS).
 */
static bool next_rung(const struct trace_record *record, size_t *at, uint64_t *block,
		      uint32_t *hash)
{
	const uint8_t *block_hashes = record->payload;
	uint64_t same = 0;

	for (unsigned int shift = 0; *at < record->payload_size && shift < 64; shift += 7) {
		uint8_t byte = block_hashes[(*at)++];

		same |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (record->payload_size - *at < sizeof(*hash))
			return false;
		memcpy(hash, block_hashes + *at, sizeof(*hash));
		*at += sizeof(*hash);
		*block += same + 1;
		return true;
	}
	return false;
}

/* The first block for which both lists of block hashes differ; blocks count from 1. */
static uint64_t first_block(const struct trace_record *a, const struct trace_record *b)
{
	size_t at[2] = { 0, 0 };
	uint64_t block[2] = { 0, 0 };
	uint32_t hash[2] = { 0, 0 };

	for (;;) {
		bool more = next_rung(a, &at[0], &block[0], &hash[0]);
		bool other = next_rung(b, &at[1], &block[1], &hash[1]);

		if (!more || !other)
			return more ? block[0] : other ? block[1] : 0;
		if (block[0] != block[1] || hash[0] != hash[1])
			return block[0] < block[1] ? block[0] : block[1];
	}
}

/* Two halves of a hash, and block hashes that locate the difference: one item. */
static size_t list_digest(const struct trace_record *a, const struct trace_record *b,
			  struct difference *item)
{
	uint64_t block = first_block(a, b);

	if (a->digest.low == b->digest.low && a->digest.high == b->digest.high)
		return 0;
	*item = (struct difference){ .field = "hash" };
	snprintf(item->before, DIFFERENCE_TEXT, "%016" PRIx64 "%016" PRIx64, a->digest.high,
		 a->digest.low);
	snprintf(item->after, DIFFERENCE_TEXT, "%016" PRIx64 "%016" PRIx64, b->digest.high,
		 b->digest.low);
	if (block && a->digest.block_size)
		snprintf(item->by, DIFFERENCE_TEXT, "first in the %" PRIu64 " bytes at 0x%" PRIx64,
			 a->digest.block_size, (block - 1) * a->digest.block_size);
	return 1;
}

static bool same_region(const struct trace_record *a, const struct trace_record *b)
{
	return a->kind == TRACE_digest && a->digest.region == b->digest.region &&
	       a->digest.block_size == b->digest.block_size;
}

/* Messages of another operation have nothing in common. */
static bool same_sort(const struct trace_record *a, const struct trace_record *b)
{
	bool message = a->kind == TRACE_from || a->kind == TRACE_to;

	return a->kind == b->kind && (!message || a->from.op == b->from.op);
}

size_t difference_list(const struct trace_record *a, const struct trace_record *b,
		       struct difference list[DIFFERENCE_MAX])
{
	size_t count;

	if (a && b && same_sort(a, b)) {
		if (same_region(a, b) && list_digest(a, b, list))
			return 1;
		count = list_fields(a, b, list);
		return count + list_payload(a, b, &list[count]);
	}
	if (!a && !b)
		return 0;
	*list = (struct difference){ .field = "kind", .before = "nothing", .after = "nothing" };
	if (a)
		name_record(a, list->before);
	if (b)
		name_record(b, list->after);
	return 1;
}

/* "WAIT from the guest instead of ..." needs no name of a field, and text of a console neither. */
static void print_item(const struct trace_record *a, const struct difference *item, FILE *out)
{
	if (!strcmp(item->field, "payload"))
		fputs(a->kind == TRACE_console ? "console output: " : "content: ", out);
	else if (!strcmp(item->field, "hash"))
		fputs(a->digest.region ? "hash of data and bss: " : "hash of RAM: ", out);
	else if (strcmp(item->field, "kind") != 0)
		fprintf(out, "%s is ", item->field);
	fprintf(out, "%s instead of %s", item->after, item->before);
	if (item->by[0])
		fprintf(out, " (%s)", item->by);
}

void difference_print(const struct trace_record *a, const struct trace_record *b, FILE *out)
{
	struct difference list[DIFFERENCE_MAX];
	size_t count = difference_list(a, b, list);

	for (size_t i = 0; i < count; i++) {
		if (i)
			fputs("; ", out);
		print_item(a, &list[i], out);
	}
}

static int load(struct trace_reader *reader, const struct trace_difference *where, int s,
		struct difference_pair *pair)
{
	int got;

	pair->pair[s] = NULL;
	if (!where->there[s])
		return 0;
	got = trace_reader_seek(reader, where->number[s]);
	if (!got)
		got = trace_reader_next(reader, &pair->record[s]);
	if (got < 0)
		return got;
	if (got && pair->record[s].number == where->number[s])
		pair->pair[s] = &pair->record[s];
	return 0;
}

int difference_load(struct trace_reader *a, struct trace_reader *b,
		    const struct trace_difference *where, struct difference_pair *pair)
{
	int err = load(a, where, 0, pair);

	return err ? err : load(b, where, 1, pair);
}
