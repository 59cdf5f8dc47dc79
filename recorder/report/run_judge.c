// SPDX-License-Identifier: BSD-3-Clause
/* Judges a recording: what it found, and the exit status that follows. */
#include <signal.h>
#include <string.h>

#include "format/base/printable.h"
#include "format/base/units.h"
#include "recorder/report/run_judge_devices.h"

/* "the guest" of one, "the guest n2" of several. */
static const char *guest_text(const struct run_report *report, size_t index, char text[96])
{
	if (report->lab->guest_count == 1)
		return "the guest";
	snprintf(text, 96, "the guest %s", report->lab->guest[index].spec.name);
	return text;
}

/* "console output" of one guest, "console output of n2" of several. */
static const char *console_text(const struct run_report *report, size_t index, char text[96])
{
	if (report->lab->guest_count == 1)
		return "console output";
	snprintf(text, 96, "console output of %s", report->lab->guest[index].spec.name);
	return text;
}

static struct finding *add(const struct run_report *report, struct findings *found, size_t index,
			   enum finding_code code, uint64_t now, const char *text)
{
	struct finding *added = findings_add(found, code, report->lab->guest[index].spec.name, now,
					     NULL, "%s", text);

	if (added)
		added->id = report->lab->guest[index].spec.id;
	return added;
}

/* ---- How a guest ended ---------------------------------------------------------------------- */

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

/* FINDING_CODES: as it should. */
static enum finding_code judge_end(const struct run_report *report, size_t index, char *reason,
				   size_t size)
{
	const struct session_guest_result *result = session_guest_result(report->session, index);
	/* Where it never spoke a replay has nothing to compare. */
	const char *early = result->messages ? "" : " before it asked for the time";
	char text[96], time[UNITS_TEXT];
	const char *guest = guest_text(report, index, text);
	uint64_t restarted;

	if (result->ended && watch_restarted(report->lab->watch, index, &restarted)) {
		snprintf(reason, size,
			 "%s rebooted at t=%s s, which is not supported; it must power off", guest,
			 duration_exact(restarted, time));
		return FOUND_GUEST_REBOOT;
	}
	if (*result->exceeded) {
		snprintf(reason, size, "%s was killed%s: %s", guest, early, result->exceeded);
		return FOUND_GUEST_LIMIT;
	}
	if (is_killed(result)) {
		snprintf(reason, size, "%s was killed on this machine%s", guest, early);
		return FOUND_GUEST_KILLED;
	}
	if (result->signal) {
		snprintf(reason, size, "%s was killed by SIG%s%s", guest,
			 sigabbrev_np(result->signal), early);
		return FOUND_GUEST_SIGNAL;
	}
	if (result->status) {
		snprintf(reason, size, "%s ended with exit status %d%s", guest, result->status,
			 early);
		return FOUND_GUEST_STATUS;
	}
	if (result->ended && !result->messages) {
		snprintf(reason, size, "%s ended%s", guest, early);
		return FOUND_GUEST_SILENT;
	}
	return FINDING_CODES;
}

static void find_end(const struct run_report *report, size_t index, struct findings *found)
{
	char reason[640];
	enum finding_code code = judge_end(report, index, reason, sizeof(reason));

	if (code == FINDING_CODES)
		return;
	add_last_line(report, index, reason, sizeof(reason));
	add(report, found, index, code, session_guest_result(report->session, index)->ended_now,
	    reason);
}

/* ---- What consoles show --------------------------------------------------------------------- */

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

static bool find_said(const struct run_report *report, size_t index, struct findings *found)
{
	const struct watch_find *said = run_find_said(report->lab, index);
	char whose[96], text[WATCH_LINE_MAX + sizeof(whose) + 2];

	if (!said)
		return false;
	snprintf(text, sizeof(text), "%s: %s", console_text(report, index, whose), said->line);
	add(report, found, index, FOUND_CONSOLE_LINE, said->now, text);
	return true;
}

const struct program_end *run_find_program(const struct run_report *report,
					   struct watch_verdict *verdict)
{
	if (!report->lab || !report->lab->watch || !report->options->program)
		return NULL;
	watch_judge(report->lab->watch, verdict);
	return &verdict->program;
}

static enum finding_code program_code(const struct program_end *end)
{
	if (!end->reported)
		return FOUND_PROGRAM_UNFINISHED;
	if (*end->trouble)
		return FOUND_PROGRAM_NOT_RUN;
	return end->signal ? FOUND_PROGRAM_SIGNAL : FOUND_PROGRAM_STATUS;
}

/* Of the guest that ran it, this explains more than its console line or its end. */
static bool find_program(const struct run_report *report, struct findings *found)
{
	struct watch_verdict verdict;
	const struct program_end *end = run_find_program(report, &verdict);
	char reason[640];
	size_t used;

	/* Of a guest that went down first its console says more, unless it says nothing. */
	if (!end || program_end_passed(end) || (!end->reported && verdict.failure.count) ||
	    is_killed(session_guest_result(report->session, 0)))
		return false;
	program_end_text(end, report->options->program, reason, sizeof(reason));
	used = strlen(reason);
	if (verdict.failure.count)
		snprintf(reason + used, sizeof(reason) - used, "; console output: %s",
			 verdict.failure.line);
	else
		add_last_line(report, 0, reason, sizeof(reason));
	add(report, found, 0, program_code(end), report->result->virtual_ns, reason);
	return true;
}

static const char *missing_line(struct watch *watch)
{
	struct watch_verdict verdict = { 0 };

	if (watch)
		watch_judge(watch, &verdict);
	return verdict.missing;
}

/* An expected line that no console of the lab, or not that of one guest, has. */
static void find_missing_line(const struct run_report *report, struct findings *found)
{
	const struct run_lab *lab = report->lab;
	uint64_t now = report->result->virtual_ns;
	const char *missing = missing_line(lab->watch);

	if (missing)
		findings_add(found, FOUND_LINE_MISSING, NULL, now, NULL,
			     "no console line matches: %s", missing);
	for (size_t i = 0; !missing && i < lab->guest_count; i++) {
		missing = missing_line(lab->guest[i].watch);
		if (missing)
			findings_add(found, FOUND_LINE_MISSING, lab->guest[i].spec.name, now, NULL,
				     "no console line of %s matches: %s", lab->guest[i].spec.name,
				     missing);
	}
}

static void find_warnings(const struct run_report *report, struct findings *found)
{
	char count[UNITS_TEXT], time[UNITS_TEXT], whose[96];
	struct watch_find warnings;

	if (!run_find_warnings(report, &warnings))
		return;
	findings_add(found, FOUND_CONSOLE_WARNING, report->lab->guest[warnings.console].spec.name,
		     warnings.now, NULL, "%s%s t=%s s, %s: %s", count_text(warnings.count, count),
		     warnings.count == 1 ? ", at" : ", the first at",
		     duration_exact(warnings.now, time),
		     console_text(report, warnings.console, whose), warnings.line);
}

bool run_find_warnings(const struct run_report *report, struct watch_find *warnings)
{
	struct watch_verdict verdict;

	if (!report->lab || !report->lab->watch)
		return false;
	watch_judge(report->lab->watch, &verdict);
	*warnings = verdict.warning;
	printable(warnings->line);
	return warnings->count;
}

/* ---- The whole ------------------------------------------------------------------------------ */

/* Of each guest the first failure, with how it ended only where its console shows none. */
static void find_failures(const struct run_report *report, struct findings *found)
{
	const struct run_lab *lab = report->lab;
	bool program = report->result->end == SESSION_DONE && find_program(report, found);
	size_t first = found->count;

	for (size_t i = program; i < lab->guest_count; i++)
		if (!find_said(report, i, found))
			find_end(report, i, found);
	/*
	 * Guests that run in parallel fail in any order. The first is the earliest in virtual time,
	 * at equal times that of the lowest id: equal runs have equal findings.
	 */
	findings_sort(found, first);
	first = found->count;
	for (size_t i = 0; i < lab->guest_count; i++) {
		const struct session_guest_result *result =
			session_guest_result(report->session, i);
		char text[sizeof(result->device_fault) + 96];

		snprintf(text, sizeof(text), "%s lost a device, %s", lab->guest[i].spec.name,
			 result->device_fault);
		if (*result->device_fault)
			add(report, found, i, FOUND_DEVICE_LOST, result->device_fault_now, text);
	}
	findings_sort(found, first);
}

/* What the recording lacks, and what the last kernel messages of failed guests call for. */
static void find_more(const struct run_report *report, struct findings *found, bool failed)
{
	const struct session_result *result = report->result;

	find_warnings(report, found);
	run_judge_devices(report, found);
	if (result->digest_error)
		findings_add(found, FOUND_MEMORY_NOT_HASHED, NULL, result->virtual_ns, NULL,
			     "not hashed at some WAITs: %s", strerror(-result->digest_error));
	for (size_t i = 0; i < report->lab->guest_count; i++) {
		const struct session_guest_result *guest = session_guest_result(report->session, i);
		const char *name = report->lab->guest[i].spec.name;

		if (*guest->probe_problem)
			findings_add(found, FOUND_INTERRUPTS_INCOMPLETE, name, guest->ended_now,
				     NULL, "not all of %s are recorded: %s", name,
				     guest->probe_problem);
		if (failed && guest->hint)
			findings_add(found, FOUND_KERNEL_MESSAGE, name, guest->ended_now, NULL,
				     "%s%s%s", report->lab->guest_count > 1 ? name : "",
				     report->lab->guest_count > 1 ? ": " : "", guest->hint);
	}
}

static enum finding_code end_code(const struct session_result *result)
{
	switch (result->end) {
	case SESSION_DEADLOCK:
		return FOUND_ALL_ASLEEP;
	case SESSION_LIMIT:
		return FOUND_LIMIT_VIRTUAL;
	case SESSION_TIMEOUT:
		return FOUND_LIMIT_WALL;
	case SESSION_HUNG:
		return FOUND_NO_PROGRESS;
	case SESSION_STORAGE:
		return FOUND_TRACE_NOT_WRITTEN;
	case SESSION_SIGNAL:
		return FOUND_STOPPED;
	default:
		return finding_code_of_status(result->diagnosis.status);
	}
}

static int status_of(const struct run_report *report, const struct findings *found)
{
	const struct session_result *result = report->result;
	const struct finding *failure = findings_failure(found);

	if (result->end == SESSION_SIGNAL)
		return 128 + result->signal;
	if (result->end != SESSION_DONE)
		return result->diagnosis.status;
	return failure ? (int)finding_info(failure->code)->status : EXIT_IDENTICAL;
}

int run_judge(const struct run_report *report, struct findings *found)
{
	const struct session_result *result = report->result;
	int status;

	findings_release(found);
	if (result->end != SESSION_DONE)
		findings_add(found, end_code(result), NULL, result->virtual_ns,
			     result->diagnosis.advice, "%s", result->diagnosis.what);
	if (report->lab) {
		find_failures(report, found);
		if (!findings_failure(found))
			find_missing_line(report, found);
	}
	status = status_of(report, found);
	if (report->lab)
		find_more(report, found, status);
	return status;
}
