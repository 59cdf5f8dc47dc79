/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ends a recording for reasons other than events: limits of wall time, a client that never WAITs,
 * all clients asleep. Checked periodically, whether or not events arrive.
 */
#ifndef TTREC_SESSION_LIMITS_H
#define TTREC_SESSION_LIMITS_H

#include "recorder/session/session_turn.h"

struct limits {
	uint64_t limit_wall;   /* ns of wall time; 0 = none */
	uint64_t hang_timeout; /* ns of wall time a client may run without a message; 0 = none */
	uint64_t begin;	       /* wall time, ns, at which the recording began */
	uint64_t last_message; /* time of the last event that shows that a participant is alive */
	uint64_t idle_since;   /* when turn->idle was first seen */
};

/*
 * Whether @event shows that the client with the overdue message makes progress. Console output does
 * not.
 */
bool limits_is_sign_of_life(const struct event *event);

/* @now: wall time, ns. */
void limits_check(struct limits *limits, struct turn *turn, uint64_t now);

#endif
