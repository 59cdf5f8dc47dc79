// SPDX-License-Identifier: BSD-3-Clause
/* The report of a replay for people, to be attached or pasted. */
#include <inttypes.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "format/ci/markdown.h"
#include "format/text/record_text.h"
#include "format/base/units.h"
#include "format/base/write_error.h"
#include "kernel/sandbox/isolation.h"
#include "replayer/report/cause.h"
#include "replayer/report/context.h"
#include "replayer/report/report.h"
#include "replayer/report/verdict_memory.h"
#include "replayer/report/verdict.h"

/* For a block whose recorded bytes are not known: more of it is no help. */
#define BYTES_SHOWN 256
#define BYTES_LINE  16

/* What is printed into a block of code: it is escaped when it is complete. */
struct block {
	FILE *out;
	char *text;
	size_t size;
};

static bool block_begin(struct block *block)
{
	*block = (struct block){ 0 };
	block->out = output_buffer_open(&block->text, &block->size);
	return block->out;
}

static void block_end(struct block *block, FILE *out)
{
	output_buffer_close(block->out);
	markdown_block(out, block->text, block->size);
	free(block->text);
}

/* ---- What was found of each, in a table ----------------------------------------------------- */

static const char *verdict_word(const struct verdict *verdict)
{
	struct diagnosis why;

	if (verdict_failed(verdict, &why))
		return "not replayed";
	return verdict->guest->outcome->report.diverged ? "**diverged**"
							: verdict_agreement(verdict);
}

static void print_row(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = &verdict->guest->outcome->report;
	char messages[UNITS_TEXT], interrupts[UNITS_TEXT], digests[UNITS_TEXT], time[UNITS_TEXT];

	fprintf(out, "| ");
	markdown_text(out, verdict->guest->name);
	fprintf(out, " | %s%s | %s | %s | %s | %s |\n", verdict_word(verdict),
		verdict_extent(report), count_text(report->messages, messages),
		count_text(report->interrupts, interrupts), count_text(report->digests, digests),
		duration_exact(report->virtual_ns, time));
}

static void print_table(FILE *out, const struct verdict_lab *all)
{
	struct verdict verdict;

	fprintf(out, "| guest | verdict | messages | device interrupts | memory digests "
		     "| virtual time, s |\n|---|---|--:|--:|--:|--:|\n");
	for (size_t i = 0; verdict_lab_next(all, &i, &verdict);)
		print_row(out, &verdict);
}

/* ---- A divergence --------------------------------------------------------------------------- */

static void print_difference(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = &verdict->guest->outcome->report;
	char time[UNITS_TEXT];

	fprintf(out, "\n## ");
	markdown_text(out, verdict->guest->name);
	fprintf(out, " at record %" PRIu64 ", t=%s s\n\nexpected: ", report->record,
		duration_exact(report->now, time));
	markdown_code(out, report->expected);
	fprintf(out, "  \ngot: ");
	markdown_code(out, report->got);
	fputc('\n', out);
}

static void print_bytes(FILE *out, const struct cursor_memory *memory)
{
	const struct memory_difference *difference = &memory->difference;
	size_t size = difference->block_size < BYTES_SHOWN ? difference->block_size : BYTES_SHOWN;
	char hex[2 * BYTES_LINE + 1];
	struct block block;

	fprintf(out, "\nThe %s%zu bytes of the replay%s:\n\n",
		size < difference->block_size ? "first " : "", size,
		size < difference->block_size ? " (the JSON report has all)" : "");
	if (!block_begin(&block))
		return;
	for (size_t at = 0; at < size; at += BYTES_LINE) {
		size_t length = size - at < BYTES_LINE ? size - at : BYTES_LINE;

		hex_text(difference->bytes + at, length, hex);
		fprintf(block.out, "%#12" PRIx64 "  %s\n", memory->address + at, hex);
	}
	block_end(&block, out);
}

static void print_memory(FILE *out, const struct verdict *verdict)
{
	const struct replay_guest *guest = verdict->guest;
	const struct cursor_memory *memory = &guest->outcome->report.memory;
	char text[512], time[UNITS_TEXT];

	fprintf(out, "\n### Memory\n\n");
	if (!memory->differs) {
		fprintf(out, "Memory was %s",
			*guest->outcome->memory_reason ? "not compared: " : "the same in all ");
		if (*guest->outcome->memory_reason)
			markdown_text(out, guest->outcome->memory_reason);
		else
			fprintf(out, "%" PRIu64 " digests before it",
				guest->outcome->report.digests);
		fprintf(out, ".\n");
		return;
	}
	verdict_describe_block(guest, text, sizeof(text));
	fprintf(out, "It first differs in the digest at record %" PRIu64 ", t=%s s:\n\n- ",
		memory->record, duration_exact(memory->now, time));
	markdown_text(out, text);
	if (!memory->difference.block_size) {
		fputc('\n', out);
		return;
	}
	verdict_describe_values(guest, text, sizeof(text));
	fprintf(out, "\n- ");
	markdown_text(out, text);
	fprintf(out, "\n- blocks that differ: %s\n", count_text(memory->difference.blocks, time));
	if (!memory->difference.recovered)
		print_bytes(out, memory);
}

static void print_causes(FILE *out, const struct verdict *verdict)
{
	struct findings causes = { 0 };

	causes_find(verdict->guest, &causes);
	fprintf(out, "\n### Possible causes\n\n");
	for (size_t i = 0; i < causes.count; i++) {
		fprintf(out, "%zu. ", i + 1);
		markdown_finding(out, &causes.list[i]);
	}
	findings_release(&causes);
}

static void print_list(FILE *out, const struct context *context, size_t first, size_t end)
{
	struct record_view view = { .names = &context->names, .utf8 = true };
	struct block block;

	if (!block_begin(&block))
		return;
	for (size_t i = first; i < end; i++)
		for (size_t k = 0; k < context->guest[i].count; k++)
			record_print(&view, &context->guest[i].record[k], block.out);
	record_view_release(&view);
	block_end(&block, out);
}

static void print_records(FILE *out, const struct verdict *verdict)
{
	const struct cursor_report *report = &verdict->guest->outcome->report;
	struct context context;

	if (context_read(verdict->trace, verdict->guest->index, report->record, &context))
		return;
	fprintf(out, "\n### Preceding records of the guest\n\n");
	print_list(out, &context, 0, 1);
	if (context.peers) {
		fprintf(out, "\n### Last records of the other guests\n\n");
		print_list(out, &context, 1, context.count);
	}
	if (context.peers > CONTEXT_PEERS_MAX)
		fprintf(out, "\nThe %d most recently active of %zu.\n", CONTEXT_PEERS_MAX,
			context.peers);
	context_free(&context);
}

static void print_next(FILE *out, const struct verdict *verdict)
{
	struct block block;

	fprintf(out, "\n### Next\n\n");
	if (!block_begin(&block))
		return;
	verdict_print_next(verdict, block.out);
	fputc('\n', block.out);
	if (!verdict_is_replaced(verdict))
		verdict_print_debug(verdict, block.out);
	block_end(&block, out);
}

/* Where it was recorded, where it was replayed. */
static void print_machines(FILE *out, const struct verdict *verdict)
{
	const struct guest_origin *origin = &verdict->guest->started->origin;
	const struct replay_outcome *outcome = verdict->guest->outcome;
	char was[ISOLATION_TEXT], is[ISOLATION_TEXT];

	fprintf(out,
		"\n### Machines\n\n|   | recorded | replayed |\n|---|---|---|\n| processor | ");
	markdown_text(out, origin->cpu.model);
	fprintf(out, " | ");
	markdown_text(out, outcome->cpu.model);
	fprintf(out, " |\n| CPU | %u | %u |\n", origin->cpu.number, outcome->cpu.number);
	fprintf(out, "| CPUID | %016" PRIx64 " | %016" PRIx64 " |\n", origin->cpu.cpuid,
		outcome->cpu.cpuid);
	fprintf(out, "| isolation | %s | %s |\n", isolation_extent_text(origin->isolation, was),
		isolation_extent_text(outcome->isolation, is));
	fprintf(out, "\nGuest kernel: ");
	markdown_text(out, origin->release);
	fputc('\n', out);
}

static void print_divergence(FILE *out, const struct verdict *verdict)
{
	print_difference(out, verdict);
	print_memory(out, verdict);
	print_causes(out, verdict);
	print_records(out, verdict);
	print_next(out, verdict);
	print_machines(out, verdict);
}

static void print_reason(FILE *out, const struct diagnosis *why)
{
	markdown_text(out, why->what);
	fprintf(out, ".\n");
	if (!*why->advice)
		return;
	fprintf(out, "\nHint: ");
	markdown_text(out, why->advice);
	fprintf(out, ".\n");
}

static void print_failure(FILE *out, const struct verdict *verdict, const struct diagnosis *why)
{
	fprintf(out, "\n## ");
	markdown_text(out, verdict->guest->name);
	fprintf(out, " was not replayed\n\n");
	print_reason(out, why);
}

static void print_guests(FILE *out, const struct verdict_lab *all)
{
	struct verdict verdict;

	print_table(out, all);
	for (size_t i = 0; verdict_lab_next(all, &i, &verdict);) {
		struct diagnosis why;

		if (verdict_failed(&verdict, &why))
			print_failure(out, &verdict, &why);
		else if (verdict.guest->outcome->report.diverged)
			print_divergence(out, &verdict);
	}
}

int report_markdown(const struct verdict_lab *all, FILE *out)
{
	fprintf(out, "# Replay of ");
	markdown_code(out, all->trace);
	fprintf(out, ": %s\n\n", all->refused ? "not replayed" : verdict_lab_word(all));
	if (all->refused)
		print_reason(out, all->refused);
	else
		print_guests(out, all);
	return 0;
}
