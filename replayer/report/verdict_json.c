// SPDX-License-Identifier: BSD-3-Clause
/* What the replay of one guest found, as JSON. */
#include <inttypes.h>

#include "format/base/units.h"
#include "replayer/report/verdict_memory.h"
#include "replayer/report/verdict.h"

/* Numbers of 64 bits, which not every reader of JSON can hold. */
static json_t *hex_json(uint64_t value, unsigned int bytes)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*" PRIx64, 2 * (int)bytes, value);
	return json_string(text);
}

static json_t *recovered_json(const struct replay_guest *guest)
{
	const struct cursor_memory *memory = &guest->outcome->report.memory;
	const struct memory_difference *difference = &memory->difference;
	uint64_t address = verdict_recovered_address(memory), offset = 0;
	char symbol[VERDICT_SYMBOL];
	bool named;

	if (!difference->recovered)
		return json_null();
	named = verdict_symbol(guest, address, symbol, &offset);
	return json_pack(
		"{s:I, s:s?, s:I, s:i, s:o, s:o, s:b}", "address", (json_int_t)address, "symbol",
		named ? symbol : NULL, "offset", (json_int_t)offset, "size", (int)difference->width,
		"recorded", hex_json(difference->was, difference->width), "replayed",
		hex_json(difference->is, difference->width), "proven", (int)difference->proven);
}

static json_t *block_json(const struct memory_difference *difference)
{
	char hex[2 * MEMORY_BLOCK_MAX + 1];

	hex_text(difference->bytes, difference->block_size, hex);
	return json_string(hex);
}

/* Known only if the block could be read. */
static void add_difference(json_t *json, const struct replay_guest *guest)
{
	const struct memory_difference *difference = &guest->outcome->report.memory.difference;

	if (!json || !difference->block_size)
		return;
	json_object_update_new(json,
			       json_pack("{s:I, s:o, s:o, s:o, s:o}", "blocks",
					 (json_int_t)difference->blocks, "recorded_hash",
					 hex_json(difference->recorded, 4), "replayed_hash",
					 hex_json((uint32_t)difference->replayed, 4), "recovered",
					 recovered_json(guest), "bytes", block_json(difference)));
}

static json_t *memory_json(const struct verdict *verdict)
{
	const struct cursor_memory *memory = &verdict->guest->outcome->report.memory;
	char symbol[VERDICT_SYMBOL];
	uint64_t offset = 0;
	json_t *json;
	bool named;

	if (!memory->differs)
		return json_null();
	named = verdict_symbol(verdict->guest, memory->address, symbol, &offset);
	json = json_pack("{s:I, s:I, s:s, s:I, s:i, s:s?, s:I}", "record",
			 (json_int_t)memory->record, "now_ns", (json_int_t)memory->now, "region",
			 trace_region_name(memory->region), "address", (json_int_t)memory->address,
			 "block_size", (int)memory->block_size, "symbol", named ? symbol : NULL,
			 "offset", (json_int_t)offset);
	add_difference(json, verdict->guest);
	return json;
}

static json_t *failed_json(const struct verdict *verdict, const struct diagnosis *why)
{
	return json_pack("{s:s, s:i, s:s, s:I, s:s, s:s}", "verdict", "not replayed", "status",
			 verdict_status(verdict), "guest", verdict->guest->name, "index",
			 (json_int_t)verdict->guest->index, "reason", why->what, "to_do",
			 why->advice);
}

static json_t *process_json(const struct guest_process *process)
{
	return *process->name || process->pid ? json_pack("{s:s, s:I}", "name", process->name,
							  "pid", (json_int_t)process->pid)
					      : json_null();
}

/* What its processes have in their code that the processor answers. */
static json_t *instructions_json(const struct cursor_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->suspects; i++) {
		const struct guest_suspect *suspect = &report->suspect[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:o, s:s, s:s}", "instruction",
						instruction_name(suspect->instruction), "address",
						(json_int_t)suspect->address, "process",
						process_json(&suspect->process), "file",
						suspect->file, "function", suspect->function));
	}
	return list;
}

/* "code" of the failure, null without one, and all that was found. */
static json_t *with_findings(const struct verdict *verdict, json_t *json)
{
	struct findings found = { 0 };
	const struct finding *failure;

	verdict_find(verdict, &found);
	failure = findings_failure(&found);
	if (json)
		json_object_update_new(json,
				       json_pack("{s:s?, s:o}", "code",
						 failure ? finding_info(failure->code)->code : NULL,
						 "findings", findings_json(&found)));
	findings_release(&found);
	return json;
}

json_t *verdict_json(const struct verdict *verdict)
{
	const struct cursor_report *report = &verdict->guest->outcome->report;
	struct diagnosis why;
	json_t *json;

	if (verdict_failed(verdict, &why))
		return with_findings(verdict, failed_json(verdict, &why));
	json = json_pack(
		"{s:s, s:i, s:s, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:s, s:o}",
		"verdict", report->diverged ? "diverged" : "identical", "status",
		verdict_status(verdict), "guest", verdict->guest->name, "index",
		(json_int_t)verdict->guest->index, "cpu", (int)verdict->guest->cpu, "messages",
		(json_int_t)report->messages, "interrupts", (json_int_t)report->interrupts,
		"probed", (json_int_t)report->probed, "digests", (json_int_t)report->digests,
		"virtual_ns", (json_int_t)report->virtual_ns, "wall_ns",
		(json_int_t)report->wall_ns, "recorded_wall_ns",
		(json_int_t)report->recorded_wall_ns, "complete",
		!report->trace_error && !report->stopped, "memory_reason",
		verdict->guest->outcome->memory_reason, "probe_reason",
		*report->probe_reason ? report->probe_reason
				      : verdict->guest->outcome->probe_reason,
		"memory", memory_json(verdict));
	if (json && report->diverged)
		json_object_update_new(json,
				       json_pack("{s:I, s:I, s:s, s:s, s:I, s:o, s:o}", "record",
						 (json_int_t)report->record, "now_ns",
						 (json_int_t)report->now, "expected",
						 report->expected, "got", report->got,
						 "divergences", (json_int_t)report->divergences,
						 "process", process_json(&report->process),
						 "instructions", instructions_json(report)));
	if (json)
		verdict_add_replaced(verdict, json);
	return with_findings(verdict, json);
}
