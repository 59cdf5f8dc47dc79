// SPDX-License-Identifier: BSD-3-Clause
/* How two records differ, in words. */
#include "format/text/difference.h"

#include <inttypes.h>
#include <string.h>

#include "format/cleanup.h"
#include "format/printable.h"
#include "format/text/record_text.h"
#include "format/units.h"

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

/* How far apart two values are, where that means something. */
static void print_distance(enum trace_unit unit, uint64_t a, uint64_t b, char text[DIFFERENCE_TEXT])
{
	uint64_t distance = a < b ? b - a : a - b;
	char number[UNITS_TEXT];

	if (unit == TRACE_UNIT_NS && is_time(a) && is_time(b))
		snprintf(text, DIFFERENCE_TEXT, "%s %s", duration_short(distance, number),
			 a < b ? "later" : "earlier");
	else if (unit == TRACE_UNIT_COUNT || unit == TRACE_UNIT_BYTES)
		snprintf(text, DIFFERENCE_TEXT, "%s%s", a < b ? "+" : "-",
			 count_text(distance, number));
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

/* Where the line begins in which byte @at stands, or somewhat before it in a long one. */
static size_t line_start(const uint8_t *text, size_t at)
{
	size_t start = at;

	while (start && text[start - 1] != '\n' && at - start < EXCERPT_TEXT / 2)
		start--;
	return start;
}

/* What stands at @start, up to the end of the line. */
static void print_text(const struct trace_record *record, size_t start, char text[DIFFERENCE_TEXT])
{
	const char *from = record->payload;
	char part[EXCERPT_TEXT + 1] = "";
	size_t size = 0;

	while (start + size < record->payload_size && size < EXCERPT_TEXT) {
		char c = from[start + size];

		if (c == '\n')
			break;
		part[size++] = c ? c : '?';
	}
	part[size] = '\0';
	snprintf(text, DIFFERENCE_TEXT, "\"%s%s\"", printable(part),
		 start + size < record->payload_size && from[start + size] == '\n' ? "\\n" : "");
}

static void print_bytes(const struct trace_record *record, size_t at, char text[DIFFERENCE_TEXT])
{
	size_t left = record->payload_size - at;
	size_t shown = left < EXCERPT_BYTES ? left : EXCERPT_BYTES;

	hex_text((const uint8_t *)record->payload + at, shown, text);
	if (!left)
		snprintf(text, DIFFERENCE_TEXT, "nothing");
	else if (left > shown)
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
	size_t at = first_unlike(a, b), start = at;

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

size_t difference_list(const struct trace_record *a, const struct trace_record *b,
		       struct difference list[DIFFERENCE_MAX])
{
	size_t count;

	if (a && b && a->kind == b->kind) {
		count = list_fields(a, b, list);
		return count + list_payload(a, b, &list[count]);
	}
	if (!a && !b)
		return 0;
	*list = (struct difference){ .field = "kind", .before = "the end", .after = "the end" };
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
		fprintf(out, a->kind == TRACE_console ? "it prints " : "its bytes are ");
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
