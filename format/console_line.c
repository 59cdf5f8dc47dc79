// SPDX-License-Identifier: BSD-3-Clause
/* Lines of a console: what stands in front of their text, and what a terminal would act on. */
#include "format/console_line.h"

#include <stdlib.h>
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

char *console_lines_copy(const char *text, size_t size)
{
	char *copy = malloc(size + 1), *out = copy;

	if (!copy)
		return NULL;
	for (size_t done = 0; done < size;) {
		const char *end = memchr(text + done, '\n', size - done);
		size_t length = end ? (size_t)(end - text) - done : size - done;

		memcpy(out, text + done, length);
		out[length] = '\0';
		out += strlen(console_line_clean(out));
		if (end)
			*out++ = '\n';
		done += length + (end != NULL);
	}
	*out = '\0';
	return copy;
}
