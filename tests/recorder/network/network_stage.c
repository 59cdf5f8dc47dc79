// SPDX-License-Identifier: BSD-3-Clause
/* A network with receivers that take what is due and write it down. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recorder/network/network_stage.h"

static uint64_t frame_number(const void *frame)
{
	uint64_t number;

	memcpy(&number, (const uint8_t *)frame + 14, sizeof(number));
	return number;
}

static uint64_t stage_now(const struct device *device)
{
	return ((const struct stage_port *)device)->stage->now;
}

static void stage_scheduled(struct device *device)
{
	(void)device;
}

/* For one more than @count, which came one by one. */
static void *make_room(void *list, size_t count, size_t size)
{
	if (!(count & (count - 1)))
		list = reallocarray(list, 2 * count + 1, size);
	assert_non_null(list);
	return list;
}

static void stage_lost(struct device *device, const struct network_frame *frame,
		       unsigned int reason, const struct device *receiver)
{
	struct stage_port *port = (struct stage_port *)device;
	uint64_t number = frame->size < STAGE_FRAME_MIN ? UINT64_MAX : frame_number(frame->data);

	port->loss = make_room(port->loss, port->loss_count, sizeof(*port->loss));
	port->loss[port->loss_count++] = (struct stage_loss){ number, reason, receiver };
}

static const struct device_host stage_host = {
	.now = stage_now,
	.scheduled = stage_scheduled,
	.lost = stage_lost,
};

void stage_open(struct network_stage *stage, uint64_t seed, const struct network_link *link,
		unsigned int ports)
{
	memset(stage, 0, sizeof(*stage));
	assert_int_equal(network_create(seed, &stage->network), 0);
	stage->ports = ports;
	for (unsigned int i = 0; i < ports; i++) {
		struct stage_port *port = &stage->port[i];

		port->stage = stage;
		port->device.host = &stage_host;
		port->device.due = WIRE_TIME_NEVER;
		assert_int_equal(network_add_port(stage->network, &link[i], &port->port), 0);
		assert_int_equal(network_port_number(port->port), i);
		network_port_connect(port->port, &port->device, NULL);
	}
}

void stage_close(struct network_stage *stage)
{
	for (unsigned int i = 0; i < stage->ports; i++) {
		free(stage->port[i].arrival);
		free(stage->port[i].loss);
	}
	network_destroy(stage->network);
}

void stage_address(unsigned int port, uint8_t address[6])
{
	const uint8_t made[6] = { 2, 0, 0, 0, 0, (uint8_t)port };

	memcpy(address, made, sizeof(made));
}

static struct network_frame *make_frame(struct network_stage *stage,
					const struct stage_sending *sending)
{
	struct network_frame *frame = network_frame_create(sending->size);
	uint64_t number = stage->sent++;

	assert_non_null(frame);
	memset(frame->data, 0, sending->size);
	if (sending->to == STAGE_EVERYBODY)
		memset(frame->data, 0xff, 6);
	else
		stage_address(sending->to, frame->data);
	stage_address(sending->from, frame->data + 6);
	memcpy(frame->data + 14, &number, sizeof(number));
	return frame;
}

static void hand_in(struct network_stage *stage, const struct stage_sending *sending)
{
	assert_int_equal(network_port_send(stage->port[sending->from].port, sending->time,
					   make_frame(stage, sending)),
			 0);
}

void stage_send(struct network_stage *stage, const struct stage_sending *sending)
{
	stage_pass(stage, sending->time);
	hand_in(stage, sending);
}

static void take_first(struct network_stage *stage, struct stage_port *port)
{
	const struct network_frame *frame;
	uint64_t time;

	frame = network_port_next(port->port, &time);
	port->arrival = make_room(port->arrival, port->arrival_count, sizeof(*port->arrival));
	port->arrival[port->arrival_count++] =
		(struct stage_arrival){ stage->now, frame_number(frame->data) };
	network_port_pop(port->port);
}

/* The port whose frame is to be taken first, and when; NULL: there is none before @time. */
static struct stage_port *find_due(struct network_stage *stage, uint64_t *time)
{
	struct stage_port *found = NULL;

	for (unsigned int i = 0; i < stage->ports; i++) {
		struct stage_port *port = &stage->port[i];
		uint64_t due;

		if (!network_port_next(port->port, &due))
			continue;
		due = due > port->asleep_until ? due : port->asleep_until;
		if (due < *time) {
			*time = due;
			found = port;
		}
	}
	return found;
}

void stage_pass(struct network_stage *stage, uint64_t time)
{
	struct stage_port *port;
	uint64_t due = time;

	while ((port = find_due(stage, &due))) {
		if (due > stage->now)
			stage->now = due;
		take_first(stage, port);
		due = time;
	}
	stage->now = time;
}

void stage_run(struct network_stage *stage, const struct stage_sending *sending, size_t count)
{
	for (size_t i = 0; i < count; i++)
		stage_send(stage, &sending[i]);
	stage_pass(stage, WIRE_TIME_NEVER);
}

void stage_run_windows(struct network_stage *stage, const struct stage_sending *sending,
		       size_t count)
{
	uint64_t length = network_lookahead(stage->network), end;

	for (size_t i = 0; i < count;) {
		end = sending[i].time + length;
		stage_pass(stage, end);
		while (i < count && sending[i].time < end)
			hand_in(stage, &sending[i++]);
	}
	stage_pass(stage, WIRE_TIME_NEVER);
}

void stage_assert_same(const struct network_stage *a, const struct network_stage *b)
{
	for (unsigned int i = 0; i < a->ports; i++) {
		const struct stage_port *x = &a->port[i], *y = &b->port[i];

		assert_int_equal(x->arrival_count, y->arrival_count);
		assert_int_equal(x->loss_count, y->loss_count);
		if (x->arrival_count)
			assert_memory_equal(x->arrival, y->arrival,
					    x->arrival_count * sizeof(*x->arrival));
		for (size_t j = 0; j < x->loss_count; j++) {
			assert_int_equal(x->loss[j].number, y->loss[j].number);
			assert_int_equal(x->loss[j].reason, y->loss[j].reason);
		}
	}
}
