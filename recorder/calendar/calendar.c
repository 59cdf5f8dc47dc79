// SPDX-License-Identifier: BSD-3-Clause
/* The calendar's clients: how they come and go, and what can be asked about them. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/base/array.h"
#include "format/base/units.h"
#include "recorder/calendar/calendar_internal.h"

static const struct calendar_list empty_list = { CALENDAR_NO_CLIENT, CALENDAR_NO_CLIENT };

void calendar_list_append(struct calendar *calendar, struct calendar_list *list, uint32_t handle)
{
	struct calendar_client *client = &calendar->clients[handle];

	client->previous = list->last;
	client->next = CALENDAR_NO_CLIENT;
	if (list->last != CALENDAR_NO_CLIENT)
		calendar->clients[list->last].next = handle;
	else
		list->first = handle;
	list->last = handle;
}

void calendar_list_remove(struct calendar *calendar, struct calendar_list *list, uint32_t handle)
{
	const struct calendar_client *client = &calendar->clients[handle];

	if (client->previous != CALENDAR_NO_CLIENT)
		calendar->clients[client->previous].next = client->next;
	else
		list->first = client->next;
	if (client->next != CALENDAR_NO_CLIENT)
		calendar->clients[client->next].previous = client->previous;
	else
		list->last = client->previous;
}

int calendar_create(const struct calendar_options *options, struct calendar **result)
{
	struct calendar *calendar;

	/* Beyond that the sum with the virtual time would not fit. */
	if (!options->expected || options->tod > WIRE_TIME_NEVER)
		return -EINVAL;
	calendar = calloc(1, sizeof(*calendar));
	if (!calendar)
		return -ENOMEM;
	calendar->options = *options;
	calendar->running = CALENDAR_NO_CLIENT;
	calendar->device_turn = calendar->reach = WIRE_TIME_NEVER;
	calendar->window = options->windowed ? 0 : WIRE_TIME_NEVER;
	calendar->free_places = CALENDAR_NO_CLIENT;
	calendar->held = empty_list;
	calendar->relay.waiting = empty_list;
	*result = calendar;
	return 0;
}

void calendar_destroy(struct calendar *calendar)
{
	if (!calendar)
		return;
	calendar_heap_release(&calendar->starting);
	calendar_heap_release(&calendar->waiting);
	free(calendar->queue.actions);
	free(calendar->admitted);
	free(calendar->clients);
	free(calendar);
}

/* Make room for one more client in every table. On failure some tables are larger than needed. */
static int tables_grow(struct calendar *calendar)
{
	size_t capacity = calendar->capacity, admitted = capacity;

	if (array_room(calendar->clients, capacity, capacity + 1, 8) ||
	    array_room(calendar->admitted, admitted, capacity, 8) ||
	    calendar_heap_reserve(&calendar->starting, (uint32_t)capacity) ||
	    calendar_heap_reserve(&calendar->waiting, (uint32_t)capacity))
		return -ENOMEM;
	calendar->capacity = (uint32_t)capacity;
	return 0;
}

static uint32_t place_take(struct calendar *calendar)
{
	uint32_t handle = calendar->free_places;

	if (handle == CALENDAR_NO_CLIENT)
		return calendar->count++;
	calendar->free_places = calendar->clients[handle].next;
	return handle;
}

static void place_give_back(struct calendar *calendar, uint32_t handle)
{
	calendar->clients[handle] = (struct calendar_client){
		.state = CALENDAR_GONE,
		.id = WIRE_ID_NONE,
		.next = calendar->free_places,
	};
	calendar->free_places = handle;
}

int calendar_connect(struct calendar *calendar, uint32_t *client)
{
	uint32_t handle;
	int err = 0;

	if (calendar->free_places == CALENDAR_NO_CLIENT && calendar->count == calendar->capacity)
		err = tables_grow(calendar);
	if (!err)
		err = calendar_queue_reserve(calendar, calendar->present + 1);
	if (err)
		return err;
	handle = place_take(calendar);
	calendar->clients[handle] = (struct calendar_client){
		.state = CALENDAR_CONNECTED,
		.id = WIRE_ID_NONE,
		.request = WIRE_TIME_NEVER,
		.connection = calendar->connections++,
	};
	calendar->present++;
	calendar->unannounced++;
	*client = handle;
	return 0;
}

static void admitted_remove(struct calendar *calendar, uint32_t handle)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < calendar->admitted_count; i++)
		if (calendar->admitted[i] != handle)
			calendar->admitted[kept++] = calendar->admitted[i];
	calendar->admitted_count = kept;
}

void calendar_disconnect(struct calendar *calendar, uint32_t handle)
{
	const struct calendar_client *client = &calendar->clients[handle];

	assert(calendar_client_state(calendar, handle) != CALENDAR_GONE);
	calendar_queue_forget(calendar, handle);
	calendar_relay_forget(calendar, handle);
	calendar_heap_remove(&calendar->starting, handle);
	calendar_heap_remove(&calendar->waiting, handle);
	if (client->awaits_ack && client->question.op == TRACE_OP_REQUEST)
		calendar_list_remove(calendar, &calendar->held, handle);
	if (calendar->running == handle)
		calendar_token_drop(calendar);
	if (client->state == CALENDAR_CONNECTED)
		calendar->unannounced--;
	admitted_remove(calendar, handle);
	calendar->present--;
	place_give_back(calendar, handle);
	if (calendar->idle)
		calendar->ended = calendar->idle = false;
	calendar_relay_advance(calendar);
	calendar_schedule(calendar);
}

void calendar_expect_fewer(struct calendar *calendar)
{
	if (calendar->options.expected)
		calendar->options.expected--;
	if (calendar->starting.count && calendar->starting.count >= calendar->options.expected)
		calendar->open = true;
	calendar_schedule(calendar);
}

const struct calendar_fault *calendar_last_fault(const struct calendar *calendar)
{
	return &calendar->fault;
}

uint64_t calendar_now(const struct calendar *calendar)
{
	return calendar->now;
}

enum calendar_client_state calendar_client_state(const struct calendar *calendar, uint32_t client)
{
	return client < calendar->count ? calendar->clients[client].state : CALENDAR_GONE;
}

uint64_t calendar_client_id(const struct calendar *calendar, uint32_t client)
{
	return client < calendar->count ? calendar->clients[client].id : WIRE_ID_NONE;
}

bool calendar_running(const struct calendar *calendar, uint32_t *client)
{
	if (calendar->running == CALENDAR_NO_CLIENT)
		return false;
	*client = calendar->running;
	return true;
}

bool calendar_owes(const struct calendar *calendar, uint32_t *client)
{
	if (calendar_running(calendar, client))
		return true;
	for (*client = 0; *client < calendar->count; ++*client) {
		const struct calendar_client *other = &calendar->clients[*client];

		if (other->state != CALENDAR_GONE &&
		    (other->state == CALENDAR_CONNECTED || other->sent_count))
			return true;
	}
	return false;
}

#define NAME_TEXT 40

static const char *client_name(const struct calendar_client *client, char text[NAME_TEXT])
{
	if (client->id == WIRE_ID_NONE)
		snprintf(text, NAME_TEXT, "no id");
	else if (client->id <= UINT32_MAX)
		snprintf(text, NAME_TEXT, "id %" PRIu64, client->id);
	else
		snprintf(text, NAME_TEXT, "id 0x%" PRIx64, client->id);
	return text;
}

static void describe_admitted(const struct calendar *calendar, uint32_t handle, char *text,
			      size_t size)
{
	const struct calendar_client *client = &calendar->clients[handle];
	uint32_t position = calendar->waiting.positions[handle];
	char time[UNITS_TEXT];

	if (client->state == CALENDAR_RUNNING)
		snprintf(text, size, "running, last message at %s",
			 duration_exact(calendar->now, time));
	else if (position == CALENDAR_HEAP_ABSENT)
		snprintf(text, size, "waiting, no event");
	else
		snprintf(text, size, "waiting, next event %s",
			 duration_exact(calendar->waiting.entries[position].key.time, time));
}

/* What it waits for: unacknowledged messages and unanswered requests. */
static void describe_open_ends(const struct calendar_client *client, char *text, size_t size)
{
	char name[WIRE_NAME_TEXT];
	int used = 0;

	text[0] = '\0';
	if (client->sent_count)
		used = snprintf(text, size, ", has not acknowledged seq %" PRIu32,
				calendar_client_awaited_seq(client));
	if (client->awaits_ack && client->state != CALENDAR_STARTING)
		snprintf(text + used, size - (size_t)used, ", its %s is not answered",
			 wire_operation_text(client->question.op, name));
}

bool calendar_describe(const struct calendar *calendar, uint32_t *position, char *text, size_t size)
{
	const struct calendar_client *client;
	char name[NAME_TEXT], where[96], ends[96];

	while (*position < calendar->count && calendar->clients[*position].state == CALENDAR_GONE)
		++*position;
	if (*position >= calendar->count)
		return false;
	client = &calendar->clients[*position];
	if (client->state == CALENDAR_CONNECTED)
		snprintf(where, sizeof(where), "connected, has not sent START");
	else if (client->state == CALENDAR_STARTING)
		snprintf(where, sizeof(where), "has sent START, not yet admitted");
	else
		describe_admitted(calendar, *position, where, sizeof(where));
	describe_open_ends(client, ends, sizeof(ends));
	snprintf(text, size, "%s: %s%s", client_name(client, name), where, ends);
	++*position;
	return true;
}
