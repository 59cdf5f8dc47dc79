/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame as it is on its wire: sent once, received by some, as one packet with a comment. */
#ifndef TTREC_PCAPNG_FRAME_H
#define TTREC_PCAPNG_FRAME_H

#include "format/text/frames.h"
#include "format/base/line.h"

/* Who got it, or lost it. */
struct reception {
	uint32_t guest, device;
	uint64_t time; /* ns */
	bool lost;
	uint64_t reason; /* enum trace_loss */
	bool has_signal; /* of a radio */
	int signal;	 /* dBm */
};

struct wire_frame {
	struct wire_frame *next;  /* for a list of its owner */
	struct wire_class *class; /* likewise */
	uint64_t order;		  /* likewise */
	uint32_t interface;
	uint64_t record; /* the first that has it */
	uint64_t time;	 /* ns: when it was sent or, if that is not known, when it was received */
	bool known;
	uint32_t from_guest, from_device;
	bool is_radio; /* @radio precedes the frame in its packet */
	struct radiotap radio;
	struct reception *reception;
	size_t reception_count;
	size_t size;
	uint8_t data[];
};

/* @record completes @frame. NULL: out of memory. */
struct wire_frame *wire_frame_create(uint32_t interface, const struct frame *frame,
				     const struct trace_record *record);
void wire_frame_free(struct wire_frame *wire);

/* Who has @frame, which @record completes, or lost it. */
void wire_frame_receiver(const struct frame *frame, const struct trace_record *record,
			 uint32_t *guest, uint32_t *device);

/* 0 or -ENOMEM. */
int wire_frame_receive(struct wire_frame *wire, const struct frame *frame,
		       const struct trace_record *record);

/* Add its packet to @line. */
void wire_frame_add(const struct wire_frame *wire, const struct name_table *name_table,
		    struct line *line);

#endif
