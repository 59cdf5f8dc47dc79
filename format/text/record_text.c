// SPDX-License-Identifier: BSD-3-Clause
/* A record as text and as JSON, both driven by the table of kinds. */
#include "format/text/record_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/cleanup.h"
#include "format/units.h"

/* So many bytes of binary payload fit a line. */
#define TEXT_BYTES_MAX 32

static const char *const arrows[] = {
	[TRACE_IN] = "<-",
	[TRACE_OUT] = "->",
	[TRACE_CHECK] = "==",
	[TRACE_SIDE] = "--",
};

static const char *const directions[] = {
	[TRACE_IN] = "in",
	[TRACE_OUT] = "out",
	[TRACE_CHECK] = "check",
	[TRACE_SIDE] = "side",
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

static void print_ns(uint64_t ns, FILE *out)
{
	char text[UNITS_TEXT];

	if (ns == UINT64_MAX)
		fputs("-1", out);
	else if (ns == INT64_MAX)
		fputs("never", out);
	else
		fputs(duration_exact(ns, text), out);
}

static void print_value(enum trace_unit unit, uint64_t value, FILE *out)
{
	switch (unit) {
	case TRACE_UNIT_OP:
	case TRACE_UNIT_COUNT:
	case TRACE_UNIT_BYTES:
		fprintf(out, "%" PRIu64, value);
		break;
	case TRACE_UNIT_NS:
		print_ns(value, out);
		break;
	case TRACE_UNIT_HEX:
		fprintf(out, "0x%" PRIx64, value);
		break;
	case TRACE_UNIT_SIGNED:
		fprintf(out, "%" PRId64, (int64_t)value);
		break;
	}
}

static void print_field(const struct trace_field_info *field, uint64_t value, FILE *out)
{
	const char *name = field->unit == TRACE_UNIT_OP ? trace_operation_name(value) : NULL;

	if (name) {
		fprintf(out, " %s", name);
		return;
	}
	fprintf(out, " %s=", field->name);
	print_value(field->unit, value, out);
}

/* Nothing that a guest prints may reach the terminal as it is. */
static void print_text(const uint8_t *text, size_t size, FILE *out)
{
	static const char escapes[] = "abtnvfr";

	fputs(" \"", out);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"' || text[i] == '\\')
			fprintf(out, "\\%c", text[i]);
		else if (text[i] >= 7 && text[i] <= 13)
			fprintf(out, "\\%c", escapes[text[i] - 7]);
		else if (text[i] < 32 || text[i] > 126)
			fprintf(out, "\\x%02x", text[i]);
		else
			fputc(text[i], out);
	}
	fputc('"', out);
}

static void print_bytes(const uint8_t *data, size_t size, FILE *out)
{
	char text[2 * TEXT_BYTES_MAX + 1];

	hex_text(data, size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX, text);
	fprintf(out, " %s", text);
	if (size > TEXT_BYTES_MAX)
		fprintf(out, "... (%zu bytes)", size);
}

/* A message is named by its operation alone. */
static bool is_message(const struct trace_kind_info *info)
{
	return info->field_count && info->field[0].unit == TRACE_UNIT_OP;
}

static void print_fields(const struct trace_record *record, const struct trace_kind_info *info,
			 FILE *out)
{
	if (record_print_device(record, out))
		return;
	for (unsigned int i = 0; i < info->field_count; i++)
		print_field(&info->field[i], record->field[i], out);
}

void record_print(const struct trace_record *record, FILE *out)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);
	char time[UNITS_TEXT];

	fprintf(out, "%8" PRIu64 "  %s  %3" PRIu32 " %s", record->number,
		duration_exact(record->now, time), record->guest, arrows[info->direction]);
	if (!is_message(info))
		fprintf(out, " %s", info->name);
	print_fields(record, info, out);
	if (record->payload_size && info->payload == TRACE_PAYLOAD_TEXT)
		print_text(record->payload, record->payload_size, out);
	else if (record->payload_size)
		print_bytes(record->payload, record->payload_size, out);
	fputc('\n', out);
}

static json_t *value_json(enum trace_unit unit, uint64_t value)
{
	const char *name = unit == TRACE_UNIT_OP ? trace_operation_name(value) : NULL;
	char hex[24];

	if (name)
		return json_string(name);
	if (unit != TRACE_UNIT_HEX)
		return json_integer((json_int_t)value);
	snprintf(hex, sizeof(hex), "0x%" PRIx64, value);
	return json_string(hex);
}

/* Text that is valid UTF-8 goes as "text", everything else as "hex". */
static void payload_json(json_t *object, const struct trace_kind_info *info,
			 const struct trace_record *record)
{
	json_t *text = NULL;
	auto_free char *hex = NULL;

	if (!record->payload_size)
		return;
	if (info->payload == TRACE_PAYLOAD_TEXT)
		text = json_stringn(record->payload, record->payload_size);
	if (text) {
		json_object_set_new(object, "text", text);
		return;
	}
	hex = malloc(2 * record->payload_size + 1);
	if (!hex)
		return;
	hex_text(record->payload, record->payload_size, hex);
	json_object_set_new(object, "hex", json_string(hex));
}

json_t *record_json(const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);
	json_t *object = json_object();

	json_object_set_new(object, "number", json_integer((json_int_t)record->number));
	json_object_set_new(object, "now", json_integer((json_int_t)record->now));
	json_object_set_new(object, "guest", json_integer(record->guest));
	json_object_set_new(object, "kind", json_string(info->name));
	json_object_set_new(object, "direction", json_string(directions[info->direction]));
	for (unsigned int i = 0; i < info->field_count; i++)
		json_object_set_new(object, info->field[i].name,
				    value_json(info->field[i].unit, record->field[i]));
	payload_json(object, info, record);
	return object;
}
