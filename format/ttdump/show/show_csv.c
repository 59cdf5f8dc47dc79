// SPDX-License-Identifier: BSD-3-Clause
/* Records as rows of comma-separated values (RFC 4180), the same columns for every kind. */
#include "format/ttdump/show/show.h"

#include <string.h>

#include "format/text/record_names.h"

/* Fields of records that have a column, where their kind has them. */
static const struct {
	const char *field, *column;
} columns[] = {
	{ "op", "op" },		{ "seq", "seq" },     { "time", "time_ns" },
	{ "device", "device" }, { "queue", "queue" }, { "irq", "irq" },
};

void csv_add_head(struct line *line)
{
	line_text(line, "number,now_ns,delta_ns,guest,guest_name,direction,kind");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		line_char(line, ',');
		line_text(line, columns[i].column);
	}
	line_text(line, ",device_name,description\r\n");
}

/* A spreadsheet takes a cell that begins so for a formula: an apostrophe makes it text. */
static bool is_formula(const char *text, size_t size)
{
	return size && *text && strchr("=+-@\t\r", *text);
}

static void add_text(struct line *line, const char *text, size_t size)
{
	line_text(line, is_formula(text, size) ? ",\"'" : ",\"");
	for (const char *quote; (quote = memchr(text, '"', size));) {
		size_t length = (size_t)(quote - text) + 1;

		line_bytes(line, text, length);
		line_char(line, '"');
		text += length;
		size -= length;
	}
	line_bytes(line, text, size);
	line_char(line, '"');
}

static void add_number(struct line *line, uint64_t number)
{
	line_char(line, ',');
	line_number(line, number);
}

static void add_delta(struct line *line, uint64_t from, uint64_t to)
{
	line_text(line, to < from ? ",-" : ",");
	line_number(line, to < from ? from - to : to - from);
}

static void add_field(struct line *line, const struct trace_field_info *field, uint64_t value)
{
	const char *name = field->unit == TRACE_UNIT_OP ? trace_operation_name(value) : NULL;

	line_char(line, ',');
	if (name)
		line_text(line, name);
	else if (field->unit != TRACE_UNIT_NS || value != UINT64_MAX)
		line_number(line, value);
}

static void add_column(struct line *line, const struct trace_record *record, const char *name)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	for (unsigned int i = 0; i < info->field_count; i++)
		if (!strcmp(info->field[i].name, name)) {
			add_field(line, &info->field[i], record->field[i]);
			return;
		}
	line_char(line, ',');
}

static void add_device_name(struct line *line, const struct name_table *names,
			    const struct trace_record *record)
{
	const struct named_device *device =
		record_has_device(record)
			? name_table_device(names, record->guest, record->field[0])
			: NULL;

	if (device)
		add_text(line, device->name, strlen(device->name));
	else
		line_char(line, ',');
}

void csv_add_record(struct line *line, const struct record_view *view,
		    const struct trace_record *record, uint64_t previous)
{
	char name[NAME_SIZE];
	const char *guest = name_table_guest(view->names, record->guest, name);
	struct line description = { 0 };

	line_number(line, record->number);
	add_number(line, record->now);
	add_delta(line, previous, record->now);
	add_number(line, record->guest);
	add_text(line, guest, strlen(guest));
	line_char(line, ',');
	line_text(line, record_direction(record));
	line_char(line, ',');
	line_text(line, trace_kind_info(record->kind)->name);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		add_column(line, record, columns[i].field);
	add_device_name(line, view->names, record);
	record_describe(view, record, &description);
	add_text(line, description.text ?: "", description.size);
	line->failed |= description.failed;
	line_free(&description);
	line_text(line, "\r\n");
}
