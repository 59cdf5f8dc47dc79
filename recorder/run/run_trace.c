// SPDX-License-Identifier: BSD-3-Clause
/* The trace of a recording, with the records about the recording at its beginning. */
#include "recorder/run/run_trace.h"

#include <stdio.h>
#include <string.h>

#include "format/text/trace_open.h"
#include "format/base/write_error.h"
#include "recorder/run/run_settings.h"

static int write_meta(struct trace_writer *writer, const char *key, const char *value)
{
	char text[128];
	struct trace_record record = { .kind = TRACE_meta, .payload = text };

	record.payload_size = (size_t)snprintf(text, sizeof(text), "%s=%s", key, value);
	return trace_writer_append(writer, &record, NULL);
}

int run_trace_create(const struct run_options *options, struct trace_output *output,
		     struct trace_writer **writer)
{
	int err;

	if (!options->output)
		return 0;
	err = trace_output_open(options->output, output);
	if (!err)
		err = trace_writer_create(output->part, NULL, writer);
	if (!err)
		err = write_meta(*writer, "recorder", "ttrec " TTREC_VERSION);
	return err ? err : run_settings_write(options, *writer);
}

int run_trace_probed(struct trace_writer *writer, size_t guests)
{
	struct trace_record record = { .kind = TRACE_meta,
				       .payload = "probe=1",
				       .payload_size = strlen("probe=1") };
	int err = 0;

	for (; !err && record.guest < guests; record.guest++)
		err = trace_writer_append(writer, &record, NULL);
	return err;
}

void run_trace_close(const struct run_options *options, struct trace_writer *writer,
		     struct session_result *result, struct trace_writer_stat *stat)
{
	char text[WRITE_ERROR_TEXT];
	int err = trace_writer_close(writer, stat);

	if (!err)
		return;
	result->end = SESSION_STORAGE;
	diagnose(&result->diagnosis, EXIT_CANNOT, err,
		 stat->files_missing
			 ? "free disk space and record again; the partial trace can be read, not "
			   "replayed"
			 : "free disk space and record again; the partial trace is valid",
		 "cannot write the trace %s: %s", options->output,
		 write_error_text(options->output, err, text));
}

bool run_trace_keep(const struct run_options *options, struct trace_output *output,
		    struct session_result *result)
{
	int err = trace_output_keep(output);

	if (err) {
		result->end = SESSION_STORAGE;
		diagnose(&result->diagnosis, EXIT_CANNOT, err,
			 "the trace is complete under that name",
			 "cannot rename %s" TRACE_OUTPUT_PART " to %s: %s", options->output,
			 options->output, strerror(-err));
	}
	return !err;
}
