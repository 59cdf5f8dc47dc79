// SPDX-License-Identifier: BSD-3-Clause
/* How a recording went: the verdict, for people and as JSON. */
#include "recorder/report/run_report.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/base/printable.h"
#include "format/base/write_error.h"
#include "kernel/sandbox/isolation.h"
#include "recorder/report/run_report_devices.h"
#include "recorder/rerecord/rerecord_compare.h"

/* "the guest" of one, "the guest n2" of several. */
static const char *guest_text(const struct run_report *report, size_t index, char text[96])
{
	if (report->lab->guest_count == 1)
		return "the guest";
	snprintf(text, 96, "the guest %s", report->lab->guest[index].spec.name);
	return text;
}

/* The last console line is often the reason, and with --quiet the user has not seen it. */
static void add_last_line(const struct run_report *report, size_t index, char *reason, size_t size)
{
	const char *line = session_guest_result(report->session, index)->last_line;
	size_t used = strlen(reason);

	if (line && *line)
		snprintf(reason + used, size - used, "; last console line: %s", line);
}

/* No guest ends so by itself, and its limits have a reason of their own. */
static bool is_killed(const struct session_guest_result *result)
{
	return result->signal == SIGKILL && !*result->exceeded;
}

int run_judge_end(const struct run_report *report, size_t index, char *reason, size_t size)
{
	const struct session_guest_result *result = session_guest_result(report->session, index);
	/* Where it never spoke a replay has nothing to compare. */
	const char *early = result->messages ? "" : " before it asked for the time";
	char guest[96], time[UNITS_TEXT];
	uint64_t restarted;

	if (result->ended && watch_restarted(report->lab->watch, index, &restarted))
		snprintf(reason, size,
			 "%s rebooted at t=%s s, which is not supported; it must power off",
			 guest_text(report, index, guest), duration_exact(restarted, time));
	else if (*result->exceeded)
		snprintf(reason, size, "%s was killed%s: %s", guest_text(report, index, guest),
			 early, result->exceeded);
	else if (is_killed(result))
		snprintf(reason, size, "%s was killed on this machine%s",
			 guest_text(report, index, guest), early);
	else if (result->signal)
		snprintf(reason, size, "%s was killed by SIG%s%s", guest_text(report, index, guest),
			 sigabbrev_np(result->signal), early);
	else if (result->status)
		snprintf(reason, size, "%s ended with exit status %d%s",
			 guest_text(report, index, guest), result->status, early);
	else if (!result->messages)
		snprintf(reason, size, "%s ended%s", guest_text(report, index, guest), early);
	if (*reason)
		add_last_line(report, index, reason, size);
	return !*reason ? EXIT_IDENTICAL : is_killed(result) ? EXIT_CANNOT : EXIT_DIVERGED;
}

/* "console output" of one guest, "console output of n2" of several. */
static const char *console_text(const struct run_report *report, size_t index, char text[96])
{
	if (report->lab->guest_count == 1)
		return "console output";
	snprintf(text, 96, "console output of %s", report->lab->guest[index].spec.name);
	return text;
}

const struct watch_find *run_find_said(const struct run_lab *lab, size_t index)
{
	const struct run_guest *guest = &lab->guest[index];
	const struct watch_find *all = NULL, *own = NULL;
	struct watch_verdict verdict;

	/* So that a last line without an end counts. */
	if (lab->watch) {
		watch_judge(lab->watch, &verdict);
		all = watch_failure(lab->watch, index);
	}
	if (guest->watch) {
		watch_judge(guest->watch, &verdict);
		own = watch_failure(guest->watch, 0);
	}
	return !all || (own && own->now < all->now) ? own : all;
}

/* How the program ended that the guest was to run. */
static const struct program_end *find_program(const struct run_report *report,
					      struct watch_verdict *verdict)
{
	if (!report->lab || !report->lab->watch || !report->options->program)
		return NULL;
	watch_judge(report->lab->watch, verdict);
	return &verdict->program;
}

int run_judge_program(const struct run_report *report, char *reason, size_t size)
{
	struct watch_verdict verdict;
	const struct program_end *end = find_program(report, &verdict);
	char text[320];

	/* Of a guest that went down first its console says more, unless it says nothing. */
	if (!end || program_end_passed(end) || (!end->reported && verdict.failure.count) ||
	    is_killed(session_guest_result(report->session, 0)))
		return EXIT_IDENTICAL;
	program_end_text(end, report->options->program, text, sizeof(text));
	if (verdict.failure.count)
		snprintf(reason, size, "%s; console output: %s", text, verdict.failure.line);
	else
		snprintf(reason, size, "%s", text);
	if (!verdict.failure.count)
		add_last_line(report, 0, reason, size);
	return EXIT_DIVERGED;
}

/* How a guest failed, and when. */
struct failure {
	bool found;
	int status;
	uint64_t now, id;
	char reason[640];
};

/*
 * Guests that run in parallel fail in any order. The reason is the earliest in virtual time, at
 * equal times that of the lowest id, and for one guest its console line: equal runs have equal
 * reasons.
 */
static void note_failure(struct failure *first, const struct failure *failure)
{
	if (!first->found || failure->now < first->now ||
	    (failure->now == first->now && failure->id < first->id))
		*first = *failure;
}

static void find_said(const struct run_report *report, size_t index, struct failure *first)
{
	const struct watch_find *said = run_find_said(report->lab, index);
	struct failure failure = { .found = true,
				   .status = EXIT_DIVERGED,
				   .id = report->lab->guest[index].spec.id };
	char whose[96];

	if (!said)
		return;
	failure.now = said->now;
	snprintf(failure.reason, sizeof(failure.reason), "%s: %s",
		 console_text(report, index, whose), said->line);
	note_failure(first, &failure);
}

static void find_end(const struct run_report *report, size_t index, struct failure *first)
{
	struct failure failure = { .found = true,
				   .id = report->lab->guest[index].spec.id,
				   .now = session_guest_result(report->session, index)->ended_now };

	failure.status = run_judge_end(report, index, failure.reason, sizeof(failure.reason));
	if (failure.status)
		note_failure(first, &failure);
}

static void find_device_fault(const struct run_report *report, size_t index, struct failure *first)
{
	const struct session_guest_result *result = session_guest_result(report->session, index);
	struct failure failure = { .found = true,
				   .id = report->lab->guest[index].spec.id,
				   .now = result->device_fault_now };

	snprintf(failure.reason, sizeof(failure.reason), "%s lost a device, %s",
		 report->lab->guest[index].spec.name, result->device_fault);
	if (*result->device_fault)
		note_failure(first, &failure);
}

static const char *missing_line(struct watch *watch)
{
	struct watch_verdict verdict = { 0 };

	if (watch)
		watch_judge(watch, &verdict);
	return verdict.missing;
}

/* An expected line that no console of the lab, or not that of one guest, has. */
static int judge_silence(const struct run_report *report, char *reason, size_t size)
{
	const struct run_lab *lab = report->lab;
	const char *missing = missing_line(lab->watch);

	if (missing)
		snprintf(reason, size, "no console line matches: %s", missing);
	for (size_t i = 0; !missing && i < lab->guest_count; i++) {
		missing = missing_line(lab->guest[i].watch);
		if (missing)
			snprintf(reason, size, "no console line of %s matches: %s",
				 lab->guest[i].spec.name, missing);
	}
	return missing ? EXIT_DIVERGED : EXIT_IDENTICAL;
}

static int judge_guests(const struct run_report *report, char *reason, size_t size)
{
	struct failure first = { 0 };
	int status = run_judge_program(report, reason, size);

	if (status)
		return status;
	for (size_t i = 0; i < report->lab->guest_count; i++) {
		find_said(report, i, &first);
		find_end(report, i, &first);
	}
	status = first.found ? first.status : EXIT_IDENTICAL;
	for (size_t i = 0; !status && i < report->lab->guest_count; i++)
		find_device_fault(report, i, &first);
	if (!status && first.found)
		status = EXIT_PROTOCOL;
	if (!status)
		return judge_silence(report, reason, size);
	snprintf(reason, size, "%s", first.reason);
	return status;
}

static int judge(const struct run_report *report, char *reason, size_t size)
{
	const struct session_result *result = report->result;

	*reason = '\0';
	if (result->end != SESSION_DONE)
		snprintf(reason, size, "%s", result->diagnosis.what);
	if (result->end == SESSION_SIGNAL)
		return 128 + result->signal;
	if (result->end != SESSION_DONE)
		return result->diagnosis.status;
	return report->lab ? judge_guests(report, reason, size) : EXIT_IDENTICAL;
}

int run_judge(const struct run_report *report, char *reason, size_t size)
{
	int status = judge(report, reason, size);

	printable(reason);
	return status;
}

/* The isolation that all guests have. */
static unsigned int common_isolation(const struct run_report *report)
{
	unsigned int isolation = ISOLATION_FULL;

	for (size_t i = 0; i < report->lab->guest_count; i++)
		isolation &= report->lab->guest[i].guest.sandbox.isolation;
	return isolation;
}

static json_t *guests_json(const struct run_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; report->lab && i < report->lab->guest_count; i++) {
		const struct session_guest_result *result =
			session_guest_result(report->session, i);

		json_array_append_new(
			list, json_pack("{s:s, s:b, s:i, s:i, s:I, s:I, s:I, s:s, s:s?}", "name",
					report->lab->guest[i].spec.name, "ended", result->ended,
					"status", result->status, "signal", result->signal,
					"messages", (json_int_t)result->messages, "interrupts",
					(json_int_t)result->interrupts, "probed",
					(json_int_t)result->probed, "probe_problem",
					result->probe_problem, "hint", result->hint));
	}
	return list;
}

/* Whose warnings: all of them are kept where all consoles are judged. */
static bool find_warnings(const struct run_report *report, struct watch_find *warnings)
{
	struct watch_verdict verdict;

	if (!report->lab || !report->lab->watch)
		return false;
	watch_judge(report->lab->watch, &verdict);
	*warnings = verdict.warning;
	printable(warnings->line);
	return warnings->count;
}

char *run_warnings_text(const struct run_report *report)
{
	char count[UNITS_TEXT], time[UNITS_TEXT], whose[96], *text;
	struct watch_find warnings;

	if (!find_warnings(report, &warnings))
		return NULL;
	if (asprintf(&text, "%s%s t=%s s, %s: %s", count_text(warnings.count, count),
		     warnings.count == 1 ? ", at" : ", the first at",
		     duration_exact(warnings.now, time),
		     console_text(report, warnings.console, whose), warnings.line) < 0) {
		output_incomplete(-ENOMEM);
		return NULL;
	}
	return text;
}

static json_t *warnings_json(const struct run_report *report)
{
	struct watch_find warnings = { 0 };

	if (!find_warnings(report, &warnings))
		return json_pack("{s:i}", "count", 0);
	return json_pack("{s:I, s:s, s:s, s:I}", "count", (json_int_t)warnings.count, "first",
			 warnings.line, "guest", report->lab->guest[warnings.console].spec.name,
			 "now_ns", (json_int_t)warnings.now);
}

static json_t *program_json(const struct run_report *report)
{
	struct watch_verdict verdict;
	const struct program_end *end = find_program(report, &verdict);

	if (!end)
		return json_null();
	return json_pack("{s:s, s:b, s:i, s:i, s:s}", "name", report->options->program, "ended",
			 end->reported && !*end->trouble, "status", end->status, "signal",
			 end->signal, "trouble", end->trouble);
}

static void print_json(const struct run_report *report, int status, const char *reason, bool kept)
{
	const struct session_result *result = report->result;
	char isolation[ISOLATION_TEXT];
	json_t *json =
		json_pack("{s:b, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:s?, s:I, s:s, s:s, s:o}",
			  "passed", !status, "status", status, "reason", reason, "messages",
			  (json_int_t)result->messages, "records", (json_int_t)result->records,
			  "digests", (json_int_t)result->digests, "virtual_ns",
			  (json_int_t)result->virtual_ns, "wall_ns", (json_int_t)result->wall_ns,
			  "trace", kept ? report->options->output : NULL, "trace_bytes",
			  (json_int_t)(kept ? report->trace->file_bytes : 0), "seal",
			  report->lab ? isolation_text(common_isolation(report), isolation) : "",
			  "probe_reason", report->probe_reason ? report->probe_reason : "",
			  "guests", guests_json(report));

	if (!json)
		return;
	json_object_set_new(json, "program", program_json(report));
	json_object_set_new(json, "stored_bytes",
			    json_integer((json_int_t)report->trace->stored_bytes));
	json_object_set_new(json, "warnings", warnings_json(report));
	json_object_set_new(json, "devices", run_devices_json(report));
	if (report->rerecord)
		json_object_set_new(
			json, "again",
			rerecord_report_json(report->rerecord, report->options->rerecord));
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
}

/* Where something else is the reason, this may be what it came from. */
static void print_device_faults(const struct run_report *report)
{
	if (!report->lab || report->result->end == SESSION_DONE)
		return;
	for (size_t i = 0; i < report->lab->guest_count; i++) {
		const char *fault = session_guest_result(report->session, i)->device_fault;

		if (*fault)
			fprintf(stderr, "  device: %s lost %s\n", report->lab->guest[i].spec.name,
				fault);
	}
}

/* What a recording may have changed. */
static void print_written_shares(const struct run_guest *guest)
{
	for (size_t i = 0; i < guest->lab->device_count; i++)
		if (guest->lab->device[i].kind == LAB_SHARE &&
		    guest->lab->device[i].share.write == LAB_SHARE_THROUGH)
			fprintf(stderr, "  share: %s wrote through to %s\n", guest->spec.name,
				guest->lab->device[i].share.directory);
}

static void print_share_notes(const struct run_report *report)
{
	for (size_t i = 0; report->lab && i < report->lab->guest_count; i++) {
		const struct run_guest *guest = &report->lab->guest[i];
		const struct run_share_note *note = &guest->share_note;

		print_written_shares(guest);
		if (note->count > 1)
			fprintf(stderr, "  share: of %s: %s, and %zu more\n", guest->spec.name,
				note->first, note->count - 1);
		else if (note->count)
			fprintf(stderr, "  share: of %s: %s\n", guest->spec.name, note->first);
	}
}

static void print_probed(const struct run_report *report)
{
	uint64_t probed = 0;
	char text[UNITS_TEXT];

	for (size_t i = 0; report->lab && i < report->lab->guest_count; i++)
		probed += session_guest_result(report->session, i)->probed;
	if (probed)
		fprintf(stderr, "%s probed interrupts, ", count_text(probed, text));
}

static void print_warnings(const struct run_report *report)
{
	auto_free char *text = run_warnings_text(report);

	if (text)
		fprintf(stderr, "  warnings: %s\n", text);
}

static void print_probe_problems(const struct run_report *report)
{
	for (size_t i = 0; report->lab && i < report->lab->guest_count; i++) {
		const char *problem = session_guest_result(report->session, i)->probe_problem;

		if (*problem)
			fprintf(stderr, "  interrupts: not all of %s are recorded: %s\n",
				report->lab->guest[i].spec.name, problem);
	}
}

/* A hint for the last kernel messages; for several guests with the guest's name. */
static void print_hints(const struct run_report *report)
{
	for (size_t i = 0; report->lab && i < report->lab->guest_count; i++) {
		const char *hint = session_guest_result(report->session, i)->hint;

		if (hint && report->lab->guest_count == 1)
			fprintf(stderr, "  hint: %s\n", hint);
		else if (hint)
			fprintf(stderr, "  hint: %s: %s\n", report->lab->guest[i].spec.name, hint);
	}
}

void run_report_print(const struct run_report *report, int status, const char *reason, bool kept)
{
	const struct session_result *result = report->result;
	char messages[UNITS_TEXT], digests[UNITS_TEXT], time[UNITS_TEXT], wall[UNITS_TEXT],
		bytes[UNITS_TEXT];

	if (report->options->json) {
		print_json(report, status, reason, kept);
		return;
	}
	fprintf(stderr, "%s: ", status ? "FAILED" : "recorded");
	if (report->lab && report->lab->guest_count > 1)
		fprintf(stderr, "%zu guests, ", report->lab->guest_count);
	fprintf(stderr, "%s messages, ", count_text(result->messages, messages));
	print_probed(report);
	fprintf(stderr, "%s memory digests, %s virtual in %s", count_text(result->digests, digests),
		duration_short(result->virtual_ns, time), duration_short(result->wall_ns, wall));
	if (kept)
		fprintf(stderr, " -> %s (%s)", report->options->output,
			size_text(report->trace->file_bytes, bytes));
	fputc('\n', stderr);
	if (kept && report->trace->stored_bytes)
		fprintf(stderr,
			"  store: %s of its files are not in it (--store); `ttdump pack` makes one "
			"file\n",
			size_text(report->trace->stored_bytes, bytes));
	if (*reason)
		fprintf(stderr, "  why: %s\n", reason);
	print_warnings(report);
	print_share_notes(report);
	print_device_faults(report);
	run_devices_print(report, stderr);
	if (report->rerecord)
		rerecord_report_print(report->rerecord, report->options->rerecord, stderr);
	if (result->digest_error)
		fprintf(stderr, "  memory: not hashed at some WAITs: %s\n",
			strerror(-result->digest_error));
	print_probe_problems(report);
	if (status && result->diagnosis.advice[0])
		fprintf(stderr, "  hint: %s\n", result->diagnosis.advice);
	if (status)
		print_hints(report);
	/* For guests that sent no message there is nothing to compare. */
	if (kept && status && report->lab && result->messages && !report->trace->files_missing)
		fprintf(stderr, "  replay it: ttreplay %s%s\n",
			report->options->no_embed ? "--trust " : "", report->options->output);
}
