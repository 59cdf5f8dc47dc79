/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the turn that devices have: requests and kicks of guests, interrupts, their replies.
 */
#ifndef TTREC_SESSION_DEVICE_TURN_H
#define TTREC_SESSION_DEVICE_TURN_H

#include "recorder/session/session_turn.h"

/* An event of a device. */
void device_turn_take(struct turn *turn, const struct event *event);

/*
 * The devices have the token: those that are due complete buffers and interrupt guests, one after
 * the other. Returns true when they have given it back, false when they wait for a guest.
 */
bool device_turn_run(struct turn *turn, struct partition *partition);

/* The awaited guest has replied, or has left: continue an unfinished device turn. */
void device_turn_resume(struct turn *turn, struct partition *partition);

/* The same, when what programs said after their calls has been handled (EVENT_RESUME). */
void device_turn_resume_later(struct turn *turn, struct partition *partition);

/* Tell the calendar when the first device of the partition is due, if that has changed. */
void device_turn_update(struct turn *turn, struct partition *partition);

#endif
