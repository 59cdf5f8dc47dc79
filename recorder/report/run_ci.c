// SPDX-License-Identifier: BSD-3-Clause
/* The CI report of a recording: a case for each guest and for each expected line. */
#include "recorder/report/run_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/ci/ci.h"
#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "format/base/shell.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

static struct ci_suite describe(const struct run_options *options, char seed[UNITS_TEXT])
{
	snprintf(seed, UNITS_TEXT, "%" PRIu64, options->session.seed);
	return (struct ci_suite){ .command = options->upstream ? "ttrec tap" : "ttrec run",
				  .name = options->lab	      ? options->lab
					  : options->program  ? options->program
					  : options->rerecord ? options->rerecord
					  : options->kernel   ? options->kernel[0]
							      : options->socket,
				  .seed = options->session.seed == RUN_UNSET ? NULL : seed,
				  .started = (uint64_t)time(NULL) };
}

/* ---- Guests --------------------------------------------------------------------------------- */

/* Expected lines have cases of their own. */
static const struct finding *find_failure(const struct findings *found, const char *guest)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct finding *finding = &found->list[i];

		if (finding_is_failure(finding) && finding->code != FOUND_LINE_MISSING &&
		    !strcmp(finding->guest, guest))
			return finding;
	}
	return NULL;
}

static enum ci_outcome outcome_of(const struct finding *failure)
{
	return finding_info(failure->code)->status == EXIT_DIVERGED ? CI_FAILED : CI_ERROR;
}

/* A line that reports a test as failed, as it is on the console. */
static bool is_failed_test(const char *line)
{
	const char *text = console_line_text(line);

	return !strncmp(text + strspn(text, " "), "not ok ", strlen("not ok "));
}

/*
 * Has it failed because a test did that is a case itself, and by nothing else? A program that then
 * ends with a status has said the same once more.
 */
static bool is_told_by_a_test(const struct run_report *report, size_t index)
{
	const struct session_guest_result *result = session_guest_result(report->session, index);
	const struct run_guest *guest = &report->lab->guest[index];
	const struct watch_find *said = run_find_said(report->lab, index);
	struct watch_verdict verdict = { 0 };

	if (report->lab->watch)
		watch_judge(report->lab->watch, &verdict);
	return ci_has_failed_test(guest->ci_console) && said && is_failed_test(said->line) &&
	       !verdict.program.signal && !*verdict.program.trouble && !result->signal &&
	       !*result->exceeded && !*result->device_fault;
}

/* Where its tests say all there is to be said of a guest they are its cases, else it is one, too.
 */
static bool is_told_by_tests(const struct run_report *report, size_t index, enum ci_outcome outcome)
{
	if (outcome == CI_PASSED)
		return ci_has_tests(report->lab->guest[index].ci_console);
	return outcome == CI_FAILED && is_told_by_a_test(report, index);
}

static int add_guest(struct ci_suite *suite, const struct run_report *report,
		     const struct findings *found, size_t index)
{
	const struct run_guest *guest = &report->lab->guest[index];
	const struct finding *failure = find_failure(found, guest->spec.name);
	auto_free char *console = NULL;
	char line[FINDING_LINE];
	struct ci_case added = { .guest = guest->spec.name,
				 .name = "run",
				 .outcome = CI_PASSED,
				 .now = report->result->virtual_ns };
	int err;

	ci_console_finish(guest->ci_console);
	if (failure) {
		ci_case_blame(&added, failure, line);
		added.outcome = outcome_of(failure);
	} else if (!session_guest_result(report->session, index)->ended) {
		added.outcome = CI_SKIPPED;
		added.message = "it was still running when the recording ended";
	}
	if (is_told_by_tests(report, index, added.outcome))
		return ci_add_tests(suite, guest->spec.name, guest->ci_console);
	added.took = added.now;
	console = added.outcome == CI_PASSED ? NULL : ci_console_excerpt(guest->ci_console);
	added.console = console;
	err = ci_add(suite, &added);
	return err ? err : ci_add_tests(suite, guest->spec.name, guest->ci_console);
}

/* ---- Lines that are expected ---------------------------------------------------------------- */

/* What the guests said last whose line it could have been: that of one, or of all. */
static char *copy_consoles(const struct run_lab *lab, const struct run_guest *guest)
{
	char *text = NULL;
	size_t size;
	FILE *out = output_buffer_open(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < lab->guest_count; i++) {
		auto_free char *tail = NULL;

		if (guest && guest != &lab->guest[i])
			continue;
		tail = ci_console_excerpt(lab->guest[i].ci_console);
		if (!guest && lab->guest_count > 1)
			fprintf(out, "%s:\n", lab->guest[i].spec.name);
		fputs(tail ?: "", out);
	}
	output_buffer_close(out);
	return text;
}

static int add_expectation(struct ci_suite *suite, const struct run_report *report,
			   const struct run_guest *guest, const char *text, bool seen)
{
	auto_free char *name = NULL, *console = NULL;
	struct ci_case added = { .guest = guest ? guest->spec.name : NULL,
				 .outcome = seen ? CI_PASSED : CI_FAILED,
				 .now = report->result->virtual_ns };

	if (asprintf(&name, "says %s", text) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	added.name = name;
	if (!seen) {
		added.code = finding_info(FOUND_LINE_MISSING)->code;
		added.message =
			guest ? "its console output has no match" : "no console output has a match";
		added.console = console = copy_consoles(report->lab, guest);
	}
	return ci_add(suite, &added);
}

/* Of @guest, or with NULL of all of them. */
static int add_expectations(struct ci_suite *suite, const struct run_report *report,
			    const struct run_guest *guest)
{
	struct watch *watch = guest ? guest->watch : report->lab->watch;
	struct watch_verdict all;
	const char *text;
	bool seen;
	int err = 0;

	if (!watch)
		return 0;
	/* So that a last line without an end counts. */
	watch_judge(watch, &all);
	for (size_t i = 0; !err && watch_expectation(watch, i, &text, &seen); i++)
		err = add_expectation(suite, report, guest, text, seen);
	return err;
}

/* ---- The whole ------------------------------------------------------------------------------ */

/* What ended the recording, and any failure that no guest's case reports. */
static int add_whole(struct ci_suite *suite, const struct run_report *report,
		     const struct finding *failure)
{
	auto_free char *console = NULL;
	char line[FINDING_LINE];
	struct ci_case added = { .name = "recording",
				 .now = report->result->virtual_ns,
				 .took = report->result->virtual_ns };

	if (report->result->end == SESSION_DONE && (!failure || ci_count_bad(suite))) {
		if (suite->count)
			return 0;
		added.outcome = CI_PASSED;
	} else if (failure) {
		ci_case_blame(&added, failure, line);
		added.outcome = outcome_of(failure);
		added.console = console = copy_consoles(report->lab, NULL);
	}
	return ci_add(suite, &added);
}

static int collect(struct ci_suite *suite, const struct run_report *report)
{
	const struct run_lab *lab = report->lab;
	int err = 0;

	for (size_t i = 0; !err && i < lab->guest_count; i++)
		err = add_guest(suite, report, suite->found, i);
	if (!err)
		err = add_expectations(suite, report, NULL);
	for (size_t i = 0; !err && i < lab->guest_count; i++)
		err = add_expectations(suite, report, &lab->guest[i]);
	return err ? err : add_whole(suite, report, findings_failure(suite->found));
}

static int publish(const struct run_options *options, struct ci_suite *suite, int err)
{
	struct diagnosis why = { 0 };

	if (!err)
		err = ci_publish(&options->ci, suite, stderr, &why);
	if (err && !why.status)
		diagnose(&why, EXIT_CANNOT, err, NULL, "cannot write the CI report: %s",
			 strerror(-err));
	ci_release(suite);
	return err ? diagnosis_print(&why, "ttrec") : 0;
}

int run_ci_report(const struct run_report *report, int status, const struct findings *found,
		  bool kept)
{
	char seed[UNITS_TEXT];
	struct ci_suite suite = describe(report->options, seed);
	const struct finding *failure = findings_failure(found);
	bool replayable = status && kept && report->result->messages;
	auto_free char *next =
		replayable ? shell_command("ttreplay", report->options->output) : NULL;
	char verdict[FINDING_LINE], time[UNITS_TEXT], wall[UNITS_TEXT];

	if (!ci_wanted(&report->options->ci))
		return 0;
	if (failure)
		finding_line(failure, verdict);
	else
		snprintf(verdict, sizeof(verdict), "%s virtual in %s",
			 duration_short(report->result->virtual_ns, time),
			 duration_short(report->result->wall_ns, wall));
	suite.verdict = verdict;
	suite.found = found;
	suite.failed = status;
	suite.wall_ns = report->result->wall_ns;
	suite.started -= suite.wall_ns / NS_PER_S;
	suite.trace = status && kept ? report->options->output : NULL;
	suite.next = next;
	return publish(report->options, &suite, collect(&suite, report));
}

int run_ci_report_refused(const struct run_options *options, const struct diagnosis *refused)
{
	char seed[UNITS_TEXT];
	struct ci_suite suite = describe(options, seed);

	if (!ci_wanted(&options->ci))
		return 0;
	return publish(options, &suite, ci_add_refused(&suite, "recording", refused));
}
