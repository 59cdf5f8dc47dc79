// SPDX-License-Identifier: BSD-3-Clause
/* The faults of a lab that is being set up: what its networks do, and what the trace has of it. */
#include "recorder/run/run_lab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "recorder/network/network_fault.h"

/* On one network, of which port @i is that of guest network->guest[i]. */
static int add_fault(const struct lab_fault *lab, const struct run_network *network)
{
	auto_free uint8_t *group = malloc(network->count + 1);
	struct network_fault fault = {
		.begin = lab->begin,
		.end = lab->end,
		.kind = lab->is_partition ? NETWORK_PARTITION : NETWORK_IMPAIR,
		.one_way = lab->one_way,
		.group = group,
		.loss = lab->loss,
		.delay = lab->delay,
		.jitter = lab->jitter,
	};

	if (!group)
		return -ENOMEM;
	for (size_t i = 0; i < network->count; i++)
		group[i] = lab->group[network->guest[i]];
	return network_add_fault(network->network, &fault);
}

static void plan(struct run_lab *lab, size_t index, bool ends)
{
	const struct lab_fault *fault = &lab->lab->fault[index];
	struct trace_record record = { .kind = TRACE_fault,
				       .now = ends ? fault->end : fault->begin,
				       .fault = { .fault = index, .ends = ends },
				       .payload = fault->text,
				       .payload_size = strlen(fault->text) };

	lab->planned[lab->planned_count++] = record;
}

/* At equal times, ends come before beginnings. */
static int compare_planned(const void *left, const void *right)
{
	const struct trace_record *a = left, *b = right;

	if (a->now != b->now)
		return a->now < b->now ? -1 : 1;
	if (a->fault.ends != b->fault.ends)
		return a->fault.ends ? -1 : 1;
	return a->fault.fault < b->fault.fault ? -1 : a->fault.fault > b->fault.fault;
}

int run_faults_create(struct run_lab *lab)
{
	const struct lab *file = lab->lab;
	int err = 0;

	lab->planned = calloc(file->fault_count * 2 + 1, sizeof(*lab->planned));
	if (!lab->planned)
		return -ENOMEM;
	for (size_t i = 0; !err && i < file->fault_count; i++) {
		for (size_t j = 0; !err && j < file->network_count; j++)
			if (file->fault[i].network == LAB_UNSET || file->fault[i].network == j)
				err = add_fault(&file->fault[i], &lab->network[j]);
		plan(lab, i, false);
		plan(lab, i, true);
	}
	qsort(lab->planned, lab->planned_count, sizeof(*lab->planned), compare_planned);
	return err;
}
