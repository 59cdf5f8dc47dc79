// SPDX-License-Identifier: BSD-3-Clause
/* ttdump salvage: make a whole trace of what a damaged one still holds. */
#include "format/ttdump/base/ttdump.h"

#include <errno.h>
#include <sys/stat.h>

#include "format/base/command_line.h"
#include "format/text/trace_open.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

struct salvage {
	const char *input;
	const char *output;
};

static const struct option_row rows[] = {
	{ "output", 'o', "FILE", "write to FILE (default: TRACE.salvaged, unless it exists)", 0,
	  OPTION_TEXT, OPTION_FIELD(struct salvage, output) },
	{ 0 },
};

static const struct command_line command = {
	.usage = "TRACE",
	.doc = "Write everything up to the first damage to a new, complete trace, with a note at "
	       "its end that says what was lost. The damaged trace is not changed.",
	.table = { { rows, 0 } },
	.least = 1,
	.most = 1,
	.argument = { offsetof(struct salvage, input) },
};

static int salvage_failed(const struct salvage *salvage, const char *output, int err,
			  const struct trace_report *report, struct diagnosis *diagnosis)
{
	char text[WRITE_ERROR_TEXT];

	if (err == -EINVAL)
		return diagnose(diagnosis, EXIT_USAGE, err, "give another file with --output",
				"cannot write %s: it is the input", salvage->input);
	if (err == -EBADMSG || err == -EPIPE)
		return diagnose(diagnosis, EXIT_DAMAGED, err, "nothing in it can be recovered",
				"cannot read %s: %s", salvage->input, report->problem);
	if (err == -EEXIST || err == -EBUSY)
		return trace_output_diagnose(output, err, diagnosis);
	return diagnose(diagnosis, exit_status_of_file(err), err, NULL,
			"cannot salvage %s to %s: %s", salvage->input, output,
			write_error_text(output, err, text));
}

static void print_saved(const struct salvage *salvage, const char *output,
			const struct trace_report *report)
{
	char records[UNITS_TEXT], artifacts[UNITS_TEXT];

	printf("%s: %s records and %s artifacts of %s\n", output,
	       count_text(report->records, records), count_text(report->artifacts, artifacts),
	       salvage->input);
	if (report->problem[0])
		printf("lost: everything after %s\n", report->problem);
	else
		printf("nothing was lost\n");
}

int dump_salvage(int argc, char **argv, struct diagnosis *diagnosis)
{
	struct salvage salvage = { 0 };
	struct trace_report report;
	auto_free char *name = NULL;
	const char *output;
	struct stat status;
	int err;

	command_line_parse(&command, argc, argv, &salvage);
	if (!salvage.output && asprintf(&name, "%s.salvaged", salvage.input) < 0)
		return diagnose(diagnosis, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	output = salvage.output ? salvage.output : name;
	if (!salvage.output && !lstat(output, &status))
		return diagnose(diagnosis, EXIT_USAGE, -EEXIST,
				"remove it, or give another file with --output",
				"%s already exists", output);
	err = trace_salvage(salvage.input, output, &report);
	if (err)
		return salvage_failed(&salvage, output, err, &report, diagnosis);
	print_saved(&salvage, output, &report);
	return 0;
}
