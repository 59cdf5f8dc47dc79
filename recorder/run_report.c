// SPDX-License-Identifier: BSD-3-Clause
/* How a recording went: the verdict, for people and as JSON. */
#include "recorder/run_report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "format/units.h"
#include "kernel/printable.h"
#include "kernel/seal.h"

static int judge_guest(const struct run_report *report, char *reason, size_t size)
{
	const struct session_result *result = report->result;

	if (report->watch && report->watch->failed) {
		snprintf(reason, size, "the console said: %s", report->watch->line);
		return EXIT_DIVERGED;
	}
	if (result->guest_signal) {
		snprintf(reason, size, "the guest was killed by SIG%s",
			 sigabbrev_np(result->guest_signal));
		return EXIT_DIVERGED;
	}
	if (result->guest_status) {
		snprintf(reason, size, "the guest ended with exit status %d", result->guest_status);
		return EXIT_DIVERGED;
	}
	if (!result->messages) {
		snprintf(reason, size, "the guest ended before it asked for the time");
		return EXIT_DIVERGED;
	}
	if (report->watch && report->watch->missing) {
		snprintf(reason, size, "the console never said: %s", report->watch->missing);
		return EXIT_DIVERGED;
	}
	return EXIT_IDENTICAL;
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
	return report->has_guest ? judge_guest(report, reason, size) : EXIT_IDENTICAL;
}

int run_judge(const struct run_report *report, char *reason, size_t size)
{
	int status = judge(report, reason, size);

	printable(reason);
	return status;
}

static void print_json(const struct run_report *report, int status, const char *reason, bool kept)
{
	const struct session_result *result = report->result;
	char seal[SEAL_TEXT];
	json_t *json = json_pack(
		"{s:b, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:s?, s:I, s:s}", "passed", !status,
		"status", status, "reason", reason, "messages", (json_int_t)result->messages,
		"records", (json_int_t)result->records, "digests", (json_int_t)result->digests,
		"virtual_ns", (json_int_t)result->virtual_ns, "wall_ns",
		(json_int_t)result->wall_ns, "trace", kept ? report->options->output : NULL,
		"trace_bytes", (json_int_t)(kept ? report->trace->file_bytes : 0), "seal",
		report->has_guest ? seal_text(report->seal, seal) : "");

	if (!json)
		return;
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
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
	fprintf(stderr, "%s: %s messages, %s memory digests, %s virtual in %s",
		status ? "FAILED" : "recorded", count_text(result->messages, messages),
		count_text(result->digests, digests), duration_short(result->virtual_ns, time),
		duration_short(result->wall_ns, wall));
	if (kept)
		fprintf(stderr, " -> %s (%s)", report->options->output,
			size_text(report->trace->file_bytes, bytes));
	fputc('\n', stderr);
	if (*reason)
		fprintf(stderr, "  why: %s\n", reason);
	if (result->digest_error)
		fprintf(stderr, "  memory: not hashed at some WAITs: %s\n",
			strerror(-result->digest_error));
	if (status && result->diagnosis.advice[0])
		fprintf(stderr, "  to do: %s\n", result->diagnosis.advice);
	if (kept && status && report->has_guest)
		fprintf(stderr, "  replay it: ttreplay %s\n", report->options->output);
}
