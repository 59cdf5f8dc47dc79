// SPDX-License-Identifier: BSD-3-Clause
/* The participant passes time and says so exactly as the kernel does, against a scripted
 * controller. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/kernel/participant/participant_script.h"

/* ---- Starting -------------------------------------------------------------------------------- */

static void starts_with_its_id(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START);
	assert_int_equal(participant_start(s.participant), -EALREADY);
	assert_int_equal(participant_now(s.participant), 0);
	script_end(&s);
}

static int lowest_free_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void closes_the_descriptors_of_the_start_ack(void **state)
{
	int before;

	(void)state;
	SCRIPT(s, V6_12, EXPECT(START, 7), ANSWER_WITH_FDS);
	before = lowest_free_fd();
	assert_int_equal(participant_start(s.participant), 0);
	assert_int_equal(lowest_free_fd(), before);
	script_end(&s);
}

static void needs_a_start(void **state)
{
	struct participant *p;
	uint64_t clock;

	(void)state;
	assert_int_equal(participant_create(NULL, &p), 0);
	assert_int_equal(participant_start(p), -ENOTCONN);
	assert_int_equal(participant_run(p), -ENOTCONN);
	assert_int_equal(participant_delay(p, 1), -ENOTCONN);
	assert_int_equal(participant_read_clock(p, &clock), -ENOTCONN);
	participant_destroy(p);
}

/* ---- Timers and their order ------------------------------------------------------------------ */

static void timer_is_one_ns_late_and_idle_asks_for_never(void **state)
{
	uint64_t ran_at = 0;
	struct participant_timer timer;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(1001), WAIT_RUN(1001), REQUEST(NEVER));
	participant_timer_init(&timer, tick, &ran_at);
	assert_int_equal(participant_timer_once(s.participant, &timer, 1000), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_int_equal(ran_at, 1001);
	script_end(&s);
}

static void timer_has_a_shortest_and_a_longest_delta(void **state)
{
	uint64_t ran_at = 0;
	struct participant_timer timer;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(501), REQUEST(4294967296));
	participant_timer_init(&timer, tick, &ran_at);
	assert_int_equal(participant_timer_once(s.participant, &timer, 3), 0);
	assert_int_equal(participant_timer_once(s.participant, &timer, UINT64_MAX), 0);
	participant_timer_stop(s.participant, &timer);
	assert_int_equal(participant_timer_periodic(s.participant, &timer, 0), -EINVAL);
	script_end(&s);
}

static void periodic_timer_is_exact_and_asks_before_it_runs(void **state)
{
	uint64_t ran_at = 0;
	struct participant_timer timer;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(100), WAIT_RUN(100), REQUEST(200), WAIT_RUN(200),
	       REQUEST(300));
	participant_timer_init(&timer, tick, &ran_at);
	assert_int_equal(participant_timer_periodic(s.participant, &timer, 100), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_int_equal(ran_at, 100);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_int_equal(ran_at, 200);
	script_end(&s);
}

static void equal_times_run_in_the_order_added(void **state)
{
	struct named_event a, b, c;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(70), REQUEST(50), WAIT_RUN(50), REQUEST(70), WAIT_RUN(70),
	       REQUEST(70), WAIT_RUN(70), REQUEST(NEVER));
	named_init(&a, 'a', 0);
	named_init(&b, 'b', 0);
	named_init(&c, 'c', 0);
	assert_int_equal(participant_event_add(s.participant, &a.event, 70), 0);
	assert_int_equal(participant_event_add(s.participant, &b.event, 70), 0);
	assert_int_equal(participant_event_add(s.participant, &c.event, 50), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(participant_idle(s.participant), 0);
	assert_string_equal(order, "cab");
	script_end(&s);
}

static void pending_event_stays_where_it_is(void **state)
{
	struct named_event a;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(70));
	named_init(&a, 'a', 0);
	assert_int_equal(participant_event_add(s.participant, &a.event, 70), 0);
	assert_int_equal(participant_event_add(s.participant, &a.event, 30), 0);
	assert_int_equal(a.event.time, 70);
	assert_true(participant_event_remove(s.participant, &a.event));
	assert_false(participant_event_remove(s.participant, &a.event));
	script_end(&s);
}

static void past_cannot_be_asked_for(void **state)
{
	struct named_event a;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT_RUN(10));
	named_init(&a, 'a', 0);
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_int_equal(participant_event_add(s.participant, &a.event, 9), -EINVAL);
	assert_int_equal(participant_event_add(s.participant, &a.event, NEVER + 1), -EINVAL);
	assert_int_equal(participant_delay(s.participant, NEVER), -EINVAL);
	script_end(&s);
}

static void removed_event_is_still_asked_for(void **state)
{
	struct named_event a, b;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(50), REQUEST(70));
	named_init(&a, 'a', 0);
	named_init(&b, 'b', 0);
	assert_int_equal(participant_event_add(s.participant, &a.event, 50), 0);
	participant_event_remove(s.participant, &a.event);
	assert_int_equal(participant_event_add(s.participant, &b.event, 70), 0);
	script_end(&s);
}

/* ---- Requests and windows -------------------------------------------------------------------- */

static void same_request_is_said_again_only_after_a_wait(void **state)
{
	struct named_event early, late;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(50), WAIT_RUN(50), REQUEST(90), WAIT_RUN(90),
	       REQUEST(NEVER));
	named_init(&early, 'e', 0);
	named_init(&late, 'l', 0);
	assert_int_equal(participant_event_add(s.participant, &early.event, 50), 0);
	assert_int_equal(participant_event_add(s.participant, &late.event, 90), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	/* 90 was asked for when 50 had run; idling for it does not ask again. */
	assert_int_equal(participant_idle(s.participant), 0);
	assert_string_equal(order, "el");
	script_end(&s);
}

static void time_is_free_below_the_bound_and_asked_for_at_it(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, EXPECT(REQUEST, 10), FREE(100), ANSWER(0), REQUEST(100),
	       WAIT_RUN(100), REQUEST(101), WAIT_RUN(101));
	/* The bound came while the request was answered: there is nothing left to wait for. */
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_int_equal(participant_delay(s.participant, 89), 0);
	assert_int_equal(participant_now(s.participant), 99);
	assert_int_equal(participant_delay(s.participant, 1), 0);
	assert_int_equal(participant_delay(s.participant, 1), 0);
	script_end(&s);
}

static void kernel_5_10_asks_inside_the_window(void **state)
{
	(void)state;
	SCRIPT(s, V5_10, START, EXPECT(REQUEST, 10), FREE(100), ANSWER(0), REQUEST(99),
	       REQUEST(100), WAIT_RUN(100));
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_int_equal(participant_delay(s.participant, 89), 0);
	assert_int_equal(participant_delay(s.participant, 1), 0);
	script_end(&s);
}

static void event_inside_the_window_is_not_asked_for(void **state)
{
	struct named_event a;

	(void)state;
	SCRIPT(s, V6_12, START, EXPECT(REQUEST, 10), FREE(100), ANSWER(0), REQUEST(NEVER));
	named_init(&a, 'a', 0);
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_int_equal(participant_event_add(s.participant, &a.event, 50), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_int_equal(a.ran_at, 50);
	script_end(&s);
}

/* An interrupt at 50 ends a wait that began with the bound at 100. */
static void interrupt_in_window(struct script *s)
{
	struct named_event irq;
	struct participant_source source = { .fd = s->pipe[0],
					     .handle = take_interrupt,
					     .context = &irq.event };

	named_init(&irq, 'i', 0);
	assert_int_equal(participant_delay(s->participant, 10), 0);
	assert_int_equal(participant_source_add(s->participant, &source), 0);
	assert_int_equal(participant_idle(s->participant), 0);
	assert_int_equal(participant_idle(s->participant), 0);
	assert_string_equal(order, "!i");
	script_end(s);
}

static void wait_ends_the_window(void **state)
{
	(void)state;
	SCRIPT(s, V6_1, START, EXPECT(REQUEST, 10), FREE(100), ANSWER(0), REQUEST(NEVER), WAIT,
	       POKE, GET(50), REQUEST(50), RUN(50), REQUEST(50), WAIT_RUN(50), REQUEST(NEVER));
	interrupt_in_window(&s);
}

static void window_survives_a_wait_in_5_10(void **state)
{
	(void)state;
	SCRIPT(s, V5_10, START, EXPECT(REQUEST, 10), FREE(100), ANSWER(0), REQUEST(1000000010),
	       WAIT, POKE, GET(50), REQUEST(50), RUN(50), REQUEST(50), REQUEST(1000000050));
	interrupt_in_window(&s);
}

/* ---- Being served ---------------------------------------------------------------------------- */

static void served_while_an_ack_is_awaited(void **state)
{
	struct participant_stat stat;
	uint64_t value = 0;

	(void)state;
	SCRIPT(s, V6_12, START, EXPECT(REQUEST, 10), FREE(10), SEND(BROADCAST, 42), ACKED,
	       SEND_NUMBER(17), ACKED, ANSWER(0), EXPECT(WAIT, NONE), FREE(20), ANSWER(0), RUN(10));
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_true(participant_broadcast_take(s.participant, &value));
	assert_int_equal(value, 42);
	assert_false(participant_broadcast_take(s.participant, &value));
	assert_int_equal(participant_delay(s.participant, 9), 0);
	participant_stat(s.participant, &stat);
	assert_int_equal(stat.unexpected, 1);
	assert_int_equal(stat.swallowed, 0);
	assert_int_equal(stat.received, 8);
	assert_int_equal(stat.sent, 8);
	script_end(&s);
}

static void run_before_the_ack_of_wait_is_swallowed(void **state)
{
	struct participant_stat stat;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), EXPECT(WAIT, NONE), RUN(10), ANSWER(0), RUN(10));
	assert_int_equal(participant_delay(s.participant, 10), 0);
	participant_stat(s.participant, &stat);
	assert_int_equal(stat.swallowed, 1);
	script_end(&s);
}

static void ack_nobody_waits_for_is_ignored(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT, SEND(ACK, 0), RUN(10));
	assert_int_equal(participant_delay(s.participant, 10), 0);
	script_end(&s);
}

static void served_while_a_reply_is_awaited(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, FREE(50), POKE, REQUEST(50), WAIT_RUN(50));
	assert_int_equal(participant_wait_readable(s.participant, s.pipe[0]), 0);
	assert_int_equal(participant_delay(s.participant, 49), 0);
	assert_int_equal(participant_delay(s.participant, 1), 0);
	script_end(&s);
}

static void reply_wins_over_the_controller(void **state)
{
	(void)state;
	/* Both are there before the participant looks: START's exchange orders it so. */
	SCRIPT(s, V6_12, EXPECT(START, 7), POKE, ANSWER(0), SEND(FREE_UNTIL, 50),
	       EXPECT(REQUEST, 20), ACKED, ANSWER(0));
	assert_int_equal(participant_start(s.participant), 0);
	assert_int_equal(participant_wait_readable(s.participant, s.pipe[0]), 0);
	assert_int_equal(participant_delay(s.participant, 20), 0);
	script_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starts_with_its_id),
		TEST(closes_the_descriptors_of_the_start_ack),
		TEST(needs_a_start),
		TEST(timer_is_one_ns_late_and_idle_asks_for_never),
		TEST(timer_has_a_shortest_and_a_longest_delta),
		TEST(periodic_timer_is_exact_and_asks_before_it_runs),
		TEST(equal_times_run_in_the_order_added),
		TEST(pending_event_stays_where_it_is),
		TEST(past_cannot_be_asked_for),
		TEST(removed_event_is_still_asked_for),
		TEST(same_request_is_said_again_only_after_a_wait),
		TEST(time_is_free_below_the_bound_and_asked_for_at_it),
		TEST(kernel_5_10_asks_inside_the_window),
		TEST(event_inside_the_window_is_not_asked_for),
		TEST(wait_ends_the_window),
		TEST(window_survives_a_wait_in_5_10),
		TEST(served_while_an_ack_is_awaited),
		TEST(run_before_the_ack_of_wait_is_swallowed),
		TEST(ack_nobody_waits_for_is_ignored),
		TEST(served_while_a_reply_is_awaited),
		TEST(reply_wins_over_the_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
