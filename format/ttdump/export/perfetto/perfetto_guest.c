// SPDX-License-Identifier: BSD-3-Clause
/* What one guest does, as events on its tracks: runs, messages, its console, memory and devices. */
#include "format/ttdump/export/perfetto/perfetto_guest.h"

#include <errno.h>
#include <inttypes.h>

#include "format/base/cleanup.h"
#include "format/base/printable.h"

#define TEXT_MAX   1024 /* bytes of a name of an event */
#define FLOW_SHIFT 17	/* a guest's index, and one that means none */

uint64_t flow_number(uint64_t number, uint32_t receiver)
{
	return number << FLOW_SHIFT | (receiver + 1u);
}

static uint64_t flow_to_itself(uint64_t number)
{
	return number << FLOW_SHIFT;
}

static struct perfetto_event instant(const struct trace_record *record, uint64_t track)
{
	return (struct perfetto_event){ .now = record->now,
					.track = track,
					.type = PERFETTO_INSTANT,
					.name = perfetto_kind(record->kind),
					.record = record };
}

/* ---- Runs and waits -------------------------------------------------------------------------- */

static void end_flow(struct perfetto_event *event, uint64_t *number)
{
	if (*number)
		event->ends[event->end_count++] = flow_to_itself(*number);
	*number = 0;
}

static void end_slice(struct guest_events *guest, struct tracks *tracks, uint32_t index,
		      uint64_t now)
{
	if (guest->doing != GUEST_PROCESS)
		perfetto_event(tracks->writer,
			       &(struct perfetto_event){
				       .now = now,
				       .track = track_guest(tracks, index, guest->doing),
				       .type = PERFETTO_END,
			       });
	guest->doing = GUEST_PROCESS;
}

/* A run or a wait begins, which ends the other one. */
static void begin_slice(struct guest_events *guest, struct tracks *tracks,
			const struct trace_record *record, enum guest_track what)
{
	struct perfetto_event event = instant(record, track_guest(tracks, record->guest, what));

	if (guest->doing == what)
		return;
	end_slice(guest, tracks, record->guest, record->now);
	guest->doing = what;
	event.type = PERFETTO_BEGIN;
	event.name = perfetto_word(what == GUEST_RUNS ? WORD_RUN : WORD_WAIT);
	if (what == GUEST_RUNS) {
		end_flow(&event, &guest->request);
		end_flow(&event, &guest->call);
	}
	perfetto_event(tracks->writer, &event);
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void show_message(struct guest_events *guest, struct tracks *tracks,
			 const struct trace_record *record)
{
	struct perfetto_event event =
		instant(record, track_guest(tracks, record->guest, GUEST_MESSAGES));
	uint64_t flow = flow_to_itself(record->number);
	char text[32];

	event.name = perfetto_operation(record->from.op);
	if (!event.name) {
		snprintf(text, sizeof(text), "operation %" PRIu64, record->from.op);
		event.text = text;
	}
	if (record->kind == TRACE_from && record->from.op == TRACE_OP_REQUEST) {
		guest->request = record->number;
		event.begins = &flow;
		event.begin_count = 1;
	}
	perfetto_event(tracks->writer, &event);
}

static void message(struct guest_events *guest, struct tracks *tracks,
		    const struct trace_record *record)
{
	bool from = record->kind == TRACE_from;

	rate_add(&guest->messages, tracks, track_guest(tracks, record->guest, GUEST_MESSAGE_RATE),
		 record->now, 1);
	if (record->from.op == TRACE_OP_ACK || record->from.op == TRACE_OP_BROADCAST)
		return;
	if (from && record->from.op == TRACE_OP_WAIT)
		begin_slice(guest, tracks, record, GUEST_WAITS);
	else if (!from && record->to.op == TRACE_OP_RUN)
		begin_slice(guest, tracks, record, GUEST_RUNS);
	else
		show_message(guest, tracks, record);
	if (from && record->from.op == TRACE_OP_START)
		begin_slice(guest, tracks, record, GUEST_RUNS);
}

/* ---- Console --------------------------------------------------------------------------------- */

static int show_line(struct guest_events *guest, struct tracks *tracks, uint32_t index,
		     uint64_t now, const uint64_t *number)
{
	if (!guest->line.size)
		return 0;
	line_char(&guest->line, '\0');
	if (guest->line.failed)
		return -ENOMEM;
	perfetto_event(tracks->writer, &(struct perfetto_event){
					       .now = now,
					       .track = track_guest(tracks, index, GUEST_CONSOLE),
					       .type = PERFETTO_INSTANT,
					       .text = printable(guest->line.text),
					       .number = number,
				       });
	guest->line.size = 0;
	return 0;
}

/* A line shows when it is complete, or too long. */
static int console(struct guest_events *guest, struct tracks *tracks,
		   const struct trace_record *record)
{
	const char *text = record->payload;
	int err = 0;

	rate_add(&guest->printed, tracks, track_guest(tracks, record->guest, GUEST_CONSOLE_RATE),
		 record->now, record->payload_size);
	for (size_t i = 0; !err && i < record->payload_size; i++) {
		if (text[i] != '\n' && text[i] != '\r')
			line_char(&guest->line, (char)(text[i] ? text[i] : '?'));
		if (text[i] == '\n' || guest->line.size == TEXT_MAX)
			err = show_line(guest, tracks, record->guest, record->now, &record->number);
	}
	return err;
}

/* A text of the record, behind @head if that is not NULL. */
static void show_text(struct tracks *tracks, const struct trace_record *record, uint64_t track,
		      const char *head)
{
	struct perfetto_event event = instant(record, track);
	int size = record->payload_size < TEXT_MAX ? (int)record->payload_size : TEXT_MAX;
	char text[TEXT_MAX + 32];

	snprintf(text, sizeof(text), "%s%s%.*s", head ? head : "", head ? ": " : "", size,
		 size ? (const char *)record->payload : "");
	event.text = printable(text);
	perfetto_event(tracks->writer, &event);
}

static void interrupt(struct tracks *tracks, const struct trace_record *record)
{
	uint64_t track = track_guest(tracks, record->guest, GUEST_INTERRUPTS);
	struct perfetto_event event = instant(record, track);

	if (record->irq.source == TRACE_IRQ_PANIC)
		show_text(tracks, record, track, "panic");
	else if (record->irq.source == TRACE_IRQ_WARN)
		show_text(tracks, record, track, "warning");
	else
		perfetto_event(tracks->writer, &event);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* ttrace(5), DIGESTS: for each block that changed a varint and four bytes. */
static void block_hashes_add(struct block_hashes *hashes, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (hashes->rest)
			hashes->rest--;
		else if (!(data[i] & 0x80)) {
			hashes->changed++;
			hashes->rest = 4;
		}
	}
}

static void digest(struct guest_events *guest, struct tracks *tracks,
		   const struct trace_record *record)
{
	static const enum guest_track regions[] = { GUEST_RAM, GUEST_DATA };
	struct perfetto_event event =
		instant(record, track_guest(tracks, record->guest, GUEST_DIGESTS));
	uint64_t region = record->digest.region;

	if (region < ARRAY_SIZE(regions))
		block_hashes_add(&guest->hashes[region], record->payload, record->payload_size);
	if (!record->digest.block_size)
		return;
	perfetto_event(tracks->writer, &event);
	if (region >= ARRAY_SIZE(regions))
		return;
	perfetto_event(tracks->writer,
		       &(struct perfetto_event){
			       .now = record->now,
			       .track = track_guest(tracks, record->guest, regions[region]),
			       .type = PERFETTO_COUNTER,
			       .value = (int64_t)(guest->hashes[region].changed *
						  record->digest.block_size),
		       });
	guest->hashes[region] = (struct block_hashes){ 0 };
}

/* ---- Devices --------------------------------------------------------------------------------- */

static void device(struct guest_events *guest, struct tracks *tracks,
		   const struct trace_record *record)
{
	uint64_t flow = flow_to_itself(record->number);
	struct perfetto_event event;

	if (record->kind == TRACE_called && !record->called.value)
		return;
	/* The number of the device is the first field of all records of devices. */
	event = instant(record,
			track_device(tracks, record->guest, record->attach.device, DEVICE_RINGS));
	if (record->kind == TRACE_call) {
		guest->call = record->number;
		event.begins = &flow;
		event.begin_count = 1;
	}
	perfetto_event(tracks->writer, &event);
}

int guest_event(struct guest_events *guest, struct tracks *tracks,
		const struct trace_record *record)
{
	struct perfetto_event event;

	switch (record->kind) {
	case TRACE_from:
	case TRACE_to:
		message(guest, tracks, record);
		break;
	case TRACE_console:
		return console(guest, tracks, record);
	case TRACE_input:
		show_text(tracks, record, track_guest(tracks, record->guest, GUEST_CONSOLE),
			  "input");
		break;
	case TRACE_irq:
		interrupt(tracks, record);
		break;
	case TRACE_digest:
		digest(guest, tracks, record);
		break;
	case TRACE_note:
	case TRACE_fault:
		show_text(tracks, record, track_notes(tracks), NULL);
		break;
	case TRACE_attach:
	case TRACE_request:
	case TRACE_kick:
	case TRACE_used:
	case TRACE_call:
	case TRACE_called:
	case TRACE_detach:
	case TRACE_cut:
		device(guest, tracks, record);
		break;
	case TRACE_leave:
	case TRACE_exit:
		end_slice(guest, tracks, record->guest, record->now);
		/* fall through */
	case TRACE_join:
	case TRACE_entropy:
		event = instant(record, track_guest(tracks, record->guest, GUEST_PROCESS));
		perfetto_event(tracks->writer, &event);
		break;
	default: /* the rest cannot be shown in a picture */
		break;
	}
	return 0;
}

static void finish_rate(struct rate *rate, struct tracks *tracks, uint32_t index,
			enum guest_track track)
{
	if (rate->open)
		rate_finish(rate, tracks, track_guest(tracks, index, track));
}

void guest_finish(struct guest_events *guest, struct tracks *tracks, uint32_t index, uint64_t now)
{
	end_slice(guest, tracks, index, now);
	show_line(guest, tracks, index, now, NULL);
	line_free(&guest->line);
	finish_rate(&guest->messages, tracks, index, GUEST_MESSAGE_RATE);
	finish_rate(&guest->printed, tracks, index, GUEST_CONSOLE_RATE);
}
