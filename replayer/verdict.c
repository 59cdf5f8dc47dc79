// SPDX-License-Identifier: BSD-3-Clause
/* What the replay of one guest found, for people and as JSON. */
#include "replayer/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/units.h"
#include "format/printable.h"
#include "replayer/verdict_replaced.h"

/* Records shown around a divergence by the command the verdict proposes. */
#define RECORDS_BEFORE 20
#define RECORDS_AFTER  5
#define SYMBOL_TEXT    128
#define NEIGHBOURS_MAX 4

static const struct cursor_report *report_of(const struct verdict *verdict)
{
	return &verdict->guest->outcome->report;
}

bool verdict_failed(const struct verdict *verdict, struct diagnosis *why)
{
	const struct replay_guest *guest = verdict->guest;
	const struct replay_outcome *outcome = guest->outcome;
	const char *unreplayable =
		*guest->unreplayable ? guest->unreplayable : outcome->report.unreplayable;

	*why = outcome->why;
	if (why->status)
		return true;
	if (*unreplayable)
		diagnose(why, EXIT_CANNOT, -ENOTSUP, NULL, "%s cannot be replayed: %s", guest->name,
			 unreplayable);
	else if (!outcome->finished)
		diagnose(why, EXIT_CANNOT, -ECANCELED, NULL, "%s was not started", guest->name);
	return why->status;
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

static void print_failed(const struct verdict *verdict, const struct diagnosis *why)
{
	printf("%s: not replayed: %s\n", verdict->guest->name, why->what);
	if (*why->advice)
		printf("  to do: %s\n", why->advice);
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

void verdict_print_compared(uint64_t messages, uint64_t interrupts, uint64_t probed)
{
	char number[UNITS_TEXT];

	printf("%s messages, ", count_text(messages, number));
	if (interrupts)
		printf("%s device interrupts, ", count_text(interrupts, number));
	if (probed)
		printf("%s probed interrupts, ", count_text(probed, number));
}

static void print_counts(const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	char number[UNITS_TEXT];

	verdict_print_compared(report->messages, report->interrupts, report->probed);
	if (*verdict->guest->outcome->memory_reason &&
	    (report->digests_unequal || !report->digests))
		printf("memory not compared, ");
	else
		printf("%s memory digests, ", count_text(report->digests, number));
}

/* That there is no probe here is told once for all guests. */
static void print_probe(const struct verdict *verdict)
{
	if (*report_of(verdict)->probe_reason)
		printf("  interrupts: %s\n", report_of(verdict)->probe_reason);
	else if (!verdict->named && *verdict->guest->outcome->probe_reason)
		printf("  interrupts: not compared: %s\n", verdict->guest->outcome->probe_reason);
}

static void print_stop(const struct verdict *verdict)
{
	printf("  stopped");
	if (verdict->until)
		printf(" at %s:", verdict->until);
	printf(" before record %" PRIu64 "\n", report_of(verdict)->next_record);
}

/* What holds for the recording as a whole is not told for each of several guests. */
static void print_identical(const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	char virtual_ns[UNITS_TEXT];

	if (verdict->named)
		printf("%s: ", verdict->guest->name);
	printf("%s%s: ", verdict_agreement(verdict), verdict_extent(report));
	print_counts(verdict);
	printf("%s virtual in %.2f s", duration_short(report->virtual_ns, virtual_ns),
	       (double)report->wall_ns / NS_PER_S);
	if (!verdict->named && report->recorded_wall_ns && !report->stopped)
		printf(" (%.2fx)", (double)report->wall_ns / (double)report->recorded_wall_ns);
	putchar('\n');
	if (report->stopped)
		print_stop(verdict);
	if (report->trace_error)
		printf("  the trace %s after record %" PRIu64 ": ttdump verify %s\n",
		       report->trace_error == -EPIPE ? "ends early" : "is damaged",
		       report->next_record, verdict->trace);
	if (*verdict->guest->outcome->memory_reason)
		printf("  memory: %s\n", verdict->guest->outcome->memory_reason);
	print_probe(verdict);
	verdict_print_console(verdict);
	if (!verdict->named && *report->note)
		printf("  the recording ended with: %s\n", report->note);
}

static void print_record(const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);
	char time[UNITS_TEXT];

	printf("  %8" PRIu64 "  %s  %-8s", record->number, duration_exact(record->now, time),
	       info ? info->name : "?");
	for (unsigned int i = 0; info && i < info->field_count; i++) {
		const char *name = info->field[i].name;

		if (info->field[i].unit == TRACE_UNIT_OP)
			printf(" %s", trace_operation_name(record->field[i]) ?: "?");
		else if (info->field[i].unit == TRACE_UNIT_NS && record->field[i] == UINT64_MAX)
			continue;
		else if (info->field[i].unit == TRACE_UNIT_NS &&
			 record->field[i] == WIRE_TIME_NEVER)
			printf(" %s=never", name);
		else if (info->field[i].unit == TRACE_UNIT_NS)
			printf(" %s=%s", name, duration_exact(record->field[i], time));
		else if (info->field[i].unit == TRACE_UNIT_HEX)
			printf(" %s=%016" PRIx64, name, record->field[i]);
		else
			printf(" %s=%" PRIu64, name, record->field[i]);
	}
	if (record->payload_size)
		printf(" (%zu bytes)", record->payload_size);
	putchar('\n');
}

/* The kernel symbol of the first difference in data and bss; false when there is none. */
static bool find_symbol(const struct verdict *verdict, char *name, size_t size, uint64_t *offset)
{
	const struct cursor_memory *memory = &report_of(verdict)->memory;
	const char *symbol;

	if (!memory->located || memory->region != MEMORY_IMAGE ||
	    image_symbol_at(&verdict->guest->started->spec.files.file[0], memory->address, &symbol,
			    offset))
		return false;
	snprintf(name, size, "%s", symbol);
	printable(name);
	return true;
}

/*
 * The other symbols that the block holds parts of: the hash covers all of it, so the difference may
 * be in any. Adds
 * ", or in NAME, NAME" to @text.
 */
static void add_neighbours(const struct verdict *verdict, char *text, size_t size)
{
	const struct cursor_memory *memory = &report_of(verdict)->memory;
	const struct image_file *kernel = &verdict->guest->started->spec.files.file[0];
	const char *symbol, *last = NULL;
	size_t length = strlen(text), named = 0;
	uint64_t offset;

	for (uint64_t i = 0; i < memory->block_size && named <= NEIGHBOURS_MAX; i += 4) {
		if (image_symbol_at(kernel, memory->address + i, &symbol, &offset) ||
		    symbol == last)
			continue;
		if (last && length < size) {
			length += (size_t)snprintf(text + length, size - length, "%s%s",
						   named ? ", " : ", or in ",
						   named == NEIGHBOURS_MAX ? "..." : symbol);
			named++;
		}
		last = symbol;
	}
	printable(text);
}

static void describe_memory(const struct verdict *verdict, char *text, size_t size)
{
	const struct cursor_memory *memory = &report_of(verdict)->memory;
	const char *region = trace_region_name(memory->region);
	char symbol[SYMBOL_TEXT];
	uint64_t offset;

	if (!memory->located)
		snprintf(text, size, "%s, place unknown: an earlier digest is missing", region);
	else if (find_symbol(verdict, symbol, sizeof(symbol), &offset)) {
		snprintf(text, size, "%s, %u bytes at %#" PRIx64 ", %s+%#" PRIx64, region,
			 memory->block_size, memory->address, symbol, offset);
		add_neighbours(verdict, text, size);
	} else if (memory->region == MEMORY_RAM)
		snprintf(text, size, "%s, page %" PRIu64 " (physical address %#" PRIx64 ")", region,
			 memory->address / memory->block_size, memory->address);
	else
		snprintf(text, size, "%s, %u bytes at %#" PRIx64, region, memory->block_size,
			 memory->address);
}

static void print_diverged(const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	char time[UNITS_TEXT], memory[512];
	uint64_t first = report->record > RECORDS_BEFORE ? report->record - RECORDS_BEFORE : 0;

	if (verdict_is_replaced(verdict))
		verdict_print_parting(verdict);
	else
		printf("DIVERGED at record %" PRIu64 ", guest %s, t=%s s: expected %s, got %s\n",
		       report->record, verdict->guest->name, duration_exact(report->now, time),
		       report->expected, report->got);
	if (report->memory.differs) {
		describe_memory(verdict, memory, sizeof(memory));
		printf("  memory first differs in the digest at record %" PRIu64 ", t=%s s: %s\n",
		       report->memory.record, duration_exact(report->memory.now, time), memory);
	} else if (*verdict->guest->outcome->memory_reason) {
		printf("  memory: %s\n", verdict->guest->outcome->memory_reason);
	} else {
		printf("  memory was the same in all %" PRIu64 " digests before it\n",
		       report->digests);
	}
	print_probe(verdict);
	verdict_print_console(verdict);
	if (report->divergences > 1)
		printf("  %" PRIu64 " differences in all\n", report->divergences);
	printf("the records before it:\n");
	for (size_t i = 0; i < report->history_count; i++)
		print_record(&report->history[i]);
	printf("next: ttdump show --records %" PRIu64 "..%" PRIu64 " %s\n", first,
	       report->record + RECORDS_AFTER, verdict->trace);
}

void verdict_print(const struct verdict *verdict)
{
	struct diagnosis why;

	if (verdict_failed(verdict, &why))
		print_failed(verdict, &why);
	else if (report_of(verdict)->diverged)
		print_diverged(verdict);
	else
		print_identical(verdict);
}

static json_t *memory_json(const struct verdict *verdict)
{
	const struct cursor_memory *memory = &report_of(verdict)->memory;
	char symbol[SYMBOL_TEXT];
	uint64_t offset = 0;
	bool named;

	if (!memory->differs)
		return json_null();
	named = find_symbol(verdict, symbol, sizeof(symbol), &offset);
	return json_pack("{s:I, s:I, s:s, s:I, s:i, s:s?, s:I}", "record",
			 (json_int_t)memory->record, "now_ns", (json_int_t)memory->now, "region",
			 trace_region_name(memory->region), "address", (json_int_t)memory->address,
			 "block_size", (int)memory->block_size, "symbol", named ? symbol : NULL,
			 "offset", (json_int_t)offset);
}

static json_t *failed_json(const struct verdict *verdict, const struct diagnosis *why)
{
	return json_pack("{s:s, s:i, s:s, s:s}", "verdict", "not replayed", "status",
			 verdict_status(verdict), "guest", verdict->guest->name, "reason",
			 why->what);
}

json_t *verdict_json(const struct verdict *verdict)
{
	const struct cursor_report *report = report_of(verdict);
	struct diagnosis why;
	json_t *json;

	if (verdict_failed(verdict, &why))
		return failed_json(verdict, &why);
	json = json_pack(
		"{s:s, s:i, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:s, s:o}",
		"verdict", report->diverged ? "diverged" : "identical", "status",
		verdict_status(verdict), "guest", verdict->guest->name, "cpu",
		(int)verdict->guest->cpu, "messages", (json_int_t)report->messages, "interrupts",
		(json_int_t)report->interrupts, "probed", (json_int_t)report->probed, "digests",
		(json_int_t)report->digests, "virtual_ns", (json_int_t)report->virtual_ns,
		"wall_ns", (json_int_t)report->wall_ns, "recorded_wall_ns",
		(json_int_t)report->recorded_wall_ns, "complete",
		!report->trace_error && !report->stopped, "memory_reason",
		verdict->guest->outcome->memory_reason, "probe_reason",
		*report->probe_reason ? report->probe_reason
				      : verdict->guest->outcome->probe_reason,
		"memory", memory_json(verdict));
	if (json && report->diverged)
		json_object_update_new(json,
				       json_pack("{s:I, s:I, s:s, s:s, s:I}", "record",
						 (json_int_t)report->record, "now_ns",
						 (json_int_t)report->now, "expected",
						 report->expected, "got", report->got,
						 "divergences", (json_int_t)report->divergences));
	if (json)
		verdict_add_replaced(verdict, json);
	return json;
}
