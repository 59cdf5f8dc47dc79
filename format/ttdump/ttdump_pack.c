// SPDX-License-Identifier: BSD-3-Clause
/* ttdump pack: make one file of a trace and what it has in a store. */
#include "format/ttdump/base/ttdump.h"
#include "format/trace_files.h"

#include <errno.h>

#include "format/base/command_line.h"
#include "format/base/units.h"
#include "format/base/write_error.h"
#include "format/text/trace_open.h"

struct pack {
	const char *input;
	const char *output;
};

static const struct option_row rows[] = {
	{ "output", 'o', "FILE", "write to FILE (required)", 0, OPTION_TEXT,
	  OPTION_FIELD(struct pack, output) },
	{ 0 },
};

static void check(void *input, struct argp_state *state)
{
	const struct pack *pack = input;

	if (!pack->output)
		argp_error(state, "missing -o FILE");
}

static const struct command_line command = {
	.usage = "TRACE",
	.doc = "Write a copy of a trace that also contains the large files that it has in a store, "
	       "so that it can be replayed anywhere.",
	.table = { { rows, 0 } },
	.least = 1,
	.most = 1,
	.argument = { offsetof(struct pack, input) },
	.check = check,
};

static int pack_failed(const struct pack *pack, int err, const struct trace_report *report,
		       struct diagnosis *diagnosis)
{
	char text[WRITE_ERROR_TEXT];

	if (err == -EINVAL)
		return diagnose(diagnosis, EXIT_USAGE, err, "give another file with --output",
				"cannot write %s: it is the input", pack->input);
	if (err == -ENODATA || err == -ESTALE)
		return diagnose(diagnosis, EXIT_CANNOT, err,
				"copy that file beside the trace, or name the store that has it: "
				"TTREC_STORE=DIR",
				"cannot pack %s: %s", pack->input, report->problem);
	if (err == -EBADMSG || err == -EPIPE)
		return diagnose(diagnosis, EXIT_DAMAGED, err,
				"`ttdump salvage` recovers what is intact", "cannot read %s: %s",
				pack->input, report->problem);
	if (err == -EEXIST || err == -EBUSY)
		return trace_output_diagnose(pack->output, err, diagnosis);
	return diagnose(diagnosis, exit_status_of_file(err), err, NULL, "cannot pack %s to %s: %s",
			pack->input, pack->output, write_error_text(pack->output, err, text));
}

int dump_pack(int argc, char **argv, struct diagnosis *diagnosis)
{
	struct pack pack = { 0 };
	struct trace_report report;
	char records[UNITS_TEXT], artifacts[UNITS_TEXT];
	int err;

	command_line_parse(&command, argc, argv, &pack);
	err = trace_pack(pack.input, pack.output, &report);
	if (err)
		return pack_failed(&pack, err, &report, diagnosis);
	printf("%s: %s records and %s artifacts of %s\n", pack.output,
	       count_text(report.records, records), count_text(report.artifacts, artifacts),
	       pack.input);
	return 0;
}
