// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clients that send anything at any time: each message is accepted or refused, a refused one
 * changes nothing, and the rules hold for what is sent, whatever was received.
 *
 * TTREC_TEST_SEED=N starts with seed N; a failure names the seed.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "recorder/calendar/calendar.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define SEEDS	 60
#define MESSAGES 3000
#define CLIENTS	 10

struct hostile {
	bool connected;
	bool waits; /* its WAIT was accepted, no RUN came */
	uint32_t handle;
	uint32_t seq, sent;	 /* its own last, the calendar's last */
	uint32_t open_questions; /* its messages that were not answered */
	int32_t open_orders;	 /* the calendar's, not acknowledged; lazy: ahead of itself */
	uint64_t offset;
};

struct crowd {
	uint64_t seed;
	struct random random;
	struct calendar *calendar;
	struct hostile clients[CLIENTS];
	uint64_t now;
	bool ended, window;
	bool lazy; /* actions are left lying about */
	size_t accepted, refused;
};

#define expect(crowd, condition)                                                             \
	do {                                                                                 \
		if (!(condition))                                                            \
			fail_msg("seed %" PRIu64 ": not so: %s", (crowd)->seed, #condition); \
	} while (0)

/* ---- What may be sent ----------------------------------------------------------------------- */

static struct hostile *client_of(struct crowd *crowd, uint32_t handle)
{
	for (size_t i = 0; i < CLIENTS; i++)
		if (crowd->clients[i].connected && crowd->clients[i].handle == handle)
			return &crowd->clients[i];
	fail_msg("seed %" PRIu64 ": action for nobody", crowd->seed);
	return NULL;
}

static void check_run(struct crowd *crowd, struct hostile *client, bool granted)
{
	expect(crowd, !crowd->ended);
	expect(crowd, granted == crowd->window);
	if (crowd->lazy)
		return;
	expect(crowd, client->waits);
	expect(crowd, client->open_questions == 0);
	expect(crowd, client->open_orders == (granted ? 1 : 0));
}

static void take_message(struct crowd *crowd, struct hostile *client,
			 const struct wire_message *message, bool granted)
{
	expect(crowd, message->op == TRACE_OP_ACK || message->op == TRACE_OP_RUN ||
			      message->op == TRACE_OP_FREE_UNTIL ||
			      message->op == TRACE_OP_BROADCAST);
	if (message->op == TRACE_OP_ACK) {
		expect(crowd, client->open_questions > 0);
		client->open_questions--;
		return;
	}
	expect(crowd, message->seq == client->sent + 1);
	if (message->op == TRACE_OP_RUN)
		check_run(crowd, client, granted);
	client->waits = client->waits && message->op != TRACE_OP_RUN;
	client->sent++;
	client->open_orders++;
}

static void take_actions(struct crowd *crowd)
{
	uint32_t granted = CALENDAR_NO_CLIENT;
	struct calendar_action action;

	while (calendar_next(crowd->calendar, &action)) {
		struct hostile *client;

		if (action.kind == CALENDAR_IDLE_END || action.kind == CALENDAR_LIMIT) {
			expect(crowd, !crowd->ended);
			crowd->ended = true;
			continue;
		}
		client = client_of(crowd, action.client);
		if (action.kind == CALENDAR_ADMIT) {
			expect(crowd, !crowd->ended);
			client->offset = action.offset;
			continue;
		}
		take_message(crowd, client, &action.message, granted == action.client);
		granted = action.message.op == TRACE_OP_FREE_UNTIL ? action.client
								   : CALENDAR_NO_CLIENT;
	}
}

static void check_calendar(struct crowd *crowd)
{
	uint32_t running = 0;

	for (uint32_t handle = 0; handle < CLIENTS; handle++)
		running += calendar_client_state(crowd->calendar, handle) == CALENDAR_RUNNING;
	expect(crowd, running <= 1);
	expect(crowd, calendar_now(crowd->calendar) >= crowd->now);
	crowd->now = calendar_now(crowd->calendar);
}

/* ---- What is received ----------------------------------------------------------------------- */

static uint64_t random_time(struct crowd *crowd, const struct hostile *client)
{
	uint64_t now = crowd->now - client->offset;

	switch (random_below(&crowd->random, 12)) {
	case 0:
		return random_next(&crowd->random);
	case 1:
		return UINT64_MAX - random_below(&crowd->random, 3);
	case 2:
		return WIRE_TIME_NEVER - 1 + random_below(&crowd->random, 3);
	case 3:
		return now - random_below(&crowd->random, 3);
	default:
		return now + random_below(&crowd->random, 5000);
	}
}

/* A message the protocol has for this moment, mostly. */
static struct wire_message random_message(struct crowd *crowd, const struct hostile *client)
{
	static const uint32_t usual[] = { TRACE_OP_REQUEST, TRACE_OP_WAIT,	TRACE_OP_GET,
					  TRACE_OP_UPDATE,  TRACE_OP_BROADCAST, TRACE_OP_ACK };
	struct random *random = &crowd->random;
	struct wire_message message = { .seq = client->seq + 1 };

	if (calendar_client_state(crowd->calendar, client->handle) == CALENDAR_CONNECTED)
		message.op = TRACE_OP_START;
	else if (client->open_orders > 0 && random_chance(random, 60))
		message.op = TRACE_OP_ACK;
	else
		message.op = usual[random_below(random, ARRAY_SIZE(usual))];
	if (random_chance(random, 4))
		message.op = (uint32_t)random_below(random, TRACE_OP_LIMIT + 2);
	if (random_chance(random, 1))
		message.op = (uint32_t)random_next(random);

	if (message.op == TRACE_OP_ACK)
		message.seq = client->sent - (uint32_t)client->open_orders + 1;
	if (random_chance(random, 2))
		message.seq = (uint32_t)random_next(random);
	message.time =
		message.op == TRACE_OP_START ? random_below(random, 4) : random_time(crowd, client);
	return message;
}

static void accept_message(struct crowd *crowd, struct hostile *client,
			   const struct wire_message *message)
{
	crowd->accepted++;
	if (message->op == TRACE_OP_ACK) {
		expect(crowd, client->open_orders > 0 || crowd->lazy);
		client->open_orders--;
		return;
	}
	client->seq++;
	client->open_questions++;
	client->waits = client->waits || message->op == TRACE_OP_WAIT;
}

struct portrait {
	char text[4096];
	uint64_t now;
};

/* All that can be seen of a calendar. */
static void portray(struct crowd *crowd, struct portrait *portrait)
{
	uint32_t position = 0, running;
	size_t used;

	used = (size_t)snprintf(portrait->text, sizeof(portrait->text), "%d ",
				calendar_running(crowd->calendar, &running));
	while (calendar_describe(crowd->calendar, &position, portrait->text + used,
				 sizeof(portrait->text) - used))
		used += strlen(portrait->text + used);
	portrait->now = calendar_now(crowd->calendar);
}

static void leave(struct crowd *crowd, struct hostile *client)
{
	calendar_disconnect(crowd->calendar, client->handle);
	client->connected = false;
}

static void refuse_message(struct crowd *crowd, struct hostile *client,
			   const struct portrait *before)
{
	const struct calendar_fault *fault = calendar_last_fault(crowd->calendar);
	struct portrait after;

	crowd->refused++;
	portray(crowd, &after);
	expect(crowd, before->now == after.now && !strcmp(before->text, after.text));
	expect(crowd, fault->client == client->handle && strlen(fault->text) > 10);
	if (random_chance(&crowd->random, 30))
		leave(crowd, client);
}

static void send_something(struct crowd *crowd, struct hostile *client)
{
	struct wire_message message = random_message(crowd, client);
	struct portrait before;
	int err;

	portray(crowd, &before);
	err = calendar_receive(crowd->calendar, client->handle, &message);
	expect(crowd, err == 0 || err == -EPROTO);
	if (err)
		refuse_message(crowd, client, &before);
	else
		accept_message(crowd, client, &message);
}

static void do_something(struct crowd *crowd)
{
	struct hostile *client = &crowd->clients[random_below(&crowd->random, CLIENTS)];

	if (!client->connected) {
		*client = (struct hostile){ .connected = true };
		expect(crowd, calendar_connect(crowd->calendar, &client->handle) == 0);
	} else if (random_below(&crowd->random, 500) == 0) {
		leave(crowd, client);
	} else {
		send_something(crowd, client);
	}
	if (!crowd->lazy || random_chance(&crowd->random, 10))
		take_actions(crowd);
	check_calendar(crowd);
}

static void run_crowd(uint64_t seed, bool lazy, size_t *accepted, size_t *refused)
{
	struct crowd crowd = { .seed = seed, .random = { seed }, .lazy = lazy };
	struct calendar_options options = {
		.expected = (uint32_t)(1 + random_below(&crowd.random, 4)),
		.limit = random_chance(&crowd.random, 20) ? 100000 : 0,
	};

	crowd.window = random_chance(&crowd.random, 60);
	options.grant = crowd.window ? CALENDAR_GRANT_WINDOW : CALENDAR_GRANT_EACH;
	assert_int_equal(calendar_create(&options, &crowd.calendar), 0);
	for (int i = 0; i < MESSAGES && !crowd.ended; i++)
		do_something(&crowd);
	for (int i = 0; i < 100; i++) /* and after the end */
		do_something(&crowd);
	calendar_destroy(crowd.calendar);
	*accepted += crowd.accepted;
	*refused += crowd.refused;
}

static void test_anything_is_accepted_or_refused(void **state)
{
	size_t accepted = 0, refused = 0;

	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + SEEDS; seed < end; seed++)
		run_crowd(seed, false, &accepted, &refused);
	print_message("  %zu accepted, %zu refused\n", accepted, refused);
}

/* The same when the session does not get round to carrying out what the calendar wants. */
static void test_actions_may_pile_up(void **state)
{
	size_t accepted = 0, refused = 0;

	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + SEEDS; seed < end; seed++)
		run_crowd(seed, true, &accepted, &refused);
	print_message("  %zu accepted, %zu refused\n", accepted, refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anything_is_accepted_or_refused),
		cmocka_unit_test(test_actions_may_pile_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
