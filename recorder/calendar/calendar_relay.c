// SPDX-License-Identifier: BSD-3-Clause
/*
 * BROADCAST: a client's value goes to every other client.
 *
 * Every waiting client gets it in order of admission, one after the other, and the sender's ACK
 * goes out last. So does usfstl's controller, and it is what makes the moment exact: the sender (a
 * kernel writes to /sys/kernel/um-ext-time/bc-message and stays in time_travel_ext_req() until the
 * ACK) cannot touch anybody through a device before that one has the value. One at a time, so that
 * the order in a trace does not depend on whose ACK arrives first.
 *
 * Kernels only broadcast while they run, so that all others wait. A device may broadcast while it
 * waits. The client that runs then cannot read: it is owed the value and gets it in front of its
 * next RUN, but the sender is answered before, because the running client may be waiting for a
 * reply of that very device.
 *
 * No client is given the token before all have the value.
 */
#include <assert.h>

#include "recorder/calendar/calendar_internal.h"

/* Position of the first admitted client whose index is at least @index. */
static uint32_t admitted_from(const struct calendar *calendar, uint32_t index)
{
	uint32_t low = 0, high = calendar->admitted_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (calendar->clients[calendar->admitted[middle]].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The next receiver, CALENDAR_NO_CLIENT when all have been considered. */
static uint32_t relay_next_client(struct calendar *calendar)
{
	struct calendar_relay *relay = &calendar->relay;
	uint32_t position = admitted_from(calendar, relay->next_index);
	uint32_t handle;

	if (position == calendar->admitted_count)
		return CALENDAR_NO_CLIENT;
	handle = calendar->admitted[position];
	relay->next_index = calendar->clients[handle].index + 1;
	return handle;
}

static void relay_deliver(struct calendar *calendar, uint32_t handle)
{
	calendar_send(calendar, handle, CALENDAR_SENT_BROADCAST, calendar->relay.value);
	calendar->relay.awaited = handle;
}

/* Deliver to the next client that waits. Returns false when there is none left. */
static bool relay_deliver_next(struct calendar *calendar)
{
	struct calendar_relay *relay = &calendar->relay;
	uint32_t handle;

	while ((handle = relay_next_client(calendar)) != CALENDAR_NO_CLIENT) {
		if (handle == relay->from)
			continue;
		if (!calendar_client_busy(&calendar->clients[handle])) {
			relay_deliver(calendar, handle);
			return true;
		}
		relay->owed = handle;
	}
	return false;
}

static void relay_answer_sender(struct calendar *calendar)
{
	struct calendar_relay *relay = &calendar->relay;

	if (relay->sender != CALENDAR_NO_CLIENT)
		calendar_answer_question(calendar, relay->sender);
	relay->sender = CALENDAR_NO_CLIENT;
}

/* One relay as far as it goes. Returns true when it is through. */
static bool relay_continue(struct calendar *calendar)
{
	struct calendar_relay *relay = &calendar->relay;

	if (relay->awaited != CALENDAR_NO_CLIENT || relay_deliver_next(calendar))
		return false;
	relay_answer_sender(calendar);
	if (relay->owed == CALENDAR_NO_CLIENT)
		return true;
	if (!calendar_client_busy(&calendar->clients[relay->owed])) {
		relay_deliver(calendar, relay->owed);
		relay->owed = CALENDAR_NO_CLIENT;
	}
	return false;
}

static void relay_begin(struct calendar *calendar, uint32_t handle)
{
	struct calendar_relay *relay = &calendar->relay;

	relay->active = true;
	relay->value = calendar->clients[handle].question.time;
	relay->sender = handle;
	relay->from = handle;
	relay->next_index = 0;
	relay->awaited = CALENDAR_NO_CLIENT;
	relay->owed = CALENDAR_NO_CLIENT;
}

void calendar_relay_advance(struct calendar *calendar)
{
	struct calendar_relay *relay = &calendar->relay;

	while (relay->active && relay_continue(calendar)) {
		uint32_t next = relay->waiting.first;

		relay->active = false;
		if (next != CALENDAR_NO_CLIENT) {
			calendar_list_remove(calendar, &relay->waiting, next);
			relay_begin(calendar, next);
		}
	}
}

void calendar_relay_start(struct calendar *calendar, uint32_t handle)
{
	struct calendar_relay *relay = &calendar->relay;

	if (relay->active)
		calendar_list_append(calendar, &relay->waiting, handle);
	else
		relay_begin(calendar, handle);
	calendar_relay_advance(calendar);
}

void calendar_relay_acknowledged(struct calendar *calendar, uint32_t handle)
{
	assert(calendar->relay.awaited == handle);
	calendar->relay.awaited = CALENDAR_NO_CLIENT;
	calendar_relay_advance(calendar);
}

/* A value is delivered even if its sender has left since. */
void calendar_relay_forget(struct calendar *calendar, uint32_t handle)
{
	const struct calendar_client *client = &calendar->clients[handle];
	struct calendar_relay *relay = &calendar->relay;

	if (!relay->active)
		return;
	if (client->awaits_ack && client->question.op == TRACE_OP_BROADCAST &&
	    relay->sender != handle)
		calendar_list_remove(calendar, &relay->waiting, handle);
	if (relay->sender == handle)
		relay->sender = CALENDAR_NO_CLIENT;
	if (relay->from == handle)
		relay->from = CALENDAR_NO_CLIENT;
	if (relay->awaited == handle)
		relay->awaited = CALENDAR_NO_CLIENT;
	if (relay->owed == handle)
		relay->owed = CALENDAR_NO_CLIENT;
}
