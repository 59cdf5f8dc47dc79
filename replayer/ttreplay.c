// SPDX-License-Identifier: BSD-3-Clause
/* ttreplay: runs recorded guests again from their trace and reports whether they are identical. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "format/ci/ci.h"
#include "kernel/host/process.h"
#include "format/text/record_json.h"
#include "format/text/trace_open.h"
#include "format/base/write_error.h"
#include "replayer/debug/debugger.h"
#include "replayer/run/replay_workers.h"
#include "replayer/plan/replay_options.h"
#include "replayer/plan/replay_limits.h"
#include "replayer/plan/replay_plan.h"
#include "replayer/report/report.h"
#include "replayer/continue_live.h"

/* A bit that was to be flipped and was not would let every replay look good. */
static int check_flip(const struct replay_options *options, const struct replay_lab *lab,
		      struct diagnosis *why)
{
	for (size_t i = 0; i < lab->count; i++)
		if (lab->outcomes[i].report.flipped || lab->outcomes[i].why.status)
			return 0;
	if (!options->cursor.flip.wanted)
		return 0;
	return diagnose(why, EXIT_USAGE, -ERANGE,
			"give a record of a replayed guest, see `ttdump show`",
			"no bit was flipped: the replay did not reach record %" PRIu64,
			options->cursor.flip.record);
}

static int run_plan(struct replay_options *options, struct replay_lab *lab, int *signal,
		    struct diagnosis *why)
{
	struct replay_plan plan;
	cpu_set_t allowed;
	int err = cpu_allowed(&allowed);

	if (!err)
		err = replay_plan_make(lab, &allowed, &plan);
	if (err)
		return err;
	if (lab->count > 1 && !options->json)
		replay_plan_print(&plan);
	if (!options->json)
		replay_limits_print(options, lab);
	options->named = replay_lab_wanted(lab) > 1;
	err = replay_workers_run(options, &plan, lab->active_max, signal);
	replay_plan_free(&plan);
	return err ? err : check_flip(options, lab, why);
}

/* Where the guests are to stop, before any of them is started. */
static int find_stop(struct replay_options *options, const struct replay_lab *lab,
		     struct diagnosis *why)
{
	struct until_scope scope = { .guest = lab->guest, .count = lab->count };
	struct trace_reader *reader = NULL;
	int err;

	if (options->until.kind == UNTIL_NEVER)
		return 0;
	err = trace_open(options->trace, &reader, why);
	if (!err)
		err = until_find(&options->until, &scope, reader, &options->cursor.until_record,
				 why);
	trace_reader_close(reader);
	return err;
}

/* Write errors are reported in addition to the verdict. */
static int write_reports(const struct replay_options *options, const struct verdict_lab *verdict)
{
	int status = 0;

	for (size_t i = 0; options->report[i]; i++) {
		struct diagnosis why = { 0 };

		if (report_write(verdict, options->report[i], &why))
			status = diagnosis_print(&why, "ttreplay");
	}
	return status;
}

/* The verdict, then the files, then the CI report: the first failure is the status. */
static int tell(struct replay_options *options, const struct verdict_lab *verdict,
		struct diagnosis *why)
{
	FILE *out = options->json ? stderr : stdout;
	int status, unwritten, untold;

	ci_guard_begin(&options->ci, NULL, out);
	status = verdict_lab_report(verdict, options->json, why);
	ci_guard_end(&options->ci, NULL, out);
	unwritten = write_reports(options, verdict);
	untold = replay_ci_report(options, verdict, status);
	if (!status)
		status = unwritten;
	return status ? status : untold;
}

/* Guests print to standard output, if they are shown. */
static int run(struct replay_options *options, struct replay_lab *lab, int *signal,
	       struct diagnosis *why)
{
	const char *title = options->console ? "console" : NULL;
	int err;

	if (title)
		ci_guard_begin(&options->ci, title, stdout);
	err = run_plan(options, lab, signal, why);
	if (title)
		ci_guard_end(&options->ci, title, stdout);
	return err;
}

/* Ctrl-C is gdb's. */
static int prepare_debugger(struct diagnosis *why)
{
	process_leave_interrupt();
	return debugger_check(why);
}

static int replay(struct replay_options *options, struct diagnosis *why)
{
	struct verdict_lab verdict = { .trace = options->trace };
	struct replay_lab lab = { 0 };
	int signal = 0, status = 0;
	int err = replay_lab_open(options, &lab, why);
	uint64_t start = process_wall_ns();

	if (!err)
		err = find_stop(options, &lab, why);
	if (!err && options->gdb)
		err = prepare_debugger(why);
	if (!err)
		err = run(options, &lab, &signal, why);
	/* gdb may have left the guest at another point. */
	if (options->until.kind != UNTIL_RECORD && !options->gdb)
		verdict.until = options->until.text;
	verdict.lab = &lab;
	verdict.wall_ns = process_wall_ns() - start;
	if (!err) {
		status = tell(options, &verdict, why);
	} else {
		if (!why->status)
			diagnose(why, EXIT_CANNOT, err, diagnosis_shortage(err),
				 "cannot replay %s: %s", options->trace, strerror(-err));
		verdict.refused = why;
		write_reports(options, &verdict);
		replay_ci_report_refused(options, why);
	}
	replay_lab_close(&lab);
	return signal ? 128 + signal : status;
}

/* The point is looked up here: ttrec supports only records and times. */
static int go_live(struct replay_options *options, struct diagnosis *why)
{
	struct replay_lab lab = { 0 };
	int err = 0;

	if (options->until.kind != UNTIL_NEVER) {
		err = replay_lab_open(options, &lab, why);
		if (!err)
			err = find_stop(options, &lab, why);
		replay_lab_close(&lab);
	}
	if (!err)
		err = continue_live(options, why);
	return why->status ? err
			   : diagnose(why, EXIT_CANNOT, err, NULL, "cannot continue live: %s",
				      strerror(-err));
}

/* No output file may overwrite the trace. */
static int check_outputs(const struct replay_options *options, struct diagnosis *why)
{
	int err = refuse_overwriting(options->trace, options->ci.junit, "--junit", why);

	for (size_t i = 0; !err && options->report[i]; i++)
		err = refuse_overwriting(options->trace, options->report[i], "--report", why);
	for (size_t i = 0; !err && i < options->dump_count; i++)
		err = refuse_overwriting(options->trace, options->dump[i].file, "--dump-memory",
					 why);
	return err;
}

int main(int argc, char **argv)
{
	struct sandbox_groups groups;
	struct replay_options options;
	struct diagnosis why = { 0 };
	int status;

	process_fill_streams();
	record_json_watch_memory();
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "ttreplay " TTREC_VERSION;
	replay_options_parse(argc, argv, &options);
	if (check_outputs(&options, &why))
		return diagnosis_print(&why, "ttreplay");
	if (options.continue_live && go_live(&options, &why))
		return diagnosis_print(&why, "ttreplay");
	process_hold_stop();
	process_watch("ttreplay");
	sandbox_groups_open(NULL, &groups);
	options.groups = &groups;
	status = replay(&options, &why);
	sandbox_groups_close(&groups);
	if (why.status) {
		int said = diagnosis_print(&why, "ttreplay");

		status = status ? status : said;
	}
	return output_status(status, "ttreplay");
}
