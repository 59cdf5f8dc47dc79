// SPDX-License-Identifier: BSD-3-Clause
/*
 * The turn: handles each event. Messages go to the calendar, kicks to devices
 * (session_device_turn.c), and their actions become effects.
 */
#include "recorder/session/session_turn.h"

#include <errno.h>
#include <string.h>

#include "recorder/session/member/session_device.h"
#include "recorder/session/session_device_turn.h"
#include "recorder/session/session_members.h"
#include "recorder/session/member/session_upstream.h"

/* ---- What may be taken ----------------------------------------------------------------------- */

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
 * While a program interrupts a guest, only the program's acknowledgements are handled: the guest
 * may have to wait for one. That ends with the guest's reply, or its exit.
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

/* Handle nothing more. */
static bool is_out(const struct turn *turn, const struct partition *partition)
{
	return turn->outcome.over || partition->state == PARTITION_FAULTED;
}

/* ---- The calendar ---------------------------------------------------------------------------- */

/* No client has an event, see members_only_servers_are_left(). */
static void idle(struct turn *turn, const struct partition *partition)
{
	if (turn->guests.count)
		fault_report_deadlock(turn);
	else if (members_only_servers_are_left(turn, partition))
		outcome_finish(&turn->outcome, SESSION_DONE);
	else
		turn->idle = true;
}

/* Returns true if the devices have received the token. */
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
		case CALENDAR_DEVICE_TURN:
			devices = true;
			break;
		case CALENDAR_IDLE_END:
			idle(turn, partition);
			break;
		case CALENDAR_LIMIT:
			fault_report_limit(turn);
			break;
		case CALENDAR_WINDOW:
			break; /* window_advance() handles it */
		}
	}
	return devices;
}

/* Answer the kick once the running guest has acknowledged its bound. */
static void answer_kick(struct turn *turn, struct partition *partition)
{
	struct session_device *kicked = partition->kicked;

	if (!kicked || is_out(turn, partition) ||
	    !calendar_is_bound_acknowledged(partition->calendar))
		return;
	partition->kicked = NULL;
	session_device_reply_value(kicked, VHOST_VRING_KICK, 0);
}

/*
 * Each round of the loop ends in a device turn that waits for a guest, or gives the token back at a
 * later time or after progress: what a device schedules at one time is bounded by its rings.
 */
void turn_carry_out(struct turn *turn, struct partition *partition)
{
	bool devices;

	if (partition->upstream)
		return;
	do {
		devices = take_actions(turn, partition);
		answer_kick(turn, partition);
	} while (devices && !is_out(turn, partition) && device_turn_run(turn, partition));
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void receive(struct turn *turn, struct client *client, const struct wire_message *message)
{
	struct partition *partition = client->partition;
	struct session_guest *guest = client->guest;
	struct wire_message known = *message;
	int err;

	/* After an ACK the guest runs on: how far it has come by now depends on the host. */
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
	/* A START is recorded when it is admitted, so that the order of arrival does not matter. */
	if (client_is_admitted(client))
		client_record_message(client, TRACE_from, message);
	if (message->op == TRACE_OP_WAIT && guest && client_is_admitted(client))
		session_guest_digest(guest);
	if (message->op == TRACE_OP_WAIT && partition->calls_held)
		device_turn_update(turn, partition);
	err = calendar_receive(partition->calendar, client->handle, &known);
	if (err == -EPROTO)
		fault_found(turn, client, NULL);
	else if (err)
		outcome_host_failed(&turn->outcome, err, "take a message");
	turn_carry_out(turn, partition);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void handle_stop(struct turn *turn, int signal)
{
	turn->outcome.result->signal = signal;
	diagnose(outcome_reason(&turn->outcome), EXIT_DIVERGED, -EINTR, NULL, "stopped by SIG%s",
		 sigabbrev_np(signal));
	outcome_finish(&turn->outcome, SESSION_SIGNAL);
}

static void take_event(struct turn *turn, const struct event *event)
{
	switch (event->kind) {
	case EVENT_STOP:
		handle_stop(turn, (int)event->value);
		break;
	case EVENT_RESUME:
		device_turn_resume(turn, event->partition);
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
		members_upstream_left(turn, event->client);
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
		device_turn_take(turn, event);
		break;
	}
}

void turn_touched(struct turn *turn, struct partition *partition)
{
	bool busy = !partition_is_done(partition);

	/* The awaited client has left or was answered in another way: continue. */
	if (partition->state == PARTITION_DEVICES && !partition->called && !turn->outcome.over)
		device_turn_resume_later(turn, partition);
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
