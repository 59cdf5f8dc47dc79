// SPDX-License-Identifier: BSD-3-Clause
/* The order in which a session handles what arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/session/session_inbox.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define EVENTS 64

static bool any(const void *context, const struct event *event)
{
	(void)context;
	(void)event;
	return true;
}

static bool is_not_held(const void *context, const struct event *event)
{
	return event->source != context;
}

static void put(struct inbox *inbox, enum event_kind kind, uint64_t time, uint32_t participant)
{
	const struct event event = { .kind = kind, .time = time, .participant = participant };

	assert_int_equal(inbox_put(inbox, &event), 0);
}

static void takes(struct inbox *inbox, enum event_kind kind, uint32_t participant)
{
	struct event event;

	assert_true(inbox_take(inbox, any, NULL, &event));
	assert_int_equal(event.kind, kind);
	assert_int_equal(event.participant, participant);
}

static void is_empty(struct inbox *inbox)
{
	struct event event;

	assert_false(inbox_take(inbox, any, NULL, &event));
	inbox_release(inbox);
}

static void test_console_before_close_before_message_before_kick(void **state)
{
	struct inbox inbox = { 0 };

	(void)state;
	put(&inbox, EVENT_REQUEST, 5, 0);
	put(&inbox, EVENT_MESSAGE, 5, 0);
	put(&inbox, EVENT_EXITED, 5, 0);
	put(&inbox, EVENT_DEVICE_CLOSED, 5, 0);
	put(&inbox, EVENT_LEFT, 5, 0);
	put(&inbox, EVENT_CONSOLE, 5, 0);
	takes(&inbox, EVENT_CONSOLE, 0);
	takes(&inbox, EVENT_DEVICE_CLOSED, 0);
	takes(&inbox, EVENT_MESSAGE, 0);
	takes(&inbox, EVENT_LEFT, 0);
	takes(&inbox, EVENT_REQUEST, 0);
	takes(&inbox, EVENT_EXITED, 0);
	is_empty(&inbox);
}

static void test_virtual_time_comes_first_then_the_lowest_number(void **state)
{
	struct inbox inbox = { 0 };

	(void)state;
	put(&inbox, EVENT_MESSAGE, 7, 2);
	put(&inbox, EVENT_MESSAGE, 7, 1);
	put(&inbox, EVENT_REQUEST, 6, 3);
	put(&inbox, EVENT_CONSOLE, 8, 0);
	takes(&inbox, EVENT_REQUEST, 3);
	takes(&inbox, EVENT_MESSAGE, 1);
	takes(&inbox, EVENT_MESSAGE, 2);
	takes(&inbox, EVENT_CONSOLE, 0);
	is_empty(&inbox);
}

static void test_what_one_participant_says_stays_in_order(void **state)
{
	struct inbox inbox = { 0 };
	struct event event = { .kind = EVENT_MESSAGE };

	(void)state;
	for (uint32_t seq = 0; seq < EVENTS; seq++) {
		event.message.seq = seq;
		assert_int_equal(inbox_put(&inbox, &event), 0);
	}
	for (uint32_t seq = 0; seq < EVENTS; seq++) {
		assert_true(inbox_take(&inbox, any, NULL, &event));
		assert_int_equal(event.message.seq, seq);
	}
	is_empty(&inbox);
}

/* The order of arrival decides nothing else: all orders of the same events come out the same. */
static void test_any_order_of_arrival_gives_one_order(void **state)
{
	struct event events[EVENTS], expected[EVENTS], event;
	uint64_t first = test_seed(1);

	(void)state;
	for (uint32_t i = 0; i < EVENTS; i++)
		events[i] = (struct event){ .kind = (enum event_kind)(i % 5 + EVENT_CONSOLE),
					    .time = i % 3,
					    .participant = i };
	for (uint64_t seed = first; seed < first + 200; seed++) {
		struct random random = { seed };
		struct inbox inbox = { 0 };

		for (size_t i = EVENTS - 1; i; i--) {
			size_t other = random_below(&random, i + 1);

			event = events[i];
			events[i] = events[other];
			events[other] = event;
		}
		for (size_t i = 0; i < EVENTS; i++)
			assert_int_equal(inbox_put(&inbox, &events[i]), 0);
		for (size_t i = 0; i < EVENTS; i++) {
			assert_true(inbox_take(&inbox, any, NULL, &event));
			if (seed == first)
				expected[i] = event;
			assert_int_equal(event.participant, expected[i].participant);
		}
		is_empty(&inbox);
	}
}

static void test_what_is_held_is_passed_over_and_stays(void **state)
{
	struct source held = { 0 };
	struct inbox inbox = { 0 };
	struct event event = { .kind = EVENT_MESSAGE, .source = &held };

	(void)state;
	assert_int_equal(inbox_put(&inbox, &event), 0);
	assert_int_equal(held.waiting, 1);
	put(&inbox, EVENT_REQUEST, 9, 1);
	assert_true(inbox_take(&inbox, is_not_held, &held, &event));
	assert_int_equal(event.kind, EVENT_REQUEST);
	assert_false(inbox_take(&inbox, is_not_held, &held, &event));
	assert_false(inbox_has(&inbox, is_not_held, &held));
	assert_true(inbox_has(&inbox, any, NULL));
	takes(&inbox, EVENT_MESSAGE, 0);
	assert_int_equal(held.waiting, 0);
	is_empty(&inbox);
}

static void test_what_is_forgotten_does_not_come(void **state)
{
	struct source gone = { 0 };
	struct inbox inbox = { 0 };
	const struct event event = { .kind = EVENT_MESSAGE, .source = &gone };

	(void)state;
	assert_int_equal(inbox_put(&inbox, &event), 0);
	put(&inbox, EVENT_MESSAGE, 0, 1);
	assert_int_equal(inbox_put(&inbox, &event), 0);
	inbox_forget(&inbox, &gone);
	assert_int_equal(gone.waiting, 0);
	takes(&inbox, EVENT_MESSAGE, 1);
	is_empty(&inbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_console_before_close_before_message_before_kick),
		cmocka_unit_test(test_virtual_time_comes_first_then_the_lowest_number),
		cmocka_unit_test(test_what_one_participant_says_stays_in_order),
		cmocka_unit_test(test_any_order_of_arrival_gives_one_order),
		cmocka_unit_test(test_what_is_held_is_passed_over_and_stays),
		cmocka_unit_test(test_what_is_forgotten_does_not_come),
	};

	return cmocka_run_group_tests_name("session inbox", tests, NULL, NULL);
}
