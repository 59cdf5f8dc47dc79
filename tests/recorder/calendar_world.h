/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A calendar, model guests, and sockets in between that deliver in a random interleaving.
 *
 * Every step is checked: one token, time that never goes back, nothing sent to a guest that runs,
 * RUN only to a guest that waits and has nothing open, no kernel panics, nobody hangs.
 */
#ifndef TTREC_CALENDAR_WORLD_H
#define TTREC_CALENDAR_WORLD_H

#include <stddef.h>

#include "recorder/calendar.h"
#include "tests/recorder/calendar_model.h"

#define WORLD_CLIENTS 12

struct world_options {
	uint64_t seed;	       /* what the guests do */
	uint64_t interleaving; /* in which order things arrive */
	uint32_t guests;       /* all expected */
	uint32_t latecomers;   /* start whenever they like */
	unsigned int vigor;
	uint64_t limit;
	enum calendar_grant grant;
};

/* One message over the calendar's door, as its guest's record stream would have it. */
struct world_crossing {
	bool to_guest;
	struct wire_message message;
};

/* An event served. */
struct world_service {
	uint64_t id;
	uint64_t time;
};

struct world_client {
	struct model model;
	bool connected;
	uint32_t handle;
	uint64_t offset;
	uint32_t kicked_by;	 /* index of the guest that waits for its interrupt */
	uint32_t open_questions; /* its messages that were not answered */
	uint32_t open_orders;	 /* the calendar's that it has not acknowledged */
	struct world_crossing *crossings;
	size_t crossing_count, crossing_capacity;
};

struct world {
	struct world_options options;
	struct random choice;
	struct calendar *calendar;
	struct world_client clients[WORLD_CLIENTS];
	uint32_t count;
	uint64_t now;
	bool ended;
	enum calendar_action_kind end;
	struct world_service *services;
	size_t service_count, service_capacity;
};

/* Run it to its end. Fails the test, naming the seeds, when anything is wrong. */
void world_run(struct world *world, const struct world_options *options);
void world_clear(struct world *world);

#endif
