// SPDX-License-Identifier: BSD-3-Clause
/* ttdump verify: is every bit right? */
#include "format/ttdump/base/ttdump.h"

#include <errno.h>
#include <string.h>

#include "format/base/command_line.h"
#include "format/base/units.h"

static const char doc[] = "Check the integrity of a trace and print one line. Exit status 0 if it "
			  "is intact, 3 if it is damaged or ends early.";

static error_t parse(int key, char *argument, struct argp_state *state)
{
	const char **path = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*path)
			argp_error(state, "more than one trace given");
		*path = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "missing trace file");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void print_verdict(const struct trace_report *report)
{
	char records[UNITS_TEXT], frames[UNITS_TEXT], artifacts[UNITS_TEXT];

	if (report->problem[0])
		printf("damaged: %s; intact before that: ", report->problem);
	else
		printf("intact: ");
	printf("%s records in %s frames, %s artifacts\n", count_text(report->records, records),
	       count_text(report->frames, frames), count_text(report->artifacts, artifacts));
}

int dump_verify(int argc, char **argv, struct diagnosis *diagnosis)
{
	static const struct argp argp = { NULL, parse, "TRACE", doc, NULL, NULL, NULL };
	const char *path = NULL;
	struct trace_report report;
	int err;

	command_line_parse(&argp, argc, argv, 0, &path);
	err = trace_verify(path, &report);
	if (err && err != -EBADMSG && err != -EPIPE)
		return diagnose(diagnosis, exit_status_of_file(err), err, NULL,
				"cannot verify %s: %s", path,
				report.problem[0] ? report.problem : strerror(-err));
	print_verdict(&report);
	diagnosis->status = err ? EXIT_DAMAGED : EXIT_IDENTICAL;
	return err;
}
