// SPDX-License-Identifier: BSD-3-Clause
/* ttdump diff --ignore: kinds and fields by their names, out of the table of kinds. */
#include <string.h>

#include "format/ttdump/diff/diff.h"

/* The field @name of @kind, or its payload; 0: it has none of that name. */
static uint8_t field_bit(const struct trace_kind_info *kind, const char *name)
{
	for (unsigned int i = 0; i < kind->field_count; i++)
		if (!strcmp(kind->field[i].name, name))
			return (uint8_t)(1 << i);
	return strcmp(name, "payload") != 0 ? 0 : TRACE_IGNORE_PAYLOAD;
}

static bool is_kind(const struct trace_kind_info *kind, const char *word, size_t length)
{
	return strlen(kind->name) == length && !memcmp(kind->name, word, length);
}

/* A kind that is compared at all. */
static const struct trace_kind_info *compared_kind(uint32_t kind)
{
	const struct trace_kind_info *info = trace_kind_info(kind);

	return info && info->direction != TRACE_SIDE ? info : NULL;
}

static bool ignore_kind(const char *word, struct trace_compare_options *options)
{
	const char *dot = strchr(word, '.');
	size_t length = dot ? (size_t)(dot - word) : strlen(word);

	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++) {
		const struct trace_kind_info *kind = compared_kind(i);
		uint8_t bit;

		if (!kind || !is_kind(kind, word, length))
			continue;
		bit = dot ? field_bit(kind, dot + 1) : TRACE_IGNORE_RECORD;
		options->ignore[i] |= bit;
		return bit;
	}
	return false;
}

static bool ignore_field(const char *word, struct trace_compare_options *options)
{
	bool found = false;

	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++) {
		const struct trace_kind_info *kind = compared_kind(i);
		uint8_t bit = kind ? field_bit(kind, word) : 0;

		options->ignore[i] |= bit;
		found |= bit != 0;
	}
	return found;
}

/* A word that is both a kind and a field is the kind: "request.request" is the field. */
bool diff_ignore(const char *word, struct trace_compare_options *options)
{
	return ignore_kind(word, options) || ignore_field(word, options);
}
