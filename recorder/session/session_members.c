// SPDX-License-Identifier: BSD-3-Clause
/* How clients, guests, devices and programs enter a turn and leave it. */
#include "recorder/session/session_members.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_upstream.h"
#include "recorder/session/session_device_turn.h"
#include "recorder/session/session_turn.h"

/* ---- Joining -------------------------------------------------------------------------------- */

struct partition *members_partition(const struct turn *turn, const struct event *event)
{
	switch (event->member) {
	case JOINED_GUEST:
		return event->guest->partition;
	case JOINED_PROGRAM:
		return turn->partition[event->program->options.partition];
	default:
		return turn->partition[0];
	}
}

/* Register the client with its scheduler. */
static int enter_partition(struct turn *turn, struct client *client)
{
	struct partition *partition = client->partition;
	int err;

	if (partition->upstream) {
		client->index = client->guest ? client->guest->index
					      : (uint32_t)(turn->clients.seen + turn->guests.count);
		return 0;
	}
	err = calendar_connect(partition->calendar, &client->handle);
	if (err)
		return err;
	err = partition_add_client(partition, client, client->handle);
	if (err)
		calendar_disconnect(partition->calendar, client->handle);
	return err;
}

static void count(struct turn *turn, struct client *client)
{
	if (client->program) {
		client->program->client = client;
		client->program->state = PROGRAM_JOINED;
		return;
	}
	if (client->guest) {
		client->guest->client = client;
		client->partition->absent--;
	}
	turn->clients.left++;
	turn->clients.seen++;
}

static int connect_client(struct turn *turn, const struct event *event)
{
	struct client *client;
	int err = clients_take_place(&turn->clients, &client);

	if (err)
		return err;
	*client = (struct client){
		.fd = event->fd,
		.upstream_fd = event->upstream_fd,
		.index = EVENT_NO_PARTICIPANT,
		.next_digest = 1,
		.partition = members_partition(turn, event),
		.guest = event->member == JOINED_GUEST ? event->guest : NULL,
		.program = event->member == JOINED_PROGRAM ? event->program : NULL,
	};
	if (client->guest)
		client->index = client->guest->index;
	err = enter_partition(turn, client);
	if (err)
		return err;
	client->state = CLIENT_CONNECTED;
	count(turn, client);
	effects_add(&turn->effects,
		    &(struct effect){ .kind = EFFECT_OPEN_CLIENT, .client = client });
	return 0;
}

static void report_refused(struct turn *turn, const struct event *event, int err)
{
	const struct partition *partition = members_partition(turn, event);
	struct diagnosis *why = outcome_reason(&turn->outcome);

	if (event->member == JOINED_PROGRAM)
		diagnose(why, EXIT_CANNOT, err, NULL,
			 "cannot accept the connection of the program %s: %s",
			 event->program->options.name, strerror(-err));
	else if (event->member == JOINED_CLIENT)
		diagnose(why, EXIT_CANNOT, err,
			 err == -EMFILE ? "raise the limit of open files (ulimit -Hn)" : NULL,
			 "cannot accept client number %zu: %s", turn->clients.seen + 1,
			 strerror(-err));
	else if (partition->upstream)
		diagnose(why, EXIT_CANNOT, err,
			 "start the scheduler first, and give its socket with --upstream",
			 "cannot connect to the scheduler at %s: %s", partition->upstream,
			 strerror(-err));
	else
		diagnose(why, EXIT_CANNOT, err, NULL, "cannot accept the guest's connection: %s",
			 strerror(-err));
	outcome_finish(&turn->outcome, SESSION_FAULT);
}

void members_join(struct turn *turn, const struct event *event)
{
	int err = event->error ? event->error : connect_client(turn, event);

	if (!err)
		return;
	if (event->member != JOINED_GUEST && event->fd >= 0)
		close(event->fd);
	if (event->upstream_fd >= 0)
		close(event->upstream_fd);
	report_refused(turn, event, err);
}

void members_admit(struct turn *turn, struct client *client, const struct calendar_action *action)
{
	/* Guests have the first numbers, in whatever order clients connect. */
	client->index = action->index;
	if (client->guest)
		client->index = client->guest->index;
	else if (client->program)
		client->index = (uint32_t)(turn->guests.count + client->program->number);
	turn->clients.admitted++;
	client_record_join(client, action->message.time, action->offset);
	client_record_message(client, TRACE_from, &action->message);
}

void members_attach(struct turn *turn, struct session_device *device, const struct event *event)
{
	struct trace_record record = session_device_record(device, TRACE_attach);
	const char *problem = event->problem;

	if (device->state != DEVICE_AWAITED)
		return;
	if (event->error) {
		diagnose(outcome_reason(&turn->outcome), EXIT_CANNOT, event->error, NULL,
			 "cannot accept the connection of %s to its device %u: %s",
			 device->guest->guest->spec->name, device->number, strerror(-event->error));
		outcome_finish(&turn->outcome, SESSION_FAULT);
		return;
	}
	device->state = DEVICE_OPEN;
	device->guest->result.unseen &= ~(1ull << device->number);
	session_device_append(device, &record);
	if (device->link && device->link->program->state == PROGRAM_FAILED)
		problem = device->link->program->problem;
	if (problem)
		session_device_end(device, problem);
	else if (device->link)
		device->link->state = LINK_OPEN;
}

/* ---- Leaving -------------------------------------------------------------------------------- */

/* Once its process has ended and its connection is gone. */
static void settle(struct turn *turn, struct session_guest *guest)
{
	struct partition *partition = guest->partition;

	if (guest->state != GUEST_EXITED || guest->client)
		return;
	session_guest_record_exit(guest);
	session_devices_end(guest);
	if (guest->result.messages || partition->upstream)
		return;
	/* Other clients may have waited for its START. */
	calendar_expect_fewer(partition->calendar);
	turn_carry_out(turn, partition);
}

static void leave_guest(struct turn *turn, struct session_guest *guest)
{
	guest->guest->time_fd = -1;
	guest->client = NULL;
	guest->left = partition_now(guest->partition);
	guest->partition->absent++;
	session_devices_leave(guest);
	if (guest->partition->state == PARTITION_DEVICES)
		device_turn_run(turn, guest->partition);
	settle(turn, guest);
}

static void leave(struct turn *turn, struct client *client)
{
	struct partition *partition = client->partition;

	if (client->guest)
		session_guest_record_console(client->guest);
	if (client_is_admitted(client))
		client_record_leave(client);
	if (partition->calendar)
		calendar_disconnect(partition->calendar, client->handle);
	effects_add(&turn->effects,
		    &(struct effect){ .kind = EFFECT_CLOSE_CLIENT, .client = client });
	client->state = CLIENT_GONE;
	if (client->program) {
		client->program->client = NULL;
		members_fail_program(turn, client->program, "it left the simulation");
	} else {
		turn->clients.left--;
	}
	if (client->guest)
		leave_guest(turn, client->guest);
	turn->idle = false;
	turn_carry_out(turn, partition);
}

void members_end_of_connection(struct turn *turn, struct client *client, uint64_t partial)
{
	const struct calendar *calendar = client->partition->calendar;
	char problem[96];

	if (partial) {
		snprintf(problem, sizeof(problem),
			 "it left after %zu bytes of a message, expected 16", (size_t)partial);
		fault_found(turn, client, problem);
	} else if (!client->guest && !client->program && calendar &&
		   calendar_check_leave(client->partition->calendar, client->handle)) {
		/* The end of a guest that we started is reported by its supervisor. */
		fault_found(turn, client, calendar_last_fault(calendar)->text);
	}
	if (client->state != CLIENT_GONE)
		leave(turn, client);
}

/*
 * The scheduler ends when no client has an event; simulators that served its other clients sleep
 * then.
 */
void members_upstream_left(struct turn *turn, struct client *client)
{
	if (client->state == CLIENT_GONE)
		return;
	if (members_only_servers_are_left(turn, client->partition))
		leave(turn, client);
	else
		upstream_left(client);
}

void members_send_failed(struct turn *turn, struct client *client, int error)
{
	/* If the client has left, end of file on its socket reports that. */
	if (client->state == CLIENT_GONE)
		return;
	if (error == -EAGAIN)
		fault_found(turn, client, "it does not read what is sent to it");
	else
		outcome_host_failed(&turn->outcome, error, "send a message");
}

void members_exited(struct turn *turn, struct session_guest *guest)
{
	guest->state = GUEST_EXITED;
	settle(turn, guest);
}

void members_program_exit(struct turn *turn, const struct session_program *program)
{
	if (!session_program_is_missing(program) || !program->exit_status)
		return;
	diagnose(outcome_reason(&turn->outcome), EXIT_CANNOT, -ECHILD,
		 program->exit_code == CLD_EXITED && program->exit_status == 127
			 ? "sh(1) has not found its command: install it, or give its path"
			 : "check its output; {time} in its command is the socket to connect to",
		 "the program %s ended with %s %d before it connected to its time socket",
		 program->options.name, program->exit_code == CLD_EXITED ? "exit status" : "signal",
		 program->exit_status);
	outcome_finish(&turn->outcome, SESSION_FAULT);
}

void members_fail_program(struct turn *turn, struct session_program *program, const char *problem)
{
	if (program->state == PROGRAM_FAILED || turn->outcome.over)
		return;
	program->state = PROGRAM_FAILED;
	snprintf(program->problem, sizeof(program->problem), "%s", problem);
	if (program->client)
		leave(turn, program->client);
	session_program_cut(program);
}

bool members_only_servers_are_left(const struct turn *turn, const struct partition *partition)
{
	for (size_t i = 0; i < turn->clients.count; i++) {
		const struct client *client = turn->clients.client[i];

		if (client->state == CLIENT_GONE || client->partition != partition)
			continue;
		if (client->id != WIRE_ID_NONE ||
		    (partition->upstream && client->state != CLIENT_WAITING))
			return false;
	}
	return turn->clients.left < turn->clients.seen;
}
