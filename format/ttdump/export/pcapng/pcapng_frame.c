// SPDX-License-Identifier: BSD-3-Clause
/* A frame as it is on its wire: sent once, received by some, as one packet with a comment. */
#include "format/ttdump/export/pcapng/pcapng_frame.h"

#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/text/record_names.h"
#include "format/ttdump/export/pcapng/pcapng.h"

/* So many receivers are named. */
#define NAMED_MAX 16

struct wire_frame *wire_frame_create(uint32_t interface, const struct frame *frame,
				     const struct trace_record *record)
{
	struct wire_frame *wire = malloc(sizeof(*wire) + frame->size);

	if (!wire)
		return NULL;
	*wire = (struct wire_frame){
		.interface = interface,
		.record = frame->record,
		.time = frame->known ? frame->sent : frame->received,
		.known = frame->known,
		.from_guest = frame->from_guest,
		.from_device = frame->from_device,
		.size = frame->size,
	};
	if (frame->size)
		memcpy(wire->data, frame->data, frame->size);
	if (frame->radio) {
		wire->is_radio = true;
		wire->radio = *frame->radio;
	}
	if (frame->sending || !wire_frame_receive(wire, frame, record))
		return wire;
	wire_frame_free(wire);
	return NULL;
}

void wire_frame_free(struct wire_frame *wire)
{
	if (wire)
		free(wire->reception);
	free(wire);
}

/* Where no one is named, the guest and the device that the record is of. */
void wire_frame_receiver(const struct frame *frame, const struct trace_record *record,
			 uint32_t *guest, uint32_t *device)
{
	bool named = frame->to_guest != UINT32_MAX;

	*guest = named ? frame->to_guest : record->guest;
	*device = named ? frame->to_device : (uint32_t)record->field[0];
}

static struct reception reception_of(const struct frame *frame, const struct trace_record *record)
{
	struct reception reception = { .time = frame->received,
				       .lost = frame->lost,
				       .reason = frame->reason };

	if (frame->radio) {
		reception.has_signal = frame->radio->has_signal;
		reception.signal = frame->radio->signal;
	}
	wire_frame_receiver(frame, record, &reception.guest, &reception.device);
	return reception;
}

int wire_frame_receive(struct wire_frame *wire, const struct frame *frame,
		       const struct trace_record *record)
{
	/* The packet has the signal of the first receiver. */
	if (frame->radio && !wire->radio.has_signal) {
		wire->radio.has_signal = frame->radio->has_signal;
		wire->radio.signal = frame->radio->signal;
	}
	return array_push(wire->reception, wire->reception_count, reception_of(frame, record));
}

static void add_name(struct line *line, const struct name_table *name_table, uint32_t guest)
{
	char name[NAME_SIZE];

	line_text(line, name_table_guest(name_table, guest, name));
}

static void add_loss(struct line *line, const struct reception *reception)
{
	const struct trace_record record = { .kind = TRACE_lost,
					     .lost = { .reason = reception->reason } };
	const char *why = record_field_name(&record, 1);

	line_text(line, "lost: ");
	line_text(line, why ? why : "for an unknown reason");
}

/* "n2 (100us)", "n3 (lost: no buffer)" */
static void add_reception(const struct wire_frame *wire, const struct reception *reception,
			  const struct name_table *name_table, struct line *line)
{
	add_name(line, name_table, reception->guest);
	line_text(line, " (");
	if (reception->lost)
		add_loss(line, reception);
	else
		line_duration(line, reception->time - wire->time);
	if (reception->has_signal)
		line_format(line, ", %d dBm", reception->signal);
	line_char(line, ')');
}

static void add_receptions(const struct wire_frame *wire, const struct name_table *name_table,
			   struct line *line)
{
	for (size_t i = 0; i < wire->reception_count && i < NAMED_MAX; i++) {
		line_text(line, i ? ", " : " to ");
		add_reception(wire, &wire->reception[i], name_table, line);
	}
	if (wire->reception_count <= NAMED_MAX)
		return;
	line_text(line, " and ");
	line_number(line, wire->reception_count - NAMED_MAX);
	line_text(line, " more");
}

/* Of a frame of which one record is all that is known. */
static void add_unknown(const struct wire_frame *wire, const struct name_table *name_table,
			struct line *line)
{
	const struct reception *reception = wire->reception;

	line_text(line, reception->lost ? "at " : "to ");
	add_name(line, name_table, reception->guest);
	line_text(line, ", ");
	if (reception->lost)
		add_loss(line, reception);
	else
		line_text(line, "sender not recorded");
}

/* What came to nothing on its sender's side of the wire had no receiver. */
static bool is_lost_at_sender(const struct wire_frame *wire)
{
	return wire->reception_count && wire->reception->lost &&
	       wire->reception->guest == wire->from_guest &&
	       wire->reception->device == wire->from_device;
}

/* "from n1 to n2 (100us), n3 (120us); record 3257" */
static void add_comment(const struct wire_frame *wire, const struct name_table *name_table,
			struct line *line)
{
	if (!wire->known) {
		add_unknown(wire, name_table, line);
	} else {
		line_text(line, "from ");
		add_name(line, name_table, wire->from_guest);
		if (!wire->reception_count)
			line_text(line, ", lost: not received");
		else if (is_lost_at_sender(wire)) {
			line_text(line, ", ");
			add_loss(line, wire->reception);
		} else {
			add_receptions(wire, name_table, line);
		}
	}
	line_text(line, "; record ");
	line_number(line, wire->record);
}

static void add_radio(const struct wire_frame *wire, struct line *line)
{
	struct radiotap radio = wire->radio;

	radio.lost = !wire->reception_count;
	line_add_radiotap(line, &radio);
	line_bytes(line, wire->data, wire->size);
}

void wire_frame_add(const struct wire_frame *wire, const struct name_table *name_table,
		    struct line *line)
{
	struct line comment = { 0 }, radio = { 0 };
	struct pcapng_packet packet = {
		.interface = wire->interface,
		.time = wire->time,
		.data = wire->data,
		.captured = wire->size,
		.size = wire->size,
	};

	if (wire->is_radio) {
		add_radio(wire, &radio);
		packet.data = radio.text;
		packet.captured = packet.size = radio.size;
	}
	add_comment(wire, name_table, &comment);
	packet.comment = comment.text;
	packet.comment_size = comment.size;
	pcapng_add_packet(line, &packet);
	line->failed |= comment.failed | radio.failed;
	line_free(&radio);
	line_free(&comment);
}
