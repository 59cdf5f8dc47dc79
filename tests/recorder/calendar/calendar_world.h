/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calendars, model guests, and sockets in between that deliver in a random interleaving.
 *
 * A world can have devices that interrupt guests after a while because others kick them,
 * or by themselves. It can also have several partitions, each with a calendar and devices of its
 * own, which run side by side in windows; what a guest sends to another partition arrives there no
 * sooner than WORLD_LOOKAHEAD later.
 *
 * Every step is checked: one token, time that never goes back, nothing sent to a guest that runs,
 * RUN only to a guest that waits and has nothing open, no kernel panics, nobody hangs.
 */
#ifndef TTREC_CALENDAR_WORLD_H
#define TTREC_CALENDAR_WORLD_H

#include <stddef.h>

#include "recorder/calendar/calendar.h"
#include "tests/recorder/calendar/calendar_model.h"

#define WORLD_CLIENTS	 12
#define WORLD_PARTITIONS 3
#define WORLD_EVENTS	 256
#define WORLD_LOOKAHEAD	 20000 /* ns */

struct world_options {
	uint64_t seed;	       /* what the guests do */
	uint64_t interleaving; /* in which order things arrive */
	uint32_t guests;       /* all expected */
	uint32_t latecomers;   /* start whenever they like */
	unsigned int vigor;
	uint64_t limit;
	enum calendar_grant grant;
	bool devices;
	uint32_t partitions; /* 0: one, without windows; else as many, with devices each */
};

/* One message over the calendar's interface, as its guest's record stream would have it. */
struct world_crossing {
	bool to_guest;
	struct wire_message message;
};

/* An event served. */
struct world_service {
	uint64_t id;
	uint64_t time;
};

/* A device is to interrupt its guest. */
struct world_event {
	uint64_t time;
	uint32_t target; /* index of the guest */
};

struct world_devices {
	struct random program;
	struct world_event events[WORLD_EVENTS]; /* in order of time, then as they came */
	uint32_t event_count;
	bool in_turn;
	uint32_t kicker; /* index of the guest that waits for the reply to its kick */
};

/* What a guest has sent to another partition in this window. */
struct world_frame {
	uint64_t sent;
	uint32_t from; /* index of the guest */
	struct world_event event;
};

struct world_partition {
	struct calendar *calendar;
	uint64_t now;
	struct world_devices devices;
	struct world_frame frames[WORLD_EVENTS]; /* in order of time */
	uint32_t frame_count;
	struct world_service *services;
	size_t service_count, service_capacity;
};

struct world_client {
	struct model model;
	uint32_t partition;
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
	struct world_partition partitions[WORLD_PARTITIONS];
	uint32_t partition_count;
	uint64_t horizon; /* end of the window */
	struct world_client clients[WORLD_CLIENTS];
	uint32_t count;
	uint32_t interrupts; /* by the devices */
	bool ended;
	enum calendar_action_kind end;
};

#define WORLD_NO_CLIENT UINT32_MAX

/* Run it to its end. Fails the test, naming the seeds, when anything is wrong. */
void world_run(struct world *world, const struct world_options *options);
void world_clear(struct world *world);

/* ---- calendar_partitions.c, for calendar_world.c --------------------------------------------- */

void world_devices_init(struct world *world, uint32_t partition);

/* A guest has kicked a device; what @wanted asks of it happens later. */
void world_devices_kick(struct world *world, uint32_t kicker, uint64_t wanted);

/* The devices have the token, or the guest they interrupted has replied: go on with their turn. */
void world_devices_turn(struct world *world, struct world_partition *partition);

/*
 * When all partitions are through with their window: open the next one, or end. Returns false when
 * they are not.
 */
bool world_next_window(struct world *world);

__attribute__((format(printf, 2, 3), noreturn)) void world_broken(const struct world *world,
								  const char *format, ...);

#endif
