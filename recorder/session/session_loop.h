/* SPDX-License-Identifier: BSD-3-Clause */
/* What a recording is made of, for those who put it together (session.c) and run it
 * (session_loop.c). */
#ifndef TTREC_SESSION_LOOP_H
#define TTREC_SESSION_LOOP_H

#include "recorder/session/session.h"
#include "recorder/session/session_limits.h"
#include "recorder/session/session_sources.h"
#include "recorder/session/session_turn.h"
#include "recorder/watch/status_line.h"
#include "recorder/session/journal/session_effects.h"

struct session {
	struct session_options options;
	struct trace_writer *writer; /* may be NULL; the caller's */
	struct turn turn;
	struct sources sources;
	struct source stop, listen, probe;
	int stop_fd, listen_fd;
	struct limits limits;
	uint64_t looked_wall;
	const struct trace_record *planned; /* the caller's */
	size_t planned_count;
	merge_observer *observer;
	void *observer_context;
	struct status_line status;
};

/* All of @effects, in order; @effects is empty then. What fails becomes an event. */
void delivery_carry_out(struct effects *effects, struct sources *sources);

#endif
