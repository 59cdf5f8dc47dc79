// SPDX-License-Identifier: BSD-3-Clause
/* ttdump verify: is every bit right? */
#include "format/ttdump/base/ttdump.h"

#include <errno.h>
#include <string.h>

#include "format/base/command_line.h"
#include "format/base/units.h"

/* Its input is the path of the trace. */
static const struct command_line command = {
	.usage = "TRACE",
	.doc = "Check the integrity of a trace and print one line. Exit status 0 if it is intact, "
	       "3 if it is damaged or ends early.",
	.least = 1,
	.most = 1,
};

static void print_verdict(const struct trace_report *report)
{
	char records[UNITS_TEXT], frames[UNITS_TEXT], artifacts[UNITS_TEXT];

	if (report->problem[0])
		printf("damaged: %s; intact before that: ", report->problem);
	else
		printf("intact: ");
	printf("%s records in %s frames, %s artifacts", count_text(report->records, records),
	       count_text(report->frames, frames), count_text(report->artifacts, artifacts));
	if (report->missing)
		printf(", %s more in a store that is not here",
		       count_text(report->missing, artifacts));
	putchar('\n');
}

int dump_verify(int argc, char **argv, struct diagnosis *diagnosis)
{
	const char *path = NULL;
	struct trace_report report;
	int err;

	command_line_parse(&command, argc, argv, &path);
	err = trace_verify(path, &report);
	if (err && err != -EBADMSG && err != -EPIPE)
		return diagnose(diagnosis, exit_status_of_file(err), err, NULL,
				"cannot verify %s: %s", path,
				report.problem[0] ? report.problem : strerror(-err));
	print_verdict(&report);
	diagnosis->status = err ? EXIT_DAMAGED : EXIT_IDENTICAL;
	return err;
}
