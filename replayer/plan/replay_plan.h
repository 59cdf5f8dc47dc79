/* SPDX-License-Identifier: BSD-3-Clause */
/* Where each guest is replayed, and in which order. */
#ifndef TTREC_REPLAY_PLAN_H
#define TTREC_REPLAY_PLAN_H

#include <sched.h>

#include "replayer/plan/replay_lab.h"

/* Guests that are replayed on the same CPU. */
struct replay_lane {
	unsigned int cpu;
	struct replay_guest **guest;
	size_t count;
};

struct replay_plan {
	struct replay_lane *lane; /* side by side */
	size_t count;
};

/*
 * Each guest goes to the CPU that it was recorded on, since only there its memory can be compared;
 * if that is not among @allowed, to the least loaded one. Sets guest->cpu.
 */
int replay_plan_make(struct replay_lab *lab, const cpu_set_t *allowed, struct replay_plan *plan);
void replay_plan_free(struct replay_plan *plan);

/* "replaying 3 guests: n1, n2 on CPU 0; n3 on CPU 1" */
void replay_plan_print(const struct replay_plan *plan);

#endif
