// SPDX-License-Identifier: BSD-3-Clause
/* The calendar with devices, and in windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/recorder/calendar/calendar_stage.h"

#define NEVER WIRE_TIME_NEVER

static const struct calendar_options each = { .grant = CALENDAR_GRANT_EACH };
static const struct calendar_options window = { .grant = CALENDAR_GRANT_WINDOW };
static const struct calendar_options windowed = { .grant = CALENDAR_GRANT_WINDOW,
						  .windowed = true };

static void set_device_turn(struct stage *stage, uint64_t time)
{
	assert_int_equal(calendar_set_device_turn(stage->calendar, time), 0);
}

static void device_turn_is_done(struct stage *stage)
{
	assert_int_equal(calendar_device_turn_done(stage->calendar), 0);
}

static void open_window(struct stage *stage, uint64_t end)
{
	assert_int_equal(calendar_open_window(stage->calendar, end), 0);
}

static bool is_heard(const struct stage *stage)
{
	return calendar_is_bound_acknowledged(stage->calendar);
}

/* The client is told its bound and run. */
static void is_granted(struct stage *stage, uint32_t client, uint64_t bound, uint64_t time)
{
	sends(stage, client, FREE_UNTIL, bound);
	acks(stage, client);
	is_run(stage, client, time);
}

/* Clients with events at @times; the first has been run at its time and runs. */
static void broadcast_running(struct stage *stage, struct calendar_options options, uint32_t count,
			      const uint64_t *times, uint32_t *clients)
{
	stage_clients(stage, options, count, times, clients);
	is_run(stage, clients[0], times[0]);
}

/* The running client has a bound of 900. */
static void broadcast_granted(struct stage *stage, uint32_t *clients)
{
	stage_clients(stage, window, 2, (uint64_t[]){ 100, 900 }, clients);
	is_granted(stage, clients[0], 900, 100);
}

/* ---- The devices' turn ----------------------------------------------------------------------- */

static void test_devices_come_first_at_ties(void **state)
{
	uint32_t c[2], nobody;
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 2, (uint64_t[]){ 100, 500 }, c);
	set_device_turn(&s, 500);
	is_quiet(&s);
	asks(&s, c[0], 500);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	assert_int_equal(calendar_now(s.calendar), 500);
	assert_false(calendar_running(s.calendar, &nobody));
	device_turn_is_done(&s);
	is_run(&s, c[0], 500);
	waits(&s, c[0]);
	is_run(&s, c[1], 500);
	stage_close(&s);
}

static void test_devices_wait_for_earlier_events(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 2, (uint64_t[]){ 100, 499 }, c);
	set_device_turn(&s, 500);
	waits(&s, c[0]);
	is_run(&s, c[1], 499);
	waits(&s, c[1]);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

/* Whoever is interrupted asks what time it is and for its turn: nobody runs, so it is told so. */
static void test_interrupted_clients_are_answered_at_once(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 3, (uint64_t[]){ 100, 700, NEVER }, c);
	is_granted(&s, c[0], 700, 100);
	set_device_turn(&s, 400);
	sends(&s, c[0], FREE_UNTIL, 400);
	acks(&s, c[0]);
	asks(&s, c[0], 400);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	says(&s, c[2], GET, UINT64_MAX);
	sends(&s, c[2], ACK, 400);
	asks(&s, c[2], 400);
	says(&s, c[1], GET, UINT64_MAX);
	sends(&s, c[1], ACK, 400);
	asks(&s, c[1], 400);
	is_quiet(&s);

	device_turn_is_done(&s);
	is_granted(&s, c[0], 400, 400);
	waits(&s, c[0]);
	is_granted(&s, c[1], 400, 400);
	stage_close(&s);
}

static void test_devices_have_one_event_at_a_time(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 1, (uint64_t[]){ 100 }, c);
	set_device_turn(&s, 900);
	set_device_turn(&s, 300);
	asks(&s, c[0], 800);
	assert_int_equal(calendar_next_event(s.calendar), 300);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	assert_int_equal(calendar_next_event(s.calendar), 800);
	device_turn_is_done(&s);
	is_run(&s, c[0], 800);
	assert_int_equal(calendar_next_event(s.calendar), NEVER);
	waits(&s, c[0]);
	ends(&s, CALENDAR_IDLE_END);
	stage_close(&s);
}

/* Set in its own turn, at the same time: it comes again before anybody is run. */
static void test_devices_take_another_turn(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 1, (uint64_t[]){ 100 }, c);
	set_device_turn(&s, 300);
	asks(&s, c[0], 300);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	set_device_turn(&s, 300);
	is_quiet(&s);
	device_turn_is_done(&s);
	announces(&s, CALENDAR_DEVICE_TURN);
	device_turn_is_done(&s);
	is_run(&s, c[0], 300);
	stage_close(&s);
}

/* An event of the devices is one: the simulation is not over, and it counts for the limit. */
static void test_devices_keep_sleepers_alive_up_to_the_limit(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	broadcast_running(&s, (struct calendar_options){ .limit = 1000 }, 1, (uint64_t[]){ 100 },
			  c);
	set_device_turn(&s, 999);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	set_device_turn(&s, 1000);
	device_turn_is_done(&s);
	ends(&s, CALENDAR_LIMIT);
	set_device_turn(&s, 1000);
	is_quiet(&s);
	stage_close(&s);
}

static void test_who_joins_in_its_turn_is_admitted_after_it(void **state)
{
	uint32_t c[1], late;
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 1, (uint64_t[]){ 100 }, c);
	set_device_turn(&s, 300);
	asks(&s, c[0], 300);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	late = starts_alone(&s, 9);
	is_quiet(&s);
	device_turn_is_done(&s);
	is_admitted(&s, late, 1, 300);
	asks(&s, late, 0);
	waits(&s, late);
	is_run(&s, c[0], 300);
	stage_close(&s);
}

static void test_a_broadcast_comes_through_before_its_turn(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 2, (uint64_t[]){ 100, NEVER }, c);
	says(&s, c[1], BROADCAST, 7);
	set_device_turn(&s, 100);
	sends(&s, c[1], ACK, 0);
	waits(&s, c[0]);
	sends(&s, c[0], BROADCAST, 7);
	is_quiet(&s);
	acks(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

/* A call must find everybody asleep, and nobody with something to read first. */
static void test_devices_wait_for_what_is_not_acknowledged(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_granted(&s, c);
	set_device_turn(&s, 400);
	sends(&s, c[0], FREE_UNTIL, 400);
	waits(&s, c[0]);
	is_quiet(&s);
	acks(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

/* ---- An event that comes while somebody runs ------------------------------------------------- */

static void test_grant_ends_at_the_event(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 100, 200 }, c);
	is_granted(&s, c[0], 200, 100);
	set_device_turn(&s, 600);
	assert_true(is_heard(&s));
	asks(&s, c[0], 900);
	waits(&s, c[0]);
	is_granted(&s, c[1], 600, 200);
	stage_close(&s);
}

static void test_earlier_event_takes_the_bound_back(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_granted(&s, c);
	set_device_turn(&s, 600);
	sends(&s, c[0], FREE_UNTIL, 600);
	is_quiet(&s);
	assert_false(is_heard(&s));
	acks(&s, c[0]);
	assert_true(is_heard(&s));
	is_quiet(&s);
	refused(&s, c[0], UPDATE, 600, "beyond the client's grant");
	says(&s, c[0], UPDATE, 599);
	sends(&s, c[0], ACK, 0);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

static void test_later_event_takes_nothing_back(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_granted(&s, c);
	set_device_turn(&s, 900);
	assert_true(is_heard(&s));
	is_quiet(&s);
	stage_close(&s);
}

static void test_each_earlier_event_takes_back_more(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_granted(&s, c);
	set_device_turn(&s, 600);
	sends(&s, c[0], FREE_UNTIL, 600);
	set_device_turn(&s, 500);
	is_quiet(&s);
	acks(&s, c[0]);
	assert_false(is_heard(&s));
	sends(&s, c[0], FREE_UNTIL, 500);
	acks(&s, c[0]);
	assert_true(is_heard(&s));
	stage_close(&s);
}

/* What was sent before is acknowledged first: a kick can overtake the ACK of RUN. */
static void test_bound_is_taken_back_after_the_ack_of_run(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 100, 900 }, c);
	sends(&s, c[0], FREE_UNTIL, 900);
	sends(&s, c[0], RUN, 100);
	set_device_turn(&s, 600);
	acks(&s, c[0]);
	is_quiet(&s);
	assert_false(is_heard(&s));
	acks(&s, c[0]);
	sends(&s, c[0], FREE_UNTIL, 600);
	assert_false(is_heard(&s));
	acks(&s, c[0]);
	assert_true(is_heard(&s));
	stage_close(&s);
}

static void test_withdrawn_event_is_not_waited_for(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 100, 900 }, c);
	sends(&s, c[0], FREE_UNTIL, 900);
	sends(&s, c[0], RUN, 100);
	set_device_turn(&s, 600);
	set_device_turn(&s, NEVER);
	acks(&s, c[0]);
	assert_false(is_heard(&s));
	acks(&s, c[0]);
	assert_true(is_heard(&s));
	is_quiet(&s);
	stage_close(&s);
}

/* Another one's REQUEST and the devices' event make one FREE_UNTIL when they come together. */
static void test_one_bound_for_request_and_event(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 100, 900 }, c);
	sends(&s, c[0], FREE_UNTIL, 900);
	sends(&s, c[0], RUN, 100);
	says(&s, c[1], REQUEST, 700);
	set_device_turn(&s, 600);
	acks(&s, c[0]);
	acks(&s, c[0]);
	sends(&s, c[0], FREE_UNTIL, 600);
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[1], ACK, 0);
	assert_true(is_heard(&s));
	stage_close(&s);
}

/* ---- What should not happen, and does -------------------------------------------------------- */

static void test_event_in_the_past_is_due_now(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 2, (uint64_t[]){ 100, 100 }, c);
	set_device_turn(&s, 7);
	assert_int_equal(calendar_next_event(s.calendar), 100);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	assert_int_equal(calendar_now(s.calendar), 100);
	device_turn_is_done(&s);
	is_run(&s, c[1], 100);
	stage_close(&s);
}

static void test_client_leaves_in_its_turn(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 3, (uint64_t[]){ 100, 300, 400 }, c);
	set_device_turn(&s, 200);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_leave(&s, c[1]);
	is_quiet(&s);
	device_turn_is_done(&s);
	is_run(&s, c[2], 400);
	stage_close(&s);
}

static void test_everybody_leaves_in_its_turn(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_running(&s, each, 2, (uint64_t[]){ 100, 300 }, c);
	set_device_turn(&s, 200);
	waits(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_leave(&s, c[1]);
	stage_leave(&s, c[0]);
	device_turn_is_done(&s);
	is_quiet(&s);
	set_device_turn(&s, 250);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

/* Who was to acknowledge the bound is gone: the event is no less heard of. */
static void test_runner_leaves_before_it_has_heard(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_granted(&s, c);
	set_device_turn(&s, 600);
	sends(&s, c[0], FREE_UNTIL, 600);
	stage_leave(&s, c[0]);
	assert_true(is_heard(&s));
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

/* Whoever has not acknowledged and goes is not waited for. */
static void test_sleeper_leaves_without_its_ack(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_granted(&s, c);
	set_device_turn(&s, 600);
	sends(&s, c[0], FREE_UNTIL, 600);
	waits(&s, c[0]);
	is_quiet(&s);
	stage_leave(&s, c[0]);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* Two clients with events at 100 and @second in the window that ends at 1000. */
static void broadcast_in_window(struct stage *stage, uint64_t second, uint32_t *clients)
{
	stage_clients(stage, windowed, 2, (uint64_t[]){ 100, second }, clients);
	announces(stage, CALENDAR_WINDOW);
	open_window(stage, 1000);
}

static void test_nothing_happens_before_the_first_window(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, windowed, 2, (uint64_t[]){ 0, 500 }, c);
	announces(&s, CALENDAR_WINDOW);
	assert_true(calendar_window_done(s.calendar));
	open_window(&s, 1);
	assert_false(calendar_window_done(s.calendar));
	is_granted(&s, c[0], 1, 0);
	stage_close(&s);
}

static void test_grant_ends_with_the_window(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_in_window(&s, 5000, c);
	is_granted(&s, c[0], 1000, 100);
	refused(&s, c[0], UPDATE, 1000, "beyond the client's grant");
	stage_close(&s);
}

static void test_window_is_said_once(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_in_window(&s, 1000, c);
	is_granted(&s, c[0], 1000, 100);
	assert_false(calendar_window_done(s.calendar));
	asks(&s, c[0], 1000);
	waits(&s, c[0]);
	announces(&s, CALENDAR_WINDOW);
	says(&s, c[1], GET, UINT64_MAX);
	sends(&s, c[1], ACK, 1000);
	set_device_turn(&s, 1200);
	is_quiet(&s);
	assert_true(calendar_window_done(s.calendar));
	assert_int_equal(calendar_next_event(s.calendar), 1000);

	open_window(&s, 1100);
	is_granted(&s, c[0], 1000, 1000);
	stage_close(&s);
}

static void test_devices_keep_to_the_window(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_in_window(&s, NEVER, c);
	is_granted(&s, c[0], 1000, 100);
	set_device_turn(&s, 1000);
	assert_true(is_heard(&s));
	waits(&s, c[0]);
	announces(&s, CALENDAR_WINDOW);
	open_window(&s, 1001);
	announces(&s, CALENDAR_DEVICE_TURN);
	assert_int_equal(calendar_now(s.calendar), 1000);
	device_turn_is_done(&s);
	announces(&s, CALENDAR_WINDOW);
	stage_close(&s);
}

/* In the next window somebody else may bring something. */
static void test_sleep_for_ever_is_the_end_of_a_window_only(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, windowed, 1, (uint64_t[]){ NEVER }, c);
	announces(&s, CALENDAR_WINDOW);
	assert_int_equal(calendar_next_event(s.calendar), NEVER);
	set_device_turn(&s, 300);
	is_quiet(&s);
	open_window(&s, 301);
	announces(&s, CALENDAR_DEVICE_TURN);
	stage_close(&s);
}

static void test_empty_window_is_over_at_once(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, windowed, 2, (uint64_t[]){ 100, 200 }, c);
	announces(&s, CALENDAR_WINDOW);
	open_window(&s, 100);
	announces(&s, CALENDAR_WINDOW);
	open_window(&s, 100);
	announces(&s, CALENDAR_WINDOW);
	stage_close(&s);
}

static void test_window_is_not_over_while_a_client_connects(void **state)
{
	uint32_t c[2], late, gone;
	struct stage s;

	(void)state;
	broadcast_in_window(&s, 2000, c);
	is_granted(&s, c[0], 1000, 100);
	late = stage_connect(&s);
	gone = stage_connect(&s);
	waits(&s, c[0]);
	is_quiet(&s);
	says(&s, late, START, 9);
	is_admitted(&s, late, 2, 1000);
	asks(&s, late, 1);
	waits(&s, late);
	is_quiet(&s);
	stage_leave(&s, gone);
	announces(&s, CALENDAR_WINDOW);
	assert_int_equal(calendar_next_event(s.calendar), 1001);
	stage_close(&s);
}

static void test_client_leaves_in_a_window(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_in_window(&s, 200, c);
	is_granted(&s, c[0], 200, 100);
	stage_leave(&s, c[1]);
	is_quiet(&s);
	stage_leave(&s, c[0]);
	announces(&s, CALENDAR_WINDOW);
	open_window(&s, 2000);
	announces(&s, CALENDAR_WINDOW);
	stage_close(&s);
}

/* What was granted beyond the new end is taken back, and the end stays where it is. */
static void test_window_is_narrowed(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_in_window(&s, 5000, c);
	is_granted(&s, c[0], 1000, 100);
	assert_int_equal(calendar_narrow_window(s.calendar, 700), 0);
	assert_int_equal(calendar_window_end(s.calendar), 700);
	sends(&s, c[0], FREE_UNTIL, 700);
	assert_false(is_heard(&s));
	acks(&s, c[0]);
	assert_true(is_heard(&s));
	assert_int_equal(calendar_narrow_window(s.calendar, 800), 0);
	assert_int_equal(calendar_window_end(s.calendar), 700);
	asks(&s, c[0], 700);
	waits(&s, c[0]);
	announces(&s, CALENDAR_WINDOW);
	stage_close(&s);
}

/* Who tells the time is about to do something outside, and is told how far it may go then. */
static void test_window_is_narrowed_to_the_reach_of_an_update(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	broadcast_in_window(&s, 5000, c);
	calendar_set_reach(s.calendar, 300);
	is_granted(&s, c[0], 1000, 100);
	says(&s, c[0], UPDATE, 200);
	sends(&s, c[0], FREE_UNTIL, 500);
	sends(&s, c[0], ACK, 0);
	acks(&s, c[0]);
	assert_int_equal(calendar_window_end(s.calendar), 500);
	says(&s, c[0], UPDATE, 400);
	sends(&s, c[0], ACK, 0);
	is_quiet(&s);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices_come_first_at_ties),
		cmocka_unit_test(test_devices_wait_for_earlier_events),
		cmocka_unit_test(test_interrupted_clients_are_answered_at_once),
		cmocka_unit_test(test_devices_have_one_event_at_a_time),
		cmocka_unit_test(test_devices_take_another_turn),
		cmocka_unit_test(test_devices_keep_sleepers_alive_up_to_the_limit),
		cmocka_unit_test(test_who_joins_in_its_turn_is_admitted_after_it),
		cmocka_unit_test(test_a_broadcast_comes_through_before_its_turn),
		cmocka_unit_test(test_devices_wait_for_what_is_not_acknowledged),
		cmocka_unit_test(test_grant_ends_at_the_event),
		cmocka_unit_test(test_earlier_event_takes_the_bound_back),
		cmocka_unit_test(test_later_event_takes_nothing_back),
		cmocka_unit_test(test_each_earlier_event_takes_back_more),
		cmocka_unit_test(test_bound_is_taken_back_after_the_ack_of_run),
		cmocka_unit_test(test_withdrawn_event_is_not_waited_for),
		cmocka_unit_test(test_one_bound_for_request_and_event),
		cmocka_unit_test(test_event_in_the_past_is_due_now),
		cmocka_unit_test(test_client_leaves_in_its_turn),
		cmocka_unit_test(test_everybody_leaves_in_its_turn),
		cmocka_unit_test(test_runner_leaves_before_it_has_heard),
		cmocka_unit_test(test_sleeper_leaves_without_its_ack),
		cmocka_unit_test(test_nothing_happens_before_the_first_window),
		cmocka_unit_test(test_grant_ends_with_the_window),
		cmocka_unit_test(test_window_is_said_once),
		cmocka_unit_test(test_devices_keep_to_the_window),
		cmocka_unit_test(test_sleep_for_ever_is_the_end_of_a_window_only),
		cmocka_unit_test(test_empty_window_is_over_at_once),
		cmocka_unit_test(test_window_is_not_over_while_a_client_connects),
		cmocka_unit_test(test_client_leaves_in_a_window),
		cmocka_unit_test(test_window_is_narrowed),
		cmocka_unit_test(test_window_is_narrowed_to_the_reach_of_an_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
