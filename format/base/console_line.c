// SPDX-License-Identifier: BSD-3-Clause
/* Lines of a console: removes time stamps in front of the text, and terminal sequences. */
#include "format/base/console_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/terminal_text.h"
#include "format/base/write_error.h"

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

char *console_line_clean(char *line)
{
	struct terminal_text terminal = { 0 };
	/* Never more than went in: all of it is here, nothing was held back before. */
	size_t size = terminal_text_clean(&terminal, line, strlen(line), line);

	size += terminal_text_end(&terminal, line + size);
	line[size] = '\0';
	for (char *at = line; (at = strpbrk(at, "\t\n")); at++)
		*at = *at == '\t' ? ' ' : '?';
	return line;
}

char *console_lines_copy(const char *text, size_t size)
{
	char *copy = malloc(size + 1), *out = copy;

	if (!copy) {
		output_incomplete(-ENOMEM);
		return NULL;
	}
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
