// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clients of another scheduler: what each says is recorded and passed on, over a connection of its
 * own, and so is what comes back. There is no calendar here: who runs when is decided elsewhere.
 *
 * Only that a guest which sleeps is sent a RUN after it has replied to an interrupt is seen to:
 * calls and RUNs come on different sockets.
 */
#include <errno.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"
#include "recorder/session_internal.h"

int session_add_upstream(struct session *session, const char *path, size_t *number)
{
	struct island *island = calloc(1, sizeof(*island));

	session->island = calloc(1, sizeof(*session->island));
	if (!island || !session->island) {
		free(island);
		return -ENOMEM;
	}
	island->session = session;
	island->upstream = path;
	*number = 0;
	session->island[session->island_count++] = island;
	return 0;
}

static uint32_t choose_index(const struct session *session, const struct client *client)
{
	if (client->guest)
		return client->guest->index;
	return (uint32_t)(session->clients_seen + session->guest_count);
}

int session_upstream_connect(struct session *session, struct client *client, size_t number)
{
	int err = wire_connect(client->island->upstream, &client->upstream_fd);

	client->index = choose_index(session, client);
	if (!err)
		err = session_watch_fd(session, client->upstream_fd, SOURCE_UPSTREAM, number);
	if (err)
		close_fd(&client->upstream_fd);
	return err;
}

static void see_time(struct island *island, uint64_t time)
{
	if (time > island->now && time < WIRE_TIME_NEVER)
		island->now = time;
}

static void report_upstream(struct session *session, const struct client *client, const char *what)
{
	char time[UNITS_TEXT];

	if (session->over)
		return;
	diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -EPIPE,
		 "look at what it printed; what was recorded so far can be replayed",
		 "the scheduler at %s %s %s, t=%s s", client->island->upstream, what,
		 client->guest ? client->guest->guest->spec->name : "a client",
		 duration_exact(island_now(client->island), time));
	session_finish(session, SESSION_FAULT);
}

void session_upstream_forward(struct session *session, struct client *client,
			      const struct wire_message *message)
{
	int err;

	if (message->op == TRACE_OP_START && !client->admitted)
		session_record_join(session, client, message->time, 0);
	session_record_message(session, client, TRACE_from, message);
	if (message->op == TRACE_OP_UPDATE)
		see_time(client->island, message->time);
	if (message->op == TRACE_OP_WAIT) {
		client->says_wait = true;
		client->wait_seq = message->seq;
		if (client->guest && client->admitted)
			session_guest_digest(session, client);
	}
	err = wire_send(client->upstream_fd, message, 1);
	/* One that is gone shows as end of file. */
	if (err && err != -EPIPE && err != -ECONNRESET)
		report_upstream(session, client, "does not read what is sent to it by");
}

/* Is there an interrupt that the guest has to reply to before it is run? */
static bool is_called(struct client *client)
{
	struct session_guest *guest = client->guest;
	bool called = false;

	for (size_t i = 0; guest && i < guest->guest->spec->device_count; i++) {
		if (guest->device[i].link)
			session_program_drain(guest->device[i].link->program);
		called |= guest->device[i].calling;
	}
	return called;
}

static void send_on(struct session *session, struct client *client,
		    const struct wire_message *message)
{
	bool start = !client->start_acked && message->op == TRACE_OP_ACK;

	if (client->guest)
		session_program_harvest(client->guest);
	if (message->op == TRACE_OP_RUN) {
		see_time(client->island, message->time);
		client->in_wait = false;
	}
	session_record_message(session, client, TRACE_to, message);
	client->start_acked |= start;
	/* A client that is gone shows as end of file on its own socket. */
	if (start)
		wire_send_start_ack(client->fd, message);
	else
		wire_send(client->fd, message, 1);
}

static void deliver(struct session *session, struct client *client,
		    const struct wire_message *message)
{
	if (message->op == TRACE_OP_RUN && is_called(client)) {
		client->run_held = true;
		client->run = *message;
		return;
	}
	send_on(session, client, message);
	if (message->op != TRACE_OP_ACK || !client->says_wait || message->seq != client->wait_seq)
		return;
	client->says_wait = false;
	client->in_wait = true;
	session_programs_release(client->island);
}

void session_upstream_go_on(struct session *session, struct client *client)
{
	if (!client->run_held || is_called(client))
		return;
	client->run_held = false;
	send_on(session, client, &client->run);
}

void session_upstream_readable(struct session *session, struct client *client)
{
	struct wire_message message;
	long got;

	if (!client || !client->connected || client->upstream_fd < 0)
		return;
	/* Shared memory that comes with the ACK of a START finds no room: messages are what counts.
	 */
	got = wire_input_fill(&client->upstream_input, client->upstream_fd);
	if (got == -EAGAIN)
		return;
	session->last_message_wall = process_wall_ns();
	while (!session->over && client->connected &&
	       wire_input_take(&client->upstream_input, &message))
		deliver(session, client, &message);
	if (got > 0 || !client->connected)
		return;
	session_unwatch_fd(session, client->upstream_fd);
	/* A client that has left as well did so before; its socket tells. */
	session_client_readable(session, client);
	if (client->connected)
		report_upstream(session, client, "closed its connection to");
}
