// SPDX-License-Identifier: BSD-3-Clause
/* A directory for a kind of failure: the run again with a trace, replays of it, a report. */
#include "recorder/explore/found.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "format/base/write_error.h"
#include "kernel/host/process.h"
#include "recorder/explore/beside.h"
#include "recorder/explore/found_directory.h"
#include "recorder/lab/lab.h"

/* A directory that is being made; the files in it. */
struct making {
	const struct found_request *request;
	struct found_result *result;
	char *part, *whole; /* DIR/.KIND.part and DIR/KIND */
	char *trace, *lab, *report, *log;
};

static int note(struct making *making, const char *what, const char *path, int err)
{
	char text[WRITE_ERROR_TEXT];

	if (!*making->result->problem)
		snprintf(making->result->problem, sizeof(making->result->problem), "%s %.100s: %s",
			 what, path, write_error_text(path, err, text));
	return err;
}

/* ---- Files ---------------------------------------------------------------------------------- */

static int name_files(struct making *making)
{
	const char *directory = making->request->directory, *name = making->request->name;
	const struct {
		char **path;
		const char *name;
	} files[] = { { &making->trace, "trace.zst" },
		      { &making->lab, "lab.yaml" },
		      { &making->report, "report.html" },
		      { &making->log, "replay.log" } };

	if (asprintf(&making->part, "%s/.%s.part", directory, name) < 0)
		making->part = NULL;
	if (asprintf(&making->whole, "%s/%s", directory, name) < 0)
		making->whole = NULL;
	for (size_t i = 0; making->part && i < ARRAY_SIZE(files); i++)
		if (asprintf(files[i].path, "%s/%s", making->part, files[i].name) < 0)
			*files[i].path = NULL;
	return making->part && making->whole && making->trace && making->lab && making->report &&
			       making->log
		       ? 0
		       : -ENOMEM;
}

static void free_names(struct making *making)
{
	free(making->part);
	free(making->whole);
	free(making->trace);
	free(making->lab);
	free(making->report);
	free(making->log);
}

static int begin(struct making *making)
{
	int err = found_directory_remove(making->part);

	if (!err && mkdir(making->part, 0777))
		err = -errno;
	return err ? note(making, "cannot make", making->part, err) : 0;
}

static int finish(struct making *making)
{
	int err = found_directory_keep(making->part, making->whole);

	making->result->kept = !err;
	return err ? note(making, "cannot make", making->whole, err) : 0;
}

/* As it was run: with its seed, and with paths that do not depend on where it is. */
static int write_lab(struct making *making)
{
	auto_free char *text = NULL;
	auto_file *file = NULL;
	int err;

	if (!making->request->lab)
		return 0;
	err = lab_rewrite(making->request->lab, making->request->trial.seed, &text);
	if (!err) {
		file = fopen(making->lab, "we");
		err = !file || fputs(text, file) == EOF || fflush(file) ? -errno : 0;
	}
	return err ? note(making, "cannot write", making->lab, err) : 0;
}

/* ---- Other commands ------------------------------------------------------------------------- */

/* Returns its exit status, or -errno. Its output goes to the log. */
static int run(struct making *making, const char *const *arguments)
{
	auto_fd log = open(making->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	auto_free char *path = beside_path(arguments[0]);
	int status, err;
	pid_t pid;

	if (log < 0 || !path)
		return log < 0 ? -errno : -ENOMEM;
	err = process_spawn(path, (char *const *)arguments, log, log, 0, &pid);
	if (err)
		return err;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* Where this machine cannot replay it, the trace is kept for one that can. */
static void replay(struct making *making)
{
	const char *const arguments[] = { "ttreplay", making->trace, NULL };
	struct found_result *result = making->result;

	while (result->replays < FOUND_REPLAYS) {
		int status = run(making, arguments);

		if (status < 0 || status == EXIT_CANNOT || status == EXIT_USAGE)
			return;
		result->replays++;
		result->identical += !status;
	}
}

/* Not every build can write a page; the trace is what counts. */
static void write_report(struct making *making)
{
	const char *const arguments[] = { "ttdump", "export",	    "html", making->trace,
					  "-o",	    making->report, NULL };

	int status = run(making, arguments);

	if (status)
		unlink(making->report);
	/* It has something to say only of what did not succeed. */
	if (!status && making->result->identical == FOUND_REPLAYS)
		unlink(making->log);
}

/* ---- The whole ------------------------------------------------------------------------------ */

static int repeat(struct making *making)
{
	struct trial trial = making->request->trial;
	struct trial_outcome outcome;
	int err;

	trial.trace = making->trace;
	err = trial_run_seed(&trial, &outcome);
	if (err || outcome.verdict == TRIAL_SHORTAGE) {
		note(making, "cannot record", making->trace, err ?: -EAGAIN);
		if (!err)
			snprintf(making->result->problem, sizeof(making->result->problem), "%.250s",
				 outcome.line);
		return err ?: -EAGAIN;
	}
	making->result->same = trial_outcome_same(&making->request->outcome, &outcome);
	snprintf(making->result->again, sizeof(making->result->again), "%s",
		 outcome.verdict == TRIAL_PASSED ? "passed" : outcome.line);
	return 0;
}

static int make(struct making *making)
{
	int err = name_files(making);

	if (err)
		return note(making, "cannot make", making->request->name, err);
	err = begin(making);
	if (!err)
		err = repeat(making);
	if (!err)
		err = write_lab(making);
	if (!err)
		replay(making);
	if (!err)
		write_report(making);
	if (err)
		found_directory_remove(making->part);
	return err ? err : finish(making);
}

int found_make(void *context)
{
	struct found_result result = { 0 };
	struct making making = { .request = context, .result = &result };
	json_t *json;

	make(&making);
	free_names(&making);
	json = json_pack("{s:b, s:s, s:i, s:i, s:b, s:s}", "same", result.same, "again",
			 result.again, "replays", (int)result.replays, "identical",
			 (int)result.identical, "kept", result.kept, "problem", result.problem);
	if (!json || json_dumpf(json, stdout, JSON_COMPACT))
		return EXIT_CANNOT;
	json_decref(json);
	return *result.problem ? EXIT_CANNOT : 0;
}

void found_read(const char *text, int status, struct found_result *result)
{
	json_t *json = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);

	*result = (struct found_result){
		.same = json_is_true(json_object_get(json, "same")),
		.replays = (unsigned int)json_integer_value(json_object_get(json, "replays")),
		.identical = (unsigned int)json_integer_value(json_object_get(json, "identical")),
		.kept = json_is_true(json_object_get(json, "kept")),
	};
	snprintf(result->again, sizeof(result->again), "%s",
		 json_string_value(json_object_get(json, "again")) ?: "");
	snprintf(result->problem, sizeof(result->problem), "%s",
		 json_string_value(json_object_get(json, "problem")) ?: "");
	if (!json || !WIFEXITED(status))
		snprintf(result->problem, sizeof(result->problem),
			 "the process that repeats it did not end by itself");
	json_decref(json);
}
