// SPDX-License-Identifier: BSD-3-Clause
/* The way of a message: socket -> trace -> calendar -> trace -> socket. */
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"
#include "recorder/session_internal.h"

void session_record_message(struct session *session, struct client *client, enum trace_kind kind,
			    const struct wire_message *message)
{
	struct trace_record record = { .kind = kind,
				       .guest = client->index,
				       .now = island_now(client->island) };

	record.from.op = message->op;
	record.from.seq = message->seq;
	record.from.time = message->time;
	session->result->messages++;
	/* What it said of its host before it began says nothing of how it ends. */
	if (client->guest && !client->guest->result.messages++)
		last_words_forget(&client->guest->last_words);
	session_record(session, client->island, &record);
}

void session_note(struct session *session, const struct diagnosis *diagnosis)
{
	struct trace_record record = { .kind = TRACE_note,
				       .now = session->result->virtual_ns,
				       .payload = diagnosis->what,
				       .payload_size = strlen(diagnosis->what) };

	record.note.status = (uint64_t)diagnosis->status;
	session_record(session, NULL, &record);
}

/* Room in the island for a client with this handle. */
static int grow_handles(struct island *island, size_t handle)
{
	size_t count = island->client_count ? island->client_count : 8;
	struct client **grown;

	if (handle < island->client_count)
		return 0;
	while (count <= handle)
		count *= 2;
	grown = realloc(island->client, count * sizeof(struct client *));
	if (!grown)
		return -ENOMEM;
	memset(grown + island->client_count, 0,
	       (count - island->client_count) * sizeof(struct client *));
	island->client = grown;
	island->client_count = count;
	return 0;
}

/* A client's place in the session: one that has left gives its own to the next. */
static int take_place(struct session *session, struct client **client, size_t *number)
{
	struct client **grown;

	for (*number = 0; *number < session->client_count; ++*number)
		if (!session->client[*number]->connected) {
			*client = session->client[*number];
			return 0;
		}
	*client = calloc(1, sizeof(**client));
	grown = realloc(session->client, (*number + 1) * sizeof(struct client *));
	if (grown)
		session->client = grown;
	if (!grown || !*client) {
		free(*client);
		return -ENOMEM;
	}
	session->client[session->client_count++] = *client;
	return 0;
}

/* Make it known to whoever schedules it. */
static int enter_island(struct session *session, struct client *client, size_t number)
{
	struct island *island = client->island;
	int err;

	if (island->upstream)
		return session_upstream_connect(session, client, number);
	err = calendar_connect(island->calendar, &client->handle);
	if (err)
		return err;
	err = grow_handles(island, client->handle);
	if (err)
		calendar_disconnect(island->calendar, client->handle);
	else
		island->client[client->handle] = client;
	return err;
}

int session_client_connect(struct session *session, struct island *island, int fd,
			   struct session_guest *guest, struct session_program *program)
{
	struct client *client;
	size_t number;
	int err = take_place(session, &client, &number);

	if (err)
		return err;
	*client = (struct client){ .fd = fd,
				   .upstream_fd = -1,
				   .next_digest = 1,
				   .island = island,
				   .guest = guest,
				   .program = program };
	err = session_watch_fd(session, fd, SOURCE_CLIENT, number);
	if (!err)
		err = enter_island(session, client, number);
	if (err) {
		session_unwatch_fd(session, fd);
		return err;
	}
	client->connected = true;
	if (program) {
		program->client = client;
		program->joined = true;
		return 0;
	}
	if (guest) {
		guest->client = client;
		guest->connected = true;
		island->absent--;
	}
	session->clients_left++;
	session->clients_seen++;
	return 0;
}

void session_client_leave(struct session *session, struct client *client)
{
	struct island *island = client->island;
	struct trace_record record = { .kind = TRACE_leave,
				       .guest = client->index,
				       .now = island_now(island) };

	if (client->guest) {
		session_guest_console(session, client->guest);
		/* When its process ends the host decides, and others may have run on. */
		client->guest->result.ended_now = record.now;
	}
	if (client->admitted)
		session_record(session, island, &record);
	if (!island->upstream)
		calendar_disconnect(island->calendar, client->handle);
	close_fd(&client->upstream_fd);
	close(client->fd);
	client->connected = false;
	if (client->program) {
		client->program->client = NULL;
		session_program_fail(client->program, "it left the simulation");
	} else {
		session->clients_left--;
	}
	if (client->guest) {
		client->guest->guest->time_fd = -1;
		client->guest->client = NULL;
		island->absent++;
		session_devices_leave(session, client->guest);
		session_guest_settle(session, client->guest);
	}
	session->idle_since = 0;
	session_carry_out(session, island);
}

/* Where in the trace: everything that is known so far is written. */
static uint64_t trace_position(struct session *session)
{
	if (session->weave)
		weave_write(session->weave, UINT64_MAX);
	return session->weave ? weave_written(session->weave) : 0;
}

static void report_fault(struct session *session, const char *problem, const struct client *client)
{
	const struct calendar *calendar = client->island->calendar;
	const struct calendar_fault *fault = calendar ? calendar_last_fault(calendar) : NULL;
	uint64_t number = calendar ? calendar_client_id(calendar, client->handle) : client->index;
	uint64_t position = trace_position(session);
	char op[WIRE_NAME_TEXT], time[UNITS_TEXT], id[32] = "without an id";

	if (client->program) {
		session_program_fail(client->program, problem ? problem : fault->text);
		return;
	}
	if (number != WIRE_ID_NONE)
		snprintf(id, sizeof(id), "%" PRIu64, number);
	if (problem)
		diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -EPROTO,
			 "look at the last records: ttdump show TRACE",
			 "client %s broke the protocol at record %" PRIu64 ", t=%s s: %s", id,
			 position, duration_exact(island_now(client->island), time), problem);
	else
		diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -EPROTO,
			 "look at the last records: ttdump show TRACE",
			 "client %s broke the protocol at record %" PRIu64 ", t=%s s, with %s: %s",
			 id, position ? position - 1 : 0, duration_exact(fault->now, time),
			 wire_operation_text(fault->message.op, op), fault->text);
	session_finish(session, SESSION_FAULT);
}

static void receive(struct session *session, struct client *client,
		    const struct wire_message *message)
{
	struct island *island = client->island;
	struct wire_message known = *message;
	int err;

	/* After an ACK the guest runs on: what it has done by now is the host's choice. */
	if (client->guest && message->op != TRACE_OP_ACK) {
		session_devices_detach(client->guest);
		session_guest_console(session, client->guest);
	}
	if (client->guest && message->op == TRACE_OP_START)
		session_probe_attach(session, client->guest);
	if (client->guest)
		session_program_harvest(client->guest);
	if (island->upstream) {
		session_upstream_forward(session, client, message);
		return;
	}
	/* Programs come first, as devices do: they listen before a guest looks for them. */
	if (client->program && message->op == TRACE_OP_START)
		known.time = 0;
	/* A START is recorded when it is admitted, so that the order of arrival leaves no mark. */
	if (client->admitted)
		session_record_message(session, client, TRACE_from, message);
	if (message->op == TRACE_OP_WAIT && client->guest && client->admitted)
		session_guest_digest(session, client);
	if (message->op == TRACE_OP_WAIT && island->call_held)
		session_house_update(session, island);
	err = calendar_receive(island->calendar, client->handle, &known);
	if (err == -EPROTO)
		report_fault(session, NULL, client);
	else if (err)
		report_fault(session, strerror(-err), client);
	session_carry_out(session, island);
}

/*
 * While a program interrupts a guest only its acknowledgements count: a guest that asks for
 * something may have to wait for one.
 */
static bool may_take(const struct client *client)
{
	struct wire_message next;

	if (!client->program || !client->program->calling)
		return true;
	return wire_input_peek(&client->input, &next) && next.op == TRACE_OP_ACK;
}

void session_client_readable(struct session *session, struct client *client)
{
	struct wire_message message;
	unsigned int taken = 0;
	long got;

	if (!client->connected)
		return;
	/* What it said on its other sockets before: a guest may have to be interrupted first. */
	if (client->program)
		session_program_drain(client->program);
	if (!client->connected)
		return;
	got = wire_input_fill(&client->input, client->fd);
	if (got == -EAGAIN && !client->program)
		return;
	session->last_message_wall = process_wall_ns();
	while (!session->over && client->connected && may_take(client) &&
	       wire_input_take(&client->input, &message)) {
		/* Between two that come together it may have done more, of which no event told. */
		if (client->guest && taken++)
			client->guest->acted = true;
		receive(session, client, &message);
	}
	if (got > 0 || (client->program && client->program->calling) || got == -EAGAIN ||
	    session->over || !client->connected)
		return;
	if (wire_input_partial(&client->input)) {
		char problem[96];

		snprintf(problem, sizeof(problem),
			 "it left after %zu bytes of a message, expected 16",
			 wire_input_partial(&client->input));
		report_fault(session, problem, client);
	} else if (!client->guest && !client->program && client->island->calendar &&
		   calendar_check_leave(client->island->calendar, client->handle)) {
		/* Of a guest that we started, its end itself will tell. */
		report_fault(session, calendar_last_fault(client->island->calendar)->text, client);
	}
	session_client_leave(session, client);
}

static const char *client_name(const struct client *client)
{
	if (client->guest)
		return client->guest->guest->spec->name;
	return client->program ? client->program->options.name : "";
}

void session_record_join(struct session *session, struct client *client, uint64_t id,
			 uint64_t offset)
{
	const char *name = client_name(client);
	struct trace_record record = { .kind = TRACE_join,
				       .guest = client->index,
				       .now = island_now(client->island),
				       .payload = name,
				       .payload_size = strlen(name) };

	client->admitted = session->admitted_any = true;
	if (client->guest)
		client->guest->admitted = true;
	record.join.id = id;
	record.join.offset = offset;
	session_record(session, client->island, &record);
}

void session_guest_catch_up(struct session *session, struct session_guest *guest)
{
	if (session->crowded && guest->client)
		session_client_readable(session, guest->client);
}

static void admit(struct session *session, struct island *island,
		  const struct calendar_action *action)
{
	struct client *client = island->client[action->client];

	/* Guests have the first numbers, whoever comes first. */
	client->index = action->index;
	if (client->guest)
		client->index = client->guest->index;
	else if (client->program)
		client->index = (uint32_t)(session->guest_count + client->program->number);
	session_record_join(session, client, action->message.time, action->offset);
	session_record_message(session, client, TRACE_from, &action->message);
}

/* Messages to one client that go out in one write. */
struct batch {
	struct client *client;
	struct wire_message message[CLIENT_BATCH];
	size_t count;
};

static void check_sent(struct session *session, const struct client *client, int err)
{
	/* A client that is gone shows as end of file on its socket, in its turn. */
	if (!err || err == -EPIPE || err == -ECONNRESET || session->over)
		return;
	report_fault(session,
		     err == -EAGAIN ? "it does not read what is sent to it" : strerror(-err),
		     client);
}

static void batch_flush(struct session *session, struct batch *batch)
{
	if (batch->count)
		check_sent(session, batch->client,
			   wire_send(batch->client->fd, batch->message, batch->count));
	batch->count = 0;
}

static void batch_add(struct session *session, struct batch *batch, struct client *client,
		      const struct wire_message *message)
{
	if (batch->client != client || batch->count == CLIENT_BATCH)
		batch_flush(session, batch);
	batch->client = client;
	if (client->guest)
		session_program_harvest(client->guest);
	session_record_message(session, client, TRACE_to, message);
	if (!client->start_acked && message->op == TRACE_OP_ACK) {
		client->start_acked = true;
		check_sent(session, client, wire_send_start_ack(client->fd, message));
		return;
	}
	batch->message[batch->count++] = *message;
}

/* Returns true when the house has got the token. */
static bool carry_out_actions(struct session *session, struct island *island, struct batch *batch)
{
	struct calendar_action action;
	bool house = false;

	while (!session->over && calendar_next(island->calendar, &action)) {
		switch (action.kind) {
		case CALENDAR_ADMIT:
			admit(session, island, &action);
			break;
		case CALENDAR_SEND:
			batch_add(session, batch, island->client[action.client], &action.message);
			break;
		case CALENDAR_HOUSE:
			house = true;
			break;
		case CALENDAR_IDLE_END:
			session_idle(session, island);
			break;
		case CALENDAR_LIMIT:
			session_report_limit(session);
			break;
		case CALENDAR_WINDOW:
			break; /* session_advance() asks for it */
		}
	}
	return house;
}

void session_carry_out(struct session *session, struct island *island)
{
	struct batch batch = { 0 };
	bool house;

	if (island->upstream)
		return;
	do {
		house = carry_out_actions(session, island, &batch);
		batch_flush(session, &batch);
		session_answer_kick(session, island);
	} while (house && !session->over && session_house_turn(session, island));
}
