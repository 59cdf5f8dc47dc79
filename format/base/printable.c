// SPDX-License-Identifier: BSD-3-Clause
/* Escapes text from a guest or a trace for terminals and JSON. */
#include "format/base/printable.h"

#include <stdbool.h>
#include <string.h>

/* By the number of bytes: the mark of the first one, and the smallest code point of that length. */
static const struct {
	uint8_t mask, mark;
	uint32_t least;
} sequences[] = {
	{ 0x80, 0x00, 0 },
	{ 0xe0, 0xc0, 0x80 },
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

size_t utf8_size(const char *text, size_t size, uint32_t *code)
{
	const uint8_t *byte = (const uint8_t *)text;
	size_t length = 1;

	if (!size)
		return 0;
	while ((*byte & sequences[length - 1].mask) != sequences[length - 1].mark)
		if (++length > sizeof(sequences) / sizeof(sequences[0]))
			return 0;
	if (length > size)
		return 0;
	*code = *byte & (uint8_t)~sequences[length - 1].mask;
	for (size_t i = 1; i < length; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (byte[i] & 0x3f);
	}
	if (*code < sequences[length - 1].least || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return length;
}

/* Characters that change the direction of text or break lines, and so can misrepresent it. */
static bool is_misleading(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

size_t printable_size(const char *text, size_t size)
{
	uint32_t code;
	size_t length = utf8_size(text, size, &code);

	if (!length || code < 0x20 || (code >= 0x7f && code <= 0x9f) || is_misleading(code))
		return 0;
	return length;
}

char *printable(char *text)
{
	size_t left = strlen(text);

	for (char *at = text; left;) {
		size_t size = printable_size(at, left);

		if (!size)
			*at = '?';
		at += size ? size : 1;
		left -= size ? size : 1;
	}
	return text;
}
