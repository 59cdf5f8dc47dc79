// SPDX-License-Identifier: BSD-3-Clause
/* The calendar, scenario by scenario: who is admitted, who runs, how it ends, who leaves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "tests/recorder/calendar/calendar_stage.h"

#define NEVER	WIRE_TIME_NEVER
#define HORIZON (NS_PER_S / 10)

static const struct calendar_options each = { .grant = CALENDAR_GRANT_EACH };
static const struct calendar_options window = { .grant = CALENDAR_GRANT_WINDOW };

/* ---- Starting ------------------------------------------------------------------------------- */

static void test_starts_are_admitted_in_id_order(void **state)
{
	struct stage s;
	uint32_t nine, two, five;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 3 });
	nine = starts_alone(&s, 9);
	two = starts_alone(&s, 2);
	is_quiet(&s);
	five = starts_alone(&s, 5);

	is_admitted(&s, two, 0, 0);
	is_quiet(&s);
	waits(&s, two);
	is_admitted(&s, five, 1, 0);
	waits(&s, five);
	is_admitted(&s, nine, 2, 0);
	assert_int_equal(calendar_client_id(s.calendar, nine), 9);
	stage_close(&s);
}

/* Somebody more than expected comes behind those who were, whatever the id. */
static void test_latecomer_does_not_jump_the_queue(void **state)
{
	uint32_t nine, five, one;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 2 });
	nine = starts_alone(&s, 9);
	five = starts_alone(&s, 5);
	one = starts_alone(&s, 1);
	is_admitted(&s, five, 0, 0);
	waits(&s, five);
	is_admitted(&s, nine, 1, 0);
	waits(&s, nine);
	is_admitted(&s, one, 2, 0);
	stage_close(&s);
}

static void test_equal_ids_are_admitted_in_connection_order(void **state)
{
	uint32_t first, second, third;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 3 });
	first = stage_connect(&s);
	second = stage_connect(&s);
	third = starts_alone(&s, WIRE_ID_NONE);
	says(&s, second, START, WIRE_ID_NONE);
	says(&s, first, START, WIRE_ID_NONE);

	is_admitted(&s, first, 0, 0);
	waits(&s, first);
	is_admitted(&s, second, 1, 0);
	waits(&s, second);
	is_admitted(&s, third, 2, 0);
	stage_close(&s);
}

/* A simulator has to be there when a guest that boots looks for it. */
static void test_those_without_an_id_are_admitted_first(void **state)
{
	uint32_t guest, simulator;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 2 });
	guest = starts_alone(&s, 0);
	simulator = stage_connect(&s);
	says(&s, simulator, START, WIRE_ID_NONE);
	is_admitted(&s, simulator, 0, 0);
	waits(&s, simulator);
	is_admitted(&s, guest, 1, 0);
	stage_close(&s);
}

static void test_connection_order_survives_reuse_of_handles(void **state)
{
	uint32_t gone, old, reused;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 2 });
	gone = stage_connect(&s);
	old = stage_connect(&s);
	stage_leave(&s, gone);
	reused = stage_connect(&s);
	assert_int_equal(reused, gone);
	says(&s, reused, START, 4);
	says(&s, old, START, 4);
	is_admitted(&s, old, 0, 0);
	stage_close(&s);
}

/* After the ACK of its START a client runs: no RUN comes, and no bound before all have started. */
static void test_q15_start_ack_is_the_first_run(void **state)
{
	uint32_t a, b, running;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .grant = CALENDAR_GRANT_WINDOW, .expected = 2 });
	a = starts_alone(&s, 1);
	b = starts_alone(&s, 2);
	assert_false(calendar_running(s.calendar, &running) && running == b);
	is_admitted(&s, a, 0, 0);
	assert_true(calendar_running(s.calendar, &running));
	assert_int_equal(running, a);
	asks(&s, a, 100);
	waits(&s, a);
	is_admitted(&s, b, 1, 0);
	asks(&s, b, 300);
	waits(&s, b);
	sends(&s, a, FREE_UNTIL, 300);
	sends(&s, a, RUN, 100);
	is_quiet(&s);
	stage_close(&s);
}

static void test_late_joiner_is_admitted_between_two_runs(void **state)
{
	uint32_t c[1], late, again;
	struct stage s;

	(void)state;
	stage_clients(&s, (struct calendar_options){ .tod = 5000 }, 1, (uint64_t[]){ 700 }, c);
	is_run(&s, c[0], 700);
	late = starts_alone(&s, 1);
	is_quiet(&s);
	asks(&s, c[0], 900);
	waits(&s, c[0]);
	is_admitted(&s, late, 1, 700);

	/* Its times are its own, the time of day is everybody's. */
	says(&s, late, GET, UINT64_MAX);
	sends(&s, late, ACK, 0);
	says(&s, late, GET_TOD, UINT64_MAX);
	sends(&s, late, ACK, 5700);
	asks(&s, late, 50);
	waits(&s, late);
	is_run(&s, late, 50);
	assert_int_equal(calendar_now(s.calendar), 750);
	says(&s, late, UPDATE, 50);
	sends(&s, late, ACK, 0);
	asks(&s, late, 250);
	waits(&s, late);
	is_run(&s, c[0], 900);

	/* The same id again, at the same time: the one admitted first goes first. */
	again = starts_alone(&s, 1);
	waits(&s, c[0]);
	is_admitted(&s, again, 2, 900);
	stage_close(&s);
}

/* A guest may have run up to its bound unseen: nobody may join before that. */
static void test_late_joiner_does_not_join_the_past(void **state)
{
	uint32_t c[2], late;
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 100, 400 }, c);
	sends(&s, c[0], FREE_UNTIL, 400);
	is_run(&s, c[0], 100);
	stage_acks(__LINE__, &s, c[0]);
	late = starts_alone(&s, 3);
	asks(&s, c[0], 500);
	waits(&s, c[0]);
	is_admitted(&s, late, 2, 400);
	waits(&s, late);
	sends(&s, c[1], FREE_UNTIL, 500);
	sends(&s, c[1], RUN, 400);
	stage_close(&s);
}

static void test_expected_does_not_shrink(void **state)
{
	uint32_t a, b, c;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 2 });
	a = starts_alone(&s, 1);
	stage_leave(&s, a);
	b = starts_alone(&s, 2);
	is_quiet(&s);
	c = starts_alone(&s, 1);
	is_admitted(&s, c, 0, 0);
	waits(&s, c);
	is_admitted(&s, b, 1, 0);
	stage_close(&s);
}

static void test_others_do_not_wait_for_who_will_never_start(void **state)
{
	uint32_t a, b;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 3 });
	a = starts_alone(&s, 1);
	b = starts_alone(&s, 2);
	is_quiet(&s);
	calendar_expect_fewer(s.calendar);
	is_admitted(&s, a, 0, 0);
	waits(&s, a);
	is_admitted(&s, b, 1, 0);
	stage_close(&s);
}

static void test_who_owes_a_message(void **state)
{
	uint32_t a, b, owes;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 2 });
	assert_false(calendar_owes(s.calendar, &owes));
	a = starts_alone(&s, 1);
	assert_false(calendar_owes(s.calendar, &owes));
	b = stage_connect(&s);
	assert_true(calendar_owes(s.calendar, &owes));
	assert_int_equal(owes, b);
	says(&s, b, START, 2);
	is_admitted(&s, a, 0, 0);
	assert_true(calendar_owes(s.calendar, &owes));
	assert_int_equal(owes, a);
	stage_close(&s);
}

static void test_options_are_checked(void **state)
{
	struct calendar *calendar = NULL;

	(void)state;
	assert_int_equal(calendar_create(&(struct calendar_options){}, &calendar), -EINVAL);
	assert_int_equal(
		calendar_create(&(struct calendar_options){ .expected = 1, .tod = UINT64_MAX },
				&calendar),
		-EINVAL);
	assert_null(calendar);
	calendar_destroy(NULL);
}

/* ---- Order ---------------------------------------------------------------------------------- */

static void test_the_earliest_event_runs_first(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 3, (uint64_t[]){ 30, 10, 20 }, c);
	is_run(&s, c[1], 10);
	asks(&s, c[1], 25);
	waits(&s, c[1]);
	is_run(&s, c[2], 20);
	waits(&s, c[2]);
	is_run(&s, c[1], 25);
	waits(&s, c[1]);
	is_run(&s, c[0], 30);
	stage_close(&s);
}

static void test_ties_go_by_id_whoever_asked_first(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 3, (uint64_t[]){ 5, 50, 50 }, c);
	is_run(&s, c[0], 5);
	asks(&s, c[2], 40);
	asks(&s, c[1], 40);
	asks(&s, c[0], 40);
	waits(&s, c[0]);
	is_run(&s, c[0], 40);
	waits(&s, c[0]);
	is_run(&s, c[1], 40);
	waits(&s, c[1]);
	is_run(&s, c[2], 40);
	stage_close(&s);
}

static void test_ties_of_equal_ids_go_by_admission(void **state)
{
	uint32_t a, b;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 2 });
	a = starts_alone(&s, 7);
	b = starts_alone(&s, 7);
	is_admitted(&s, a, 0, 0);
	asks(&s, a, 10);
	waits(&s, a);
	is_admitted(&s, b, 1, 0);
	asks(&s, b, 10);
	waits(&s, b);
	is_run(&s, a, 10);
	waits(&s, a);
	is_run(&s, b, 10);
	stage_close(&s);
}

/* WAIT's ACK and the next RUN of the same client come in one burst, which one write can carry. */
static void test_a_lone_client_gets_ack_and_run_at_once(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 1, (uint64_t[]){ 10 }, c);
	sends(&s, c[0], FREE_UNTIL, 10 + HORIZON);
	sends(&s, c[0], RUN, 10);
	acks(&s, c[0]);
	acks(&s, c[0]);
	asks(&s, c[0], 20 + HORIZON);
	says(&s, c[0], WAIT, UINT64_MAX);
	sends(&s, c[0], ACK, 0);
	sends(&s, c[0], FREE_UNTIL, 20 + 2 * HORIZON);
	sends(&s, c[0], RUN, 20 + HORIZON);
	is_quiet(&s);
	stage_close(&s);
}

static void test_sequence_numbers_count_per_client(void **state)
{
	struct calendar_action action;
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 20 }, c);
	is_run(&s, c[0], 10);
	waits(&s, c[0]);
	assert_true(calendar_next(s.calendar, &action));
	assert_int_equal(action.client, c[1]);
	assert_int_equal(action.message.op, TRACE_OP_RUN);
	assert_int_equal(action.message.seq, 1);
	stage_close(&s);
}

/* ---- Ends ----------------------------------------------------------------------------------- */

static void test_limit_is_said_once(void **state)
{
	uint32_t c[2], late;
	struct stage s;

	(void)state;
	stage_clients(&s, (struct calendar_options){ .grant = CALENDAR_GRANT_WINDOW, .limit = 100 },
		      2, (uint64_t[]){ 10, 400 }, c);
	sends(&s, c[0], FREE_UNTIL, 100);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	asks(&s, c[0], 100);
	waits(&s, c[0]);
	ends(&s, CALENDAR_LIMIT);
	asks(&s, c[0], 200);
	late = starts_alone(&s, 9);
	is_quiet(&s);
	stage_leave(&s, c[0]);
	stage_leave(&s, late);
	is_quiet(&s);
	stage_close(&s);
}

static void test_event_before_the_limit_runs(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, (struct calendar_options){ .limit = 100 }, 1, (uint64_t[]){ 99 }, c);
	is_run(&s, c[0], 99);
	waits(&s, c[0]);
	ends(&s, CALENDAR_IDLE_END);
	stage_close(&s);
}

/* Somebody who has connected may still bring an event. */
static void test_idle_end_waits_for_a_client_that_connects(void **state)
{
	uint32_t c[1], joining, other;
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ 10 }, c);
	is_run(&s, c[0], 10);
	joining = stage_connect(&s);
	other = stage_connect(&s);
	waits(&s, c[0]);
	is_quiet(&s);
	says(&s, joining, START, 2);
	is_admitted(&s, joining, 1, 10);
	waits(&s, joining);
	is_quiet(&s);
	stage_leave(&s, other);
	ends(&s, CALENDAR_IDLE_END);
	stage_close(&s);
}

/* Who waits for nothing may leave. The others are as idle as before, and that is said again. */
static void test_idle_end_is_taken_back(void **state)
{
	uint32_t c[2], late;
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 20 }, c);
	is_run(&s, c[0], 10);
	waits(&s, c[0]);
	is_run(&s, c[1], 20);
	waits(&s, c[1]);
	ends(&s, CALENDAR_IDLE_END);
	is_quiet(&s);
	stage_leave(&s, c[0]);
	ends(&s, CALENDAR_IDLE_END);
	stage_leave(&s, c[1]);
	is_quiet(&s);
	late = stage_connect(&s);
	says(&s, late, START, 9);
	is_admitted(&s, late, 2, 20);
	stage_close(&s);
}

static void test_no_end_without_clients(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ 10 }, c);
	is_run(&s, c[0], 10);
	stage_leave(&s, c[0]);
	is_quiet(&s);
	stage_close(&s);
}

/* ---- Leaving -------------------------------------------------------------------------------- */

static void test_token_moves_on_when_its_holder_leaves(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 3, (uint64_t[]){ 10, 30, 20 }, c);
	sends(&s, c[0], RUN, 10); /* not even acknowledged */
	stage_leave(&s, c[0]);
	is_run(&s, c[2], 20);
	stage_leave(&s, c[1]); /* waiting */
	is_quiet(&s);
	waits(&s, c[2]);
	ends(&s, CALENDAR_IDLE_END);
	stage_close(&s);
}

static void test_leaving_while_starting(void **state)
{
	uint32_t a, b, c;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 3 });
	a = starts_alone(&s, 1);
	b = starts_alone(&s, 2);
	c = starts_alone(&s, 3);
	is_admitted(&s, a, 0, 0);
	stage_leave(&s, b);
	is_quiet(&s);
	stage_leave(&s, a); /* runs since its START */
	is_admitted(&s, c, 1, 0);
	stage_close(&s);
}

static void test_leaving_releases_requests_held_for_its_ack(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 3, (uint64_t[]){ 10, 1000, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[1], REQUEST, 500);
	sends(&s, c[0], FREE_UNTIL, 500);
	says(&s, c[2], REQUEST, 400);
	stage_leave(&s, c[1]); /* its own held request goes with it */
	is_quiet(&s);
	stage_leave(&s, c[0]);
	sends(&s, c[2], ACK, 0);
	sends(&s, c[2], FREE_UNTIL, 400 + HORIZON);
	sends(&s, c[2], RUN, 400);
	stage_close(&s);
}

/* The bound that is being taken back for a client that left still counts for the next one. */
static void test_leaving_does_not_answer_others_early(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 3, (uint64_t[]){ 10, 1000, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[1], REQUEST, 500);
	sends(&s, c[0], FREE_UNTIL, 500);
	stage_leave(&s, c[1]);
	says(&s, c[2], REQUEST, 600);
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[2], ACK, 0);
	stage_close(&s);
}

static void test_leaving_recipient_does_not_hold_a_broadcast(void **state)
{
	uint32_t c[4];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 4, (uint64_t[]){ 10, 20, 30, 40 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[0], BROADCAST, 1);
	sends(&s, c[1], BROADCAST, 1);
	stage_leave(&s, c[2]); /* had still to get it */
	is_quiet(&s);
	stage_leave(&s, c[1]); /* had not acknowledged it */
	sends(&s, c[3], BROADCAST, 1);
	acks(&s, c[3]);
	sends(&s, c[0], ACK, 0);
	stage_close(&s);
}

static void test_leaving_sender_leaves_its_broadcast(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 3, (uint64_t[]){ 10, 20, 30 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[0], BROADCAST, 1);
	sends(&s, c[1], BROADCAST, 1);
	stage_leave(&s, c[0]);
	is_quiet(&s);
	acks(&s, c[1]);
	sends(&s, c[2], BROADCAST, 1);
	is_quiet(&s);
	acks(&s, c[2]);
	is_run(&s, c[1], 20);
	stage_close(&s);
}

static void test_leaving_with_a_broadcast_in_the_queue(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 3, (uint64_t[]){ 10, 20, 30 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[0], BROADCAST, 1);
	sends(&s, c[1], BROADCAST, 1);
	says(&s, c[2], BROADCAST, 2);
	stage_leave(&s, c[2]);
	acks(&s, c[1]);
	sends(&s, c[0], ACK, 0);
	waits(&s, c[0]);
	is_run(&s, c[1], 20);
	stage_close(&s);
}

static void test_owed_client_leaves(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 20 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[1], BROADCAST, 1);
	sends(&s, c[1], ACK, 0);
	stage_leave(&s, c[0]);
	is_run(&s, c[1], 20);
	stage_close(&s);
}

/* What was still to be sent to a client that is gone must not reach the next one at its place. */
static void test_actions_for_a_gone_client_are_dropped(void **state)
{
	uint32_t c[1], next;
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ 10 }, c);
	stage_leave(&s, c[0]); /* its RUN has not been looked at */
	next = stage_connect(&s);
	assert_int_equal(next, c[0]);
	is_quiet(&s);
	stage_close(&s);
}

/* ---- Reports -------------------------------------------------------------------------------- */

static void describes(struct stage *s, const char *const *lines, size_t count)
{
	uint32_t position = 0;
	char text[256];

	for (size_t i = 0; i < count; i++) {
		assert_true(calendar_describe(s->calendar, &position, text, sizeof(text)));
		assert_string_equal(text, lines[i]);
	}
	assert_false(calendar_describe(s->calendar, &position, text, sizeof(text)));
}

static void test_describe(void **state)
{
	static const char *const lines[] = {
		"id 1: running, last message at 1.000000000, has not acknowledged seq 3",
		"id 2: waiting, next event 1.050000000, its REQUEST is not answered",
		"id 3: waiting, no event",
		"id 0x1000000000000000: has sent START, not yet admitted",
		"no id: connected, has not sent START",
	};
	uint32_t c[4];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 4, (uint64_t[]){ NS_PER_S, 3 * NS_PER_S, NEVER, NEVER }, c);
	sends(&s, c[0], FREE_UNTIL, NS_PER_S + HORIZON);
	is_run(&s, c[0], NS_PER_S);
	acks(&s, c[0]);
	starts_alone(&s, 1ULL << 60);
	stage_connect(&s);
	stage_leave(&s, c[3]);
	says(&s, c[1], REQUEST, NS_PER_S + HORIZON / 2);
	sends(&s, c[0], FREE_UNTIL, NS_PER_S + HORIZON / 2);
	describes(&s, lines, ARRAY_SIZE(lines));
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_are_admitted_in_id_order),
		cmocka_unit_test(test_latecomer_does_not_jump_the_queue),
		cmocka_unit_test(test_equal_ids_are_admitted_in_connection_order),
		cmocka_unit_test(test_those_without_an_id_are_admitted_first),
		cmocka_unit_test(test_connection_order_survives_reuse_of_handles),
		cmocka_unit_test(test_q15_start_ack_is_the_first_run),
		cmocka_unit_test(test_late_joiner_is_admitted_between_two_runs),
		cmocka_unit_test(test_late_joiner_does_not_join_the_past),
		cmocka_unit_test(test_expected_does_not_shrink),
		cmocka_unit_test(test_others_do_not_wait_for_who_will_never_start),
		cmocka_unit_test(test_who_owes_a_message),
		cmocka_unit_test(test_options_are_checked),
		cmocka_unit_test(test_the_earliest_event_runs_first),
		cmocka_unit_test(test_ties_go_by_id_whoever_asked_first),
		cmocka_unit_test(test_ties_of_equal_ids_go_by_admission),
		cmocka_unit_test(test_a_lone_client_gets_ack_and_run_at_once),
		cmocka_unit_test(test_sequence_numbers_count_per_client),
		cmocka_unit_test(test_limit_is_said_once),
		cmocka_unit_test(test_event_before_the_limit_runs),
		cmocka_unit_test(test_idle_end_waits_for_a_client_that_connects),
		cmocka_unit_test(test_idle_end_is_taken_back),
		cmocka_unit_test(test_no_end_without_clients),
		cmocka_unit_test(test_token_moves_on_when_its_holder_leaves),
		cmocka_unit_test(test_leaving_while_starting),
		cmocka_unit_test(test_leaving_releases_requests_held_for_its_ack),
		cmocka_unit_test(test_leaving_does_not_answer_others_early),
		cmocka_unit_test(test_leaving_recipient_does_not_hold_a_broadcast),
		cmocka_unit_test(test_leaving_sender_leaves_its_broadcast),
		cmocka_unit_test(test_leaving_with_a_broadcast_in_the_queue),
		cmocka_unit_test(test_owed_client_leaves),
		cmocka_unit_test(test_actions_for_a_gone_client_are_dropped),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
