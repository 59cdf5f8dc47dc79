/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest as the calendar sees it: the time-travel half of arch/um/kernel/time.c as a state
 * machine, with a random program on top. It panics where a kernel does.
 *
 * What the program does depends on its seed and on nothing else, so that two runs of a world can be
 * compared message by message.
 */
#ifndef TTREC_CALENDAR_MODEL_H
#define TTREC_CALENDAR_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/wire/wire.h"
#include "tests/recorder/random.h"

#define MODEL_EVENTS 24
#define MODEL_TODO   16
#define MODEL_BOX    32

/* end of file, as if it were a message */
#define MODEL_CLOSE UINT32_MAX

enum model_activity {
	MODEL_ABSENT,
	MODEL_STARTING,
	MODEL_RUNNING,
	MODEL_KICKING, /* runs, and waits for the device's reply */
	MODEL_WAITING,
	MODEL_GONE,
};

enum model_deed { MODEL_ADD, MODEL_UPDATE, MODEL_KICK, MODEL_BROADCAST, MODEL_TOD, MODEL_EXIT };

struct model_todo {
	enum model_deed deed;
	uint64_t value;
};

struct model_event {
	uint64_t time;
	uint32_t number;
	bool irq;
};

struct model_box {
	struct wire_message messages[MODEL_BOX];
	uint32_t first, count;
};

struct model {
	uint64_t id;
	bool is_5_10; /* asks inside its window, keeps its bound when it WAITs */
	struct random program;
	unsigned int vigor; /* percent: below 75 a world dies out, above it goes on for ever */
	enum model_activity activity;

	/* arch/um/kernel/time.c, without the prefix */
	uint64_t time;
	uint64_t free_until;
	bool free_until_valid;
	uint64_t prev_request;
	bool prev_request_valid;
	bool ext_waiting;
	uint64_t last_propagated;
	struct model_event events[MODEL_EVENTS];
	uint32_t event_count, event_numbers;
	uint32_t awaited_event; /* the one it went to WAIT for */

	struct wire_message asked; /* op 0 when no ACK is awaited */
	uint32_t seq;
	struct model_todo todo[MODEL_TODO];
	uint32_t todo_first, todo_count;
	bool settled; /* the request is up to date, now run on or WAIT */

	bool irq_raised;   /* by somebody's kick, not taken yet */
	bool irq_handling; /* GET or REQUEST is on its way */
	bool irq_pending;  /* its event is in the list */

	struct model_box inbox, outbox;
	const char *panic; /* what a kernel would say */
};

/* What a step wants of the world. */
struct model_effects {
	bool served;	 /* an event of its own was delivered, at its time */
	bool kicks;	 /* interrupt @target and answer with model_kick_done() */
	uint64_t target; /* the world maps it to a client */
	bool irq_done;	 /* its interrupt is through: answer who kicked it */
};

void model_init(struct model *model, uint64_t id, uint64_t seed, unsigned int vigor);
void model_start(struct model *model);

/* It does not wait for anything: it computes, or has an interrupt to take. */
bool model_can_step(const struct model *model);
void model_step(struct model *model, struct model_effects *effects);

/* It looks at its socket. */
bool model_reads(const struct model *model);
void model_receive(struct model *model, const struct wire_message *message,
		   struct model_effects *effects);

void model_kick_done(struct model *model);

/* Has the token, as far as it knows. */
bool model_has_token(const struct model *model);

/* Time of its first event, WIRE_TIME_NEVER when there is none. */
uint64_t model_first(const struct model *model);

bool model_box_take(struct model_box *box, struct wire_message *message);
bool model_box_put(struct model_box *box, struct wire_message message);

#endif
