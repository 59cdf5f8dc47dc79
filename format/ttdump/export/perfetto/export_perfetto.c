// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export perfetto: guests and devices as tracks, for ui.perfetto.dev and trace_processor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/trace/meta.h"
#include "format/base/array.h"
#include "format/text/frame_text.h"
#include "format/text/frames.h"
#include "format/base/units.h"
#include "format/ttdump/export/export.h"
#include "format/ttdump/export/perfetto/perfetto_guest.h"

struct network {
	char name[NAME_SIZE];
	uint64_t track;
	struct rate rate;
};

struct lab {
	struct perfetto_writer writer;
	struct name_table names;
	struct tracks tracks;
	struct frames *frames;
	struct line line; /* what a frame is */
	struct guest_events *guest;
	uint64_t *flows; /* room for one to each guest */
	uint32_t flow_count;
	size_t guest_count;
	struct network *network;
	size_t network_count;
	/* The BROADCAST that is on its way: its record and who sent it. */
	uint64_t broadcast;
	uint32_t sender;
	uint64_t now;
};

/* ---- Frames ---------------------------------------------------------------------------------- */

static struct network *find_network(struct lab *lab, const char *name)
{
	struct network *added;

	for (size_t i = 0; i < lab->network_count; i++)
		if (!strcmp(lab->network[i].name, name))
			return &lab->network[i];
	added = array_add(lab->network, lab->network_count);
	if (!added)
		return NULL;
	snprintf(added->name, sizeof(added->name), "%s", name);
	added->track = track_network(&lab->tracks, lab->network_count - 1, added->name);
	return added;
}

/* "send 10.0.0.1 > 10.0.0.2 ICMP echo request id 1 seq 0" */
static const char *frame_name(struct lab *lab, const char *verb, const struct frame *frame)
{
	lab->line.size = 0;
	line_text(&lab->line, verb);
	line_char(&lab->line, ' ');
	line_add_frame(&lab->line, frame->data, frame->size);
	line_char(&lab->line, '\0');
	if (lab->line.failed)
		lab->writer.err = -ENOMEM;
	return lab->line.failed ? verb : lab->line.text;
}

/* What both ends of a frame have in common. */
static struct perfetto_event frame_event(struct lab *lab, const char *verb,
					 const struct frame *frame)
{
	return (struct perfetto_event){ .type = PERFETTO_INSTANT,
					.text = frame_name(lab, verb, frame),
					.number = &frame->record };
}

/* When it was sent is known when it has arrived: so late it is written. */
static void show_sending(struct lab *lab, const struct frame *frame, uint64_t flow, uint64_t bytes)
{
	struct perfetto_event event = frame_event(lab, "send", frame);
	char peer[NAME_SIZE];

	event.now = frame->sent;
	event.track =
		track_device(&lab->tracks, frame->from_guest, frame->from_device, DEVICE_FRAMES);
	if (frame->to_guest != UINT32_MAX)
		event.peer = name_table_guest(&lab->names, frame->to_guest, peer);
	event.bytes = &bytes;
	event.begins = &flow;
	event.begin_count = 1;
	perfetto_event(&lab->writer, &event);
}

static void show_receiving(struct lab *lab, const struct frame *frame, uint64_t flow,
			   uint64_t bytes)
{
	struct perfetto_event event = frame_event(lab, "receive", frame);
	char peer[NAME_SIZE];

	event.now = frame->received;
	event.track = track_device(&lab->tracks, frame->to_guest, frame->to_device, DEVICE_FRAMES);
	event.bytes = &bytes;
	if (frame->known) {
		event.peer = name_table_guest(&lab->names, frame->from_guest, peer);
		event.ends[event.end_count++] = flow;
	}
	perfetto_event(&lab->writer, &event);
}

static void show_loss(struct lab *lab, const struct trace_record *record, const struct frame *frame,
		      uint64_t flow, uint64_t bytes)
{
	struct perfetto_event event = frame_event(lab, "lost", frame);
	char peer[NAME_SIZE];

	event.now = record->now;
	if (frame->to_guest != UINT32_MAX)
		event.peer = name_table_guest(&lab->names, frame->to_guest, peer);
	event.track = track_device(&lab->tracks, record->guest, record->lost.device, DEVICE_FRAMES);
	event.record = record;
	event.bytes = &bytes;
	if (frame->known)
		event.ends[event.end_count++] = flow;
	perfetto_event(&lab->writer, &event);
}

/* Bytes on each network are counted where they arrive. */
static int count_bytes(struct lab *lab, const struct frame *frame)
{
	struct network *network = find_network(lab, frame->network);

	if (!network)
		return -ENOMEM;
	rate_add(&network->rate, &lab->tracks, network->track, frame->received, frame->size);
	return 0;
}

static int show_frame(struct lab *lab, const struct trace_record *record)
{
	struct frame frame;
	int got = frames_feed(lab->frames, record, &frame);
	uint64_t flow;

	if (got <= 0)
		return got;
	/* The trace names the sender, which may be a guest without records. */
	if (frame.known && tracks_prepare(&lab->tracks, frame.from_guest))
		return -ENOMEM;
	flow = flow_number(frame.record, frame.to_guest);
	if (frame.known)
		show_sending(lab, &frame, flow, frame.size);
	if (frame.lost) {
		show_loss(lab, record, &frame, flow, frame.size);
		return 0;
	}
	show_receiving(lab, &frame, flow, frame.size);
	return count_bytes(lab, &frame);
}

/* ---- Broadcasts ------------------------------------------------------------------------------ */

/* A flow to every guest: those without a receiver are not shown. */
static size_t flows_to_all(struct lab *lab, const struct trace_record *record)
{
	size_t count = 0;

	for (uint32_t i = 0; i < lab->guest_count; i++)
		if (i != record->guest && lab->names.guest[i].seen)
			lab->flows[count++] = flow_number(record->number, i);
	return count;
}

static void show_broadcast(struct lab *lab, const struct trace_record *record)
{
	struct perfetto_event event = {
		.now = record->now,
		.track = track_guest(&lab->tracks, record->guest, GUEST_MESSAGES),
		.type = PERFETTO_INSTANT,
		.name = perfetto_operation(TRACE_OP_BROADCAST),
		.record = record,
	};
	char peer[NAME_SIZE];

	if (record->kind == TRACE_from) {
		event.begins = lab->flows;
		event.begin_count = flows_to_all(lab, record);
		lab->broadcast = record->number;
		lab->sender = record->guest;
	} else {
		event.peer = name_table_guest(&lab->names, lab->sender, peer);
		event.ends[event.end_count++] = flow_number(lab->broadcast, record->guest);
	}
	perfetto_event(&lab->writer, &event);
}

/* ---- The whole trace --------------------------------------------------------------------------*/

static int prepare_guest(struct lab *lab, uint32_t guest)
{
	int err = array_reach(lab->flows, lab->flow_count, guest);

	if (!err)
		err = array_reach(lab->guest, lab->guest_count, guest);
	return err ? err : tracks_prepare(&lab->tracks, guest);
}

/* "tod=1767225600000000000": what the clocks of the guests began with. */
static void learn_clock(struct lab *lab, const struct trace_record *record)
{
	struct meta meta;
	char text[32];
	uint64_t tod;

	if (!meta_parse(record, &meta) || meta.key != META_TOD || meta.size >= sizeof(text))
		return;
	snprintf(text, sizeof(text), "%.*s", (int)meta.size, meta.value);
	if (!number_parse(text, 10, INT64_MAX - 1, &tod))
		perfetto_clock(&lab->writer, tod);
}

static bool is_broadcast(const struct trace_record *record)
{
	return (record->kind == TRACE_from || record->kind == TRACE_to) &&
	       record->from.op == TRACE_OP_BROADCAST;
}

static int show_record(struct lab *lab, const struct trace_record *record)
{
	int err = name_table_learn(&lab->names, record);

	if (!err)
		err = prepare_guest(lab, record->guest);
	if (!err)
		err = guest_event(&lab->guest[record->guest], &lab->tracks, record);
	if (!err)
		err = show_frame(lab, record);
	if (!err)
		learn_clock(lab, record);
	if (!err && is_broadcast(record))
		show_broadcast(lab, record);
	lab->now = record->now;
	return err ? err : lab->writer.err;
}

static void finish(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->guest_count; i++)
		guest_finish(&lab->guest[i], &lab->tracks, i, lab->now);
	for (size_t i = 0; i < lab->network_count; i++)
		rate_finish(&lab->network[i].rate, &lab->tracks, lab->network[i].track);
}

static void release(struct lab *lab)
{
	free(lab->guest);
	free(lab->flows);
	free(lab->network);
	free(lab->tracks.guest);
	free(lab->writer.packed);
	line_free(&lab->line);
	frames_free(lab->frames);
	name_table_free(&lab->names);
}

static int show_trace(struct lab *lab, const struct export_request *request,
		      struct trace_reader *reader, struct diagnosis *diagnosis)
{
	struct trace_record record;
	int err = 0, got = 0;

	perfetto_head(&lab->writer, trace_reader_header(reader)->uuid);
	while (!err && !ferror(lab->writer.out) && (got = trace_reader_next(reader, &record)) > 0)
		err = show_record(lab, &record);
	finish(lab);
	if (err)
		return diagnose(diagnosis, EXIT_CANNOT, err, NULL, "cannot export %s: %s",
				request->path, strerror(-err));
	return got < 0 ? dump_damaged(request->path, reader, got, diagnosis) : 0;
}

int export_perfetto(const struct export_request *request, struct trace_reader *reader, FILE *out,
		    struct diagnosis *diagnosis)
{
	struct lab lab = { .writer.out = out };
	int err;

	lab.tracks.writer = &lab.writer;
	lab.tracks.names = &lab.names;
	lab.frames = frames_create(&lab.names);
	err = lab.frames ? show_trace(&lab, request, reader, diagnosis)
			 : diagnose(diagnosis, EXIT_CANNOT, -ENOMEM, NULL, "cannot export %s: %s",
				    request->path, strerror(ENOMEM));
	release(&lab);
	return err;
}
