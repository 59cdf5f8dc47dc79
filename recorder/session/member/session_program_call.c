// SPDX-License-Identifier: BSD-3-Clause
/*
 * Interrupts of device programs: held until the guest is blocked, and answered when it has replied.
 */
#include <string.h>

#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"
#include "recorder/session/member/session_program.h"

static void answer(struct session_device *device, uint64_t value)
{
	struct program_link *link = device->link;

	link->call_state = LINK_NO_CALL;
	if (!(link->call.flags & VHOST_FLAG_NEED_REPLY))
		return;
	effects_add(device->guest->partition->effects,
		    &(struct effect){ .kind = EFFECT_ANSWER_CALL,
				      .device = device,
				      .request = link->call.request,
				      .value = value });
}

/* Returns true if the guest has to reply first. */
static bool deliver(struct session_device *device)
{
	struct program_link *link = device->link;
	uint32_t vring[2] = { 0 }; /* queue, and nothing */

	program_link_harvest(device);
	if (device->state == DEVICE_ENDED || link->call_state != LINK_CALL_HELD)
		return false;
	if (link->call.request == VHOST_BACKEND_VRING_CALL)
		memcpy(vring, link->call.body, sizeof(vring));
	if (session_device_call(device, link->call.request, vring[0])) {
		link->call_state = LINK_CALL_SENT;
		link->program->calling = device;
		return true;
	}
	answer(device, 1);
	return false;
}

static bool is_call(const struct vhost_message *call)
{
	uint32_t vring[2];

	if (call->request == VHOST_BACKEND_CONFIG_CHANGE)
		return !call->size;
	memcpy(vring, call->body, sizeof(vring));
	return call->request == VHOST_BACKEND_VRING_CALL && call->size == sizeof(vring) &&
	       vring[0] < VHOST_QUEUES_MAX;
}

/*
 * A timed program may interrupt while it has the token, or while the guest with the token waits for
 * it.
 */
static bool is_prompted(const struct session_device *device)
{
	const struct partition *partition = device->guest->partition;

	return partition->upstream || device->link->program->client ||
	       session_program_has_token(partition, device->link->program);
}

void program_link_call(struct session_device *device)
{
	struct program_link *link = device->link;

	if (link->state != LINK_OPEN)
		return;
	link->program->unprompted += !is_prompted(device);
	link->call = link->incoming;
	link->call_state = LINK_CALL_HELD;
	if (!is_call(&link->call))
		answer(device, 1); /* it requests a feature that guests do not have */
	else if (program_link_is_blocked(device) &&
		 device->guest->partition->state != PARTITION_DEVICES)
		deliver(device);
	else
		program_link_hold(device);
}

void program_link_called(struct session_device *device, uint64_t value)
{
	struct program_link *link = device->link;

	link->program->calling = NULL;
	answer(device, value);
	if (link->state == LINK_FAILING)
		session_device_end(device, link->problem);
}

bool session_program_turn(struct session_device *device)
{
	struct program_link *link = device->link;

	if (link->state == LINK_FAILING)
		session_device_end(device, link->problem);
	if (device->state == DEVICE_ENDED || link->call_state != LINK_CALL_HELD ||
	    link->program->calling)
		return false;
	return deliver(device);
}

static bool is_held(const struct session_device *device)
{
	return device->link && device->state != DEVICE_ENDED &&
	       (device->link->state == LINK_FAILING || device->link->call_state == LINK_CALL_HELD);
}

void session_programs_release(struct partition *partition)
{
	if (!partition->calls_held)
		return;
	partition->calls_held = false;
	for (size_t i = 0; i < partition->device_count; i++)
		if (is_held(partition->device[i]) && program_link_is_blocked(partition->device[i]))
			session_program_turn(partition->device[i]);
	for (size_t i = 0; i < partition->device_count; i++)
		partition->calls_held |= is_held(partition->device[i]);
}
