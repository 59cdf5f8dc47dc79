// SPDX-License-Identifier: BSD-3-Clause
/*
 * Kicks of guests, and the device turn, in which devices complete buffers and interrupt guests.
 *
 * While the devices have the token, every guest sleeps in its WAIT. A call wakes a guest inside
 * that WAIT: it asks for the time, requests to run now, and replies; then the next guest is called.
 * A guest handles its interrupt when it runs.
 */
#include "recorder/session/session_device_turn.h"

#include <errno.h>
#include <stdio.h>

#include "recorder/session/member/session_device.h"
#include "recorder/session/session_members.h"

/* ---- Requests and kicks ---------------------------------------------------------------------- */

/* Truncated memory reads as zeros. Whatever the device did with them, it is closed. */
static const char *find_loss(const struct session_device *device)
{
	return vring_memory_is_lost(&device->vhost->memory)
		       ? "the guest truncated the memory of its vrings"
		       : NULL;
}

/* If this machine cannot serve a device, the recording ends; the guest has not failed. */
static bool host_failed(const struct session_device *device, int err)
{
	const struct guest_spec *spec = device->guest->guest->spec;
	char doing[160];

	if (err >= 0 || err == -EBADMSG)
		return false;
	snprintf(doing, sizeof(doing), "serve the device %s of %s",
		 spec->device[device->number].name, spec->name);
	outcome_host_failed(device->guest->partition->outcome, err, doing);
	return true;
}

static const char *handle_kick(struct turn *turn, struct session_device *device)
{
	struct trace_record record = session_device_record(device, TRACE_kick);
	struct partition *partition = device->guest->partition;
	const struct vhost_message *message = &device->request;
	unsigned int queue;
	int done;

	if (vhost_kicked_queue(device->vhost, message, &queue))
		return device->vhost->problem;
	if (queue >= device->device->class->queues)
		return "it kicked a queue that the device does not have";
	done = device->device->class->kick(device->device, queue);
	record.kick.queue = queue;
	record.kick.flags = message->flags;
	record.kick.done = done < 0 ? 0 : (uint64_t)done;
	session_device_append(device, &record);
	session_device_record_taken(device, queue);
	if (host_failed(device, done))
		return NULL;
	if (done < 0)
		return device->vhost->ring[queue].problem;
	if (vhost_expects_reply(message))
		partition->kicked = device;
	device_turn_update(turn, partition);
	turn_carry_out(turn, partition);
	return find_loss(device);
}

/* The guest passed a socket for calls; its replies arrive on it. */
static void open_called(struct session_device *device)
{
	if (device->vhost->call_fd < 0 ||
	    (device->called.state != SOURCE_CLOSED && device->called.fd == device->vhost->call_fd))
		return;
	effects_add(device->guest->partition->effects,
		    &(struct effect){ .kind = EFFECT_OPEN_CALLED, .device = device });
}

static void handle_request(struct turn *turn, struct session_device *device)
{
	struct trace_record record = session_device_record(device, TRACE_request);
	const struct vhost_message *message = &device->request;
	const char *problem = NULL;
	int err;

	session_devices_detach(device->guest);
	session_guest_record_console(device->guest);
	if (message->request != VHOST_VRING_KICK) {
		record.request.request = message->request;
		record.request.flags = message->flags;
		record.payload = message->body;
		record.payload_size = message->size;
		session_device_append(device, &record);
	}
	err = vhost_apply(device->vhost, &device->request);
	if (message->request == VHOST_SET_VRING_ADDR)
		device->guest->result.unused &= ~(1ull << device->number);
	if (host_failed(device, err))
		problem = NULL;
	else if (err)
		problem = device->vhost->problem;
	else if (device->link)
		problem = program_link_request(device);
	else if (message->request == VHOST_VRING_KICK)
		problem = handle_kick(turn, device);
	else
		problem = session_device_answer(device);
	/* Forwarded descriptors are closed after that. */
	if (problem || !device->link)
		vhost_message_close(&device->request);
	if (device->state == DEVICE_ENDED)
		return;
	if (problem)
		session_device_end(device, problem);
	else
		open_called(device);
}

/* ---- The device turn ------------------------------------------------------------------------- */

static bool call_next_queue(struct session_device *device)
{
	unsigned int queue = (unsigned int)__builtin_ctzll(device->device->calls);

	device->device->calls &= device->device->calls - 1;
	return session_device_call(device, VHOST_BACKEND_VRING_CALL, queue);
}

static const char *ring_problem(const struct session_device *device)
{
	for (unsigned int i = 0; i < device->device->class->queues; i++)
		if (device->vhost->ring[i].problem[0])
			return device->vhost->ring[i].problem;
	return "a vring is invalid";
}

static void fire(struct session_device *device, uint64_t now)
{
	int err;

	if (device->state == DEVICE_ENDED || device->device->due > now)
		return;
	err = device->device->class->fire(device->device);
	if (host_failed(device, err))
		return;
	if (err)
		session_device_end(device, ring_problem(device));
	else if (find_loss(device))
		session_device_end(device, find_loss(device));
}

/* Returns true if its guest was interrupted: the turn waits for the reply. */
static bool run_device(struct session_device *device, uint64_t now)
{
	fire(device, now);
	if (device->link && session_program_turn(device))
		return true;
	/* Each call clears a bit. */
	while (device->state != DEVICE_ENDED && device->device->calls)
		if (call_next_queue(device))
			return true;
	return false;
}

/* Of each device the buffers, then the interrupts; each interrupt waits for the guest's reply. */
bool device_turn_run(struct turn *turn, struct partition *partition)
{
	uint64_t now = partition_now(partition);

	if (partition->state != PARTITION_DEVICES)
		partition->turn = 0;
	partition->state = PARTITION_DEVICES;
	for (; partition->turn < partition->device_count; partition->turn++)
		if (partition->called || run_device(partition->device[partition->turn], now))
			return false;
	partition->state = PARTITION_CLIENTS;
	partition->due_changed = true;
	device_turn_update(turn, partition);
	return !calendar_device_turn_done(partition->calendar);
}

void device_turn_resume(struct turn *turn, struct partition *partition)
{
	if (partition->state == PARTITION_DEVICES && device_turn_run(turn, partition))
		turn_carry_out(turn, partition);
}

/* Messages that a program sent after its call are handled before the turn continues. */
void device_turn_resume_later(struct turn *turn, struct partition *partition)
{
	const struct event event = { .kind = EVENT_RESUME,
				     .time = partition_now(partition),
				     .partition = partition };

	if (inbox_put(&turn->inbox, &event))
		outcome_no_memory(&turn->outcome);
}

void device_turn_update(struct turn *turn, struct partition *partition)
{
	uint64_t due = WIRE_TIME_NEVER;

	/* During the device turn this is checked at the end. */
	if (!partition->due_changed || partition->state == PARTITION_DEVICES || partition->upstream)
		return;
	partition->due_changed = false;
	for (size_t i = 0; i < partition->device_count; i++) {
		const struct session_device *device = partition->device[i];

		if (device->state != DEVICE_ENDED && device->device->due < due)
			due = device->device->due;
	}
	if (calendar_set_device_turn(partition->calendar, due))
		outcome_no_memory(&turn->outcome);
}

static void handle_called(struct turn *turn, struct session_device *device, uint64_t value)
{
	struct trace_record record;

	if (device->state == DEVICE_ENDED)
		return;
	if (!session_device_is_called(device)) {
		session_device_end(device, "it replied to a call that was not made");
		return;
	}
	session_guest_record_console(device->guest);
	record = session_device_record(device, TRACE_called);
	record.called.value = value;
	session_device_append(device, &record);
	session_device_called(device);
	if (device->link)
		program_link_called(device, value);
	else
		device_turn_resume(turn, device->guest->partition);
}

/* It is dying and its exit event follows, or its socket is closed. */
static void handle_refused(struct session_device *device)
{
	session_device_called(device);
	if (device->link && device->link->program->calling == device)
		program_link_called(device, 1);
}

/* ---- All of them ----------------------------------------------------------------------------- */

void device_turn_take(struct turn *turn, const struct event *event)
{
	struct session_device *device = event->device;

	switch (event->kind) {
	case EVENT_CALL_REFUSED:
		handle_refused(device);
		break;
	case EVENT_FORWARD_FAILED:
		if (device->state != DEVICE_ENDED)
			session_device_end(device, event->problem);
		break;
	case EVENT_DEVICE_CLOSED:
		if (session_device_is_open(device))
			session_device_closing(device);
		break;
	case EVENT_ATTACHED:
		members_attach(turn, device, event);
		break;
	case EVENT_REQUEST:
		if (device->state != DEVICE_ENDED)
			handle_request(turn, device);
		break;
	case EVENT_REQUEST_BROKEN:
		if (device->state != DEVICE_ENDED)
			session_device_end(device, device->vhost->problem);
		break;
	case EVENT_CALLED:
		handle_called(turn, device, event->value);
		break;
	case EVENT_CALLED_BROKEN:
		if (device->state != DEVICE_ENDED)
			session_device_end(device, "it replied to a call that was not made");
		break;
	case EVENT_PROGRAM_CALL:
		program_link_call(device);
		break;
	case EVENT_PROGRAM_REPLY:
		if (device->link->state == LINK_OPEN && !device->link->pending)
			program_link_cut(device, "it replied without a request");
		else if (device->link->state == LINK_OPEN)
			program_link_reply(device);
		break;
	default: /* EVENT_PROGRAM_BROKEN */
		program_link_cut(device, event->problem);
		break;
	}
}
