// SPDX-License-Identifier: BSD-3-Clause
/* Faults of a network: what happens, for a time, to frames between ports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "recorder/network/network_fault.h"
#include "recorder/network/network_internal.h"

int network_add_fault(struct network *network, const struct network_fault *fault)
{
	struct network_fault copy = *fault;
	uint8_t *group;

	if (!(fault->loss >= 0 && fault->loss <= 1) || fault->begin >= fault->end)
		return -EINVAL;
	group = malloc(network->port_count + 1);
	if (!group)
		return -ENOMEM;
	if (network->port_count)
		memcpy(group, fault->group, network->port_count);
	copy.group = group;
	if (!array_push(network->fault, network->fault_count, copy))
		return 0;
	free(group);
	return -ENOMEM;
}

void network_faults_release(struct network *network)
{
	for (size_t i = 0; i < network->fault_count; i++)
		free((void *)network->fault[i].group);
	free(network->fault);
}

static bool concerns(const struct network_fault *fault, unsigned int from, unsigned int to)
{
	if (fault->one_way && fault->group[from] != 1)
		return false;
	if (fault->kind == NETWORK_PARTITION)
		return fault->group[from] && fault->group[to] &&
		       fault->group[from] != fault->group[to];
	return fault->group[from] || fault->group[to];
}

/* The same whatever other faults there are. */
static struct network_random fault_random(const struct network_fault *fault,
					  const struct network_random *frame)
{
	return network_random_derive(frame->state, fault->begin ^ fault->end << 1);
}

struct network_fault_outcome network_faults_draw(const struct network *network, unsigned int from,
						 unsigned int to, uint64_t sent,
						 const struct network_random *frame)
{
	struct network_fault_outcome outcome = { .cut = false };

	for (size_t i = 0; i < network->fault_count; i++) {
		const struct network_fault *fault = &network->fault[i];
		struct network_random random;

		if (sent < fault->begin || sent >= fault->end || !concerns(fault, from, to))
			continue;
		if (fault->kind == NETWORK_PARTITION) {
			outcome.cut = true;
			continue;
		}
		random = fault_random(fault, frame);
		outcome.lost |= network_random_happens(&random, fault->loss);
		outcome.delay = device_time_add(outcome.delay, fault->delay);
		outcome.delay = device_time_add(outcome.delay,
						network_random_up_to(&random, fault->jitter));
	}
	return outcome;
}
