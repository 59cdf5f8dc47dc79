// SPDX-License-Identifier: BSD-3-Clause
/* The switch: decides the outcome of a frame when it is sent. */
#include <assert.h>

#include "format/tttrace.h"
#include "recorder/network/network_internal.h"

/* A frame at the switch, and whether it has a receiver. */
struct passage {
	struct network_port *from;
	struct network_frame *frame;
	struct network_random random; /* of this frame alone */
	uint64_t sent;
	uint64_t time; /* at the switch */
	unsigned int receivers;
	unsigned int missing; /* which do not get it, reported to the sender */
	enum trace_loss loss; /* when there are none of both */
};

/* Frames for @port that it had not taken at @time. */
static size_t port_backlog(struct network_port *port, uint64_t time)
{
	while (port->taken_count && port->taken[port->taken_begin] < time) {
		port->taken_begin = (port->taken_begin + 1) % NETWORK_BACKLOG_MAX;
		port->taken_count--;
	}
	return port->waiting.count + port->overtaking.count + port->taken_count;
}

static int port_enter(struct network_port *port, struct passage *passage,
		      const struct network_link_outcome *outcome)
{
	struct network_entry entry = {
		.time = passage->time,
		.sequence = passage->from->sequence,
		.jitter = device_time_add(outcome->jitter, outcome->delay),
		.from = passage->from->number,
		.frame = passage->frame,
	};
	int err;

	if (outcome->overtakes) {
		entry.time = device_time_add(
			network_line_overtake(&port->link, passage->time, passage->frame->size),
			outcome->delay);
		err = network_queue_add(&port->overtaking, &entry);
	} else {
		err = network_queue_add(&port->waiting, &entry);
	}
	if (err)
		return err;
	__atomic_add_fetch(&passage->frame->references, 1, __ATOMIC_RELAXED);
	passage->receivers++;
	return 0;
}

static void schedule_if_first(struct network_port *port, const struct network_frame *frame)
{
	uint64_t time;

	/* For those before it the device is scheduled, or it has no buffer. */
	if (port->device && network_port_next(port, &time) == frame)
		device_schedule(port->device, time);
}

/* A port without a device misses nothing. */
static void lose(struct passage *passage, const struct network_port *port, enum trace_loss loss)
{
	struct device *device = passage->from->device;

	if (passage->loss == TRACE_LOSS_NOBODY || loss != TRACE_LOSS_RANDOM)
		passage->loss = loss;
	if (!device || !port->device)
		return;
	device->host->lost(device, passage->frame, loss, port->device);
	passage->missing++;
}

static int pass_to(struct passage *passage, struct network_port *port)
{
	struct network_fault_outcome fault =
		network_faults_draw(port->network, passage->from->number, port->number,
				    passage->sent, &passage->random);
	/* A random stream for each receiver: their number does not affect outcomes. */
	struct network_random random = network_random_derive(passage->random.state, port->number);
	struct network_link_outcome outcome = network_link_draw(&port->link, &random);
	int err;

	if (fault.cut) {
		lose(passage, port, TRACE_LOSS_PARTITION);
		return 0;
	}
	if (outcome.lost || fault.lost) {
		lose(passage, port, TRACE_LOSS_RANDOM);
		return 0;
	}
	outcome.delay = fault.delay;
	if (port_backlog(port, passage->sent) >= NETWORK_BACKLOG_MAX) {
		lose(passage, port, TRACE_LOSS_NO_BUFFER);
		return 0;
	}
	err = port_enter(port, passage, &outcome);
	if (!err)
		schedule_if_first(port, passage->frame);
	return err;
}

static bool is_group_address(const uint8_t *address)
{
	return address[0] & 1;
}

static int flood(struct passage *passage)
{
	struct network *network = passage->from->network;

	for (unsigned int i = 0; i < network->port_count; i++) {
		int err =
			network->port[i] == passage->from ? 0 : pass_to(passage, network->port[i]);

		if (err)
			return err;
	}
	return 0;
}

static int forward(struct passage *passage)
{
	struct network *network = passage->from->network;
	const uint8_t *to = passage->frame->data, *from = to + NETWORK_ADDRESS_SIZE;
	unsigned int port;

	if (!is_group_address(from))
		network_table_learn(&network->table, from, passage->from->number);
	if (is_group_address(to) || !network_table_find(&network->table, to, &port))
		return flood(passage);
	return port == passage->from->number ? 0 : pass_to(passage, network->port[port]);
}

/* Over the cable of the sender. Returns whether the frame comes to the switch. */
static bool pass_to_switch(struct passage *passage)
{
	struct network_port *from = passage->from;
	struct network_link_outcome outcome = network_link_draw(&from->link, &passage->random);
	size_t size = passage->frame->size;

	if (size < NETWORK_HEADER_SIZE)
		return false;
	if (outcome.lost) {
		passage->loss = TRACE_LOSS_RANDOM;
		return false;
	}
	if (outcome.overtakes)
		passage->time = network_line_overtake(&from->link, passage->sent, size);
	else
		passage->time = network_line_pass(&from->to_switch, &from->link, passage->sent,
						  size, outcome.jitter);
	return true;
}

int network_switch(struct network_port *from, uint64_t time, struct network_frame *frame)
{
	struct passage passage = {
		.from = from,
		.frame = frame,
		.random = { network_random_next(&from->random) },
		.sent = time,
		.loss = TRACE_LOSS_NOBODY,
	};
	struct device *device = from->device;
	int err = 0;

	assert(time >= from->network->now);
	from->network->now = time;
	from->sequence++;
	frame->from = device;
	frame->sent = time;
	if (pass_to_switch(&passage))
		err = forward(&passage);
	if (!err && !passage.receivers && !passage.missing && device)
		device->host->lost(device, frame, passage.loss, NULL);
	network_frame_release(frame);
	return err;
}
