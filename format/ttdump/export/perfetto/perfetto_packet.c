// SPDX-License-Identifier: BSD-3-Clause
/* Packets of Perfetto's trace format, packed by protobuf-c. */
#include "format/ttdump/export/perfetto/perfetto_packet.h"

#include <errno.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "perfetto.pb-c.h"

typedef Perfetto__Protos__TracePacket packet;
typedef Perfetto__Protos__TrackDescriptor descriptor;
typedef Perfetto__Protos__TrackEvent track_event;
typedef Perfetto__Protos__DebugAnnotation annotation;
typedef Perfetto__Protos__EventName event_name;
typedef Perfetto__Protos__DebugAnnotationName annotation_name;

/* The numbers of interned names: those of events and those of annotations count by themselves. */
#define NAME_KINDS  1
#define NAME_WORDS  (NAME_KINDS + TRACE_KIND_LIMIT)
#define NAME_OPS    (NAME_WORDS + 16)
#define NAME_LIMIT  (NAME_OPS + TRACE_OP_LIMIT)
#define FIELD_NAMES 1
#define EXTRA_NAMES (FIELD_NAMES + TRACE_KIND_LIMIT * TRACE_FIELDS_MAX)

static const char *const words[] = {
	[WORD_RUN] = "run",
	[WORD_WAIT] = "wait",
};

enum { EXTRA_RECORD, EXTRA_PEER, EXTRA_BYTES };

static const char *const extras[] = {
	[EXTRA_RECORD] = "record",
	[EXTRA_PEER] = "peer",
	[EXTRA_BYTES] = "bytes",
};

#define ANNOTATIONS_MAX (TRACE_FIELDS_MAX + ARRAY_SIZE(extras))

uint64_t perfetto_word(enum perfetto_word word)
{
	return NAME_WORDS + word;
}

uint64_t perfetto_kind(uint32_t kind)
{
	return NAME_KINDS + kind;
}

uint64_t perfetto_operation(uint64_t op)
{
	return op < TRACE_OP_LIMIT ? NAME_OPS + op : 0;
}

static uint64_t field_name(uint32_t kind, unsigned int field)
{
	return FIELD_NAMES + (uint64_t)kind * TRACE_FIELDS_MAX + field;
}

/* A Trace of one packet: Traces one behind the other are one Trace. */
static void write_packet(struct perfetto_writer *writer, packet *one)
{
	Perfetto__Protos__Trace trace = PERFETTO__PROTOS__TRACE__INIT;
	size_t size;

	trace.packet = &one;
	trace.n_packet = 1;
	one->has_trusted_packet_sequence_id = true;
	one->trusted_packet_sequence_id = 1;
	size = perfetto__protos__trace__get_packed_size(&trace);
	if (size > writer->room && !writer->err) {
		free(writer->packed);
		writer->room = 2 * size;
		writer->packed = malloc(writer->room);
		writer->err = writer->packed ? 0 : -ENOMEM;
	}
	if (writer->err)
		return;
	perfetto__protos__trace__pack(&trace, writer->packed);
	fwrite(writer->packed, 1, size, writer->out);
}

/* ---- Head ------------------------------------------------------------------------------------ */

/* All names there can be; @limit is enough for each kind of them. */
struct names {
	event_name event[NAME_LIMIT], *events[NAME_LIMIT];
	annotation_name annotation[EXTRA_NAMES + ARRAY_SIZE(extras)];
	annotation_name *annotations[EXTRA_NAMES + ARRAY_SIZE(extras)];
	size_t event_count, annotation_count;
};

static void add_event_name(struct names *names, uint64_t number, const char *name)
{
	event_name *added = &names->event[names->event_count];

	*added = (event_name)PERFETTO__PROTOS__EVENT_NAME__INIT;
	added->has_iid = true;
	added->iid = number;
	added->name = (char *)name;
	names->events[names->event_count++] = added;
}

static void add_annotation_name(struct names *names, uint64_t number, const char *name)
{
	annotation_name *added = &names->annotation[names->annotation_count];

	*added = (annotation_name)PERFETTO__PROTOS__DEBUG_ANNOTATION_NAME__INIT;
	added->has_iid = true;
	added->iid = number;
	added->name = (char *)name;
	names->annotations[names->annotation_count++] = added;
}

static void add_kind_names(struct names *names, uint32_t kind)
{
	const struct trace_kind_info *info = trace_kind_info(kind);

	if (!info)
		return;
	add_event_name(names, perfetto_kind(kind), info->name);
	for (unsigned int i = 0; i < info->field_count; i++)
		add_annotation_name(names, field_name(kind, i), info->field[i].name);
}

static void add_names(struct names *names)
{
	for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++)
		add_kind_names(names, kind);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		add_event_name(names, NAME_WORDS + i, words[i]);
	for (uint64_t op = 0; op < TRACE_OP_LIMIT; op++)
		add_event_name(names, perfetto_operation(op), trace_operation_name(op));
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++)
		add_annotation_name(names, EXTRA_NAMES + i, extras[i]);
}

static void write_names(struct perfetto_writer *writer)
{
	Perfetto__Protos__InternedData interned = PERFETTO__PROTOS__INTERNED_DATA__INIT;
	packet one = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	struct names names = { .event_count = 0 };

	add_names(&names);
	interned.event_names = names.events;
	interned.n_event_names = names.event_count;
	interned.debug_annotation_names = names.annotations;
	interned.n_debug_annotation_names = names.annotation_count;
	one.interned_data = &interned;
	one.has_sequence_flags = true;
	one.sequence_flags =
		PERFETTO__PROTOS__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_INCREMENTAL_STATE_CLEARED;
	write_packet(writer, &one);
}

static int64_t uuid_half(const uint8_t *half)
{
	uint64_t value = 0;

	for (size_t i = 0; i < 8; i++)
		value = value << 8 | half[i];
	return (int64_t)value;
}

static void write_uuid(struct perfetto_writer *writer, const uint8_t uuid[16])
{
	Perfetto__Protos__TraceUuid id = PERFETTO__PROTOS__TRACE_UUID__INIT;
	packet one = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	id.has_msb = true;
	id.msb = uuid_half(uuid);
	id.has_lsb = true;
	id.lsb = uuid_half(uuid + 8);
	one.trace_uuid = &id;
	write_packet(writer, &one);
}

static void write_order(struct perfetto_writer *writer)
{
	descriptor root = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	packet one = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	root.has_uuid = true;
	root.has_process_ordering = true;
	root.process_ordering =
		PERFETTO__PROTOS__TRACK_DESCRIPTOR__PROCESS_ORDERING__PROCESS_ORDERING_EXPLICIT;
	one.track_descriptor = &root;
	write_packet(writer, &one);
}

void perfetto_head(struct perfetto_writer *writer, const uint8_t uuid[16])
{
	write_uuid(writer, uuid);
	write_names(writer);
	write_order(writer);
}

void perfetto_clock(struct perfetto_writer *writer, uint64_t tod)
{
	typedef Perfetto__Protos__ClockSnapshot__Clock clock;
	Perfetto__Protos__ClockSnapshot snapshot = PERFETTO__PROTOS__CLOCK_SNAPSHOT__INIT;
	clock virtual = PERFETTO__PROTOS__CLOCK_SNAPSHOT__CLOCK__INIT;
	clock real = PERFETTO__PROTOS__CLOCK_SNAPSHOT__CLOCK__INIT;
	clock *clocks[] = { &virtual, &real };
	packet one = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	virtual.has_clock_id = true;
	virtual.clock_id = PERFETTO__PROTOS__CLOCK_SNAPSHOT__CLOCK__BUILTIN_CLOCKS__BOOTTIME;
	virtual.has_timestamp = true;
	real.has_clock_id = true;
	real.clock_id = PERFETTO__PROTOS__CLOCK_SNAPSHOT__CLOCK__BUILTIN_CLOCKS__REALTIME;
	real.has_timestamp = true;
	real.timestamp = tod;
	snapshot.clocks = clocks;
	snapshot.n_clocks = ARRAY_SIZE(clocks);
	one.clock_snapshot = &snapshot;
	write_packet(writer, &one);
}

/* ---- Tracks ---------------------------------------------------------------------------------- */

static void describe_process(descriptor *described, const struct perfetto_track *track,
			     Perfetto__Protos__ProcessDescriptor *process)
{
	process->has_pid = true;
	process->pid = track->pid;
	process->process_name = (char *)track->name;
	described->process = process;
	described->has_sibling_order_rank = true;
	described->sibling_order_rank = track->pid;
}

static void describe_counter(descriptor *described, const struct perfetto_track *track,
			     Perfetto__Protos__CounterDescriptor *counter)
{
	counter->has_unit = true;
	counter->unit = track->shows == PERFETTO_BYTES
				? PERFETTO__PROTOS__COUNTER_DESCRIPTOR__UNIT__UNIT_SIZE_BYTES
				: PERFETTO__PROTOS__COUNTER_DESCRIPTOR__UNIT__UNIT_COUNT;
	described->counter = counter;
}

void perfetto_track(struct perfetto_writer *writer, const struct perfetto_track *track)
{
	Perfetto__Protos__ProcessDescriptor process = PERFETTO__PROTOS__PROCESS_DESCRIPTOR__INIT;
	Perfetto__Protos__CounterDescriptor counter = PERFETTO__PROTOS__COUNTER_DESCRIPTOR__INIT;
	descriptor described = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	packet one = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	described.has_uuid = true;
	described.uuid = track->id;
	described.has_parent_uuid = track->parent != 0;
	described.parent_uuid = track->parent;
	described.name = (char *)track->name;
	described.description = (char *)track->description;
	described.has_sibling_merge_behavior = true;
	described.sibling_merge_behavior =
		PERFETTO__PROTOS__TRACK_DESCRIPTOR__SIBLING_MERGE_BEHAVIOR__SIBLING_MERGE_BEHAVIOR_NONE;
	if (track->pid)
		describe_process(&described, track, &process);
	if (track->shows != PERFETTO_SLICES)
		describe_counter(&described, track, &counter);
	one.track_descriptor = &described;
	write_packet(writer, &one);
}

/* ---- Events ---------------------------------------------------------------------------------- */

struct annotations {
	annotation one[ANNOTATIONS_MAX], *all[ANNOTATIONS_MAX];
	size_t count;
};

static annotation *annotate(struct annotations *annotations, uint64_t name)
{
	annotation *added = &annotations->one[annotations->count];

	*added = (annotation)PERFETTO__PROTOS__DEBUG_ANNOTATION__INIT;
	added->has_name_iid = true;
	added->name_iid = name;
	annotations->all[annotations->count++] = added;
	return added;
}

static void annotate_count(struct annotations *annotations, uint64_t name, uint64_t value)
{
	annotation *added = annotate(annotations, name);

	added->has_uint_value = true;
	added->uint_value = value;
}

static void annotate_signed(struct annotations *annotations, uint64_t name, uint64_t value)
{
	annotation *added = annotate(annotations, name);

	added->has_int_value = true;
	added->int_value = (int64_t)value;
}

/* A pointer is what Perfetto shows in hexadecimal digits. */
static void annotate_hex(struct annotations *annotations, uint64_t name, uint64_t value)
{
	annotation *added = annotate(annotations, name);

	added->has_pointer_value = true;
	added->pointer_value = value;
}

/* An invalid time is left out. */
static void annotate_field(struct annotations *annotations, const struct trace_record *record,
			   unsigned int field)
{
	enum trace_unit unit = trace_kind_info(record->kind)->field[field].unit;
	uint64_t name = field_name(record->kind, field);
	uint64_t value = record->field[field];

	if (unit == TRACE_UNIT_OP)
		return; /* which is the name of the event */
	if (unit == TRACE_UNIT_HEX)
		annotate_hex(annotations, name, value);
	else if (unit == TRACE_UNIT_COUNT || unit == TRACE_UNIT_BYTES)
		annotate_count(annotations, name, value);
	else if (unit != TRACE_UNIT_NS || value != UINT64_MAX)
		annotate_signed(annotations, name, value);
}

static void annotate_event(struct annotations *annotations, const struct perfetto_event *event)
{
	const struct trace_record *record = event->record;

	if (record || event->number)
		annotate_count(annotations, EXTRA_NAMES + EXTRA_RECORD,
			       record ? record->number : *event->number);
	for (unsigned int i = 0; record && i < trace_kind_info(record->kind)->field_count; i++)
		annotate_field(annotations, record, i);
	if (event->peer)
		annotate(annotations, EXTRA_NAMES + EXTRA_PEER)->string_value = (char *)event->peer;
	if (event->bytes)
		annotate_count(annotations, EXTRA_NAMES + EXTRA_BYTES, *event->bytes);
}

static void name_event(track_event *named, const struct perfetto_event *event)
{
	named->has_track_uuid = true;
	named->track_uuid = event->track;
	named->has_type = true;
	named->type = (Perfetto__Protos__TrackEvent__Type)event->type;
	named->has_counter_value = event->type == PERFETTO_COUNTER;
	named->counter_value = event->value;
	named->has_name_iid = event->name && !event->text;
	named->name_iid = event->name;
	named->name = (char *)event->text;
}

void perfetto_event(struct perfetto_writer *writer, const struct perfetto_event *event)
{
	track_event written = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	packet one = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	struct annotations annotations;

	annotations.count = 0;
	name_event(&written, event);
	annotate_event(&annotations, event);
	written.debug_annotations = annotations.all;
	written.n_debug_annotations = annotations.count;
	written.flow_ids = (uint64_t *)event->begins;
	written.n_flow_ids = event->begin_count;
	written.terminating_flow_ids = (uint64_t *)event->ends;
	written.n_terminating_flow_ids = event->end_count;
	one.track_event = &written;
	one.has_timestamp = true;
	/* Times are signed there. */
	one.timestamp = event->now < INT64_MAX ? event->now : INT64_MAX;
	one.has_sequence_flags = true;
	one.sequence_flags =
		PERFETTO__PROTOS__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_NEEDS_INCREMENTAL_STATE;
	write_packet(writer, &one);
}
