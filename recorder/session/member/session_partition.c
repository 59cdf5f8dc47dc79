// SPDX-License-Identifier: BSD-3-Clause
/* A partition: clients that run one at a time. */
#include "recorder/session/member/session_partition.h"

#include <errno.h>
#include <stdlib.h>

#include "format/base/array.h"
#include "recorder/session/member/session_client.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"

int partition_create(const struct calendar_options *options, const char *upstream,
		     struct partition **out)
{
	struct partition *partition = calloc(1, sizeof(*partition));
	int err = 0;

	if (!partition)
		return -ENOMEM;
	partition->upstream = upstream;
	if (!upstream)
		err = calendar_create(options, &partition->calendar);
	if (err)
		free(partition);
	else
		*out = partition;
	return err;
}

void partition_destroy(struct partition *partition)
{
	for (size_t i = 0; i < partition->outgoing_count; i++)
		network_frame_release(partition->outgoing[i].frame);
	calendar_destroy(partition->calendar);
	free(partition->client);
	free(partition->device);
	free(partition->outgoing);
	free(partition);
}

int partition_add_device(struct partition *partition, struct session_device *device)
{
	return array_push(partition->device, partition->device_count, device);
}

int partition_add_client(struct partition *partition, struct client *client, uint32_t handle)
{
	if (array_reach(partition->client, partition->client_count, handle))
		return -ENOMEM;
	partition->client[handle] = client;
	return 0;
}

void partition_record(const struct partition *partition, const struct trace_record *record)
{
	if (!partition->over)
		journal_append(partition->journal, partition->number, record);
}

uint64_t partition_now(const struct partition *partition)
{
	return partition->upstream ? partition->now : calendar_now(partition->calendar);
}

bool partition_is_done(const struct partition *partition)
{
	if (!partition->guests_left || partition->state == PARTITION_FAULTED)
		return true;
	return !partition->absent && partition->calendar &&
	       calendar_window_done(partition->calendar);
}

struct client *partition_running(const struct partition *partition)
{
	uint32_t handle;

	if (!partition->calendar || !calendar_running(partition->calendar, &handle))
		return NULL;
	return partition->client[handle];
}

bool partition_is_waiting(const struct partition *partition, const struct client *client)
{
	if (partition->upstream)
		return client->state == CLIENT_WAITING;
	return calendar_client_state(partition->calendar, client->handle) == CALENDAR_WAITING;
}

const struct client *partition_owing(const struct partition *partition)
{
	uint32_t handle;

	if (partition->state == PARTITION_DEVICES && partition->called)
		return partition->called->guest->client;
	if (partition->calendar && calendar_owes(partition->calendar, &handle))
		return partition->client[handle];
	return NULL;
}
