// SPDX-License-Identifier: BSD-3-Clause
/* A record as a line of text: its columns, the messages of the protocol, and what the table says.
 */
#include "format/text/record_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "format/cleanup.h"
#include "format/text/record_internal.h"
#include "format/units.h"

/* So many bytes of binary payload fit a line. */
#define TEXT_BYTES_MAX 32

/* Columns, as wide as most traces need them. */
#define NUMBER_WIDTH 8
#define TIME_WIDTH   11
#define DELTA_WIDTH  11
#define WORD_WIDTH   10 /* FREE_UNTIL */

#define COLOUR_OFF     "\x1b[0m"
#define COLOUR_DIM     "\x1b[2m"
#define COLOUR_TROUBLE "\x1b[1;31m"

/* Not red, which is for trouble, and legible on light and dark. */
static const char *const guest_colours[] = {
	"\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[32m", "\x1b[34m",
	"\x1b[96m", "\x1b[93m", "\x1b[95m", "\x1b[92m", "\x1b[94m",
};

void hex_text(const uint8_t *data, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*text++ = digits[data[i] >> 4];
		*text++ = digits[data[i] & 15];
	}
	*text = '\0';
}

const char *uuid_text(const uint8_t uuid[16], char text[UUID_TEXT])
{
	static const uint8_t groups[] = { 4, 2, 2, 2, 6 };
	char *out = text;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		hex_text(uuid, groups[i], out);
		uuid += groups[i];
		out += 2 * groups[i];
		*out++ = i + 1 < ARRAY_SIZE(groups) ? '-' : '\0';
	}
	return text;
}

static const struct cast_guest *guest_of(const struct record_view *view,
					 const struct trace_record *record)
{
	if (!view->cast || record->guest >= view->cast->count)
		return NULL;
	return &view->cast->guest[record->guest];
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void add_seq(struct line *line, uint64_t seq)
{
	line_text(line, " #");
	line_number(line, seq);
}

/* A point in time the guest speaks of, seen from now and on the trace's clock. */
static void add_moment(struct line *line, const struct trace_record *record, uint64_t offset)
{
	uint64_t time = record->from.time + offset;

	line_char(line, ' ');
	line_difference(line, record->now, time);
	line_text(line, " (");
	line_seconds(line, time);
	line_char(line, ')');
}

static void add_date(struct line *line, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm date;
	char text[64];

	if (!gmtime_r(&seconds, &date) || !strftime(text, sizeof(text), "%FT%T", &date))
		return;
	line_format(line, " %s.%09uZ", text, (unsigned int)(ns % NS_PER_S));
}

/* Most ids are small; -1 is known better as what it looks like in bits. */
static void add_id(struct line *line, uint64_t id)
{
	line_text(line, " id ");
	if (id > UINT32_MAX)
		line_hex(line, id);
	else
		line_number(line, id);
}

/* What an ACK carries depends on what it answers. */
static void add_answer(struct line *line, const struct trace_record *record, uint64_t asked,
		       uint64_t offset)
{
	if (asked == TRACE_OP_GET_TOD) {
		add_date(line, record->to.time);
	} else if (asked == TRACE_OP_GET) {
		line_char(line, ' ');
		line_seconds(line, record->to.time + offset);
	} else if (record->to.time) {
		line_char(line, ' ');
		line_seconds(line, record->to.time);
	}
}

static void add_message_time(struct line *line, const struct trace_record *record,
			     const struct cast_guest *guest)
{
	uint64_t time = record->from.time, offset = guest ? guest->offset : 0;

	switch (record->from.op) {
	case TRACE_OP_BROADCAST:
		line_char(line, ' ');
		line_hex(line, time);
		return;
	case TRACE_OP_START:
		add_id(line, time);
		return;
	case TRACE_OP_ACK:
		if (record->kind == TRACE_to)
			add_answer(line, record, guest ? guest->asked : TRACE_OP_ACK, offset);
		else if (time)
			add_moment(line, record, offset);
		return;
	}
	if (time == UINT64_MAX)
		return;
	if (time == INT64_MAX)
		line_text(line, " never");
	else if (time + offset != record->now || record->from.op == TRACE_OP_REQUEST ||
		 record->from.op == TRACE_OP_FREE_UNTIL)
		add_moment(line, record, offset);
}

static void add_word(struct line *line, const char *word)
{
	size_t start = line->size;

	line_text(line, word);
	line_align_left(line, start, WORD_WIDTH);
}

static void add_message(struct line *line, const struct trace_record *record,
			const struct cast_guest *guest)
{
	const char *name = trace_operation_name(record->from.op);

	if (name)
		add_word(line, name);
	else
		line_format(line, "operation %" PRIu64, record->from.op);
	add_message_time(line, record, guest);
	add_seq(line, record->from.seq);
}

/* ---- Everything else ------------------------------------------------------------------------- */

static void add_time(struct line *line, uint64_t ns)
{
	if (ns == UINT64_MAX)
		line_text(line, "none");
	else if (ns == INT64_MAX)
		line_text(line, "never");
	else
		line_seconds(line, ns);
}

static void add_value(struct line *line, enum trace_unit unit, uint64_t value)
{
	switch (unit) {
	case TRACE_UNIT_OP:
	case TRACE_UNIT_COUNT:
	case TRACE_UNIT_BYTES:
		line_number(line, value);
		break;
	case TRACE_UNIT_NS:
		add_time(line, value);
		break;
	case TRACE_UNIT_HEX:
		line_hex(line, value);
		break;
	case TRACE_UNIT_SIGNED:
		line_format(line, "%" PRId64, (int64_t)value);
		break;
	}
}

/* As the table has them: for kinds that nothing more is known of. */
static void add_fields(struct line *line, const struct trace_record *record,
		       const struct trace_kind_info *info)
{
	for (unsigned int i = 0; i < info->field_count; i++) {
		line_char(line, ' ');
		line_text(line, info->field[i].name);
		line_char(line, '=');
		add_value(line, info->field[i].unit, record->field[i]);
	}
}

void record_add_bytes(struct line *line, const void *data, size_t size)
{
	line_char(line, ' ');
	line_digits(line, data, size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX);
	if (size > TEXT_BYTES_MAX)
		line_text(line, "...");
}

static void add_text(struct line *line, const struct trace_record *record, bool utf8)
{
	line_text(line, " \"");
	line_escaped(line, record->payload, record->payload_size, utf8);
	line_char(line, '"');
}

static void add_entropy(struct line *line, const struct trace_record *record)
{
	const char *source = record_field_name(record, 0);

	if (source)
		line_format(line, " %s", source);
	else
		line_format(line, " source %" PRIu64, record->entropy.source);
	if (record->entropy.requested != record->payload_size)
		line_format(line, " %" PRIu64 " wanted,", record->entropy.requested);
}

static void add_digest(struct line *line, const struct trace_record *record)
{
	const char *region = record_field_name(record, 0);

	if (region)
		line_format(line, " %s", region);
	else
		line_format(line, " region %" PRIu64, record->digest.region);
	if (record->digest.block_size)
		line_format(line, " %016" PRIx64 "%016" PRIx64 ", %" PRIu64 "-byte blocks,",
			    record->digest.high, record->digest.low, record->digest.block_size);
	line_format(line, " ladder of %zu bytes%s", record->payload_size,
		    record->digest.block_size ? "" : ", goes on");
}

static void add_exit(struct line *line, const struct trace_record *record)
{
	const char *name =
		record->exit.signal < 128 ? sigabbrev_np((int)record->exit.signal) : NULL;

	if (!record->exit.signal)
		line_format(line, " status %" PRIu64, record->exit.status);
	else
		line_format(line, " by signal %" PRIu64 "%s%s", record->exit.signal,
			    name ? " SIG" : "", name ? name : "");
}

static void add_join(struct line *line, const struct trace_record *record)
{
	add_id(line, record->join.id);
	if (!record->join.offset)
		return;
	line_text(line, ", clock ");
	line_difference(line, 0, record->join.offset);
}

static void add_wall(struct line *line, const struct trace_record *record)
{
	line_char(line, ' ');
	line_seconds(line, record->wall.elapsed);
	line_text(line, " of wall clock");
}

static void add_note(struct line *line, const struct trace_record *record)
{
	if (record->note.status)
		line_format(line, " status %" PRIu64, record->note.status);
}

static void add_rest(struct line *line, const struct trace_record *record,
		     const struct trace_kind_info *info)
{
	static void (*const adders[])(struct line *, const struct trace_record *) = {
		[TRACE_entropy] = add_entropy, [TRACE_digest] = add_digest, [TRACE_exit] = add_exit,
		[TRACE_join] = add_join,       [TRACE_wall] = add_wall,	    [TRACE_note] = add_note,
	};

	if (record->kind < ARRAY_SIZE(adders) && adders[record->kind])
		adders[record->kind](line, record);
	else
		add_fields(line, record, info);
}

static void add_payload(struct line *line, const struct trace_record *record,
			const struct trace_kind_info *info, bool utf8)
{
	if (!record->payload_size || record->kind == TRACE_digest)
		return;
	if (record->payload && info->payload == TRACE_PAYLOAD_TEXT) {
		add_text(line, record, utf8);
		return;
	}
	line_format(line, " %zu bytes", record->payload_size);
	if (record->payload)
		record_add_bytes(line, record->payload, record->payload_size);
}

/* Words are as wide as their column, also where nothing follows. */
static void trim(struct line *line)
{
	while (line->size && line->text[line->size - 1] == ' ')
		line->size--;
}

void record_describe(const struct record_view *view, const struct trace_record *record,
		     struct line *line)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	if (!info) {
		line_format(line, "kind %" PRIu32, record->kind);
		return;
	}
	if (record->kind == TRACE_from || record->kind == TRACE_to) {
		add_message(line, record, guest_of(view, record));
		return;
	}
	add_word(line, info->name);
	if (!record_describe_device(view, record, line))
		add_rest(line, record, info);
	if (!record_has_device(record))
		add_payload(line, record, info, view->utf8);
	trim(line);
}

/* ---- The line -------------------------------------------------------------------------------- */

static void add_column(struct line *line, size_t start, size_t *width)
{
	line_align_right(line, start, *width);
	if (line->size - start > *width)
		*width = line->size - start;
}

static void add_number(struct record_view *view, uint64_t number)
{
	size_t start = view->line.size;

	line_number(&view->line, number);
	add_column(&view->line, start, &view->number_width);
}

static void add_now(struct record_view *view, uint64_t now)
{
	size_t start = view->line.size;

	line_seconds(&view->line, now);
	add_column(&view->line, start, &view->time_width);
}

static void add_delta(struct record_view *view, uint64_t now)
{
	size_t start = view->line.size;

	line_difference(&view->line, view->begun ? view->last : now, now);
	add_column(&view->line, start, &view->delta_width);
	view->last = now;
	view->begun = true;
}

static void add_name(struct record_view *view, const struct trace_record *record)
{
	const struct cast_guest *guest = guest_of(view, record);
	struct line *line = &view->line;
	size_t start = line->size, width;

	if (guest)
		line_escaped(line, guest->name, strlen(guest->name), view->utf8);
	else
		line_format(line, "guest %" PRIu32, record->guest);
	width = line_columns(line, start);
	if (width > view->name_width)
		view->name_width = width;
	line_align_left(line, start, view->name_width);
}

static void add_colour(struct record_view *view, const char *colour)
{
	if (view->colour)
		line_text(&view->line, colour);
}

/* Columns begin with the width of what is known. */
static void begin(struct record_view *view)
{
	struct line *line = &view->line;

	view->number_width = NUMBER_WIDTH;
	view->time_width = TIME_WIDTH;
	view->delta_width = DELTA_WIDTH;
	for (size_t i = 0; view->cast && i < view->cast->count; i++)
		if (view->cast->guest[i].seen) {
			line->size = 0;
			add_name(view, &(struct trace_record){ .guest = (uint32_t)i });
		}
}

static bool is_trouble(const struct trace_record *record)
{
	switch (record->kind) {
	case TRACE_exit:
		return record->exit.status || record->exit.signal;
	case TRACE_called:
		return record->called.value;
	case TRACE_irq:
		return record->irq.source != TRACE_IRQ_ENTRY;
	case TRACE_note:
	case TRACE_lost:
	case TRACE_cut:
		return true;
	}
	return false;
}

/* What says little: answers that only say that something was received, and how it was started. */
static bool is_minor(const struct trace_record *record)
{
	return record->kind == TRACE_meta ||
	       ((record->kind == TRACE_from || record->kind == TRACE_to) &&
		record->from.op == TRACE_OP_ACK);
}

static void add_description(struct record_view *view, const struct trace_record *record)
{
	const char *colour = is_trouble(record) ? COLOUR_TROUBLE
			     : is_minor(record) ? COLOUR_DIM
						: NULL;

	if (colour)
		add_colour(view, colour);
	record_describe(view, record, &view->line);
	if (colour)
		add_colour(view, COLOUR_OFF);
}

static void add_columns(struct record_view *view, const struct trace_record *record)
{
	struct line *line = &view->line;

	if (view->indent)
		line_text(line, view->indent);
	add_colour(view, COLOUR_DIM);
	add_number(view, record->number);
	add_colour(view, COLOUR_OFF);
	line_text(line, "  ");
	add_now(view, record->now);
	line_text(line, "  ");
	add_delta(view, record->now);
	line_text(line, "  ");
	add_colour(view, guest_colours[record->guest % ARRAY_SIZE(guest_colours)]);
	add_name(view, record);
	line_char(line, ' ');
	line_text(line, record_arrow(record));
	add_colour(view, COLOUR_OFF);
	line_char(line, ' ');
}

int record_print(struct record_view *view, const struct trace_record *record, FILE *out)
{
	struct line *line = &view->line;

	if (!view->begun)
		begin(view);
	line->size = 0;
	line->failed = false;
	add_columns(view, record);
	add_description(view, record);
	line_char(line, '\n');
	if (line->failed)
		return -ENOMEM;
	fwrite_unlocked(line->text, 1, line->size, out);
	return 0;
}

void record_view_release(struct record_view *view)
{
	line_free(&view->line);
}
