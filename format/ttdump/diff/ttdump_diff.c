// SPDX-License-Identifier: BSD-3-Clause
/* ttdump diff: where two traces part, and how they go on. */
#include <errno.h>
#include <string.h>

#include "format/ttdump/diff/diff.h"
#include "format/base/command_line.h"

#define CONTEXT	    5
#define CONTEXT_MAX 1000

static void take_ignored(char *text, void *input, struct argp_state *state)
{
	if (!diff_ignore(text, &((struct diff *)input)->options))
		argp_error(state, "unknown kind or field \"%s\"; ttrace(5) lists them", text);
}

static const struct option_row rows[] = {
	{ "guest", 'g', "NAME", "compare only this guest, by name or number", 0, OPTION_TEXT,
	  OPTION_FIELD(struct diff, guest) },
	{ "ignore", 0, "FIELD",
	  "ignore a kind of record (console, digest), a field (seq, time, payload), or a field of "
	  "a kind (from.time); can be repeated",
	  0, OPTION_CALL, .take = take_ignored },
	{ "context", 'c', "N", "show N records before and after (default 5)", 0, OPTION_NUMBER,
	  OPTION_FIELD(struct diff, context), .most = CONTEXT_MAX },
	{ "first", 'f', NULL, "show only the first difference, not how the traces continue", 0,
	  OPTION_FLAG, OPTION_FIELD(struct diff, only_first) },
	{ "json", 'j', NULL, "print one JSON object", 0, OPTION_FLAG,
	  OPTION_FIELD(struct diff, json) },
	{ 0 },
};

static const struct command_line command = {
	.usage = "TRACE TRACE",
	.doc = "Show where the histories of guests in two traces diverge, how they differ, how "
	       "each continues, and from where they are identical again. The equal beginning is "
	       "skipped using hashes in the traces. Exit status 0 if they are equal, 1 if they "
	       "differ.",
	.table = { { rows, 0 } },
	.least = 2,
	.most = 2,
	.argument = { offsetof(struct diff, path[0]), offsetof(struct diff, path[1]) },
	.missing = "two traces required",
	.excess = "more than two traces given",
};

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

/* If one of them is cut, being equal up to there does not make them equal. */
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
	cleanup(close_diff) struct diff diff = {
		.options = { .size = sizeof(diff.options), .guest = TRACE_GUEST_ALL },
		.context = CONTEXT,
	};
	cleanup(diff_start_free) struct diff_start start = { 0 };
	int err = 0;

	command_line_parse(&command, argc, argv, &diff);
	for (int s = 0; s < 2 && !err; s++)
		err = trace_open(diff.path[s], &diff.reader[s], diagnosis);
	return err ? err : compare(&diff, &start, diagnosis);
}
