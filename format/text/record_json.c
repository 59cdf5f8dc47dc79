// SPDX-License-Identifier: BSD-3-Clause
/* A record as JSON, driven by the table of kinds, and what is decoded beyond it. */
#include "format/text/record_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/printable.h"
#include "format/base/write_error.h"
#include "format/text/frame_text.h"
#include "format/radio/radio_text.h"
#include "format/text/record_internal.h"

static bool is_utf8(const char *text, size_t size)
{
	uint32_t code;
	size_t length;

	for (; size; text += length, size -= length) {
		length = utf8_size(text, size, &code);
		if (!length)
			return false;
	}
	return true;
}

/* Bytes that are in a string of JSON as they are. */
static bool is_plain(char byte)
{
	return (unsigned char)byte >= ' ' && byte != '"' && byte != '\\' && byte != 0x7f;
}

static void add_escape(struct line *line, char byte)
{
	static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
					['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\' };

	line_char(line, '\\');
	if ((size_t)byte < sizeof(letters) && letters[(size_t)byte])
		line_char(line, letters[(size_t)byte]);
	else
		line_format(line, "u%04x", (unsigned int)byte);
}

bool line_add_json_string(struct line *line, const char *text, size_t size)
{
	size_t plain;

	if (!is_utf8(text, size))
		return false;
	line_char(line, '"');
	for (; size; text++, size--) {
		for (plain = 0; plain < size && is_plain(text[plain]); plain++)
			;
		line_bytes(line, text, plain);
		text += plain;
		size -= plain;
		if (!size)
			break;
		add_escape(line, *text);
	}
	line_char(line, '"');
	return true;
}

static void add_key(struct line *line, const char *key)
{
	line_text(line, ",\"");
	line_text(line, key);
	line_text(line, "\":");
}

/* A word of the table, which needs no escaping. */
static void add_word(struct line *line, const char *word)
{
	line_char(line, '"');
	line_text(line, word);
	line_char(line, '"');
}

/* Names are printable already, hence UTF-8. */
static void add_name(struct line *line, const char *key, const char *suffix, const char *name)
{
	line_text(line, ",\"");
	line_text(line, key);
	line_text(line, suffix);
	line_text(line, "\":");
	if (!line_add_json_string(line, name, strlen(name)))
		line_text(line, "null");
}

/* Many JSON readers support only signed integers of 64 bits. */
static void add_integer(struct line *line, uint64_t value)
{
	if (value > INT64_MAX)
		line_char(line, '"');
	line_number(line, value);
	if (value > INT64_MAX)
		line_char(line, '"');
}

static void add_hex(struct line *line, uint64_t value)
{
	line_char(line, '"');
	line_hex(line, value);
	line_char(line, '"');
}

static void add_value(struct line *line, enum trace_unit unit, uint64_t value)
{
	const char *name = unit == TRACE_UNIT_OP ? trace_operation_name(value) : NULL;

	if (name)
		add_word(line, name);
	else if (unit == TRACE_UNIT_HEX)
		add_hex(line, value);
	else if (unit == TRACE_UNIT_SIGNED)
		line_format(line, "%" PRId64, (int64_t)value);
	else if (unit == TRACE_UNIT_NS && value == UINT64_MAX)
		line_text(line, "null");
	else
		add_integer(line, value);
}

/* Text that is valid UTF-8 goes as "text", everything else as "hex". */
static void add_payload(struct line *line, const struct trace_record *record,
			const struct trace_kind_info *info)
{
	size_t before = line->size;

	if (!record->payload_size)
		return;
	if (info->payload == TRACE_PAYLOAD_TEXT) {
		add_key(line, "text");
		if (line_add_json_string(line, record->payload, record->payload_size))
			return;
		line->size = before;
	}
	add_key(line, "hex");
	line_char(line, '"');
	line_digits(line, record->payload, record->payload_size);
	line_char(line, '"');
}

static void add_device(struct line *line, const struct name_table *names,
		       const struct trace_record *record)
{
	const struct named_device *device =
		name_table_device(names, record->guest, record->field[0]);

	if (!device)
		return;
	add_name(line, "device", "_name", device->name);
	if (device->wired)
		add_name(line, "network", "", device->network);
}

static bool add_radio(struct line *line, const struct name_table *names,
		      const struct trace_record *record)
{
	struct radio_message message;
	struct line text = { 0 };

	if (!record_radio(names, record, &message))
		return false;
	line_add_radio(&text, &message);
	line_add_radio_link(&text, &message);
	line_char(&text, '\0');
	line->failed |= text.failed;
	if (!text.failed)
		add_name(line, "frame", "", text.text);
	line_free(&text);
	return true;
}

static void add_frame(struct line *line, const struct name_table *names,
		      const struct trace_record *record)
{
	const uint8_t *frame;
	size_t size;

	if (add_radio(line, names, record) || !record_frame(names, record, &frame, &size))
		return;
	add_key(line, "frame");
	line_char(line, '"');
	line_add_frame(line, frame, size);
	line_char(line, '"');
}

/* Fields that are not in the table. */
static void add_decoded(struct line *line, const struct name_table *names,
			const struct trace_record *record, const struct trace_kind_info *info)
{
	char text[NAME_SIZE];

	if (names)
		add_name(line, "guest", "_name", name_table_guest(names, record->guest, text));
	for (unsigned int i = 0; i < info->field_count; i++) {
		const char *name = record_field_name(record, i);

		if (name)
			add_name(line, info->field[i].name, "_name", name);
	}
	if (!names || !record_has_device(record))
		return;
	add_device(line, names, record);
	add_frame(line, names, record);
}

void record_add_json(const struct name_table *names, const struct trace_record *record,
		     struct line *line)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	line_text(line, "{\"number\":");
	add_integer(line, record->number);
	add_key(line, "now");
	add_value(line, TRACE_UNIT_NS, record->now);
	add_key(line, "guest");
	line_number(line, record->guest);
	if (info) {
		add_key(line, "kind");
		add_word(line, info->name);
		add_key(line, "direction");
		add_word(line, record_direction(record));
		for (unsigned int i = 0; i < info->field_count; i++) {
			add_key(line, info->field[i].name);
			add_value(line, info->field[i].unit, record->field[i]);
		}
		add_payload(line, record, info);
		add_decoded(line, names, record, info);
	}
	line_char(line, '}');
}

json_t *record_json(const struct name_table *names, const struct trace_record *record)
{
	struct line line = { 0 };
	json_t *object = NULL;

	record_add_json(names, record, &line);
	if (!line.failed)
		object = json_loadb(line.text, line.size, JSON_ALLOW_NUL, NULL);
	line_free(&line);
	return object;
}

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		output_incomplete(-ENOMEM);
	return memory;
}

void record_json_watch_memory(void)
{
	json_set_alloc_funcs(allocate, free);
}
