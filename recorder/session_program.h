/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of session_program.c share: the programs and the way to them (session_program.c),
 * requests and replies (session_program_message.c), interrupts (session_program_call.c).
 */
#ifndef TTREC_SESSION_PROGRAM_H
#define TTREC_SESSION_PROGRAM_H

#include "recorder/session_internal.h"

/* Does @program simulate @device? */
bool program_link_is_of(const struct session_device *device, const struct session_program *program);

/* Take calls of the program from now on, or none. */
void program_link_watch(struct session_device *device, bool wanted);

/* May the guest be sent something now? */
bool program_link_is_blocked(const struct session_device *device);

/* Until the house has its turn; one that sleeps at the end of a window does so in the next. */
void program_link_hold(struct session_device *device);

/*
 * The program is of no use for this device any more. The guest sees the end of the connection when
 * it is blocked: that is a signal for it, too.
 */
void program_link_cut(struct session_device *device, const char *problem);

/* Record what the program has written to guest memory by now. */
void program_link_harvest(struct session_device *device);

/* The reply that was read goes to the guest. */
void program_link_deliver(struct session_device *device);

#endif
