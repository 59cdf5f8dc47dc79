// SPDX-License-Identifier: BSD-3-Clause
/* ttdump stat --json: what was counted, as one object; its keys are in ttdump-stat(1). */
#include <inttypes.h>

#include "format/ttdump/stat/stat.h"
#include "format/base/units.h"

static void set_count(json_t *object, const char *key, uint64_t count)
{
	json_object_set_new(object, key, json_integer((json_int_t)count));
}

static json_t *messages_json(const uint64_t messages[STAT_OPS])
{
	json_t *object = json_object();

	for (size_t op = 0; op < STAT_OPS; op++)
		if (messages[op])
			set_count(object, stat_op_name(op), messages[op]);
	return object;
}

static json_t *probed_json(const struct stat_guest *guest)
{
	json_t *object = json_object(), *irqs = json_object();
	uint64_t interrupts = 0;
	char number[16];

	for (uint32_t i = 0; i < STAT_IRQS; i++) {
		if (!guest->irqs[i])
			continue;
		snprintf(number, sizeof(number), "%" PRIu32, i);
		set_count(irqs, number, guest->irqs[i]);
		interrupts += guest->irqs[i];
	}
	set_count(object, "interrupts", interrupts);
	set_count(object, "panics", guest->panics);
	set_count(object, "warnings", guest->warnings);
	set_count(object, "unknown", guest->probed - interrupts - guest->panics - guest->warnings);
	json_object_set_new(object, "irqs", irqs);
	return object;
}

static json_t *device_json(const struct stat_data *stat, uint32_t guest, uint32_t index)
{
	const struct stat_device *device = &stat->guest[guest].device[index];
	char name[2 * NAME_SIZE];

	return json_pack("{s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "device", (json_int_t)index, "name",
			 stat_device_name(stat, guest, index, name), "requests", device->requests,
			 "kicks", device->kicks, "calls", device->calls, "configuration_changes",
			 device->changes, "to_guest_bytes", device->to_bytes, "from_guest_bytes",
			 device->from_bytes, "frames_out", device->frames[0], "frames_out_bytes",
			 device->frame_bytes[0], "frames_in", device->frames[1], "frames_in_bytes",
			 device->frame_bytes[1], "frames_lost", device->lost);
}

static json_t *devices_json(const struct stat_data *stat, uint32_t guest)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < stat->guest[guest].device_count; i++)
		json_array_append_new(array, device_json(stat, guest, i));
	return array;
}

static void set_hashes(json_t *object, const struct stat_guest *guest, struct trace_reader *reader,
		       uint32_t index)
{
	uint64_t chain;
	char text[40];

	if (guest->digests) {
		snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, guest->high, guest->low);
		json_object_set_new(object, "last_digest", json_string(text));
	}
	if (!trace_reader_chain(reader, index, &chain)) {
		snprintf(text, sizeof(text), "%016" PRIx64, chain);
		json_object_set_new(object, "chain", json_string(text));
	}
}

static json_t *guest_json(const struct stat_data *stat, struct trace_reader *reader, uint32_t index)
{
	const struct stat_guest *guest = &stat->guest[index];
	json_t *object = json_object();
	char name[NAME_SIZE];

	set_count(object, "guest", index);
	json_object_set_new(object, "name",
			    json_string(name_table_guest(&stat->names, index, name)));
	set_count(object, "records", guest->records);
	set_count(object, "first_ns", guest->first);
	set_count(object, "last_ns", guest->last);
	json_object_set_new(object, "from", messages_json(guest->messages[STAT_FROM]));
	json_object_set_new(object, "to", messages_json(guest->messages[STAT_TO]));
	set_count(object, "console_bytes", guest->console);
	set_count(object, "input_bytes", guest->input);
	set_count(object, "entropy_bytes", guest->entropy);
	set_count(object, "digests", guest->digests);
	json_object_set_new(object, "devices", devices_json(stat, index));
	if (guest->probed)
		json_object_set_new(object, "probed", probed_json(guest));
	set_hashes(object, guest, reader, index);
	return object;
}

static json_t *guests_json(const struct stat_data *stat, struct trace_reader *reader)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < stat->guest_count; i++)
		if (stat->guest[i].seen)
			json_array_append_new(array, guest_json(stat, reader, i));
	return array;
}

static json_t *kinds_json(const struct stat_data *stat)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++) {
		const struct stat_kind *kind = &stat->kind[i];
		json_t *entry;

		if (!kind->records)
			continue;
		entry = json_object();
		set_count(entry, "records", kind->records);
		set_count(entry, "payload_bytes", kind->payload);
		set_count(entry, "encoded_bytes", kind->encoded);
		set_count(entry, "stored_bytes_estimated", (uint64_t)kind->stored);
		json_object_set_new(object, trace_kind_info(i)->name, entry);
	}
	return object;
}

static json_t *networks_json(const struct stat_data *stat)
{
	static const char *const reasons[STAT_LOSSES] = { "lost_by_link", "lost_no_buffer",
							  "lost_nobody", "lost_unknown" };
	json_t *array = json_array();

	for (size_t i = 0; i < stat->network_count; i++) {
		const struct stat_network *network = &stat->network[i];
		json_t *object = json_object();

		json_object_set_new(object, "name", json_string(network->name));
		set_count(object, "frames", network->frames);
		set_count(object, "bytes", network->bytes);
		for (size_t reason = 0; reason < STAT_LOSSES; reason++)
			set_count(object, reasons[reason], network->lost[reason]);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *busiest_json(const struct stat_data *stat)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < stat->busiest_count; i++) {
		const struct stat_span *span = &stat->busiest[i];

		json_array_append_new(
			array,
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "from_ns",
				  span->ms * NS_PER_MS, "records", span->records, "messages",
				  span->messages, "kicks", span->kicks, "calls", span->calls,
				  "frames", span->frames, "console_bytes", span->console, "guest",
				  (json_int_t)span->guest, "guest_records", span->guest_records));
	}
	return array;
}

void stat_print_json(const struct stat_data *stat, struct trace_reader *reader)
{
	json_t *object = json_object();

	set_count(object, "records", stat->records);
	set_count(object, "frames", stat->frame_count);
	set_count(object, "virtual_ns", stat->virtual_ns);
	set_count(object, "wall_ns", stat->wall_ns);
	set_count(object, "file_bytes", stat->file_bytes);
	set_count(object, "record_bytes", stat->record_bytes);
	set_count(object, "artifact_bytes", stat->artifact_bytes);
	json_object_set_new(object, "ratio",
			    json_real(stat_ratio(stat_raw_bytes(stat), stat->record_bytes)));
	set_count(object, "artifacts", stat->artifacts);
	set_count(object, "artifact_size", stat->artifact_size);
	json_object_set_new(object, "kinds", kinds_json(stat));
	json_object_set_new(object, "guests", guests_json(stat, reader));
	json_object_set_new(object, "networks", networks_json(stat));
	json_object_set_new(object, "busiest", busiest_json(stat));
	dump_json(object);
}
