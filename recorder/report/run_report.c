// SPDX-License-Identifier: BSD-3-Clause
/* The verdict on a recording, as text and as JSON. */
#include "recorder/report/run_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "format/base/units.h"
#include "kernel/sandbox/isolation.h"

/* Failures shown after the first. */
#define FAILURES_SHOWN 3

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
		char console[17];

		snprintf(console, sizeof(console), "%016" PRIx64, result->console_hash);
		json_array_append_new(
			list,
			json_pack("{s:s, s:b, s:i, s:i, s:I, s:s, s:I, s:I, s:s, s:s?}", "name",
				  report->lab->guest[i].spec.name, "ended", result->ended, "status",
				  result->status, "signal", result->signal, "messages",
				  (json_int_t)result->messages, "console_hash", console,
				  "interrupts", (json_int_t)result->interrupts, "probed",
				  (json_int_t)result->probed, "probe_problem",
				  result->probe_problem, "hint", result->hint));
	}
	return list;
}

static json_t *warnings_json(const struct run_report *report)
{
	struct watch_find warnings = { 0 };

	if (!run_find_warnings(report, &warnings))
		return json_pack("{s:i}", "count", 0);
	return json_pack("{s:I, s:s, s:s, s:I}", "count", (json_int_t)warnings.count, "first",
			 warnings.line, "guest", report->lab->guest[warnings.console].spec.name,
			 "now_ns", (json_int_t)warnings.now);
}

static json_t *program_json(const struct run_report *report)
{
	struct watch_verdict verdict;
	const struct program_end *end = run_find_program(report, &verdict);

	if (!end)
		return json_null();
	return json_pack("{s:s, s:b, s:i, s:i, s:s}", "name", report->options->program, "ended",
			 end->reported && !*end->trouble, "status", end->status, "signal",
			 end->signal, "trouble", end->trouble);
}

static void print_json(const struct run_report *report, int status, const struct findings *found,
		       bool kept)
{
	const struct session_result *result = report->result;
	const struct finding *failure = findings_failure(found);
	char isolation[ISOLATION_TEXT];
	json_t *json = json_pack(
		"{s:b, s:i, s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:s?, s:I, s:s, s:s, s:o}",
		"passed", !status, "status", status, "reason", failure ? failure->text : "", "code",
		failure ? finding_info(failure->code)->code : NULL, "messages",
		(json_int_t)result->messages, "records", (json_int_t)result->records, "digests",
		(json_int_t)result->digests, "virtual_ns", (json_int_t)result->virtual_ns,
		"wall_ns", (json_int_t)result->wall_ns, "trace",
		kept ? report->options->output : NULL, "trace_bytes",
		(json_int_t)(kept ? report->trace->file_bytes : 0), "seal",
		report->lab ? isolation_text(common_isolation(report), isolation) : "",
		"probe_reason", report->probe_reason ? report->probe_reason : "", "guests",
		guests_json(report));

	if (!json)
		return;
	json_object_set_new(json, "findings", findings_json(found));
	json_object_set_new(json, "program", program_json(report));
	json_object_set_new(json, "stored_bytes",
			    json_integer((json_int_t)report->trace->stored_bytes));
	json_object_set_new(json, "warnings", warnings_json(report));
	if (report->rerecord)
		json_object_set_new(
			json, "again",
			rerecord_report_json(report->rerecord, report->options->rerecord));
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
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

static void print_probed(const struct run_report *report)
{
	uint64_t probed = 0;
	char text[UNITS_TEXT];

	for (size_t i = 0; report->lab && i < report->lab->guest_count; i++)
		probed += session_guest_result(report->session, i)->probed;
	if (probed)
		fprintf(stderr, "%s probed interrupts, ", count_text(probed, text));
}

/* Failures after the first are often its consequences: a few are shown. */
static void print_findings(const struct findings *found)
{
	size_t failures = 0;

	for (size_t i = 0; i < found->count; i++)
		if (!finding_is_failure(&found->list[i]))
			finding_print(stderr, &found->list[i], NULL);
		else if (failures++ <= FAILURES_SHOWN)
			finding_print(stderr, &found->list[i], failures > 1 ? "also" : NULL);
	if (failures > FAILURES_SHOWN + 1)
		fprintf(stderr, "  also: %zu more failures, see --json\n",
			failures - FAILURES_SHOWN - 1);
}

void run_report_print(const struct run_report *report, int status, const struct findings *found,
		      bool kept)
{
	const struct session_result *result = report->result;
	char messages[UNITS_TEXT], digests[UNITS_TEXT], time[UNITS_TEXT], wall[UNITS_TEXT],
		bytes[UNITS_TEXT];

	if (report->options->json) {
		print_json(report, status, found, kept);
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
	print_findings(found);
	for (size_t i = 0; report->lab && i < report->lab->guest_count; i++)
		print_written_shares(&report->lab->guest[i]);
	if (report->rerecord)
		rerecord_report_print(report->rerecord, report->options->rerecord, stderr);
	/* For guests that sent no message there is nothing to compare. */
	if (kept && status && report->lab && result->messages && !report->trace->files_missing)
		fprintf(stderr, "  replay it: ttreplay %s%s\n",
			report->options->no_embed ? "--trust " : "", report->options->output);
}
