// SPDX-License-Identifier: BSD-3-Clause
/* A record as a line of text: its columns and colours. */
#include "format/text/record_text.h"

#include <inttypes.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/text/record_internal.h"
#include "format/base/units.h"

/* Columns, as wide as most traces need them. */
#define NUMBER_WIDTH 8
#define TIME_WIDTH   11
#define DELTA_WIDTH  13

#define COLOUR_OFF     "\x1b[0m"
#define COLOUR_DIM     "\x1b[2m"
#define COLOUR_TROUBLE "\x1b[1;31m"

/* Not red, which is for trouble, and legible on light and dark. */
static const char *const guest_colours[] = {
	"\x1b[36m", "\x1b[33m", "\x1b[35m", "\x1b[32m", "\x1b[34m",
	"\x1b[96m", "\x1b[93m", "\x1b[95m", "\x1b[92m", "\x1b[94m",
};

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
	const struct named_guest *guest = record_guest(view, record);
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

/* Columns start with the width of the known names. */
static void begin(struct record_view *view)
{
	struct line *line = &view->line;

	view->number_width = NUMBER_WIDTH;
	view->time_width = TIME_WIDTH;
	view->delta_width = DELTA_WIDTH;
	for (size_t i = 0; view->names && i < view->names->count; i++)
		if (view->names->guest[i].seen) {
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
	case TRACE_fault:
	case TRACE_cut:
		return true;
	}
	return false;
}

/* Shown dim: acknowledgements, and how the recording was started. */
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
