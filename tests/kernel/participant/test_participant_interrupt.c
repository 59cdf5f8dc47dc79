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

/* ---- Interrupts ------------------------------------------------------------------------------ */

static void interrupt_takes_two_passes(void **state)
{
	struct named_event irq;
	struct participant_source source = { .handle = take_interrupt, .context = &irq.event };

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(NEVER), WAIT, POKE, GET(50), REQUEST(50), RUN(50),
	       REQUEST(50), WAIT_RUN(50), REQUEST(NEVER));
	named_init(&irq, 'i', 0);
	source.fd = s.pipe[0];
	assert_int_equal(participant_source_add(s.participant, &source), 0);
	assert_int_equal(participant_source_add(s.participant, &source), -EALREADY);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_string_equal(order, "!");
	assert_int_equal(participant_idle(s.participant), 0);
	assert_string_equal(order, "!i");
	assert_int_equal(irq.ran_at, 50);
	participant_source_remove(s.participant, &source);
	participant_source_remove(s.participant, &source);
	script_end(&s);
}

static void interrupts_before_the_run_become_one(void **state)
{
	struct named_event irq;
	struct participant_source source = { .handle = take_interrupt, .context = &irq.event };

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(NEVER), WAIT, POKE, GET(50), REQUEST(50), POKE, GET(50),
	       RUN(50), REQUEST(50), WAIT_RUN(50), REQUEST(NEVER));
	named_init(&irq, 'i', 0);
	source.fd = s.pipe[0];
	assert_int_equal(participant_source_add(s.participant, &source), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_string_equal(order, "!!i");
	script_end(&s);
}

static void interrupt_during_an_exchange_waits_for_its_ack(void **state)
{
	struct named_event irq;
	struct participant_source source = { .handle = take_interrupt, .context = &irq.event };

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT_RUN(10), EXPECT(UPDATE, 10), POKE, ANSWER(0),
	       GET(10), REQUEST(10));
	named_init(&irq, 'i', 0);
	participant_delay(s.participant, 10);
	source.fd = s.pipe[0];
	assert_int_equal(participant_source_add(s.participant, &source), 0);
	assert_int_equal(participant_propagate(s.participant), 0);
	assert_string_equal(order, "!");
	script_end(&s);
}

/* The exchange that interrupts one being added comes after it, in the kernel's order. */
static void interrupt_while_another_event_is_asked_for(void **state)
{
	struct named_event irq, a;
	struct participant_source source = { .handle = take_interrupt, .context = &irq.event };

	(void)state;
	SCRIPT(s, V6_12, START, EXPECT(REQUEST, 90), POKE, ANSWER(0), GET(0), REQUEST(0),
	       WAIT_RUN(0), REQUEST(90), WAIT_RUN(90), REQUEST(NEVER));
	named_init(&irq, 'i', 0);
	named_init(&a, 'a', 0);
	source.fd = s.pipe[0];
	assert_int_equal(participant_source_add(s.participant, &source), 0);
	assert_int_equal(participant_event_add(s.participant, &a.event, 90), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_int_equal(participant_idle(s.participant), 0);
	assert_string_equal(order, "!ia");
	script_end(&s);
}

static void time_of_a_source(struct participant *p, struct participant_source *source)
{
	uint64_t clock;
	char byte;

	assert_int_equal(read(source->fd, &byte, 1), 1);
	assert_int_equal(participant_delay(p, 1), -EBUSY);
	assert_int_equal(participant_idle(p), -EBUSY);
	assert_int_equal(participant_sleep(p, 1), -EBUSY);
	assert_int_equal(participant_read_clock(p, &clock), 0);
	participant_source_remove(p, source);
	order_note('!');
}

static void source_may_not_pass_time_but_go(void **state)
{
	struct participant_source source = { .handle = time_of_a_source };

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT, POKE, FREE(5), RUN(10));
	source.fd = s.pipe[0];
	assert_int_equal(participant_source_add(s.participant, &source), 0);
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_string_equal(order, "!");
	script_end(&s);
}

static void due_during_a_delay_runs_after_it(void **state)
{
	struct named_event a, b;
	struct participant_timer timer;
	uint64_t ran_at = 0;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(501), REQUEST(10), WAIT_RUN(10), REQUEST(20), WAIT_RUN(20),
	       REQUEST(501), WAIT_RUN(501), REQUEST(600), WAIT_RUN(600));
	named_init(&a, 'a', 0);
	named_init(&b, 'b', 0);
	participant_timer_init(&timer, tick, &ran_at);
	participant_timer_once(s.participant, &timer, 0);
	participant_event_add(s.participant, &a.event, 10);
	participant_event_add(s.participant, &b.event, 20);
	assert_int_equal(participant_delay(s.participant, 600), 0);
	assert_string_equal(order, "abt");
	assert_int_equal(a.ran_at, 600);
	assert_int_equal(ran_at, 600);
	script_end(&s);
}

static void due_during_a_delay_runs_inside_it_in_5_10(void **state)
{
	struct named_event a;
	struct participant_timer timer;
	uint64_t ran_at = 0;

	(void)state;
	SCRIPT(s, V5_10, START, REQUEST(501), REQUEST(10), WAIT_RUN(10), REQUEST(501),
	       WAIT_RUN(501), REQUEST(600), WAIT_RUN(600));
	named_init(&a, 'a', 0);
	participant_timer_init(&timer, tick, &ran_at);
	participant_timer_once(s.participant, &timer, 0);
	participant_event_add(s.participant, &a.event, 10);
	assert_int_equal(participant_delay(s.participant, 600), 0);
	assert_string_equal(order, "at");
	assert_int_equal(a.ran_at, 10);
	assert_int_equal(ran_at, 501);
	script_end(&s);
}

static void timer_expires_once_after_a_long_delay(void **state)
{
	struct participant_timer timer;
	uint64_t ran_at = 0;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(100), WAIT_RUN(100), REQUEST(200), WAIT_RUN(200),
	       REQUEST(250), WAIT_RUN(250), REQUEST(300), WAIT_RUN(300), REQUEST(400));
	participant_timer_init(&timer, tick, &ran_at);
	participant_timer_periodic(s.participant, &timer, 100);
	assert_int_equal(participant_delay(s.participant, 250), 0);
	assert_string_equal(order, "t");
	assert_int_equal(participant_idle(s.participant), 0);
	assert_string_equal(order, "tt");
	script_end(&s);
}

/* Both delays end at 100: the inner one, which is newer, has to be the first to return. */
static void newer_of_two_delays_ends_first(void **state)
{
	struct named_event a;

	(void)state;
	SCRIPT(s, V5_10, START, REQUEST(40), WAIT_RUN(40), REQUEST(100), WAIT_RUN(100),
	       REQUEST(100), WAIT_RUN(100));
	named_init(&a, 'a', 60);
	participant_event_add(s.participant, &a.event, 40);
	assert_int_equal(participant_delay(s.participant, 100), 0);
	assert_int_equal(participant_now(s.participant), 100);
	script_end(&s);
}

/* ---- Clock and sleep ------------------------------------------------------------------------- */

static void reading_the_clock_costs_256_ns(void **state)
{
	uint64_t clock;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(256), WAIT_RUN(256), REQUEST(300), WAIT_RUN(300),
	       REQUEST(556), WAIT_RUN(556));
	assert_int_equal(participant_read_clock(s.participant, &clock), 0);
	assert_int_equal(clock, 256);
	participant_delay(s.participant, 44);
	assert_int_equal(participant_read_clock(s.participant, &clock), 0);
	assert_int_equal(clock, 512);
	assert_int_equal(participant_now(s.participant), 556);
	script_end(&s);
}

static void read_clock_in_interrupt(struct participant *p, struct participant_timer *timer)
{
	assert_int_equal(participant_read_clock(p, timer->context), 0);
	assert_int_equal(participant_sleep(p, 1), -EBUSY);
	assert_int_equal(participant_idle(p), -EBUSY);
	participant_stop(p);
}

static void clock_is_free_in_an_interrupt(void **state)
{
	uint64_t clock = 0;
	struct participant_timer timer;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(701), WAIT_RUN(701), REQUEST(NEVER));
	participant_timer_init(&timer, read_clock_in_interrupt, &clock);
	participant_timer_once(s.participant, &timer, 700);
	assert_int_equal(participant_run(s.participant), 0);
	assert_int_equal(clock, 512);
	assert_false(participant_in_interrupt(s.participant));
	script_end(&s);
}

static void sleep_lasts_until_the_clock_shows_its_end(void **state)
{
	(void)state;
	/* The clock shows 768 at 1001 and 1024 only after the shortest timer. */
	SCRIPT(s, V6_12, START, REQUEST(1001), WAIT_RUN(1001), REQUEST(NEVER), REQUEST(1502),
	       WAIT_RUN(1502), REQUEST(NEVER));
	assert_int_equal(participant_sleep(s.participant, 1000), 0);
	assert_int_equal(participant_now(s.participant), 1502);
	script_end(&s);
}

static void sleep_until_the_past_sets_the_shortest_timer(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(501), WAIT_RUN(501), REQUEST(NEVER));
	assert_int_equal(participant_sleep_until(s.participant, 0), 0);
	script_end(&s);
}

static void sleep_until_the_past_returns_at_once_in_7_2(void **state)
{
	(void)state;
	SCRIPT(s, PARTICIPANT_KERNEL_7_2, START);
	assert_int_equal(participant_sleep_until(s.participant, 0), 0);
	script_end(&s);
}

static void long_sleep_wakes_on_the_way(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(4294967296), WAIT_RUN(4294967296), REQUEST(NEVER),
	       REQUEST(5000000001), WAIT_RUN(5000000001), REQUEST(NEVER));
	assert_int_equal(participant_sleep(s.participant, 5000000000), 0);
	script_end(&s);
}

static void others_run_during_a_sleep(void **state)
{
	struct named_event a;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(700), WAIT_RUN(700), REQUEST(1025), WAIT_RUN(1025),
	       REQUEST(NEVER));
	named_init(&a, 'a', 0);
	participant_event_add(s.participant, &a.event, 700);
	assert_int_equal(participant_sleep(s.participant, 1024), 0);
	assert_int_equal(a.ran_at, 700);
	script_end(&s);
}

static void kernel_5_10_idles_for_a_second(void **state)
{
	(void)state;
	SCRIPT(s, V5_10, START, REQUEST(1000000000), WAIT_RUN(1000000000));
	assert_int_equal(participant_idle(s.participant), 0);
	script_end(&s);
}

/* ---- The world ------------------------------------------------------------------------------- */

static void time_is_propagated_once(void **state)
{
	(void)state;
	SCRIPT(s, V6_1, START, REQUEST(10), WAIT_RUN(10), UPDATE(10));
	assert_int_equal(participant_propagate(s.participant), 0);
	participant_delay(s.participant, 10);
	assert_int_equal(participant_propagate(s.participant), 0);
	assert_int_equal(participant_propagate(s.participant), 0);
	script_end(&s);
}

static void kernel_5_10_propagates_always(void **state)
{
	(void)state;
	SCRIPT(s, V5_10, START, UPDATE(0), UPDATE(0));
	assert_int_equal(participant_propagate(s.participant), 0);
	assert_int_equal(participant_propagate(s.participant), 0);
	script_end(&s);
}

static void time_of_day_is_asked_for_once(void **state)
{
	uint64_t tod;

	(void)state;
	SCRIPT(s, V6_1, START, GET_TOD(1000000), GET(400), REQUEST(410), WAIT_RUN(410));
	assert_int_equal(participant_time_of_day(s.participant, &tod), 0);
	assert_int_equal(tod, 1000000);
	assert_int_equal(participant_now(s.participant), 400);
	participant_delay(s.participant, 10);
	assert_int_equal(participant_time_of_day(s.participant, &tod), 0);
	assert_int_equal(tod, 1000010);
	script_end(&s);
}

static void kernel_5_10_asks_for_the_time_of_day_always(void **state)
{
	uint64_t tod;

	(void)state;
	SCRIPT(s, V5_10, START, GET_TOD(1000000), GET_TOD(2000000));
	assert_int_equal(participant_time_of_day(s.participant, &tod), 0);
	assert_int_equal(participant_time_of_day(s.participant, &tod), 0);
	assert_int_equal(tod, 2000000);
	assert_int_equal(participant_now(s.participant), 0);
	script_end(&s);
}

static void broadcast_goes_out(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, EXPECT(BROADCAST, 99), ANSWER(0));
	assert_int_equal(participant_broadcast(s.participant, 99), 0);
	script_end(&s);
}

static void broadcast_is_unknown_before_6_11(void **state)
{
	struct participant_stat stat;
	uint64_t value;

	(void)state;
	SCRIPT(s, V6_1, START, EXPECT(REQUEST, 10), SEND(BROADCAST, 42), ACKED, ANSWER(0),
	       WAIT_RUN(10));
	assert_int_equal(participant_broadcast(s.participant, 99), -EOPNOTSUPP);
	participant_delay(s.participant, 10);
	assert_false(participant_broadcast_take(s.participant, &value));
	participant_stat(s.participant, &stat);
	assert_int_equal(stat.unexpected, 1);
	script_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interrupt_takes_two_passes),
		TEST(interrupts_before_the_run_become_one),
		TEST(interrupt_during_an_exchange_waits_for_its_ack),
		TEST(interrupt_while_another_event_is_asked_for),
		TEST(source_may_not_pass_time_but_go),
		TEST(due_during_a_delay_runs_after_it),
		TEST(due_during_a_delay_runs_inside_it_in_5_10),
		TEST(timer_expires_once_after_a_long_delay),
		TEST(newer_of_two_delays_ends_first),
		TEST(reading_the_clock_costs_256_ns),
		TEST(clock_is_free_in_an_interrupt),
		TEST(sleep_lasts_until_the_clock_shows_its_end),
		TEST(sleep_until_the_past_sets_the_shortest_timer),
		TEST(sleep_until_the_past_returns_at_once_in_7_2),
		TEST(long_sleep_wakes_on_the_way),
		TEST(others_run_during_a_sleep),
		TEST(kernel_5_10_idles_for_a_second),
		TEST(time_is_propagated_once),
		TEST(kernel_5_10_propagates_always),
		TEST(time_of_day_is_asked_for_once),
		TEST(kernel_5_10_asks_for_the_time_of_day_always),
		TEST(broadcast_goes_out),
		TEST(broadcast_is_unknown_before_6_11),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
