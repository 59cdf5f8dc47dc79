// SPDX-License-Identifier: BSD-3-Clause
/* How the program of a guest ended, as the guest's init reports it on the console. */
#include "recorder/watch/program_end.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "format/base/units.h"

#define STATUS_MAX 255
#define SIGNAL_MAX 64

/* The last @mark in @line, and what follows it; NULL. */
static const char *find_last(const char *line, const char *mark)
{
	const char *found = NULL;

	for (const char *at = line; (at = strstr(at, mark)); at++)
		found = at + strlen(mark);
	return found;
}

static bool parse_status(const char *line, struct program_end *end)
{
	const char *text = find_last(line, ": exit status ");
	uint64_t status;

	if (!text || number_parse(text, 10, STATUS_MAX, &status))
		return false;
	end->status = (int)status;
	return true;
}

static bool parse_signal(const char *line, struct program_end *end)
{
	const char *text = find_last(line, ": killed by signal ");
	uint64_t signal;

	if (!text || number_take(&text, 10, SIGNAL_MAX, &signal) || !signal ||
	    (*text && *text != ' '))
		return false;
	end->signal = (int)signal;
	return true;
}

static bool parse_trouble(const char *line, struct program_end *end)
{
	const char *text = find_last(line, ": cannot be run: ");

	if (text)
		snprintf(end->trouble, sizeof(end->trouble), "%s", text);
	return text && *text;
}

bool program_end_parse(const char *line, struct program_end *end)
{
	struct program_end parsed = { .reported = true };
	const char *report = find_last(line, "ok - /");
	bool ok;

	if (!report)
		return false;
	ok = report - line < (ptrdiff_t)strlen("not ok - /") ||
	     strncmp(report - strlen("not ok - /"), "not ", 4) != 0;
	if (!parse_status(report, &parsed) && !parse_signal(report, &parsed) &&
	    !parse_trouble(report, &parsed))
		return false;
	if (ok != program_end_passed(&parsed))
		return false;
	*end = parsed;
	return true;
}

bool program_end_passed(const struct program_end *end)
{
	return end->reported && !end->status && !end->signal && !*end->trouble;
}

void program_end_text(const struct program_end *end, const char *name, char *text, size_t size)
{
	const char *signal = end->signal ? sigabbrev_np(end->signal) : NULL;

	if (!end->reported)
		snprintf(text, size, "%.128s did not end: the guest went down first", name);
	else if (*end->trouble)
		snprintf(text, size, "%.128s cannot be run: %s", name, end->trouble);
	else if (signal)
		snprintf(text, size, "%.128s was killed by SIG%s", name, signal);
	else if (end->signal)
		snprintf(text, size, "%.128s was killed by signal %d", name, end->signal);
	else
		snprintf(text, size, "%.128s ended with status %d", name, end->status);
}
