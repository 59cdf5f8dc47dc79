/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Ethernet frames of a trace: sender, time and receivers of each.
 *
 * Streaming: feed every record in order (after name_table_learn() has seen it). A frame is recorded
 * once for each receiver, with the record that hands it over (used, on the receive queue of a
 * card), or with its loss record. Sender and time follow frame_origin.h. Only
 * for cards in simulated networks: traffic of a device program is not known here.
 */
#ifndef TTREC_FRAMES_H
#define TTREC_FRAMES_H

#include <stdbool.h>

#include "format/radio/radiotap.h"
#include "format/text/name_table.h"

struct frame {
	uint64_t record; /* that delivered it, or recorded its loss */
	const char *network;
	const uint8_t *data; /* without the virtio header; valid until the next record is fed */
	size_t size;
	/* The sender. Without known, guest and device are UINT32_MAX and sent is of no use. */
	bool known;
	uint32_t from_guest, from_device;
	uint64_t sent; /* ns: when the sender kicked */
	/*
	 * The receiver; for a lost frame the one that did not get it, UINT32_MAX for all, and
	 * received is when it was lost, ns.
	 */
	bool lost;
	uint64_t reason; /* enum trace_loss */
	uint32_t to_guest, to_device;
	uint64_t received;
	/* Of a radio, else NULL: it has sent the frame; its receivers are not known yet. */
	const struct radiotap *radio;
	bool sending;
};

struct frames;

/* @names must stay, and learn each record before it is fed. NULL: out of memory. */
struct frames *frames_create(const struct name_table *names);
void frames_free(struct frames *frames);

/* Returns 1 when @record completes a frame, 0 when it does not, -ENOMEM. */
int frames_feed(struct frames *frames, const struct trace_record *record, struct frame *frame);

#endif
