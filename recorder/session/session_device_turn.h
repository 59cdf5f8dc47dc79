/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The part of the turn that concerns devices: requests and kicks of guests, interrupts, replies to
 * them.
 */
#ifndef TTREC_SESSION_DEVICE_TURN_H
#define TTREC_SESSION_DEVICE_TURN_H

#include "recorder/session/session_turn.h"

/* Handle an event of a device. */
void device_turn_take(struct turn *turn, const struct event *event);

/*
 * Run the device turn: devices that are due complete buffers and interrupt guests, one after the
 * other. Returns true when the token is given back, false while a guest has to reply.
 */
bool device_turn_run(struct turn *turn, struct partition *partition);

/* Continue an unfinished device turn after the awaited guest has replied or left. */
void device_turn_resume(struct turn *turn, struct partition *partition);

/* The same, after the messages that programs sent behind their calls (EVENT_RESUME). */
void device_turn_resume_later(struct turn *turn, struct partition *partition);

/* Update the calendar if the time at which the first device of the partition is due has changed. */
void device_turn_update(struct turn *turn, struct partition *partition);

#endif
