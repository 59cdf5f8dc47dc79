/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest to be replayed: its description in the trace, where it will run, the result.
 *
 * replay_lab.c finds the guests of a trace, replay_plan.c decides where and in which order they
 * run, replay_workers.c has a process of its own run each (replay_child.c), verdict.c and
 * verdict_lab.c tell.
 */
#ifndef TTREC_REPLAY_GUEST_H
#define TTREC_REPLAY_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/guest/guest.h"
#include "replayer/cursor/cursor.h"

struct replay_lab;

/* Where gdb finds the kernel and its libraries. */
#define REPLAY_GDB_DIRECTORY "/tmp"

/* Filled by the process that replays the guest, in memory shared with the one that reports it. */
struct replay_outcome {
	bool finished;	      /* else that process was killed */
	struct diagnosis why; /* with a status: the guest was not replayed, or not to the end */
	struct cursor_report report;
	struct cpu_identity cpu; /* where it ran */
	unsigned int isolation;	 /* ISOLATION_* parts that held */
	char memory_reason[192]; /* why memory was not compared; empty when it was */
	char probe_reason[512];	 /* why there is no probe here; empty */
};

struct replay_guest {
	uint32_t index; /* in the trace */
	const char *name;
	bool wanted;
	bool probed;			/* the trace has its interrupts */
	char unreplayable[CURSOR_WHY];	/* why its records are not enough; empty when they are */
	struct guest_recorded *started; /* with what; of one that will run */
	unsigned int cpu;		/* where it is to run */
	const char *core;		/* file for its memory; NULL */
	bool debugged;			/* by gdb */
	const struct replay_lab *lab;	/* that it is of */
	struct replay_outcome *outcome;
};

/* Will a process be started for it? */
static inline bool replay_guest_runs(const struct replay_guest *guest)
{
	return guest->wanted && !*guest->unreplayable;
}

#endif
