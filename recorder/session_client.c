// SPDX-License-Identifier: BSD-3-Clause
/* The way of a message: socket -> trace -> calendar -> trace -> socket. */
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>

#include "format/cleanup.h"
#include "format/units.h"
#include "kernel/process.h"
#include "recorder/session_internal.h"

static void record_message(struct session *session, const struct client *client,
			   enum trace_kind kind, const struct wire_message *message)
{
	struct trace_record record = { .kind = kind,
				       .guest = client->index,
				       .now = calendar_now(session->calendar) };

	record.from.op = message->op;
	record.from.seq = message->seq;
	record.from.time = message->time;
	session->result->messages++;
	session_record(session, &record);
}

void session_note(struct session *session, const struct diagnosis *diagnosis)
{
	struct trace_record record = { .kind = TRACE_note,
				       .now = calendar_now(session->calendar),
				       .payload = diagnosis->what,
				       .payload_size = strlen(diagnosis->what) };

	record.note.status = (uint64_t)diagnosis->status;
	session_record(session, &record);
}

static int grow_clients(struct session *session, size_t handle)
{
	size_t count = session->client_count ? session->client_count : 8;
	struct client **grown;

	if (handle < session->client_count)
		return 0;
	while (count <= handle)
		count *= 2;
	grown = realloc(session->client, count * sizeof(struct client *));
	if (!grown)
		return -ENOMEM;
	memset(grown + session->client_count, 0,
	       (count - session->client_count) * sizeof(struct client *));
	session->client = grown;
	session->client_count = count;
	return 0;
}

int session_client_connect(struct session *session, int fd, struct session_guest *guest)
{
	struct client *client;
	uint32_t handle;
	int err = calendar_connect(session->calendar, &handle);

	if (err)
		return err;
	err = grow_clients(session, handle);
	if (!err && !session->client[handle])
		session->client[handle] = calloc(1, sizeof(*client));
	client = err ? NULL : session->client[handle];
	if (!err && !client)
		err = -ENOMEM;
	if (!err)
		err = session_watch_fd(session, fd, SOURCE_CLIENT, handle);
	if (err) {
		calendar_disconnect(session->calendar, handle);
		return err;
	}
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	client->connected = true;
	client->guest = guest;
	client->next_digest = 1;
	if (guest)
		guest->client = client;
	session->clients_left++;
	session->clients_seen++;
	return 0;
}

void session_client_leave(struct session *session, size_t handle)
{
	struct client *client = session->client[handle];
	struct trace_record record = { .kind = TRACE_leave,
				       .guest = client->index,
				       .now = calendar_now(session->calendar) };

	if (client->guest)
		session_guest_console(session, client->guest);
	if (client->admitted)
		session_record(session, &record);
	calendar_disconnect(session->calendar, (uint32_t)handle);
	close(client->fd);
	client->connected = false;
	session->clients_left--;
	if (client->guest) {
		client->guest->guest->time_fd = -1;
		client->guest->client = NULL;
		session_guest_settle(session, client->guest);
	}
	session_carry_out(session);
}

static void report_fault(struct session *session, const char *problem, uint32_t handle)
{
	const struct calendar_fault *fault = calendar_last_fault(session->calendar);
	char op[WIRE_NAME_TEXT], time[UNITS_TEXT], id[32] = "without an id";

	if (calendar_client_id(session->calendar, handle) != WIRE_ID_NONE)
		snprintf(id, sizeof(id), "%" PRIu64, calendar_client_id(session->calendar, handle));
	if (problem)
		diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -EPROTO,
			 "look at the last records: ttdump show TRACE",
			 "client %s broke the protocol at record %" PRIu64 ", t=%s s: %s", id,
			 session->result->records,
			 duration_exact(calendar_now(session->calendar), time), problem);
	else
		diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -EPROTO,
			 "look at the last records: ttdump show TRACE",
			 "client %s broke the protocol at record %" PRIu64 ", t=%s s, with %s: %s",
			 id, session->result->records ? session->result->records - 1 : 0,
			 duration_exact(fault->now, time),
			 wire_operation_text(fault->message.op, op), fault->text);
	session_finish(session, SESSION_FAULT);
}

static void receive(struct session *session, uint32_t handle, const struct wire_message *message)
{
	struct client *client = session->client[handle];
	int err;

	/* After an ACK the guest runs on: how much it has printed by now is the host's choice. */
	if (client->guest && message->op != TRACE_OP_ACK)
		session_guest_console(session, client->guest);
	/* A START is recorded when it is admitted, so that the order of arrival leaves no mark. */
	if (client->admitted)
		record_message(session, client, TRACE_from, message);
	if (message->op == TRACE_OP_WAIT && client->guest && client->admitted)
		session_guest_digest(session, client);
	err = calendar_receive(session->calendar, handle, message);
	if (err == -EPROTO)
		report_fault(session, NULL, handle);
	else if (err)
		report_fault(session, strerror(-err), handle);
	session_carry_out(session);
}

void session_client_readable(struct session *session, size_t handle)
{
	struct client *client = session->client[handle];
	struct wire_message message;
	long got;

	if (!client || !client->connected)
		return;
	got = wire_input_fill(&client->input, client->fd);
	if (got == -EAGAIN)
		return;
	session->last_message_wall = process_wall_ns();
	while (!session->over && client->connected && wire_input_take(&client->input, &message))
		receive(session, (uint32_t)handle, &message);
	if (got > 0 || session->over || !client->connected)
		return;
	if (wire_input_partial(&client->input)) {
		char problem[96];

		snprintf(problem, sizeof(problem),
			 "it left after %zu bytes of a message, expected 16",
			 wire_input_partial(&client->input));
		report_fault(session, problem, (uint32_t)handle);
	} else if (!client->guest && calendar_check_leave(session->calendar, (uint32_t)handle)) {
		/* Of a guest that we started, its end itself will tell. */
		report_fault(session, calendar_last_fault(session->calendar)->text,
			     (uint32_t)handle);
	}
	session_client_leave(session, handle);
}

static void admit(struct session *session, const struct calendar_action *action)
{
	struct client *client = session->client[action->client];
	const char *name = client->guest ? client->guest->guest->spec->name : "";
	struct trace_record record = { .kind = TRACE_join,
				       .guest = action->index,
				       .now = calendar_now(session->calendar),
				       .payload = name,
				       .payload_size = strlen(name) };

	client->admitted = session->admitted_any = true;
	client->index = action->index;
	record.join.id = action->message.time;
	record.join.offset = action->offset;
	session_record(session, &record);
	record_message(session, client, TRACE_from, &action->message);
}

static void report_deadlock(struct session *session)
{
	char text[160], where[384] = "";
	uint32_t position = 0;
	size_t length = 0;

	while (length + sizeof(text) < sizeof(where) &&
	       calendar_describe(session->calendar, &position, text, sizeof(text)))
		length += (size_t)snprintf(where + length, sizeof(where) - length, "%s%s",
					   length ? "; " : "", text);
	diagnose(&session->result->diagnosis, EXIT_DIVERGED, -EDEADLK,
		 "a guest that is done should power off; --limit-virtual ends one that waits for "
		 "nothing",
		 "everybody sleeps forever: %s", where);
	session_finish(session, SESSION_DEADLOCK);
}

static void report_limit(struct session *session)
{
	char limit[UNITS_TEXT];

	diagnose(&session->result->diagnosis, EXIT_DIVERGED, -ETIME, "raise --limit-virtual",
		 "the limit of %s s of virtual time was reached",
		 duration_exact(session->options.calendar.limit, limit));
	session_finish(session, SESSION_LIMIT);
}

/* Messages to one client that go out in one write. */
struct batch {
	struct client *client;
	uint32_t handle; /* of client */
	struct wire_message message[CLIENT_BATCH];
	size_t count;
};

static void check_sent(struct session *session, uint32_t handle, int err)
{
	/* A client that is gone shows as end of file on its socket, in its turn. */
	if (!err || err == -EPIPE || err == -ECONNRESET || session->over)
		return;
	report_fault(session,
		     err == -EAGAIN ? "it does not read what is sent to it" : strerror(-err),
		     handle);
}

static void batch_flush(struct session *session, struct batch *batch)
{
	if (batch->count)
		check_sent(session, batch->handle,
			   wire_send(batch->client->fd, batch->message, batch->count));
	batch->count = 0;
}

static void batch_add(struct session *session, struct batch *batch,
		      const struct calendar_action *action)
{
	struct client *client = session->client[action->client];

	if (batch->client != client || batch->count == CLIENT_BATCH)
		batch_flush(session, batch);
	batch->client = client;
	batch->handle = action->client;
	record_message(session, client, TRACE_to, &action->message);
	if (!client->start_acked && action->message.op == TRACE_OP_ACK) {
		client->start_acked = true;
		check_sent(session, action->client,
			   wire_send_start_ack(client->fd, &action->message));
		return;
	}
	batch->message[batch->count++] = action->message;
}

void session_carry_out(struct session *session)
{
	struct calendar_action action;
	struct batch batch = { 0 };

	while (!session->over && calendar_next(session->calendar, &action)) {
		switch (action.kind) {
		case CALENDAR_ADMIT:
			admit(session, &action);
			break;
		case CALENDAR_SEND:
			batch_add(session, &batch, &action);
			break;
		case CALENDAR_IDLE_END:
			report_deadlock(session);
			break;
		case CALENDAR_LIMIT:
			report_limit(session);
			break;
		}
	}
	batch_flush(session, &batch);
}
