// SPDX-License-Identifier: BSD-3-Clause
/* What two guests printed, line by line. */
#include "format/text/console_compare.h"

#include <stdio.h>
#include <string.h>

#include "format/printable.h"

bool console_line(const char **text, size_t *size, const char **line, size_t *length)
{
	const char *end;

	if (!*size)
		return false;
	*line = *text;
	end = memchr(*text, '\n', *size);
	*length = end ? (size_t)(end - *text) : *size;
	*text += *length + !!end;
	*size -= *length + !!end;
	while (*length && (*line)[*length - 1] == '\r')
		--*length;
	return true;
}

static void note(struct console_differences *differences, uint64_t record, const char *expected,
		 size_t expected_length, const char *got, size_t got_length)
{
	uint64_t place = differences->count++;

	if (place >= CONSOLE_SHOWN)
		return;
	differences->first[place].record = record;
	snprintf(differences->first[place].expected, CONSOLE_LINE, "%.*s", (int)expected_length,
		 expected);
	snprintf(differences->first[place].got, CONSOLE_LINE, "%.*s", (int)got_length, got);
	printable(differences->first[place].expected);
	printable(differences->first[place].got);
}

void console_compare(struct console_differences *differences, uint64_t record, const char *expected,
		     size_t expected_size, const char *got, size_t got_size)
{
	const char *wanted = "", *is = "";
	size_t wanted_length, is_length;

	for (;;) {
		bool was = console_line(&expected, &expected_size, &wanted, &wanted_length);
		bool more = console_line(&got, &got_size, &is, &is_length);

		if (!was && !more)
			return;
		wanted_length = was ? wanted_length : 0;
		is_length = more ? is_length : 0;
		if (was != more || wanted_length != is_length || memcmp(wanted, is, wanted_length))
			note(differences, record, wanted, wanted_length, is, is_length);
	}
}

size_t console_differences_shown(const struct console_differences *differences)
{
	return differences->count < CONSOLE_SHOWN ? (size_t)differences->count : CONSOLE_SHOWN;
}
