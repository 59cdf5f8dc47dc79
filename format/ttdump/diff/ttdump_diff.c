// SPDX-License-Identifier: BSD-3-Clause
/* ttdump diff: where two traces part, and how they go on. */
#include <errno.h>
#include <string.h>

#include "format/ttdump/diff/diff.h"
#include "format/base/command_line.h"
#include "format/base/units.h"

#define CONTEXT	    5
#define CONTEXT_MAX 1000

enum { KEY_IGNORE = 256 };

static const struct argp_option options[] = {
	{ "guest", 'g', "NAME", 0, "compare only this guest, by name or number", 0 },
	{ "ignore", KEY_IGNORE, "FIELD", 0,
	  "ignore a kind of record (console, digest), a field (seq, time, payload), or a field of "
	  "a kind (from.time); can be repeated",
	  0 },
	{ "context", 'c', "N", 0, "show N records before and after (default 5)", 0 },
	{ "first", 'f', NULL, 0, "show only the first difference, not how the traces continue", 0 },
	{ "json", 'j', NULL, 0, "print one JSON object", 0 },
	{ 0 },
};

static const char doc[] =
	"Show where the histories of guests in two traces diverge, how they differ, how each "
	"continues, and from where they are identical again. The equal beginning is skipped using "
	"hashes in the traces. Exit status 0 if they are equal, 1 if they differ.";

static uint32_t parse_context(struct argp_state *state, const char *text)
{
	uint64_t number = 0;

	if (count_parse(text, &number) || number > CONTEXT_MAX)
		argp_error(state, "invalid number of records \"%s\": expected 0 to %d", text,
			   CONTEXT_MAX);
	return (uint32_t)number;
}

static void parse_trace(struct argp_state *state, struct diff *diff, char *argument)
{
	if (state->arg_num > 1)
		argp_error(state, "more than two traces given");
	else
		diff->path[state->arg_num] = argument;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct diff *diff = state->input;

	switch (key) {
	case 'g':
		diff->guest = argument;
		return 0;
	case KEY_IGNORE:
		if (!diff_ignore(argument, &diff->options))
			argp_error(state, "unknown kind or field \"%s\"; ttrace(5) lists them",
				   argument);
		return 0;
	case 'c':
		diff->context = parse_context(state, argument);
		return 0;
	case 'f':
		diff->only_first = true;
		return 0;
	case 'j':
		diff->json = true;
		return 0;
	case ARGP_KEY_ARG:
		parse_trace(state, diff, argument);
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 2)
			argp_error(state, "two traces required");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const char *diff_verdict(const struct diff *diff)
{
	if (diff->compare.diverged)
		return "different";
	return diff->compare.cut ? "equal as far as it goes" : "equal";
}

static int find_guest(struct diff *diff, struct diagnosis *diagnosis)
{
	if (!diff->guest || name_table_find(&diff->names[0], diff->guest, &diff->options.guest) ||
	    name_table_find(&diff->names[1], diff->guest, &diff->options.guest))
		return 0;
	return diagnose(diagnosis, EXIT_USAGE, -ENOENT, "\"ttdump stat\" lists them",
			"no guest \"%s\" in %s", diff->guest, diff->path[0]);
}

/* How far each could be read is lost when it is read again: keep it. */
static void keep_ends(struct diff *diff)
{
	for (int s = 0; s < 2; s++) {
		diff->end[s] = diff->compare.side[s].got < 0 ? diff->compare.side[s].got : 0;
		snprintf(diff->problem[s], sizeof(diff->problem[s]), "%s",
			 trace_reader_error(diff->reader[s]));
	}
}

/* Equal as far as both go is no result when one of them is cut. */
static int judge(struct diff *diff, struct diagnosis *diagnosis)
{
	int s = diff->end[0] >= 0;

	if (diff->compare.diverged)
		diagnosis->status = EXIT_DIVERGED;
	else if (diff->compare.cut)
		return diagnose(diagnosis, diagnosis_trace_status(diff->compare.cut),
				diff->compare.cut,
				"\"ttdump verify\" shows how far each of them is intact",
				"cannot read the rest of %s: %s", diff->path[s], diff->problem[s]);
	return 0;
}

static int compare(struct diff *diff, struct diff_start *start, struct diagnosis *diagnosis)
{
	int err = diff_start_read(diff, start);

	if (!err && find_guest(diff, diagnosis))
		return -ENOENT;
	if (!err)
		err = compare_run(&diff->compare, diff->reader[0], diff->reader[1], &diff->options,
				  diff->only_first ? NULL : diff_follow, diff);
	if (err)
		return diagnose(diagnosis, EXIT_CANNOT, err, NULL, "cannot compare %s and %s: %s",
				diff->path[0], diff->path[1], strerror(-err));
	keep_ends(diff);
	err = diff->json ? diff_print_json(diff, start) : diff_print_text(diff, start);
	if (err)
		return diagnose(diagnosis, EXIT_CANNOT, err, NULL, "cannot show the difference: %s",
				strerror(-err));
	return judge(diff, diagnosis);
}

static void close_diff(struct diff *diff)
{
	diff_free_tails(diff);
	compare_release(&diff->compare);
	for (int s = 0; s < 2; s++) {
		name_table_free(&diff->names[s]);
		trace_reader_close(diff->reader[s]);
	}
}

int dump_diff(int argc, char **argv, struct diagnosis *diagnosis)
{
	static const struct argp argp = { options, parse, "TRACE TRACE", doc, NULL, NULL, NULL };
	cleanup(close_diff) struct diff diff = {
		.options = { .size = sizeof(diff.options), .guest = TRACE_GUEST_ALL },
		.context = CONTEXT,
	};
	cleanup(diff_start_free) struct diff_start start = { 0 };
	int err = 0;

	command_line_parse(&argp, argc, argv, 0, &diff);
	for (int s = 0; s < 2 && !err; s++)
		err = dump_open(diff.path[s], &diff.reader[s], diagnosis);
	return err ? err : compare(&diff, &start, diagnosis);
}
