// SPDX-License-Identifier: BSD-3-Clause
/* How a recording went: the verdict, for people and as JSON. */
#include "recorder/run_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "format/cleanup.h"
#include "format/units.h"
#include "format/printable.h"
#include "kernel/seal.h"
#include "recorder/again_report.h"

/* "the guest" of one, "the guest n2" of several. */
static const char *guest_text(const struct run_report *report, size_t index, char text[96])
{
	if (report->lab->guest_count == 1)
		return "the guest";
	snprintf(text, 96, "the guest %s", report->lab->guest[index].spec.name);
	return text;
}

/* What it said last is often why: who records quietly has seen nothing of it. */
static void add_last_line(const struct run_report *report, size_t index, char *reason, size_t size)
{
	const char *line = session_guest_result(report->session, index)->last_line;
	size_t used = strlen(reason);

	if (line && *line)
		snprintf(reason + used, size - used, "; it said last: %s", line);
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
			 "%s rebooted at t=%s s, which is not supported: that is its end; let it "
			 "power off",
			 guest_text(report, index, guest), duration_exact(restarted, time));
	else if (*result->exceeded)
		snprintf(reason, size, "%s was killed%s: %s", guest_text(report, index, guest),
			 early, result->exceeded);
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
	return *reason ? EXIT_DIVERGED : EXIT_IDENTICAL;
}

/* "the console" of one, "the console of n2" of several. */
static const char *console_text(const struct run_report *report, size_t index, char text[96])
{
	if (report->lab->guest_count == 1)
		return "the console";
	snprintf(text, 96, "the console of %s", report->lab->guest[index].spec.name);
	return text;
}

/* What was said that must not be. The first console of @watch is that of guest number @first. */
static int judge_said(const struct run_report *report, struct watch *watch, size_t first,
		      char *reason, size_t size)
{
	struct watch_verdict verdict;
	char whose[96];

	if (!watch)
		return EXIT_IDENTICAL;
	watch_judge(watch, &verdict);
	if (!verdict.failure.count)
		return EXIT_IDENTICAL;
	snprintf(reason, size, "%s said: %s",
		 console_text(report, first + verdict.failure.console, whose),
		 verdict.failure.line);
	return EXIT_DIVERGED;
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
	if (!end || program_end_passed(end) || (!end->reported && verdict.failure.count))
		return EXIT_IDENTICAL;
	program_end_text(end, report->options->program, text, sizeof(text));
	if (verdict.failure.count)
		snprintf(reason, size, "%s; the console said: %s", text, verdict.failure.line);
	else
		snprintf(reason, size, "%s", text);
	if (!verdict.failure.count)
		add_last_line(report, 0, reason, size);
	return EXIT_DIVERGED;
}

static int judge_consoles(const struct run_report *report, char *reason, size_t size)
{
	int status = run_judge_program(report, reason, size);

	if (!status)
		status = judge_said(report, report->lab->watch, 0, reason, size);
	for (size_t i = 0; !status && i < report->lab->guest_count; i++)
		status = judge_said(report, report->lab->guest[i].watch, i, reason, size);
	return status;
}

static const char *missing_line(struct watch *watch)
{
	struct watch_verdict verdict = { 0 };

	if (watch)
		watch_judge(watch, &verdict);
	return verdict.missing;
}

/* What was to be said and never was: by anybody, or by one of them. */
static int judge_silence(const struct run_report *report, char *reason, size_t size)
{
	const struct run_lab *lab = report->lab;
	const char *missing = missing_line(lab->watch);
	char whose[96];

	if (missing)
		snprintf(reason, size, "%s said: %s",
			 lab->guest_count == 1 ? "the console never" : "no console ever", missing);
	for (size_t i = 0; !missing && i < lab->guest_count; i++) {
		missing = missing_line(lab->guest[i].watch);
		if (missing)
			snprintf(reason, size, "%s never said: %s", console_text(report, i, whose),
				 missing);
	}
	return missing ? EXIT_DIVERGED : EXIT_IDENTICAL;
}

static int judge_devices(const struct run_report *report, char *reason, size_t size)
{
	for (size_t i = 0; i < report->lab->guest_count; i++) {
		const char *fault = session_guest_result(report->session, i)->device_fault;

		if (!*fault)
			continue;
		snprintf(reason, size, "%s lost a device, %s", report->lab->guest[i].spec.name,
			 fault);
		return EXIT_PROTOCOL;
	}
	return EXIT_IDENTICAL;
}

static int judge_guests(const struct run_report *report, char *reason, size_t size)
{
	int status = judge_consoles(report, reason, size);

	for (size_t i = 0; !status && i < report->lab->guest_count; i++)
		status = run_judge_end(report, i, reason, size);
	if (!status)
		status = judge_devices(report, reason, size);
	return status ? status : judge_silence(report, reason, size);
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

/* What all guests have of the seal. */
static unsigned int common_seal(const struct run_report *report)
{
	unsigned int seal = SEAL_FULL;

	for (size_t i = 0; i < report->lab->guest_count; i++)
		seal &= report->lab->guest[i].guest.room.seal;
	return seal;
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
	if (asprintf(&text, "%s%s t=%s s, %s said: %s", count_text(warnings.count, count),
		     warnings.count == 1 ? ", at" : ", the first at",
		     duration_exact(warnings.now, time),
		     console_text(report, warnings.console, whose), warnings.line) < 0)
		return NULL;
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
	char seal[SEAL_TEXT];
	json_t *json = json_pack(
		"{s:b, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:s?, s:I, s:s, s:s, s:o}", "passed",
		!status, "status", status, "reason", reason, "messages",
		(json_int_t)result->messages, "records", (json_int_t)result->records, "digests",
		(json_int_t)result->digests, "virtual_ns", (json_int_t)result->virtual_ns,
		"wall_ns", (json_int_t)result->wall_ns, "trace",
		kept ? report->options->output : NULL, "trace_bytes",
		(json_int_t)(kept ? report->trace->file_bytes : 0), "seal",
		report->lab ? seal_text(common_seal(report), seal) : "", "probe_reason",
		report->probe_reason ? report->probe_reason : "", "guests", guests_json(report));

	if (!json)
		return;
	json_object_set_new(json, "program", program_json(report));
	json_object_set_new(json, "warnings", warnings_json(report));
	if (report->again)
		json_object_set_new(json, "again",
				    again_report_json(report->again, report->options->again));
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
			fprintf(stderr, "  interrupts: not all those of %s are recorded: %s\n",
				report->lab->guest[i].spec.name, problem);
	}
}

/* What usually helps a guest whose kernel said what these said; of several with whose it is. */
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
	if (*reason)
		fprintf(stderr, "  why: %s\n", reason);
	print_warnings(report);
	print_device_faults(report);
	if (report->again)
		again_report_print(report->again, report->options->again, stderr);
	if (result->digest_error)
		fprintf(stderr, "  memory: not hashed at some WAITs: %s\n",
			strerror(-result->digest_error));
	print_probe_problems(report);
	if (status && result->diagnosis.advice[0])
		fprintf(stderr, "  to do: %s\n", result->diagnosis.advice);
	if (status)
		print_hints(report);
	/* Of guests that never spoke there is nothing to be compared. */
	if (kept && status && report->lab && result->messages && !report->trace->files_missing)
		fprintf(stderr, "  replay it: ttreplay %s%s\n",
			report->options->embed ? "" : "--trust ", report->options->output);
}
