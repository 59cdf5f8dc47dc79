// SPDX-License-Identifier: BSD-3-Clause
/* The stage for scripted tests of the calendar. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recorder/calendar/calendar_stage.h"

void stage_open(struct stage *stage, struct calendar_options options)
{
	*stage = (struct stage){};
	if (!options.expected)
		options.expected = 1;
	assert_int_equal(calendar_create(&options, &stage->calendar), 0);
}

void stage_close(struct stage *stage)
{
	calendar_destroy(stage->calendar);
}

uint32_t stage_connect(struct stage *stage)
{
	uint32_t client;

	assert_int_equal(calendar_connect(stage->calendar, &client), 0);
	assert_true(client < STAGE_CLIENTS);
	stage->clients[client] = (struct stage_client){};
	return client;
}

void stage_leave(struct stage *stage, uint32_t client)
{
	calendar_disconnect(stage->calendar, client);
	assert_int_equal(calendar_client_state(stage->calendar, client), CALENDAR_GONE);
}

static struct wire_message next_message(struct stage *stage, uint32_t client, uint32_t op,
					uint64_t time)
{
	return (struct wire_message){ op, ++stage->clients[client].said, time };
}

void stage_says(int line, struct stage *stage, uint32_t client, uint32_t op, uint64_t time)
{
	struct wire_message message = next_message(stage, client, op, time);

	if (calendar_receive(stage->calendar, client, &message))
		fail_msg("line %d: refused: %s", line, calendar_last_fault(stage->calendar)->text);
}

void stage_message_refused(int line, struct stage *stage, uint32_t client,
			   struct wire_message message, const char *text)
{
	const struct calendar_fault *fault = calendar_last_fault(stage->calendar);

	if (calendar_receive(stage->calendar, client, &message) != -EPROTO)
		fail_msg("line %d: not refused", line);
	if (!strstr(fault->text, text))
		fail_msg("line %d: refused with '%s', not '%s'", line, fault->text, text);
	assert_int_equal(fault->client, client);
	assert_memory_equal(&fault->message, &message, sizeof(message));
	stage_is_quiet(line, stage);
}

void stage_refused(int line, struct stage *stage, uint32_t client, uint32_t op, uint64_t time,
		   const char *text)
{
	stage_message_refused(line, stage, client, next_message(stage, client, op, time), text);
	stage->clients[client].said--; /* an ACK that is still to come is for an earlier one */
}

void stage_acks(int line, struct stage *stage, uint32_t client)
{
	struct stage_client *actor = &stage->clients[client];
	struct wire_message ack = { TRACE_OP_ACK, actor->sent - actor->unacked + 1, 0 };

	actor->unacked--;
	if (calendar_receive(stage->calendar, client, &ack))
		fail_msg("line %d: refused: %s", line, calendar_last_fault(stage->calendar)->text);
}

static const char *action_text(const struct calendar_action *action, char text[128])
{
	static const char *const kinds[] = {
		[CALENDAR_ADMIT] = "ADMIT",
		[CALENDAR_SEND] = "SEND",
		[CALENDAR_IDLE_END] = "IDLE_END",
		[CALENDAR_LIMIT] = "LIMIT",
		[CALENDAR_DEVICE_TURN] = "DEVICE_TURN",
		[CALENDAR_WINDOW] = "WINDOW",
	};
	char name[WIRE_NAME_TEXT];

	snprintf(text, 128, "%s client %" PRIu32 " %s seq %" PRIu32 " time %" PRIu64,
		 kinds[action->kind], action->client, wire_operation_text(action->message.op, name),
		 action->message.seq, action->message.time);
	return text;
}

static struct calendar_action next_action(int line, struct stage *stage,
					  enum calendar_action_kind kind)
{
	struct calendar_action action;
	char text[128];

	if (!calendar_next(stage->calendar, &action))
		fail_msg("line %d: the calendar wants nothing", line);
	if (action.kind != kind)
		fail_msg("line %d: got %s", line, action_text(&action, text));
	return action;
}

void stage_sends(int line, struct stage *stage, uint32_t client, uint32_t op, uint64_t time)
{
	struct calendar_action action = next_action(line, stage, CALENDAR_SEND);
	struct stage_client *actor = &stage->clients[client];
	uint32_t seq = op == TRACE_OP_ACK ? actor->said : actor->sent + 1;
	char text[128];

	if (action.client != client || action.message.op != op || action.message.seq != seq ||
	    action.message.time != time)
		fail_msg("line %d: got %s", line, action_text(&action, text));
	if (op == TRACE_OP_ACK)
		return;
	actor->sent++;
	actor->unacked++;
}

void stage_admits(int line, struct stage *stage, uint32_t client, uint32_t index, uint64_t offset)
{
	struct calendar_action action = next_action(line, stage, CALENDAR_ADMIT);
	char text[128];

	if (action.client != client || action.index != index || action.offset != offset ||
	    action.message.op != TRACE_OP_START)
		fail_msg("line %d: got %s index %" PRIu32 " offset %" PRIu64, line,
			 action_text(&action, text), action.index, action.offset);
}

void stage_announces(int line, struct stage *stage, enum calendar_action_kind kind)
{
	next_action(line, stage, kind);
	stage_is_quiet(line, stage);
}

void stage_is_quiet(int line, struct stage *stage)
{
	struct calendar_action action;
	char text[128];

	if (calendar_next(stage->calendar, &action))
		fail_msg("line %d: got %s", line, action_text(&action, text));
}

uint32_t stage_starts_alone(int line, struct stage *stage, uint64_t id)
{
	uint32_t client = stage_connect(stage);

	stage_says(line, stage, client, TRACE_OP_START, id);
	return client;
}

void stage_is_admitted(int line, struct stage *stage, uint32_t client, uint32_t index,
		       uint64_t offset)
{
	stage_admits(line, stage, client, index, offset);
	stage_sends(line, stage, client, TRACE_OP_ACK, 0);
}

void stage_asks(int line, struct stage *stage, uint32_t client, uint64_t time)
{
	stage_says(line, stage, client, TRACE_OP_REQUEST, time);
	stage_sends(line, stage, client, TRACE_OP_ACK, 0);
}

void stage_waits(int line, struct stage *stage, uint32_t client)
{
	stage_says(line, stage, client, TRACE_OP_WAIT, UINT64_MAX);
	stage_sends(line, stage, client, TRACE_OP_ACK, 0);
}

void stage_is_run(int line, struct stage *stage, uint32_t client, uint64_t time)
{
	stage_sends(line, stage, client, TRACE_OP_RUN, time);
	stage_acks(line, stage, client);
}

void stage_clients(struct stage *stage, struct calendar_options options, uint32_t count,
		   const uint64_t *times, uint32_t *handles)
{
	options.expected = count;
	stage_open(stage, options);
	for (uint32_t i = 0; i < count; i++)
		handles[i] = starts_alone(stage, i + 1);
	for (uint32_t i = 0; i < count; i++) {
		is_admitted(stage, handles[i], i, 0);
		asks(stage, handles[i], times[i]);
		waits(stage, handles[i]);
	}
}
