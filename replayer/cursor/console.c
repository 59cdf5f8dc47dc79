// SPDX-License-Identifier: BSD-3-Clause
/* Shows the console of a replayed guest; of several, line by line with their names. */
#include "replayer/cursor/console.h"

#include <stdio.h>
#include <string.h>

#define PIECE 4096

/* In one write, so that the lines of guests that run side by side stay whole. */
static void print_line(struct console_printer *printer)
{
	printf("%s| %.*s\n", printer->name, (int)printer->length, printer->line);
	fflush(stdout);
	printer->length = 0;
}

static void add_to_line(struct console_printer *printer, const char *text, size_t size)
{
	while (size) {
		size_t part = sizeof(printer->line) - printer->length;

		if (part > size)
			part = size;
		memcpy(printer->line + printer->length, text, part);
		printer->length += part;
		text += part;
		size -= part;
		if (size)
			print_line(printer);
	}
}

static void print(struct console_printer *printer, const char *text, size_t size)
{
	const char *end;

	if (!printer->name) {
		fwrite(text, 1, size, stdout);
		fflush(stdout);
		return;
	}
	while ((end = memchr(text, '\n', size))) {
		size_t length = (size_t)(end - text);

		add_to_line(printer, text, length);
		print_line(printer);
		text = end + 1;
		size -= length + 1;
	}
	add_to_line(printer, text, size);
}

void console_print(struct console_printer *printer, const char *text, size_t size)
{
	char shown[PIECE + TERMINAL_TEXT_MORE];

	if (!printer->terminal) {
		print(printer, text, size);
		return;
	}
	for (size_t done = 0, piece; done < size; done += piece) {
		piece = size - done < PIECE ? size - done : PIECE;
		print(printer, shown,
		      terminal_text_clean(&printer->cleaned, text + done, piece, shown));
	}
}

void console_finish(struct console_printer *printer)
{
	if (printer->length)
		print_line(printer);
}
