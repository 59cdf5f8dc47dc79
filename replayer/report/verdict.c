// SPDX-License-Identifier: BSD-3-Clause
/* What the replay of one guest found, for people. */
#include "replayer/report/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "format/base/shell.h"
#include "format/text/record_text.h"
#include "format/base/units.h"
#include "replayer/report/cause.h"
#include "replayer/report/context.h"
#include "replayer/report/verdict_memory.h"

/* Records shown around a divergence by the command the verdict proposes. */
#define RECORDS_BEFORE 20
#define RECORDS_AFTER  5
/* Records that the verdict itself shows: of the guest, of each of some peers. */
#define SHOWN_OWN    8
#define SHOWN_PEER   2
#define SHOWN_PEERS  4
#define SHOWN_CAUSES 3

static const struct cursor_report *report_of(const struct verdict *verdict)
{
	return &verdict->guest->outcome->report;
}

/* A guest that sent no message did nothing that a replay could do otherwise. */
static bool compared_nothing(const struct cursor_report *report)
{
	return !report->messages && !report->diverged && !report->stopped && !report->trace_error &&
	       !report->stop_signal;
}

/* FINDING_CODES: it was replayed. */
static enum finding_code find_failure(const struct verdict *verdict, struct diagnosis *why)
{
	const struct replay_guest *guest = verdict->guest;
	const struct replay_outcome *outcome = guest->outcome;
	const char *unreplayable =
		*guest->unreplayable ? guest->unreplayable : outcome->report.unreplayable;

	*why = outcome->why;
	if (why->status)
		return finding_code_of_status(why->status);
	if (*unreplayable) {
		diagnose(why, EXIT_CANNOT, -ENOTSUP, NULL, "%s cannot be replayed: %s", guest->name,
			 unreplayable);
		return FOUND_NOT_REPLAYABLE;
	}
	if (!outcome->finished) {
		diagnose(why, EXIT_CANNOT, -ECANCELED, NULL, "%s was not started", guest->name);
		return FOUND_NOT_STARTED;
	}
	if (compared_nothing(&outcome->report)) {
		diagnose(why, EXIT_CANNOT, -ENODATA,
			 "record it again; `ttrec run` reports why the guest does not start",
			 "nothing to compare for %s: the recording ended before its first "
			 "message%s%s",
			 guest->name, *outcome->report.end ? ", " : "", outcome->report.end);
		return FOUND_NOTHING_COMPARED;
	}
	return FINDING_CODES;
}

bool verdict_failed(const struct verdict *verdict, struct diagnosis *why)
{
	return find_failure(verdict, why) != FINDING_CODES;
}

static void find_not_compared(const struct verdict *verdict, struct findings *found)
{
	const struct replay_outcome *outcome = verdict->guest->outcome;
	const struct cursor_report *report = &outcome->report;
	const char *name = verdict->guest->name;

	if (*outcome->memory_reason)
		findings_add(found, FOUND_MEMORY_NOT_COMPARED, name, report->now, NULL, "%s",
			     outcome->memory_reason);
	if (*report->probe_reason)
		findings_add(found, FOUND_INTERRUPTS_NOT_COMPARED, name, report->now, NULL, "%s",
			     report->probe_reason);
	if (*outcome->probe_reason)
		findings_add(found, FOUND_INTERRUPTS_NOT_COMPARED, NULL, 0, NULL,
			     "not compared: %s", outcome->probe_reason);
}

void verdict_find(const struct verdict *verdict, struct findings *found)
{
	const struct cursor_report *report = report_of(verdict);
	const char *name = verdict->guest->name;
	struct diagnosis why;
	enum finding_code code = find_failure(verdict, &why);

	if (code != FINDING_CODES) {
		findings_add(found, code, name, report->now, why.advice, "%s", why.what);
		return;
	}
	if (report->diverged)
		findings_add(found, FOUND_DIVERGED, name, report->now, NULL,
			     "diverged at record %" PRIu64 ": expected %s, got %s", report->record,
			     report->expected, report->got);
	else if (report->trace_error)
		findings_add(found, FOUND_DAMAGED, name, report->virtual_ns, NULL,
			     "%s%s: the trace %s after record %" PRIu64, verdict_agreement(verdict),
			     verdict_extent(report),
			     report->trace_error == -EPIPE ? "ends early" : "is damaged",
			     report->next_record);
	find_not_compared(verdict, found);
	if (report->diverged)
		causes_find(verdict->guest, found);
}

int verdict_status(const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	struct diagnosis why;

	if (report->stop_signal)
		return 128 + report->stop_signal;
	if (verdict_failed(verdict, &why))
		return why.status;
	if (report->diverged)
		return EXIT_DIVERGED;
	return report->trace_error ? EXIT_DAMAGED : EXIT_IDENTICAL;
}

static void print_failed(FILE *out, const struct verdict *verdict, const struct diagnosis *why)
{
	fprintf(out, "%s: not replayed: %s\n", verdict->guest->name, why->what);
	if (*why->advice)
		fprintf(out, "  hint: %s\n", why->advice);
}

const char *verdict_agreement(const struct verdict *verdict)
{
	if (!verdict_is_replaced(verdict))
		return "identical";
	return *verdict_extent(report_of(verdict)) ? "agrees" : "agrees to the end";
}

const char *verdict_extent(const struct cursor_report *report)
{
	return report->trace_error ? " as far as the trace goes"
	       : report->stopped   ? " up to where it was stopped"
				   : "";
}

void verdict_print_compared(FILE *out, uint64_t messages, uint64_t interrupts, uint64_t probed)
{
	char number[UNITS_TEXT];

	fprintf(out, "%s messages, ", count_text(messages, number));
	if (interrupts)
		fprintf(out, "%s device interrupts, ", count_text(interrupts, number));
	if (probed)
		fprintf(out, "%s probed interrupts, ", count_text(probed, number));
}

static void print_counts(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	char number[UNITS_TEXT];

	verdict_print_compared(out, report->messages, report->interrupts, report->probed);
	if (*verdict->guest->outcome->memory_reason &&
	    (report->digests_unequal || !report->digests))
		fprintf(out, "memory not compared, ");
	else
		fprintf(out, "%s memory digests, ", count_text(report->digests, number));
}

static void print_not_compared(FILE *out, const struct verdict *verdict, bool own, bool common)
{
	struct findings found = { 0 };

	find_not_compared(verdict, &found);
	for (size_t i = 0; i < found.count; i++)
		if (*found.list[i].guest ? own : common)
			finding_print(out, &found.list[i], NULL);
	findings_release(&found);
}

void verdict_print_common(const struct verdict *verdict, FILE *out)
{
	print_not_compared(out, verdict, false, true);
}

static void print_trace_error(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);

	fprintf(out, "  the trace %s after record %" PRIu64 ": ttdump verify ",
		report->trace_error == -EPIPE ? "ends early" : "is damaged", report->next_record);
	shell_print_word(out, verdict->trace);
	fputc('\n', out);
}

static void print_stop(FILE *out, const struct verdict *verdict)
{
	fprintf(out, "  stopped before record %" PRIu64, report_of(verdict)->next_record);
	if (verdict->until)
		fprintf(out, ", at %s", verdict->until);
	fputc('\n', out);
}

/* What applies to the whole recording is not repeated for each guest. */
static void print_identical(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	char virtual_ns[UNITS_TEXT];

	if (verdict->named)
		fprintf(out, "%s: ", verdict->guest->name);
	fprintf(out, "%s%s: ", verdict_agreement(verdict), verdict_extent(report));
	print_counts(out, verdict);
	fprintf(out, "%s virtual in %.2f s", duration_short(report->virtual_ns, virtual_ns),
		(double)report->wall_ns / NS_PER_S);
	if (!verdict->named && report->recorded_wall_ns && !report->stopped)
		fprintf(out, " (%.2fx)",
			(double)report->wall_ns / (double)report->recorded_wall_ns);
	fputc('\n', out);
	if (report->stopped)
		print_stop(out, verdict);
	if (report->trace_error)
		print_trace_error(out, verdict);
	print_not_compared(out, verdict, true, !verdict->named);
	console_differences_print(&report->console, out);
	if (!verdict->named && *report->note)
		fprintf(out, "  the recording ended with: %s\n", report->note);
}

/* ---- A divergence --------------------------------------------------------------------------- */

static void print_memory(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	char time[UNITS_TEXT], text[512];

	if (report->memory.differs) {
		verdict_describe_block(verdict->guest, text, sizeof(text));
		fprintf(out,
			"  memory first differs in the digest at record %" PRIu64 ", t=%s s: %s\n",
			report->memory.record, duration_exact(report->memory.now, time), text);
	} else if (!*verdict->guest->outcome->memory_reason) {
		fprintf(out, "  memory was the same in all %" PRIu64 " digests before it\n",
			report->digests);
	}
	if (!report->memory.difference.block_size)
		return;
	verdict_describe_values(verdict->guest, text, sizeof(text));
	fprintf(out, "  %s\n", text);
	if (report->memory.difference.blocks > 1)
		fprintf(out, "  %s blocks of %s differ\n",
			count_text(report->memory.difference.blocks, time),
			trace_region_name(report->memory.region));
}

/* What the guest's kernel was doing, and for which process. */
static void print_process(FILE *out, const struct verdict *verdict)
{
	const struct guest_process *process = &report_of(verdict)->process;
	char text[GUEST_PROCESS_TEXT];

	if (*process->name && process->pid)
		fprintf(out, "  the guest was running its process %s\n",
			guest_process_text(process, text));
}

static void print_causes(FILE *out, const struct verdict *verdict)
{
	struct findings causes = { 0 };

	causes_find(verdict->guest, &causes);
	for (size_t i = 0; i < causes.count && i < SHOWN_CAUSES; i++)
		finding_print(out, &causes.list[i], i ? "or" : NULL);
	if (causes.count > SHOWN_CAUSES)
		fprintf(out, "  or %zu more, see --report\n", causes.count - SHOWN_CAUSES);
	findings_release(&causes);
}

static void print_last(FILE *out, struct record_view *view, const struct context_guest *guest,
		       size_t wanted)
{
	for (size_t i = guest->count > wanted ? guest->count - wanted : 0; i < guest->count; i++)
		record_print(view, &guest->record[i], out);
}

/* A trace that cannot be read again (it was on a pipe, it is gone) leaves them out. */
static void print_records(FILE *out, const struct verdict *verdict)
{
	struct record_view view = { .indent = "  " };
	struct context context;

	if (context_read(verdict->trace, verdict->guest->index, report_of(verdict)->record,
			 &context))
		return;
	view.names = &context.names;
	fprintf(out, "preceding records of the guest:\n");
	print_last(out, &view, &context.guest[0], SHOWN_OWN);
	if (context.peers)
		fprintf(out, "last records of the other guests:\n");
	for (size_t i = 1; i < context.count && i <= SHOWN_PEERS; i++)
		print_last(out, &view, &context.guest[i], SHOWN_PEER);
	record_view_release(&view);
	context_free(&context);
}

void verdict_print_next(const struct verdict *verdict, FILE *out)
{
	uint64_t record = report_of(verdict)->record;

	fprintf(out, "ttdump show --records %" PRIu64 "..%" PRIu64 " ",
		record > RECORDS_BEFORE ? record - RECORDS_BEFORE : 0, record + RECORDS_AFTER);
	shell_print_word(out, verdict->trace);
}

void verdict_print_debug(const struct verdict *verdict, FILE *out)
{
	fprintf(out, "ttreplay --until %" PRIu64 " --gdb ", report_of(verdict)->record);
	shell_print_word(out, verdict->guest->name);
	fputc(' ', out);
	shell_print_word(out, verdict->trace);
}

static void print_commands(FILE *out, const struct verdict *verdict)
{
	fprintf(out, "next: ");
	verdict_print_next(verdict, out);
	fputc('\n', out);
	if (verdict_is_replaced(verdict))
		return;
	fprintf(out, "then: ");
	verdict_print_debug(verdict, out);
	fputc('\n', out);
}

static void print_diverged(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	char time[UNITS_TEXT];

	if (verdict_is_replaced(verdict))
		verdict_print_difference(verdict, out);
	else
		fprintf(out,
			"DIVERGED at record %" PRIu64 ", guest %s, t=%s s: expected %s, got %s\n",
			report->record, verdict->guest->name, duration_exact(report->now, time),
			report->expected, report->got);
	print_memory(out, verdict);
	print_not_compared(out, verdict, true, !verdict->named);
	print_process(out, verdict);
	console_differences_print(&report->console, out);
	if (report->divergences > 1)
		fprintf(out, "  %" PRIu64 " differences in total\n", report->divergences);
	print_causes(out, verdict);
	print_records(out, verdict);
	print_commands(out, verdict);
}

void verdict_print(const struct verdict *verdict, FILE *out)
{
	struct diagnosis why;

	if (verdict_failed(verdict, &why))
		print_failed(out, verdict, &why);
	else if (report_of(verdict)->diverged)
		print_diverged(out, verdict);
	else
		print_identical(out, verdict);
}
