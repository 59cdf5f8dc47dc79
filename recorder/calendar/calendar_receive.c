// SPDX-License-Identifier: BSD-3-Clause
/*
 * A client's message: whether the protocol allows it now, and what it changes.
 *
 * Every handler checks first and changes state afterwards, so that a refused message has no effect.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "recorder/calendar/calendar_internal.h"

static int refuse(struct calendar *calendar, uint32_t handle, const struct wire_message *message,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

static int refuse(struct calendar *calendar, uint32_t handle, const struct wire_message *message,
		  const char *format, ...)
{
	struct calendar_fault *fault = &calendar->fault;
	va_list arguments;

	fault->client = handle;
	fault->id = calendar->clients[handle].id;
	fault->now = calendar->now;
	fault->message = *message;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	return -EPROTO;
}

/* The controller's time for a client's; false when it lies beyond all time. */
static bool time_from_client(const struct calendar_client *client, uint64_t time, uint64_t *result)
{
	if (time >= WIRE_TIME_NEVER - client->offset)
		return false;
	*result = time + client->offset;
	return true;
}

/* A question that has to wait for its ACK must be the only one. */
static int check_no_question(struct calendar *calendar, uint32_t handle,
			     const struct wire_message *message)
{
	const struct calendar_client *client = &calendar->clients[handle];
	char name[WIRE_NAME_TEXT], asked[WIRE_NAME_TEXT];

	if (!client->awaits_ack)
		return 0;
	return refuse(calendar, handle, message,
		      "%s while its %s is not answered: expected it to wait for the ACK of seq "
		      "%" PRIu32,
		      wire_operation_text(message->op, name),
		      wire_operation_text(client->question.op, asked), client->question.seq);
}

static int check_runs(struct calendar *calendar, uint32_t handle,
		      const struct wire_message *message)
{
	const struct calendar_client *client = &calendar->clients[handle];
	char name[WIRE_NAME_TEXT];

	if (client->state != CALENDAR_RUNNING)
		return refuse(calendar, handle, message,
			      "%s from a waiting client: expected only between RUN and WAIT",
			      wire_operation_text(message->op, name));
	for (unsigned int i = 0; i < client->sent_count; i++)
		if (client->sent[i] == CALENDAR_SENT_RUN)
			return refuse(calendar, handle, message,
				      "%s before the ACK of RUN: expected the ACK of seq %" PRIu32,
				      wire_operation_text(message->op, name),
				      calendar_client_awaited_seq(client) + i);
	return 0;
}

static int check_not_past(struct calendar *calendar, uint32_t handle,
			  const struct wire_message *message, uint64_t time)
{
	char name[WIRE_NAME_TEXT], asked[UNITS_TEXT], now[UNITS_TEXT];

	if (time >= calendar->now)
		return 0;
	return refuse(calendar, handle, message,
		      "%s of %s is in the past: expected %s or later (in the calendar's time)",
		      wire_operation_text(message->op, name), duration_exact(time, asked),
		      duration_exact(calendar->now, now));
}

static const char *const sent_names[] = {
	[CALENDAR_SENT_GRANT] = "FREE_UNTIL",
	[CALENDAR_SENT_RUN] = "RUN",
	[CALENDAR_SENT_SHRINK] = "FREE_UNTIL",
	[CALENDAR_SENT_BROADCAST] = "BROADCAST",
};

static int receive_ack(struct calendar *calendar, uint32_t handle,
		       const struct wire_message *message)
{
	struct calendar_client *client = &calendar->clients[handle];
	enum calendar_sent what;

	if (!client->sent_count)
		return refuse(calendar, handle, message,
			      "ACK of seq %" PRIu32 ": expected none, everything is acknowledged",
			      message->seq);
	what = client->sent[0];
	if (message->seq != calendar_client_awaited_seq(client))
		return refuse(calendar, handle, message,
			      "ACK of seq %" PRIu32 ": expected that of %s, seq %" PRIu32,
			      message->seq, sent_names[what], calendar_client_awaited_seq(client));

	client->sent_count--;
	for (unsigned int i = 0; i < client->sent_count; i++)
		client->sent[i] = client->sent[i + 1];
	if (what == CALENDAR_SENT_BROADCAST)
		calendar_relay_acknowledged(calendar, handle);
	calendar_acknowledged(calendar, handle);
	return 0;
}

/* This is the client's first START: calendar_receive() has checked its state. */
static int receive_start(struct calendar *calendar, uint32_t handle,
			 const struct wire_message *message)
{
	struct calendar_client *client = &calendar->clients[handle];
	struct calendar_key key = {
		.time = calendar->open,	 /* late joiners after all expected clients */
		.id = message->time + 1, /* those without an id first: they serve others */
		.order = client->connection,
	};

	client->id = message->time;
	client->state = CALENDAR_STARTING;
	client->question = *message;
	client->awaits_ack = true;
	calendar->unannounced--;
	calendar_heap_set(&calendar->starting, handle, key);
	if (calendar->starting.count >= calendar->options.expected)
		calendar->open = true;
	return 0;
}

static int receive_request(struct calendar *calendar, uint32_t handle,
			   const struct wire_message *message)
{
	struct calendar_client *client = &calendar->clients[handle];
	uint64_t time = WIRE_TIME_NEVER;
	int err = check_no_question(calendar, handle, message);

	if (err)
		return err;
	if (message->time < WIRE_TIME_NEVER && !time_from_client(client, message->time, &time))
		return refuse(calendar, handle, message,
			      "REQUEST is beyond 2^63 ns of the calendar's time: expected S64_MAX "
			      "for never");
	err = check_not_past(calendar, handle, message, time);
	if (err)
		return err;

	if (client->state == CALENDAR_RUNNING) {
		client->request = time;
		calendar_answer(calendar, handle, message->seq, 0);
		return 0;
	}
	calendar_enter(calendar, handle, time);
	calendar_answer_request(calendar, handle, message);
	return 0;
}

static int receive_wait(struct calendar *calendar, uint32_t handle,
			const struct wire_message *message)
{
	int err;

	if (calendar->clients[handle].state == CALENDAR_WAITING)
		return refuse(calendar, handle, message,
			      "WAIT from a waiting client: expected after RUN");
	err = check_runs(calendar, handle, message);
	if (!err)
		err = check_no_question(calendar, handle, message);
	if (err)
		return err;
	/* The ACK comes before anything else (Q4; usfstl's clients read exactly that next, Q17). */
	calendar_answer(calendar, handle, message->seq, 0);
	calendar_wait(calendar, handle);
	calendar_relay_advance(calendar);
	return 0;
}

static int receive_get(struct calendar *calendar, uint32_t handle,
		       const struct wire_message *message)
{
	calendar_answer(calendar, handle, message->seq,
			calendar->now - calendar->clients[handle].offset);
	return 0;
}

/* Not the client's own time: a kernel subtracts that from it (time_travel_set_start). */
static int receive_get_tod(struct calendar *calendar, uint32_t handle,
			   const struct wire_message *message)
{
	calendar_answer(calendar, handle, message->seq, calendar->options.tod + calendar->now);
	return 0;
}

static int receive_update(struct calendar *calendar, uint32_t handle,
			  const struct wire_message *message)
{
	const struct calendar_client *client = &calendar->clients[handle];
	char bound[UNITS_TEXT];
	uint64_t time = WIRE_TIME_NEVER;
	int err = check_runs(calendar, handle, message);

	if (!err && time_from_client(client, message->time, &time))
		err = check_not_past(calendar, handle, message, time);
	if (err)
		return err;
	if (time > calendar->now && time >= client->bound)
		return refuse(calendar, handle, message,
			      "UPDATE is beyond the client's grant: expected less than %s (in the "
			      "client's time)",
			      duration_exact(client->bound - client->offset, bound));
	calendar->now = time;
	if (calendar->reach < WIRE_TIME_NEVER - time)
		calendar_narrow(calendar, time + calendar->reach);
	calendar_answer(calendar, handle, message->seq, 0);
	return 0;
}

static int receive_broadcast(struct calendar *calendar, uint32_t handle,
			     const struct wire_message *message)
{
	struct calendar_client *client = &calendar->clients[handle];
	int err = check_no_question(calendar, handle, message);

	if (err)
		return err;
	client->question = *message;
	client->awaits_ack = true;
	calendar_relay_start(calendar, handle);
	return 0;
}

static int receive_not_ours(struct calendar *calendar, uint32_t handle,
			    const struct wire_message *message)
{
	char name[WIRE_NAME_TEXT];

	return refuse(calendar, handle, message,
		      "%s is sent only by the controller: expected ACK, REQUEST, WAIT, GET, "
		      "UPDATE, GET_TOD or BROADCAST",
		      wire_operation_text(message->op, name));
}

typedef int receive_function(struct calendar *calendar, uint32_t handle,
			     const struct wire_message *message);

static receive_function *const receivers[] = {
	[TRACE_OP_ACK] = receive_ack,	      [TRACE_OP_START] = receive_start,
	[TRACE_OP_REQUEST] = receive_request, [TRACE_OP_WAIT] = receive_wait,
	[TRACE_OP_GET] = receive_get,	      [TRACE_OP_UPDATE] = receive_update,
	[TRACE_OP_RUN] = receive_not_ours,    [TRACE_OP_FREE_UNTIL] = receive_not_ours,
	[TRACE_OP_GET_TOD] = receive_get_tod, [TRACE_OP_BROADCAST] = receive_broadcast,
};
_Static_assert(ARRAY_SIZE(receivers) == TRACE_OP_LIMIT, "every operation has a receiver");

/* START is the first message, comes once, and nothing follows before it is answered. */
static int refuse_unstarted(struct calendar *calendar, uint32_t handle,
			    const struct wire_message *message)
{
	char name[WIRE_NAME_TEXT];

	wire_operation_text(message->op, name);
	if (calendar->clients[handle].state == CALENDAR_CONNECTED)
		return refuse(calendar, handle, message,
			      "%s before START: expected START as the first message", name);
	if (message->op == TRACE_OP_START)
		return refuse(calendar, handle, message,
			      "a second START: expected one for each connection");
	return refuse(calendar, handle, message,
		      "%s while its START is not answered: expected it to wait for that ACK", name);
}

/* Only a client that has just connected sends START. */
static bool is_started(const struct calendar_client *client, const struct wire_message *message)
{
	if (message->op == TRACE_OP_START)
		return client->state == CALENDAR_CONNECTED;
	return client->state == CALENDAR_RUNNING || client->state == CALENDAR_WAITING;
}

int calendar_receive(struct calendar *calendar, uint32_t handle, const struct wire_message *message)
{
	int err;

	assert(calendar_client_state(calendar, handle) != CALENDAR_GONE);
	err = calendar_queue_reserve(calendar, calendar->present);
	if (err)
		return err;
	if (message->op >= TRACE_OP_LIMIT)
		return refuse(calendar, handle, message,
			      "operation %" PRIu32 " is unknown: expected 0 to %d", message->op,
			      TRACE_OP_LIMIT - 1);
	if (!is_started(&calendar->clients[handle], message))
		return refuse_unstarted(calendar, handle, message);
	err = receivers[message->op](calendar, handle, message);
	if (!err)
		calendar_schedule(calendar);
	return err;
}

static int refuse_leave_unanswered(struct calendar *calendar, uint32_t handle,
				   const struct wire_message *none)
{
	const struct calendar_client *client = &calendar->clients[handle];
	char name[WIRE_NAME_TEXT];

	return refuse(calendar, handle, none,
		      "it left while its %s is not answered: expected it to wait for the ACK of "
		      "seq %" PRIu32,
		      wire_operation_text(client->question.op, name), client->question.seq);
}

int calendar_check_leave(struct calendar *calendar, uint32_t handle)
{
	const struct calendar_client *client = &calendar->clients[handle];
	const struct wire_message none = { 0 };

	assert(calendar_client_state(calendar, handle) != CALENDAR_GONE);
	if (client->state == CALENDAR_CONNECTED)
		return refuse(calendar, handle, &none,
			      "it left before START: expected START as the first message");
	if (client->awaits_ack)
		return refuse_leave_unanswered(calendar, handle, &none);
	if (client->sent_count)
		return refuse(calendar, handle, &none,
			      "it left before the ACK of %s: expected the ACK of seq %" PRIu32,
			      sent_names[client->sent[client->sent_count - 1]], client->seq);
	if (client->state == CALENDAR_WAITING &&
	    calendar->waiting.positions[handle] != CALENDAR_HEAP_ABSENT)
		return refuse(calendar, handle, &none,
			      "it left while waiting: expected it to stay until the RUN that it "
			      "requested");
	return 0;
}
