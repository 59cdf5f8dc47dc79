// SPDX-License-Identifier: BSD-3-Clause
/* Interrupts of device programs: held until the guest is blocked, and answered when it has them. */
#include <errno.h>
#include <string.h>

#include "kernel/host/process.h"
#include "recorder/session_program.h"

static void answer_call(struct session_device *device, uint64_t value)
{
	struct program_link *link = device->link;

	link->call_held = false;
	if (link->backend.fd >= 0 && link->call.flags & VHOST_FLAG_NEED_REPLY)
		vhost_answer_call(link->backend.fd, link->call.request, value);
	program_link_watch(device, true);
}

/* Returns true when the guest's reply is to be awaited. */
static bool deliver_call(struct session_device *device)
{
	struct program_link *link = device->link;
	uint32_t state[2] = { 0 }; /* queue, and nothing */

	program_link_harvest(device);
	if (device->ended || !link->call_held)
		return false;
	if (link->call.request == VHOST_BACKEND_VRING_CALL)
		memcpy(state, link->call.body, sizeof(state));
	if (session_device_call(device, link->call.request, state[0])) {
		link->program->calling = device;
		return true;
	}
	answer_call(device, 1);
	return false;
}

static bool is_call(const struct vhost_message *call)
{
	uint32_t state[2];

	if (call->request == VHOST_BACKEND_CONFIG_CHANGE)
		return !call->size;
	memcpy(state, call->body, sizeof(state));
	return call->request == VHOST_BACKEND_VRING_CALL && call->size == sizeof(state) &&
	       state[0] < VHOST_QUEUES_MAX;
}

/* Read the next call of the program to this guest, and deliver it if the guest is blocked. */
static void take_call(struct session_device *device)
{
	struct program_link *link = device->link;
	int got;

	if (device->ended || link->backend.fd < 0)
		return;
	if (!link->call_held) {
		got = vhost_receive(&link->backend, &link->call);
		if (got == -EAGAIN)
			return;
		if (got == -EBADMSG) {
			program_link_cut(device, link->backend.problem);
			return;
		}
		if (got <= 0) {
			program_link_watch(device, false);
			return;
		}
		vhost_message_close(&link->call);
		device->session->last_message_wall = process_wall_ns();
		link->call_held = true;
		if (!is_call(&link->call)) {
			answer_call(device, 1); /* it asks for what no guest of ours has */
			return;
		}
	}
	/* No more of them until this one is through. */
	program_link_watch(device, false);
	if (link->program->calling)
		return;
	if (program_link_is_blocked(device) && !device->guest->island->in_turn)
		deliver_call(device);
	else
		program_link_hold(device);
}

bool session_program_drain(struct session_program *program)
{
	struct session *session = program->session;

	for (size_t i = 0; i < session->device_count && !program->calling; i++)
		if (program_link_is_of(session->device[i], program))
			take_call(session->device[i]);
	return program->calling;
}

void session_program_call(struct session *session, size_t index)
{
	struct session_device *device = session->device[index];

	session_upstream_readable(session, device->guest->client);
	session_program_drain(device->link->program);
}

/* Whatever it said after its call is due. */
static void go_on(struct session_program *program)
{
	struct session *session = program->session;

	if (session_program_drain(program))
		return;
	for (size_t i = 0; i < session->device_count; i++)
		if (program_link_is_of(session->device[i], program) &&
		    session->device[i]->link->reply_held)
			program_link_deliver(session->device[i]);
	if (program->client)
		session_client_readable(session, program->client);
}

void session_program_called(struct session_device *device, uint64_t value)
{
	struct program_link *link = device->link;
	struct client *client = device->guest->client;

	link->program->calling = NULL;
	answer_call(device, value);
	if (link->failing) {
		session_device_end(device, link->problem);
		return;
	}
	if (client && device->guest->island->upstream)
		session_upstream_go_on(device->session, client);
	go_on(link->program);
}

bool session_program_turn(struct session_device *device)
{
	struct program_link *link = device->link;

	if (link->failing)
		session_device_end(device, link->problem);
	if (device->ended || !link->call_held || link->program->calling)
		return false;
	return deliver_call(device);
}

void session_programs_release(struct island *island)
{
	if (!island->call_held)
		return;
	island->call_held = false;
	for (size_t i = 0; i < island->device_count; i++) {
		struct session_device *device = island->device[i];

		if (!device->link || device->ended || !program_link_is_blocked(device))
			continue;
		if (device->link->failing)
			session_device_end(device, device->link->problem);
		else if (device->link->call_held && !device->link->program->calling)
			deliver_call(device);
	}
	for (size_t i = 0; i < island->device_count; i++)
		if (island->device[i]->link && !island->device[i]->ended &&
		    (island->device[i]->link->failing || island->device[i]->link->call_held))
			island->call_held = true;
}
