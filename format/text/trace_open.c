// SPDX-License-Identifier: BSD-3-Clause
/* Traces that cannot be read or written, and why. */
#include "format/text/trace_open.h"

#include <errno.h>
#include <string.h>

#include "format/trace/trace_output.h"
#include "format/base/write_error.h"

int trace_open(const char *path, struct trace_reader **reader, struct diagnosis *why)
{
	int err = trace_reader_open(path, reader);
	const char *advice = NULL;

	if (!err)
		return 0;
	if (!*reader)
		return diagnose(why, exit_status_of_file(err), err,
				diagnosis_shortage(err) ?: "check the path", "cannot open %s: %s",
				path, strerror(-err));
	if (diagnosis_trace_status(err) == EXIT_DAMAGED)
		advice = "check that this is a trace of ttrec";
	else if (err == -EPROTONOSUPPORT)
		advice = "use a newer version of ttrec";
	else
		advice = diagnosis_shortage(err) ?: "check the path";
	return diagnose(why, exit_status_of_file(err), err, advice, "cannot read %s: %s", path,
			trace_reader_error(*reader));
}

int trace_output_diagnose(const char *path, int error, struct diagnosis *why)
{
	char text[WRITE_ERROR_TEXT];

	if (error == -EEXIST)
		return diagnose(why, EXIT_USAGE, error,
				"give another file with -o, or remove that one",
				"cannot write the trace %s: a file with that name, or with that "
				"name and " TRACE_OUTPUT_PART ", exists and is not a trace",
				path);
	if (error == -EBUSY)
		return diagnose(why, EXIT_USAGE, error, "give another file with -o",
				"cannot write the trace %s: %s" TRACE_OUTPUT_PART
				" is being written by another process",
				path, path);
	return diagnose(why, exit_status_of_file(error), error,
			diagnosis_shortage(error) ?: "give another file with -o",
			"cannot write the trace %s: %s", path, write_error_text(path, error, text));
}
