/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of simulated radios. A medium does not tell who sent what it hands over: the sender is the
 * one that sent the same bytes last.
 */
#ifndef TTREC_PCAPNG_RADIO_H
#define TTREC_PCAPNG_RADIO_H

#include "format/text/frames.h"

struct pcapng_radio;

/* NULL: out of memory. */
struct pcapng_radio *pcapng_radio_create(void);
void pcapng_radio_free(struct pcapng_radio *radio);

/*
 * Whether @record, each in order, has a frame that a radio sends or receives: @frame, which points
 * into the record, and to @radiotap.
 */
bool pcapng_radio_feed(struct pcapng_radio *radio, const struct name_table *name_table,
		       const struct trace_record *record, struct frame *frame,
		       struct radiotap *radiotap);

#endif
