// SPDX-License-Identifier: BSD-3-Clause
/* Puts a lab that is set up into a session. */
#include "recorder/run/run_lab.h"

#include <errno.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "recorder/run/run_programs.h"

static int join_partitions(const struct run_options *options, struct run_lab *lab,
			   struct session *session)
{
	size_t upstream;
	int err = 0;

	if (options->upstream)
		return session_add_upstream(session, options->upstream, &upstream);
	for (size_t i = 0; !err && i < lab->partition_count; i++) {
		uint32_t expected = run_programs_expected(lab, i);
		size_t number;

		for (size_t j = 0; j < lab->guest_count; j++)
			expected += lab->guest[j].partition == i;
		err = session_add_partition(session, expected, &number);
	}
	return err;
}

static int join_device(struct run_lab *lab, size_t index, size_t number, struct session *session)
{
	struct run_guest *guest = &lab->guest[index];
	const struct lab_device *device = &guest->lab->device[number];

	if (device->kind != LAB_PROGRAM)
		return session_add_device(session, index, (unsigned int)number,
					  take_pointer(guest->device[number]));
	return session_add_program_device(session, index, (unsigned int)number,
					  lab->program[device->program].number);
}

static int create_ci_consoles(const struct run_options *options, struct run_lab *lab)
{
	for (size_t i = 0; ci_wanted(&options->ci) && i < lab->guest_count; i++) {
		lab->guest[i].ci_console = ci_console_create();
		if (!lab->guest[i].ci_console)
			return -ENOMEM;
	}
	return 0;
}

static int join_guest(struct run_lab *lab, size_t index, struct session *session)
{
	struct run_guest *guest = &lab->guest[index];
	struct session_guest_options options = { .partition = guest->partition,
						 .seed = guest->seed,
						 .watch = guest->watch,
						 .ci_console = guest->ci_console };
	int err = session_add_guest(session, &guest->guest, &options);

	for (size_t i = 0; !err && i < guest->spec.device_count; i++)
		err = join_device(lab, index, i, session);
	return err;
}

static int join_network(const struct run_lab *lab, const struct run_network *network,
			struct session *session)
{
	auto_free size_t *partitions = calloc(network->count + 1, sizeof(*partitions));

	if (!partitions)
		return -ENOMEM;
	for (size_t i = 0; i < network->count; i++)
		partitions[i] = lab->guest[network->guest[i]].partition;
	return session_add_network(session, network->network, network->port, network->device,
				   partitions, network->count);
}

int run_lab_join(const struct run_options *options, struct run_lab *lab, struct session *session)
{
	int err = create_ci_consoles(options, lab);

	if (!err)
		err = join_partitions(options, lab, session);
	if (!err)
		err = run_programs_join(options, lab, session);
	/* Devices are given away below: neighbours are set first. */
	for (size_t i = 0; !err && i < lab->lab->network_count; i++)
		err = join_network(lab, &lab->network[i], session);
	for (size_t i = 0; !err && i < lab->guest_count; i++)
		err = join_guest(lab, i, session);
	session_watch(session, lab->watch);
	session_plan(session, lab->planned, lab->planned_count);
	return err;
}
