// SPDX-License-Identifier: BSD-3-Clause
/* The queue of actions for the session. */
#include <assert.h>

#include "format/base/array.h"
#include "recorder/calendar/calendar_internal.h"

/*
 * One message, one leaving client or one call for the devices causes at most ACK, ADMIT with its
 * ACK, FREE_UNTIL, RUN, a BROADCAST, the ACK of a BROADCAST and an end, WINDOW or DEVICE_TURN, and
 * the ACK of every REQUEST that was held.
 */
#define ACTIONS_PER_CALL 8

int calendar_queue_reserve(struct calendar *calendar, uint32_t clients)
{
	struct calendar_queue *queue = &calendar->queue;
	size_t room = ((size_t)clients + 1) * (ACTIONS_PER_CALL + 1);

	return array_room(queue->actions, queue->capacity, queue->tail + room, 2 * room);
}

static struct calendar_action *queue_append(struct calendar *calendar)
{
	struct calendar_queue *queue = &calendar->queue;

	assert(queue->tail < queue->capacity);
	return &queue->actions[queue->tail++];
}

bool calendar_next(struct calendar *calendar, struct calendar_action *action)
{
	struct calendar_queue *queue = &calendar->queue;

	if (queue->head == queue->tail)
		return false;
	*action = queue->actions[queue->head++];
	/* Restarting at the beginning when it is empty keeps it within a few cache lines. */
	if (queue->head == queue->tail)
		queue->head = queue->tail = 0;
	return true;
}

void calendar_queue_forget(struct calendar *calendar, uint32_t handle)
{
	struct calendar_queue *queue = &calendar->queue;
	size_t kept = queue->head;

	for (size_t i = queue->head; i < queue->tail; i++)
		if (queue->actions[i].client != handle)
			queue->actions[kept++] = queue->actions[i];
	queue->tail = kept;
	if (queue->head == queue->tail)
		queue->head = queue->tail = 0;
}

void calendar_announce(struct calendar *calendar, enum calendar_action_kind kind, uint32_t handle)
{
	struct calendar_action *action = queue_append(calendar);

	*action = (struct calendar_action){ .kind = kind, .client = handle };
	if (kind == CALENDAR_ADMIT) {
		const struct calendar_client *client = &calendar->clients[handle];

		action->index = client->index;
		action->offset = client->offset;
		action->message = client->question;
	}
}

static void message_append(struct calendar *calendar, uint32_t handle, struct wire_message message)
{
	const struct calendar_client *client = &calendar->clients[handle];

	*queue_append(calendar) = (struct calendar_action){
		.kind = CALENDAR_SEND,
		.client = handle,
		.index = client->index,
		.offset = client->offset,
		.message = message,
	};
}

void calendar_send(struct calendar *calendar, uint32_t handle, enum calendar_sent what,
		   uint64_t time)
{
	static const uint32_t operations[] = {
		[CALENDAR_SENT_GRANT] = TRACE_OP_FREE_UNTIL,
		[CALENDAR_SENT_RUN] = TRACE_OP_RUN,
		[CALENDAR_SENT_SHRINK] = TRACE_OP_FREE_UNTIL,
		[CALENDAR_SENT_BROADCAST] = TRACE_OP_BROADCAST,
	};
	struct calendar_client *client = &calendar->clients[handle];

	assert(client->sent_count < CALENDAR_SENT_MAX);
	client->sent[client->sent_count++] = what;
	if (what != CALENDAR_SENT_BROADCAST)
		time -= client->offset;
	message_append(calendar, handle,
		       (struct wire_message){ operations[what], ++client->seq, time });
}

void calendar_answer(struct calendar *calendar, uint32_t handle, uint32_t seq, uint64_t time)
{
	message_append(calendar, handle, (struct wire_message){ TRACE_OP_ACK, seq, time });
}

void calendar_answer_question(struct calendar *calendar, uint32_t handle)
{
	struct calendar_client *client = &calendar->clients[handle];

	assert(client->awaits_ack);
	client->awaits_ack = false;
	calendar_answer(calendar, handle, client->question.seq, 0);
}
