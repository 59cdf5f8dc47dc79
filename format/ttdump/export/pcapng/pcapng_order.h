/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets in the order of time, although a trace has a frame only where it is received: so
 * much as fits into memory that is bounded waits for frames that were sent before it. The
 * receptions of one sending become one packet, at the time at which it was sent. What was under way
 * for longer than that is later in the file than its time, and is a packet of its own.
 */
#ifndef TTREC_PCAPNG_ORDER_H
#define TTREC_PCAPNG_ORDER_H

#include <stdio.h>

#include "format/text/frames.h"

struct pcapng_order;

/* @name_table must stay. NULL: out of memory. */
struct pcapng_order *pcapng_order_create(const struct name_table *name_table, FILE *out);
void pcapng_order_free(struct pcapng_order *order);

/* A whole packet block at @time. They come in order. 0 or -ENOMEM. */
int pcapng_order_add(struct pcapng_order *order, uint64_t time, const void *block, size_t size);

/* @frame, which @record completes, on @interface. 0 or -ENOMEM. */
int pcapng_order_add_frame(struct pcapng_order *order, uint32_t interface,
			   const struct frame *frame, const struct trace_record *record);

/* Write all that waits. 0 or -ENOMEM. */
int pcapng_order_finish(struct pcapng_order *order);

#endif
