// SPDX-License-Identifier: BSD-3-Clause
/* A simulated Ethernet: its ports, and what arrives at them. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "recorder/network/network_internal.h"

int network_create(uint64_t seed, struct network **out)
{
	struct network *network = calloc(1, sizeof(*network));

	if (!network)
		return -ENOMEM;
	network->seed = seed;
	*out = network;
	return 0;
}

void network_destroy(struct network *network)
{
	if (!network)
		return;
	for (unsigned int i = 0; i < network->port_count; i++) {
		network_queue_clear(&network->port[i]->waiting);
		network_queue_clear(&network->port[i]->overtaking);
		free(network->port[i]);
	}
	free(network->port);
	network_faults_release(network);
	free(network);
}

static bool is_share(double share)
{
	return share >= 0 && share <= 1;
}

int network_add_port(struct network *network, const struct network_link *link,
		     struct network_port **out)
{
	auto_free struct network_port *port = calloc(1, sizeof(*port));

	if (!is_share(link->loss) || !is_share(link->reorder))
		return -EINVAL;
	if (!port || array_push(network->port, network->port_count, port))
		return -ENOMEM;
	port->network = network;
	port->number = network->port_count - 1;
	port->link = *link;
	port->random = network_random_derive(network->seed, port->number);
	*out = take_pointer(port);
	return 0;
}

uint64_t network_lookahead(const struct network *network)
{
	uint64_t least = WIRE_TIME_NEVER, second = WIRE_TIME_NEVER;

	for (unsigned int i = 0; i < network->port_count; i++) {
		uint64_t delay = network->port[i]->link.delay;

		if (delay < least) {
			second = least;
			least = delay;
		} else if (delay < second) {
			second = delay;
		}
	}
	return device_time_add(least, second);
}

void network_port_connect(struct network_port *port, struct device *device,
			  struct network_outbox *outbox)
{
	port->device = device;
	port->outbox = outbox;
}

unsigned int network_port_number(const struct network_port *port)
{
	return port->number;
}

/* The first frame to arrive of those that keep order. Requires one. */
static struct network_entry first_waiting(const struct network_port *port)
{
	struct network_entry entry = port->waiting.entry[0];

	entry.time = network_line_arrival(&port->to_guest, &port->link, entry.time,
					  entry.frame->size, entry.jitter);
	return entry;
}

/* Whether an overtaking frame arrives before all that keep order. Requires one. */
static bool overtaking_is_next(const struct network_port *port)
{
	struct network_entry waiting;

	if (!port->overtaking.count || !port->waiting.count)
		return port->overtaking.count;
	waiting = first_waiting(port);
	return network_entry_before(&port->overtaking.entry[0], &waiting);
}

const struct network_frame *network_port_next(const struct network_port *port, uint64_t *time)
{
	struct network_entry next;

	if (!port->waiting.count && !port->overtaking.count)
		return NULL;
	next = overtaking_is_next(port) ? port->overtaking.entry[0] : first_waiting(port);
	*time = next.time;
	return next.frame;
}

static void note_taken(struct network_port *port, uint64_t arrival)
{
	uint64_t time = port->device ? port->device->host->now(port->device) : arrival;
	size_t end = (port->taken_begin + port->taken_count) % NETWORK_BACKLOG_MAX;

	port->taken[end] = time;
	if (port->taken_count < NETWORK_BACKLOG_MAX)
		port->taken_count++;
	else
		port->taken_begin = (port->taken_begin + 1) % NETWORK_BACKLOG_MAX;
}

void network_port_pop(struct network_port *port)
{
	struct network_entry entry;

	assert(port->waiting.count || port->overtaking.count);
	if (overtaking_is_next(port)) {
		entry = network_queue_take(&port->overtaking);
	} else {
		entry = network_queue_take(&port->waiting);
		entry.time = network_line_pass(&port->to_guest, &port->link, entry.time,
					       entry.frame->size, entry.jitter);
	}
	note_taken(port, entry.time);
	network_frame_release(entry.frame);
}

int network_port_send(struct network_port *port, uint64_t time, struct network_frame *frame)
{
	if (!port->outbox)
		return network_switch(port, time, frame);
	port->outbox->put(port->outbox, port, time, frame);
	return 0;
}

struct network_frame *network_frame_create(size_t size)
{
	struct network_frame *frame = malloc(sizeof(*frame) + size);

	if (!frame)
		return NULL;
	*frame = (struct network_frame){ .references = 1, .size = size };
	return frame;
}

void network_frame_release(struct network_frame *frame)
{
	/* A broadcast frame is released by each of its receivers, which may run side by side. */
	if (!__atomic_sub_fetch(&frame->references, 1, __ATOMIC_ACQ_REL))
		free(frame);
}
