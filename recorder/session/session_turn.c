// SPDX-License-Identifier: BSD-3-Clause
/*
 * The turn: handles each event. Messages go to the calendar, kicks to devices, and their actions
 * become effects.
 *
 * While the devices have the token every guest sleeps in its WAIT. A call wakes one inside that
 * WAIT: it asks for the time, requests to be run now, and replies; then the next one is called.
 * What a guest does with its interrupt it does when it is run.
 */
#include "recorder/session/session_turn.h"

#include <errno.h>
#include <string.h>

#include "recorder/session/member/session_device.h"
#include "recorder/session/session_fault.h"
#include "recorder/session/session_members.h"
#include "recorder/session/member/session_upstream.h"

/* ---- What may be taken ---------------------------------------------------------------------- */

static struct partition *partition_of(const struct turn *turn, const struct event *event)
{
	switch (event->kind) {
	case EVENT_STOP:
		return NULL;
	case EVENT_RESUME:
		return event->partition;
	case EVENT_SEND_FAILED:
	case EVENT_UPSTREAM_REFUSED:
	case EVENT_UPSTREAM:
	case EVENT_UPSTREAM_RUN:
	case EVENT_UPSTREAM_LEFT:
	case EVENT_MESSAGE:
	case EVENT_LEFT:
		return event->client->partition;
	case EVENT_CONSOLE:
	case EVENT_ENTROPY:
	case EVENT_EXITED:
		return event->guest->partition;
	case EVENT_PROGRAM_EXIT:
		return turn->partition[event->program->options.partition];
	case EVENT_JOINED:
		return members_partition(turn, event);
	default:
		return event->device->guest->partition;
	}
}

/*
 * While a program interrupts a guest only its acknowledgements count: a guest that asks for
 * something may have to wait for one. That ends with the guest's reply, or its end.
 */
static bool is_heard(const struct client *client, const struct event *event)
{
	return !client->program || !client->program->calling ||
	       (event->kind == EVENT_MESSAGE && event->message.op == TRACE_OP_ACK);
}

bool turn_may_take(const void *context, const struct event *event)
{
	const struct turn *turn = context;
	const struct partition *partition = partition_of(turn, event);

	if (partition && partition->state == PARTITION_FAULTED)
		return false;
	switch (event->kind) {
	case EVENT_MESSAGE:
	case EVENT_LEFT:
		return is_heard(event->client, event);
	case EVENT_UPSTREAM_RUN:
		return upstream_may_run(event->client);
	case EVENT_PROGRAM_CALL:
		return !event->device->link->program->calling &&
		       event->device->link->call_state == LINK_NO_CALL;
	case EVENT_PROGRAM_REPLY:
		return !event->device->link->program->calling;
	default:
		return true;
	}
}

/* Nothing more is to be done. */
static bool is_out(const struct turn *turn, const struct partition *partition)
{
	return turn->outcome.over || partition->state == PARTITION_FAULTED;
}

/* ---- The calendar --------------------------------------------------------------------------- */

/* There is no event; see only_servers_are_left(). */
static void idle(struct turn *turn, const struct partition *partition)
{
	if (turn->guests.count)
		fault_report_deadlock(turn);
	else if (members_only_servers_are_left(turn, partition))
		outcome_finish(&turn->outcome, SESSION_DONE);
	else
		turn->idle = true;
}

/* Returns true when the devices have got the token. */
static bool take_actions(struct turn *turn, struct partition *partition)
{
	struct calendar_action action;
	bool devices = false;

	while (!is_out(turn, partition) && calendar_next(partition->calendar, &action)) {
		switch (action.kind) {
		case CALENDAR_ADMIT:
			members_admit(turn, partition->client[action.client], &action);
			break;
		case CALENDAR_SEND:
			client_send(partition->client[action.client], &action.message);
			break;
		case CALENDAR_HOUSE:
			devices = true;
			break;
		case CALENDAR_IDLE_END:
			idle(turn, partition);
			break;
		case CALENDAR_LIMIT:
			fault_report_limit(turn);
			break;
		case CALENDAR_WINDOW:
			break; /* window_advance() asks for it */
		}
	}
	return devices;
}

/* Answer the kick, once the running guest knows what it must not run past. */
static void answer_kick(struct turn *turn, struct partition *partition)
{
	struct session_device *kicked = partition->kicked;

	if (!kicked || is_out(turn, partition) || !calendar_house_heard(partition->calendar))
		return;
	partition->kicked = NULL;
	session_device_reply_value(kicked, VHOST_VRING_KICK, 0);
}

/*
 * Each round of the loop ends in a device turn that either waits for a guest, or gives the token
 * back at a later time or after something was done: what a device schedules at one time is bounded
 * by its rings.
 */
void turn_carry_out(struct turn *turn, struct partition *partition)
{
	bool devices;

	if (partition->upstream)
		return;
	do {
		devices = take_actions(turn, partition);
		answer_kick(turn, partition);
	} while (devices && !is_out(turn, partition) && turn_run_devices(turn, partition));
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void receive(struct turn *turn, struct client *client, const struct wire_message *message)
{
	struct partition *partition = client->partition;
	struct session_guest *guest = client->guest;
	struct wire_message known = *message;
	int err;

	/* After an ACK the guest runs on: what it has done by now is the host's choice. */
	if (guest && message->op != TRACE_OP_ACK) {
		session_devices_detach(guest);
		session_guest_record_console(guest);
	}
	if (guest && message->op == TRACE_OP_START)
		session_guest_attach_probe(guest);
	if (guest)
		session_guest_harvest(guest);
	if (partition->upstream) {
		turn->clients.admitted += !client_is_admitted(client);
		upstream_forward(client, message);
		return;
	}
	/* Programs come first, as devices do: they listen before a guest looks for them. */
	if (client->program && message->op == TRACE_OP_START)
		known.time = 0;
	/* A START is recorded when it is admitted, so that the order of arrival leaves no mark. */
	if (client_is_admitted(client))
		client_record_message(client, TRACE_from, message);
	if (message->op == TRACE_OP_WAIT && guest && client_is_admitted(client))
		session_guest_digest(guest);
	if (message->op == TRACE_OP_WAIT && partition->calls_held)
		turn_update_due(turn, partition);
	err = calendar_receive(partition->calendar, client->handle, &known);
	if (err == -EPROTO)
		fault_found(turn, client, NULL);
	else if (err)
		outcome_host_failed(&turn->outcome, err, "take a message");
	turn_carry_out(turn, partition);
}

/* ---- Requests and kicks --------------------------------------------------------------------- */

/* What is gone reads as zeros: whatever the device made of them, it does not go on. */
static const char *find_loss(const struct session_device *device)
{
	return vring_memory_is_lost(&device->vhost->memory)
		       ? "the guest truncated the memory of its vrings"
		       : NULL;
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
	if (done < 0)
		return device->vhost->ring[queue].problem;
	if (device->taken.flood)
		return "it made more than 64 MiB available with one kick";
	if (vhost_expects_reply(message))
		partition->kicked = device;
	turn_update_due(turn, partition);
	turn_carry_out(turn, partition);
	return find_loss(device);
}

/* The guest gave a socket for calls: its replies to them come from there. */
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

	session_devices_detach(device->guest);
	session_guest_record_console(device->guest);
	if (message->request != VHOST_VRING_KICK) {
		record.request.request = message->request;
		record.request.flags = message->flags;
		record.payload = message->body;
		record.payload_size = message->size;
		session_device_append(device, &record);
	}
	if (vhost_apply(device->vhost, &device->request))
		problem = device->vhost->problem;
	else if (device->link)
		problem = program_link_request(device);
	else if (message->request == VHOST_VRING_KICK)
		problem = handle_kick(turn, device);
	else
		problem = session_device_answer(device);
	/* What is passed on is closed then. */
	if (problem || !device->link)
		vhost_message_close(&device->request);
	if (device->state == DEVICE_ENDED)
		return;
	if (problem)
		session_device_end(device, problem);
	else
		open_called(device);
}

/* ---- The device turn ------------------------------------------------------------------------ */

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
	if (device->state == DEVICE_ENDED || device->device->due > now)
		return;
	if (device->device->class->fire(device->device))
		session_device_end(device, ring_problem(device));
	else if (find_loss(device))
		session_device_end(device, find_loss(device));
}

/* Returns true when its guest was interrupted and has to reply before the turn goes on. */
static bool run_device(struct session_device *device, uint64_t now)
{
	fire(device, now);
	if (device->link && session_program_turn(device))
		return true;
	/* Each call takes a bit. */
	while (device->state != DEVICE_ENDED && device->device->calls)
		if (call_next_queue(device))
			return true;
	return false;
}

/* One device after the other: its buffers, then its interrupts, each until the guest has it. */
bool turn_run_devices(struct turn *turn, struct partition *partition)
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
	turn_update_due(turn, partition);
	return !calendar_house_done(partition->calendar);
}

static void resume(struct turn *turn, struct partition *partition)
{
	if (partition->state == PARTITION_DEVICES && turn_run_devices(turn, partition))
		turn_carry_out(turn, partition);
}

/* What a program said after its call comes before the turn goes on. */
static void resume_later(struct turn *turn, struct partition *partition)
{
	const struct event event = { .kind = EVENT_RESUME,
				     .time = partition_now(partition),
				     .partition = partition };

	if (inbox_put(&turn->inbox, &event))
		outcome_no_memory(&turn->outcome);
}

void turn_update_due(struct turn *turn, struct partition *partition)
{
	uint64_t due = WIRE_TIME_NEVER;

	/* In the device turn it is looked at when all are through. */
	if (!partition->due_changed || partition->state == PARTITION_DEVICES || partition->upstream)
		return;
	partition->due_changed = false;
	for (size_t i = 0; i < partition->device_count; i++) {
		const struct session_device *device = partition->device[i];

		if (device->state != DEVICE_ENDED && device->device->due < due)
			due = device->device->due;
	}
	if (calendar_set_house(partition->calendar, due))
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
		resume(turn, device->guest->partition);
}

/* It is dying, and its end will come; or its socket is gone. */
static void handle_refused(struct session_device *device)
{
	session_device_called(device);
	if (device->link && device->link->program->calling == device)
		program_link_called(device, 1);
}

/* ---- All of them ---------------------------------------------------------------------------- */

static void handle_stop(struct turn *turn, int signal)
{
	turn->outcome.result->signal = signal;
	diagnose(outcome_reason(&turn->outcome), EXIT_DIVERGED, -EINTR, NULL, "stopped by SIG%s",
		 sigabbrev_np(signal));
	outcome_finish(&turn->outcome, SESSION_SIGNAL);
}

static void take_device_event(struct turn *turn, const struct event *event)
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

static void take_event(struct turn *turn, const struct event *event)
{
	switch (event->kind) {
	case EVENT_STOP:
		handle_stop(turn, (int)event->value);
		break;
	case EVENT_RESUME:
		resume(turn, event->partition);
		break;
	case EVENT_MESSAGE:
		receive(turn, event->client, &event->message);
		break;
	case EVENT_LEFT:
		members_end_of_connection(turn, event->client, event->value);
		break;
	case EVENT_SEND_FAILED:
		members_send_failed(turn, event->client, event->error);
		break;
	case EVENT_UPSTREAM_REFUSED:
		upstream_refused(event->client);
		break;
	case EVENT_UPSTREAM:
	case EVENT_UPSTREAM_RUN:
		upstream_deliver(event->client, &event->message);
		break;
	case EVENT_UPSTREAM_LEFT:
		upstream_left(event->client);
		break;
	case EVENT_CONSOLE:
		session_guest_show_console(event->guest);
		break;
	case EVENT_ENTROPY:
		session_guest_answer_entropy(event->guest);
		break;
	case EVENT_EXITED:
		members_exited(turn, event->guest);
		break;
	case EVENT_JOINED:
		members_join(turn, event);
		break;
	case EVENT_PROGRAM_EXIT:
		members_program_exit(turn, event->program);
		break;
	default:
		take_device_event(turn, event);
		break;
	}
}

void turn_touched(struct turn *turn, struct partition *partition)
{
	bool busy = !partition_is_done(partition);

	/* The awaited client is gone, or was answered otherwise: continue. */
	if (partition->state == PARTITION_DEVICES && !partition->called && !turn->outcome.over)
		resume_later(turn, partition);
	turn->busy += (size_t)busy - (size_t)partition->busy;
	partition->busy = busy;
}

void turn_take(struct turn *turn, const struct event *event)
{
	struct partition *partition = partition_of(turn, event);

	take_event(turn, event);
	if (partition)
		turn_touched(turn, partition);
}

uint64_t turn_now(const struct turn *turn)
{
	uint64_t now = 0;

	for (size_t i = 0; i < turn->partition_count; i++) {
		uint64_t time = partition_now(turn->partition[i]);

		if (time > now)
			now = time;
	}
	return now;
}
