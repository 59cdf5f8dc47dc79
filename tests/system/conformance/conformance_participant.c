// SPDX-License-Identifier: BSD-3-Clause
/*
 * Does the steps with a participant. What the participant leaves to its user is the one clock event
 * device shared by a guest's timers, here the tick and one sleeping process
 * (kernel/time/hrtimer.c).
 */
#include "tests/system/conformance/conformance_participant.h"

#include <errno.h>
#include <stdio.h>

#define NOT_SET UINT64_MAX

struct process {
	enum participant_kernel kernel;
	struct participant *participant;
	struct participant_timer device;
	uint64_t tick, wake; /* ns of the clock; NOT_SET */
	uint64_t begin;
};

/* What the clock shows, for nothing. */
static uint64_t shown(const struct process *process)
{
	uint64_t now = participant_now(process->participant);

	return now - now % PARTICIPANT_CLOCK_COST;
}

static int program(struct process *process)
{
	uint64_t earliest = process->tick < process->wake ? process->tick : process->wake;
	uint64_t clock = shown(process);

	return participant_timer_once(process->participant, &process->device,
				      earliest > clock ? earliest - clock : 0);
}

/* A timer can be early for a clock that is coarser: then it is set again. */
static void expired(struct participant *participant, struct participant_timer *device)
{
	struct process *process = device->context;

	(void)participant;
	if (shown(process) >= process->wake)
		process->wake = NOT_SET;
	if (shown(process) >= process->tick)
		process->tick += CONFORMANCE_TICK;
	program(process);
}

static int sleep_until(struct process *process, uint64_t clock)
{
	int err = 0;

	if (process->kernel == PARTICIPANT_KERNEL_7_2 && shown(process) >= clock)
		return 0;
	process->wake = clock;
	if (process->wake < process->tick)
		err = program(process);
	while (!err && process->wake != NOT_SET)
		err = participant_idle(process->participant);
	return err;
}

static int read_clock(struct process *process, uint64_t count)
{
	uint64_t clock;
	int err = 0;

	while (!err && count--)
		err = participant_read_clock(process->participant, &clock);
	return err;
}

static int fail(struct process *process, uint64_t count)
{
	int err = 0;

	if (process->kernel == PARTICIPANT_KERNEL_5_10)
		return 0;
	while (!err && count--)
		err = participant_delay(process->participant, CONFORMANCE_FAILURE);
	return err;
}

static int separate(struct process *process)
{
	return sleep_until(process, shown(process) + CONFORMANCE_SEPARATOR);
}

static int mark(struct process *process, enum conformance_mark mark)
{
	int err = read_clock(process, mark);

	return err ? err : separate(process);
}

static int tell(struct process *process, uint64_t value)
{
	int err = participant_broadcast(process->participant, value);

	return err == -EOPNOTSUPP ? 0 : err;
}

static int do_step(struct process *process, const struct conformance_step *step)
{
	switch (step->action) {
	case STEP_END:
		break;
	case STEP_READ:
		return read_clock(process, step->value);
	case STEP_MARK:
		return participant_read_clock(process->participant, &process->begin);
	case STEP_UNTIL:
		return sleep_until(process, process->begin + step->value);
	case STEP_FOR:
		return sleep_until(process, shown(process) + step->value);
	case STEP_FAIL:
		return fail(process, step->value);
	case STEP_BROADCAST:
		return tell(process, step->value);
	}
	return 0;
}

static int do_part(struct process *process, const struct conformance_part *part)
{
	int err = mark(process, part->name);

	for (const struct conformance_step *step = part->steps; !err && step->action != STEP_END;
	     step++) {
		err = do_step(process, step);
		if (!err)
			err = separate(process);
		if (!err && part->name == MARK_SPACING)
			err = mark(process, MARK_STEP);
	}
	return err ? err : mark(process, MARK_END);
}

/* Bring it to where the guest was. */
static int set_up(struct process *process, const struct conformance_state *state)
{
	int err = participant_delay(process->participant, state->programmed);

	process->tick = state->request - 1 - state->programmed % PARTICIPANT_CLOCK_COST;
	if (!err)
		err = program(process);
	if (!err && state->begin > state->programmed)
		err = participant_delay(process->participant, state->begin - state->programmed);
	return err;
}

int conformance_participant(const char *address, enum participant_kernel kernel,
			    const struct conformance_part *part,
			    const struct conformance_state *state)
{
	const struct participant_options options = { .size = sizeof(options), .kernel = kernel };
	struct process process = { .kernel = kernel, .tick = NOT_SET, .wake = NOT_SET };
	int err = participant_create(&options, &process.participant);

	if (err)
		return err;
	participant_timer_init(&process.device, expired, &process);
	err = participant_connect(process.participant, address);
	if (!err)
		err = participant_start(process.participant);
	if (!err)
		err = set_up(&process, state);
	if (part->name == MARK_SPACING) {
		/* Of the chores of a kernel this process has none, not even a tick. */
		participant_timer_stop(process.participant, &process.device);
		process.tick = NOT_SET;
	}
	if (!err)
		err = do_part(&process, part);
	if (err)
		fprintf(stderr, "participant: %s\n", participant_error(process.participant));
	participant_destroy(process.participant);
	return err;
}
