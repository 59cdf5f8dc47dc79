// SPDX-License-Identifier: BSD-3-Clause
/* The trace of a recording, with the records about the recording at its beginning. */
#include "recorder/run/run_trace.h"

#include <string.h>

#include "format/trace/meta.h"
#include "format/base/cleanup.h"
#include "format/base/write_error.h"
#include "format/store/store.h"
#include "recorder/run/run_settings.h"

/* What a CI job uploads has to be one file. */
static bool is_ci(const struct run_options *options)
{
	const char *ci = getenv("CI");

	return options->ci.service || (ci && *ci && strcmp(ci, "false") != 0);
}

/* Where large files of a trace go: *@path, malloc'ed, or NULL. */
static int choose_store(const struct run_options *options, uint64_t *least, char **path)
{
	int err;

	*path = NULL;
	*least = options->store ? RUN_STORE_CHOSEN : RUN_STORE_LEAST;
	if (options->store ? !strcmp(options->store, "none") : is_ci(options))
		return 0;
	if (options->store)
		return (*path = strdup(options->store)) ? 0 : -ENOMEM;
	err = store_path(path);
	return err == -ENOENT ? 0 : err;
}

int run_trace_create(const struct run_options *options, uint64_t largest,
		     struct trace_output *output, struct trace_writer **writer)
{
	struct trace_writer_options writing = { .size = sizeof(writing) };
	auto_free char *store = NULL;
	int err;

	if (!options->output)
		return 0;
	err = choose_store(options, &writing.store_least, &store);
	/* A trace without such files needs no reader that knows of stores. */
	if (!err && store && largest >= writing.store_least)
		writing.store = store;
	if (!err)
		err = trace_output_open(options->output, output);
	if (!err)
		err = trace_writer_create(output->part, &writing, writer);
	if (!err)
		err = meta_write(*writer, 0, META_RECORDER, "ttrec %s", TTREC_VERSION);
	return err ? err : run_settings_write(options, *writer);
}

int run_trace_probed(struct trace_writer *writer, size_t guests)
{
	int err = 0;

	for (uint32_t guest = 0; !err && guest < guests; guest++)
		err = meta_write(writer, guest, META_PROBE, "1");
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
