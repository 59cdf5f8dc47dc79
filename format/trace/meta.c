// SPDX-License-Identifier: BSD-3-Clause
/* Meta records: lines KEY=VALUE, see ttrace(5). */
#include "format/trace/meta.h"

#include <stdarg.h>
#include <string.h>

#include "format/base/cleanup.h"

static const char *const keys[] = {
#define META_KEY(name, text) text,
	META_KEYS(META_KEY)
#undef META_KEY
};

bool meta_parse(const struct trace_record *record, struct meta *meta)
{
	const char *line = record->payload;
	const char *equals = record->kind == TRACE_meta && record->payload_size
				     ? memchr(line, '=', record->payload_size)
				     : NULL;
	size_t length;

	if (!equals)
		return false;
	length = (size_t)(equals - line);
	meta->value = equals + 1;
	meta->size = record->payload_size - length - 1;
	for (meta->key = 0; meta->key < META_KEY_COUNT; meta->key++)
		if (strlen(keys[meta->key]) == length && !memcmp(keys[meta->key], line, length))
			break;
	return true;
}

int meta_write(struct trace_writer *writer, uint32_t guest, enum meta_key key, const char *format,
	       ...)
{
	struct trace_record record = { .kind = TRACE_meta, .guest = guest };
	auto_free char *value = NULL, *text = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&value, format, arguments);
	va_end(arguments);
	if (length < 0) {
		value = NULL;
		return -ENOMEM;
	}
	length = asprintf(&text, "%s=%s", keys[key], value);
	if (length < 0) {
		text = NULL;
		return -ENOMEM;
	}
	record.payload = text;
	record.payload_size = (size_t)length;
	return trace_writer_append(writer, &record, NULL);
}
