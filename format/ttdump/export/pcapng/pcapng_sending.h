/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which sending a frame belongs to that somebody has got. A trace does not number sendings: the
 * n-th time that a card gets the same bytes, sent by the same card at the same time, is of the n-th
 * sending of them. What this costs does not depend on how many are sent at one time.
 */
#ifndef TTREC_PCAPNG_SENDING_H
#define TTREC_PCAPNG_SENDING_H

#include "format/ttdump/export/pcapng/pcapng_frame.h"

struct sendings;

/* NULL: out of memory. The frames stay the caller's. */
struct sendings *sendings_create(void);
void sendings_free(struct sendings *sendings);

/*
 * The first that has the bytes of @frame, which @record completes, of the same card and time, and
 * not its receiver: that is added. NULL: there is none. 0 or -ENOMEM.
 */
int sendings_receive(struct sendings *sendings, const struct frame *frame,
		     const struct trace_record *record, struct wire_frame **wire);

/* @wire is a new sending, with its first receiver. 0 or -ENOMEM. */
int sendings_add(struct sendings *sendings, struct wire_frame *wire);

/* @wire is to be known no longer. Those with the same bytes and time go in the order of adding. */
void sendings_remove(struct sendings *sendings, struct wire_frame *wire);

#endif
