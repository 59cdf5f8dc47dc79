// SPDX-License-Identifier: BSD-3-Clause
/* Text that a guest or a trace made up, fit for a terminal and for JSON. */
#include "format/printable.h"

#include <stddef.h>
#include <stdint.h>

/* By the number of bytes: what marks the first one, and the smallest code that needs so many. */
static const struct {
	uint8_t mask, mark;
	uint32_t least;
} sequences[] = {
	{ 0x80, 0x00, 0x20 },
	{ 0xe0, 0xc0, 0xa0 }, /* 0x80 to 0x9f are control characters, too */
	{ 0xf0, 0xe0, 0x800 },
	{ 0xf8, 0xf0, 0x10000 },
};

/* Bytes of the printable character at @text, which is not empty; 0 when it is none. */
static size_t character_size(const uint8_t *text)
{
	size_t size = 1;
	uint32_t code;

	while ((*text & sequences[size - 1].mask) != sequences[size - 1].mark)
		if (++size > sizeof(sequences) / sizeof(sequences[0]))
			return 0;
	code = *text & (uint8_t)~sequences[size - 1].mask;
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < sequences[size - 1].least || code == 0x7f || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return size;
}

char *printable(char *text)
{
	for (char *at = text; *at;) {
		size_t size = character_size((const uint8_t *)at);

		if (!size)
			*at = '?';
		at += size ? size : 1;
	}
	return text;
}
