// SPDX-License-Identifier: BSD-3-Clause
/* What two guests printed, line by line. */
#include "format/text/console_compare.h"

#include <inttypes.h>
#include <string.h>

#include "format/base/printable.h"
#include "format/base/units.h"

/* The next line of *@text: advances it and *@size. False: at its end. */
static bool next_line(const char **text, size_t *size, const char **line, size_t *length)
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
		bool was = next_line(&expected, &expected_size, &wanted, &wanted_length);
		bool more = next_line(&got, &got_size, &is, &is_length);

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

static void print_line(const char *sign, uint64_t record, const char *line, FILE *out)
{
	fprintf(out, "    %s %" PRIu64 "  %s\n", sign, record, *line ? line : "(no line)");
}

void console_differences_print(const struct console_differences *differences, FILE *out)
{
	size_t shown = console_differences_shown(differences);
	char count[UNITS_TEXT];

	if (!differences->count)
		return;
	fprintf(out, "  console: %s %s\n", count_text(differences->count, count),
		differences->count == 1	     ? "line differs"
		: differences->count > shown ? "lines differ; the first:"
					     : "lines differ:");
	for (size_t i = 0; i < shown; i++) {
		print_line("-", differences->first[i].record, differences->first[i].expected, out);
		print_line("+", differences->first[i].record, differences->first[i].got, out);
	}
}

json_t *console_differences_json(const struct console_differences *differences)
{
	json_t *list = json_array();

	for (size_t i = 0; i < console_differences_shown(differences); i++)
		json_array_append_new(list, json_pack("{s:I, s:s, s:s}", "record",
						      (json_int_t)differences->first[i].record,
						      "expected", differences->first[i].expected,
						      "got", differences->first[i].got));
	return list;
}
