// SPDX-License-Identifier: BSD-3-Clause
/* Who runs next, and until when. */
#include <assert.h>

#include "recorder/calendar/calendar_internal.h"

void calendar_enter(struct calendar *calendar, uint32_t handle, uint64_t time)
{
	const struct calendar_client *client = &calendar->clients[handle];

	if (time >= WIRE_TIME_NEVER)
		calendar_heap_remove(&calendar->waiting, handle);
	else
		calendar_heap_set(&calendar->waiting, handle,
				  (struct calendar_key){ time, client->id, client->index });
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Time of the first event of all waiting clients, WIRE_TIME_NEVER if there is none. */
uint64_t calendar_next_event(const struct calendar *calendar)
{
	const struct calendar_heap_entry *next = calendar_heap_top(&calendar->waiting);

	return next ? earlier(next->key.time, calendar->device_turn) : calendar->device_turn;
}

/* The time that a running client must not pass: another event, or the end of the window. */
static uint64_t first_limit(const struct calendar *calendar)
{
	return earlier(calendar->window, calendar_next_event(calendar));
}

/*
 * How far a client that runs now may go by itself. Never S64_MAX or more: an idle kernel's event
 * lies there, and it must ask for it rather than run to it.
 */
static uint64_t grant_bound(const struct calendar *calendar)
{
	uint64_t bound = earlier(WIRE_TIME_NEVER - 1, calendar->now + CALENDAR_HORIZON_NS);

	if (calendar->options.limit)
		bound = earlier(bound, calendar->options.limit);
	return earlier(bound, first_limit(calendar));
}

static void token_give(struct calendar *calendar, uint32_t handle)
{
	struct calendar_client *client = &calendar->clients[handle];

	assert(calendar->running == CALENDAR_NO_CLIENT);
	calendar->running = handle;
	client->state = CALENDAR_RUNNING;
	client->request = WIRE_TIME_NEVER;
	client->bound = calendar->now;
}

/*
 * The ACK of its START makes a client run (Q15). No bound is sent: it requests its first event, and
 * no other client has run before all expected clients have done so.
 */
static void client_admit(struct calendar *calendar, uint32_t handle)
{
	struct calendar_client *client = &calendar->clients[handle];

	calendar_heap_remove(&calendar->starting, handle);
	client->index = calendar->admissions++;
	client->offset = calendar->now;
	calendar->admitted[calendar->admitted_count++] = handle;
	calendar_announce(calendar, CALENDAR_ADMIT, handle);
	token_give(calendar, handle);
	calendar_answer_question(calendar, handle);
}

/*
 * RUN must find the client in WAIT and nowhere else: a kernel that reads it while it waits for the
 * ACK of a message swallows it (Q4). While no client runs no message is kept without an ACK, except
 * BROADCASTs, and those are through before anybody runs.
 *
 * The bound goes with every RUN: since 6.1 a kernel forgets it when it WAITs (Q3), 5.10 would go on
 * with the old one (Q2).
 */
static void client_run(struct calendar *calendar, uint32_t handle, uint64_t time)
{
	assert(time >= calendar->now && !calendar->clients[handle].awaits_ack);
	calendar->now = time;
	calendar_heap_remove(&calendar->waiting, handle);
	token_give(calendar, handle);
	if (calendar->options.grant == CALENDAR_GRANT_WINDOW) {
		calendar->clients[handle].bound = grant_bound(calendar);
		calendar_send(calendar, handle, CALENDAR_SENT_GRANT,
			      calendar->clients[handle].bound);
	}
	calendar_send(calendar, handle, CALENDAR_SENT_RUN, time);
}

static void end(struct calendar *calendar, enum calendar_action_kind how)
{
	calendar->ended = true;
	calendar->idle = how == CALENDAR_IDLE_END;
	calendar_announce(calendar, how, CALENDAR_NO_CLIENT);
}

/*
 * There is no event. That is the end, unless a connected client may still bring one.
 * An idle kernel is never run at S64_MAX: it would panic (Q8).
 */
static void end_idle(struct calendar *calendar)
{
	if (calendar->admitted_count && !calendar->unannounced)
		end(calendar, CALENDAR_IDLE_END);
}

/* A client reads earlier messages first: nothing overtakes what was sent. */
static bool is_all_acknowledged(const struct calendar *calendar)
{
	for (uint32_t i = 0; i < calendar->admitted_count; i++)
		if (calendar->clients[calendar->admitted[i]].sent_count)
			return false;
	return true;
}

static void run_devices(struct calendar *calendar, uint64_t time)
{
	if (!is_all_acknowledged(calendar))
		return;
	calendar->now = time;
	calendar->device_turn = WIRE_TIME_NEVER;
	calendar->devices_run = true;
	calendar_announce(calendar, CALENDAR_DEVICE_TURN, CALENDAR_NO_CLIENT);
}

static void window_done(struct calendar *calendar)
{
	if (calendar->window_done || calendar->unannounced)
		return;
	calendar->window_done = true;
	calendar_announce(calendar, CALENDAR_WINDOW, CALENDAR_NO_CLIENT);
}

static bool limit_reached(const struct calendar *calendar, uint64_t time)
{
	return calendar->options.limit && time >= calendar->options.limit;
}

void calendar_schedule(struct calendar *calendar)
{
	const struct calendar_heap_entry *next;
	uint64_t time;

	if (calendar->running != CALENDAR_NO_CLIENT || calendar->devices_run ||
	    calendar->relay.active || calendar->ended || !calendar->open)
		return;
	next = calendar_heap_top(&calendar->starting);
	if (next && limit_reached(calendar, calendar->now)) {
		end(calendar, CALENDAR_LIMIT);
		return;
	}
	if (next) {
		client_admit(calendar, next->client);
		return;
	}
	next = calendar_heap_top(&calendar->waiting);
	time = calendar_next_event(calendar);
	if (calendar->options.windowed && time >= calendar->window)
		window_done(calendar);
	else if (time >= WIRE_TIME_NEVER)
		end_idle(calendar);
	else if (limit_reached(calendar, time))
		end(calendar, CALENDAR_LIMIT);
	else if (time == calendar->device_turn)
		run_devices(calendar, time);
	else if (!calendar->clients[next->client].sent_count)
		client_run(calendar, next->client, time);
}

static void held_release(struct calendar *calendar)
{
	uint32_t handle;

	calendar->devices_wait = false;
	while ((handle = calendar->held.first) != CALENDAR_NO_CLIENT) {
		calendar_list_remove(calendar, &calendar->held, handle);
		calendar_answer_question(calendar, handle);
	}
}

/*
 * Take back what the running client may no longer use. Requests that come before its ACK make the
 * next FREE_UNTIL. When there is nothing to take back, what waited for it goes on.
 *
 * What was sent before must be acknowledged first: a kernel that has read its RUN may kick a device
 * at once, and the request that comes of it overtakes the ACK of the RUN on another socket. The
 * order in which both arrive must not be seen in this client's stream.
 */
void calendar_take_back(struct calendar *calendar)
{
	struct calendar_client *client = &calendar->clients[calendar->running];
	uint64_t bound = first_limit(calendar);

	if (client->sent_count)
		return;
	if (bound >= client->bound) {
		held_release(calendar);
		return;
	}
	client->bound = bound;
	calendar_send(calendar, calendar->running, CALENDAR_SENT_SHRINK, bound);
}

static bool is_shrinking(const struct calendar_client *client)
{
	for (unsigned int i = 0; i < client->sent_count; i++)
		if (client->sent[i] == CALENDAR_SENT_SHRINK)
			return true;
	return false;
}

bool calendar_overrun_possible(const struct calendar *calendar)
{
	const struct calendar_client *client;

	if (calendar->running == CALENDAR_NO_CLIENT)
		return false;
	client = &calendar->clients[calendar->running];
	return calendar->held.first != CALENDAR_NO_CLIENT || is_shrinking(client) ||
	       first_limit(calendar) < client->bound;
}

/*
 * The ACK means that no client will run past the event. Where a running client might, it first has
 * to acknowledge an earlier bound (Q5); it reads that while it waits for the reply of the device
 * that made this client ask.
 */
void calendar_answer_request(struct calendar *calendar, uint32_t handle,
			     const struct wire_message *request)
{
	struct calendar_client *client = &calendar->clients[handle];

	if (!calendar_overrun_possible(calendar)) {
		calendar_answer(calendar, handle, request->seq, 0);
		return;
	}
	client->question = *request;
	client->awaits_ack = true;
	calendar_list_append(calendar, &calendar->held, handle);
	calendar_take_back(calendar);
}

void calendar_acknowledged(struct calendar *calendar, uint32_t handle)
{
	if (calendar->running == handle &&
	    (calendar->held.first != CALENDAR_NO_CLIENT || calendar->devices_wait))
		calendar_take_back(calendar);
}

void calendar_token_drop(struct calendar *calendar)
{
	calendar->running = CALENDAR_NO_CLIENT;
	held_release(calendar);
}

/*
 * The client's own time is somewhere before its bound and not after its request. Time moves up to
 * where it cannot be any more, so that a client that is admitted now, and the client itself when it
 * is interrupted, does not see a time that lies in its past.
 */
static void window_close(struct calendar *calendar, const struct calendar_client *client)
{
	uint64_t end_time = earlier(client->bound, calendar_next_event(calendar));

	if (end_time > calendar->now)
		calendar->now = end_time;
}

void calendar_wait(struct calendar *calendar, uint32_t handle)
{
	struct calendar_client *client = &calendar->clients[handle];

	client->state = CALENDAR_WAITING;
	/* It can have run past what it had asked for: then that is due now. */
	if (client->request < calendar->now)
		client->request = calendar->now;
	calendar_enter(calendar, handle, client->request);
	window_close(calendar, client);
	calendar_token_drop(calendar);
}
