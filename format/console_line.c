// SPDX-License-Identifier: BSD-3-Clause
/* A line of a console: what stands in front of its text, and what a terminal would act on. */
#include "format/console_line.h"

#include <stddef.h>
#include <string.h>

#include "format/printable.h"

#define ESCAPE '\033'

const char *console_line_text(const char *line)
{
	const char *at = line, *end;

	if (*at == '<' && (end = strchr(at, '>')))
		at = end + 1;
	end = *at == '[' ? strchr(at, ']') : NULL;
	if (!end || strspn(at + 1, " 0123456789.T") + 1 != (size_t)(end - at))
		return line;
	return end[1] == ' ' ? end + 2 : end + 1;
}

/* The end of the sequence that begins at @at (ECMA-48: CSI, OSC, and those of two characters). */
static const char *skip_sequence(const char *at)
{
	at++;
	if (*at == '[') {
		at++;
		while (*at >= 0x20 && *at <= 0x3f)
			at++;
		return *at ? at + 1 : at;
	}
	if (*at == ']') {
		while (*at && *at != '\a' && *at != ESCAPE)
			at++;
		if (*at == ESCAPE && at[1] == '\\')
			at++;
		return *at ? at + 1 : at;
	}
	return *at ? at + 1 : at;
}

char *console_line_clean(char *line)
{
	char *out = line;

	for (const char *at = line; *at;) {
		if (*at == ESCAPE) {
			at = skip_sequence(at);
			continue;
		}
		*out++ = *at == '\t' ? ' ' : *at;
		at++;
	}
	*out = '\0';
	return printable(line);
}
