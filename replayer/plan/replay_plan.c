// SPDX-License-Identifier: BSD-3-Clause
/* Where each guest is replayed, and in which order. */
#include "replayer/plan/replay_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/base/array.h"

static bool is_allowed(const cpu_set_t *allowed, unsigned int cpu)
{
	return cpu < CPU_SETSIZE && CPU_ISSET(cpu, allowed);
}

static size_t guests_on(const struct replay_plan *plan, unsigned int cpu)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->lane[i].cpu == cpu)
			return plan->lane[i].count;
	return 0;
}

static unsigned int least_busy(const struct replay_plan *plan, const cpu_set_t *allowed)
{
	unsigned int best = CPU_SETSIZE;

	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (is_allowed(allowed, cpu) &&
		    (best == CPU_SETSIZE || guests_on(plan, cpu) < guests_on(plan, best)))
			best = cpu;
	return best;
}

static struct replay_lane *find_lane(struct replay_plan *plan, unsigned int cpu)
{
	struct replay_lane *added;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->lane[i].cpu == cpu)
			return &plan->lane[i];
	added = array_add(plan->lane, plan->count);
	if (added)
		added->cpu = cpu;
	return added;
}

static int place(struct replay_plan *plan, struct replay_guest *guest, unsigned int cpu)
{
	struct replay_lane *lane = find_lane(plan, cpu);

	guest->cpu = cpu;
	return lane ? array_push(lane->guest, lane->count, guest) : -ENOMEM;
}

int replay_plan_make(struct replay_lab *lab, const cpu_set_t *allowed, struct replay_plan *plan)
{
	int err = 0;

	*plan = (struct replay_plan){ 0 };
	/* First those without a choice. */
	for (size_t i = 0; !err && i < lab->count; i++)
		if (replay_guest_runs(&lab->guest[i]) &&
		    is_allowed(allowed, lab->guest[i].started->spec.cpu))
			err = place(plan, &lab->guest[i], lab->guest[i].started->spec.cpu);
	for (size_t i = 0; !err && i < lab->count; i++)
		if (replay_guest_runs(&lab->guest[i]) &&
		    !is_allowed(allowed, lab->guest[i].started->spec.cpu))
			err = place(plan, &lab->guest[i], least_busy(plan, allowed));
	if (err)
		replay_plan_free(plan);
	return err;
}

void replay_plan_free(struct replay_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->lane[i].guest);
	free(plan->lane);
	*plan = (struct replay_plan){ 0 };
}

void replay_plan_print(const struct replay_plan *plan)
{
	size_t guests = 0;

	for (size_t i = 0; i < plan->count; i++)
		guests += plan->lane[i].count;
	printf("replaying %zu guest%s: ", guests, guests == 1 ? "" : "s");
	for (size_t i = 0; i < plan->count; i++) {
		const struct replay_lane *lane = &plan->lane[i];

		printf("%s", i ? "; " : "");
		for (size_t k = 0; k < lane->count; k++)
			printf("%s%s", k ? ", " : "", lane->guest[k]->name);
		printf(" on CPU %u", lane->cpu);
	}
	printf("%s\n", plan->count ? "" : "none");
	fflush(stdout);
}
