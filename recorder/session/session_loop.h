/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of a recording, for the code that assembles it (session.c) and runs it
 * (session_loop.c).
 */
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

/* Carry out and remove all of @effects, in order. A failure becomes an event. */
void delivery_carry_out(struct effects *effects, struct sources *sources);

#endif
