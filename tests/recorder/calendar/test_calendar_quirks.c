// SPDX-License-Identifier: BSD-3-Clause
/*
 * The calendar and the protocol's quirks, as kernels 5.10 to 7.2 speak it (docs/protocol.md): a
 * test is named after the quirk it holds. Some are somebody else's business: Q6  which of two ready
 * sockets a guest reads first: the devices' (they answer after the calendar) Q12 order of a guest's
 * own events, Q13 resolution of its timer, Q16 EINTR: the guest's Q14 end of file is how a guest
 * leaves, Q15 START's ACK: also in test_calendar.c Q18 coarser clients round: theirs; the calendar
 * only never goes past what they asked for
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/recorder/calendar/calendar_stage.h"

#define NEVER WIRE_TIME_NEVER

static const struct calendar_options each = { .grant = CALENDAR_GRANT_EACH };
static const struct calendar_options window = { .grant = CALENDAR_GRANT_WINDOW };

static void test_q1_request_replaces(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 50 }, c);
	is_run(&s, c[0], 10);
	asks(&s, c[0], 20);
	asks(&s, c[0], 90);
	asks(&s, c[1], 50); /* repeated in WAIT, identical */
	asks(&s, c[1], 60); /* and replaced, later */
	waits(&s, c[0]);
	is_run(&s, c[1], 60);
	waits(&s, c[1]);
	is_run(&s, c[0], 90);
	waits(&s, c[0]);
	ends(&s, CALENDAR_IDLE_END);
	stage_close(&s);
}

/* A 5.10 kernel asks inside its window too, and may then run past what it asked for. */
static void test_q2_requests_inside_the_window(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	asks(&s, c[0], 100);
	asks(&s, c[0], 200);
	says(&s, c[0], UPDATE, 300);
	sends(&s, c[0], ACK, 0);
	waits(&s, c[0]);
	sends(&s, c[0], FREE_UNTIL, 1000);
	sends(&s, c[0], RUN, 300);
	stage_close(&s);
}

static void test_q3_bound_is_sent_again_with_every_run(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 1000 }, c);
	for (uint64_t time = 10; time < 50; time += 10) {
		sends(&s, c[0], FREE_UNTIL, 1000);
		sends(&s, c[0], RUN, time);
		acks(&s, c[0]);
		acks(&s, c[0]);
		asks(&s, c[0], time + 10);
		waits(&s, c[0]);
	}
	stage_close(&s);
}

/* RUN waits for the ACK of a FREE_UNTIL and of a BROADCAST that the client has not answered. */
static void test_q4_no_run_while_something_is_unacknowledged(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[1], REQUEST, 500);
	sends(&s, c[0], FREE_UNTIL, 500);
	says(&s, c[0], REQUEST, 20);
	sends(&s, c[0], ACK, 0);
	says(&s, c[0], WAIT, UINT64_MAX); /* written before it read the FREE_UNTIL */
	sends(&s, c[0], ACK, 0);
	sends(&s, c[1], ACK, 0); /* nobody runs any more, so that is true now */
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[0], FREE_UNTIL, 500);
	sends(&s, c[0], RUN, 20);
	stage_close(&s);
}

static void test_q5_bound_is_taken_back_before_the_request_is_answered(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 3, (uint64_t[]){ 10, 1000, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);

	asks(&s, c[1], 1000); /* not before the bound: nothing to take back */
	says(&s, c[1], REQUEST, 400);
	sends(&s, c[0], FREE_UNTIL, 400);
	is_quiet(&s);
	says(&s, c[2], REQUEST, 300); /* while that is on its way */
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[0], FREE_UNTIL, 300);
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[1], ACK, 0);
	sends(&s, c[2], ACK, 0);
	is_quiet(&s);

	refused(&s, c[0], UPDATE, 300, "beyond the client's grant");
	says(&s, c[0], UPDATE, 299);
	sends(&s, c[0], ACK, 0);
	stage_close(&s);
}

/*
 * A kernel may kick a device right after its RUN; what comes of that arrives on other sockets, at
 * times before the ACK of the RUN. The running client's stream must not tell.
 */
static void test_q5_run_is_acknowledged_before_the_bound_is_taken_back(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	sends(&s, c[0], RUN, 10);
	says(&s, c[1], REQUEST, 10);
	is_quiet(&s);
	acks(&s, c[0]);
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[0], FREE_UNTIL, 10);
	acks(&s, c[0]);
	sends(&s, c[1], ACK, 0);
	stage_close(&s);
}

/* The running client may cross the FREE_UNTIL with its own messages: it reads it in between. */
static void test_q5_running_client_talks_before_it_acknowledges(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[1], REQUEST, 400);
	sends(&s, c[0], FREE_UNTIL, 400);
	says(&s, c[0], UPDATE, 50);
	sends(&s, c[0], ACK, 0);
	says(&s, c[0], GET, UINT64_MAX);
	sends(&s, c[0], ACK, 50);
	refused(&s, c[1], REQUEST, 450, "REQUEST while its REQUEST is not answered");
	acks(&s, c[0]);
	sends(&s, c[1], ACK, 0);
	is_quiet(&s);
	stage_close(&s);
}

/* An interrupt at a waiting guest: GET, then REQUEST at that time. */
static void test_q7_waiting_client_gets_and_requests(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 1000 }, c);
	sends(&s, c[0], FREE_UNTIL, 1000);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[0], UPDATE, 60);
	sends(&s, c[0], ACK, 0);
	says(&s, c[1], GET, UINT64_MAX);
	sends(&s, c[1], ACK, 60);
	says(&s, c[1], REQUEST, 60);
	sends(&s, c[0], FREE_UNTIL, 60);
	acks(&s, c[0]);
	sends(&s, c[1], ACK, 0);
	asks(&s, c[0], 61);
	waits(&s, c[0]);
	sends(&s, c[1], FREE_UNTIL, 61);
	sends(&s, c[1], RUN, 60);
	stage_close(&s);
}

/* A client that waits with nothing of its own is woken by somebody else. */
static void test_q7_wait_without_request(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, NEVER }, c);
	is_run(&s, c[0], 10);
	asks(&s, c[1], 10);
	asks(&s, c[0], 15);
	waits(&s, c[0]);
	is_run(&s, c[1], 10);
	waits(&s, c[1]); /* no REQUEST since its RUN: the old one is used up */
	is_run(&s, c[0], 15);
	waits(&s, c[0]);
	ends(&s, CALENDAR_IDLE_END);
	stage_close(&s);
}

static void test_q8_nobody_runs_at_never(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ NEVER, UINT64_MAX }, c);
	ends(&s, CALENDAR_IDLE_END);

	/* Quiet from now on, but whoever asks is answered. */
	says(&s, c[0], GET, UINT64_MAX);
	sends(&s, c[0], ACK, 0);
	asks(&s, c[0], 10);
	is_quiet(&s);
	stage_leave(&s, c[1]); /* takes the end back */
	is_run(&s, c[0], 10);
	stage_close(&s);
}

static void test_q8_last_moment_is_still_run(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 1, (uint64_t[]){ NEVER - 1 }, c);
	sends(&s, c[0], FREE_UNTIL, NEVER - 1);
	sends(&s, c[0], RUN, NEVER - 1);
	stage_close(&s);
}

static void test_q9_request_in_the_past(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 100, 200 }, c);
	is_run(&s, c[0], 100);
	refused(&s, c[0], REQUEST, 99,
		"REQUEST of 0.000000099 is in the past: expected "
		"0.000000100 or later");
	refused(&s, c[1], REQUEST, 99, "is in the past");
	assert_int_equal(calendar_last_fault(s.calendar)->id, 2);
	assert_int_equal(calendar_last_fault(s.calendar)->now, 100);
	asks(&s, c[0], 100);
	waits(&s, c[0]);
	is_run(&s, c[0], 100);
	stage_close(&s);
}

static void test_q10_update_moves_time(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 50 }, c);
	sends(&s, c[0], FREE_UNTIL, 50);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[0], UPDATE, 10); /* 5.10 repeats itself */
	sends(&s, c[0], ACK, 0);
	says(&s, c[0], UPDATE, 49);
	sends(&s, c[0], ACK, 0);
	assert_int_equal(calendar_now(s.calendar), 49);
	refused(&s, c[0], UPDATE, 48, "UPDATE of 0.000000048 is in the past");
	refused(&s, c[0], UPDATE, 50,
		"beyond the client's grant: expected less than "
		"0.000000050");
	refused(&s, c[0], UPDATE, UINT64_MAX, "beyond the client's grant");
	refused(&s, c[1], UPDATE, 49, "UPDATE from a waiting client");
	stage_close(&s);
}

static void test_q10_update_without_a_grant(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ 10 }, c);
	is_run(&s, c[0], 10);
	refused(&s, c[0], UPDATE, 11, "beyond the client's grant");
	says(&s, c[0], UPDATE, 10);
	sends(&s, c[0], ACK, 0);
	stage_close(&s);
}

/* Everybody who waits gets it in order of admission, one at a time, the sender's ACK comes last. */
static void test_q11_broadcast_reaches_all_before_its_ack(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 3, (uint64_t[]){ 30, 10, 20 }, c);
	is_run(&s, c[1], 10);
	says(&s, c[1], BROADCAST, 0xfeedULL << 48);
	sends(&s, c[0], BROADCAST, 0xfeedULL << 48);
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[2], BROADCAST, 0xfeedULL << 48);
	is_quiet(&s);
	acks(&s, c[2]);
	sends(&s, c[1], ACK, 0);
	is_quiet(&s);
	refused(&s, c[1], ACK, 0, "expected none, everything is acknowledged");
	stage_close(&s);
}

/* A recipient may answer with GET and REQUEST first, as usfstl's clients do. */
static void test_q11_recipient_talks_before_it_acknowledges(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 50 }, c);
	sends(&s, c[0], FREE_UNTIL, 50);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[0], BROADCAST, 1);
	sends(&s, c[1], BROADCAST, 1);
	says(&s, c[1], GET, UINT64_MAX);
	sends(&s, c[1], ACK, 10);
	says(&s, c[1], REQUEST, 10);
	sends(&s, c[0], FREE_UNTIL, 10);
	acks(&s, c[0]);
	sends(&s, c[1], ACK, 0);
	acks(&s, c[1]);
	stage_sends(__LINE__, &s, c[0], TRACE_OP_ACK, 0);
	is_quiet(&s);
	stage_close(&s);
}

static void test_q11_broadcast_alone(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ 10 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[0], BROADCAST, 3);
	sends(&s, c[0], ACK, 0);
	stage_close(&s);
}

/* A waiting device broadcasts: the running client gets it when it can read, the device's ACK
 * before. */
static void test_q11_running_client_is_owed_a_broadcast(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 3, (uint64_t[]){ 10, 20, 20 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[1], BROADCAST, 8);
	sends(&s, c[2], BROADCAST, 8);
	acks(&s, c[2]);
	sends(&s, c[1], ACK, 0);
	is_quiet(&s);
	asks(&s, c[0], 20);
	says(&s, c[0], WAIT, UINT64_MAX);
	sends(&s, c[0], ACK, 0);
	sends(&s, c[0], BROADCAST, 8);
	is_quiet(&s); /* no RUN, to anybody */
	acks(&s, c[0]);
	is_run(&s, c[0], 20);
	stage_close(&s);
}

/* The running client can also read while its own BROADCAST is not answered. */
static void test_q11_broadcasts_of_two_do_not_lock_up(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 20 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[1], BROADCAST, 8);
	sends(&s, c[1], ACK, 0);
	says(&s, c[0], BROADCAST, 9);
	sends(&s, c[0], BROADCAST, 8);
	is_quiet(&s);
	acks(&s, c[0]);
	sends(&s, c[1], BROADCAST, 9);
	acks(&s, c[1]);
	sends(&s, c[0], ACK, 0);
	refused(&s, c[0], ACK, 0, "expected none");
	stage_close(&s);
}

static void test_q14_reboot_is_a_new_client_with_the_same_id(void **state)
{
	uint32_t c[2], again;
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 20 }, c);
	is_run(&s, c[0], 10);
	stage_leave(&s, c[0]);
	is_run(&s, c[1], 20);
	again = starts_alone(&s, 1);
	assert_int_equal(again, c[0]);
	asks(&s, c[1], 30);
	waits(&s, c[1]);
	is_admitted(&s, again, 2, 20);
	asks(&s, again, 5);
	waits(&s, again);
	sends(&s, again, RUN, 5); /* seq 1 again, which the stage checks */
	stage_close(&s);
}

/* usfstl's clients read the ACK of WAIT directly: nothing may come between. */
static void test_q17_wait_is_answered_before_all_else(void **state)
{
	uint32_t c[3];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 3, (uint64_t[]){ 10, 20, 30 }, c);
	sends(&s, c[0], FREE_UNTIL, 20);
	is_run(&s, c[0], 10);
	acks(&s, c[0]);
	says(&s, c[2], BROADCAST, 1);
	sends(&s, c[1], BROADCAST, 1);
	acks(&s, c[1]);
	sends(&s, c[2], ACK, 0);
	says(&s, c[0], WAIT, UINT64_MAX);
	sends(&s, c[0], ACK, 0);
	sends(&s, c[0], BROADCAST, 1);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_q1_request_replaces),
		cmocka_unit_test(test_q2_requests_inside_the_window),
		cmocka_unit_test(test_q3_bound_is_sent_again_with_every_run),
		cmocka_unit_test(test_q4_no_run_while_something_is_unacknowledged),
		cmocka_unit_test(test_q5_bound_is_taken_back_before_the_request_is_answered),
		cmocka_unit_test(test_q5_run_is_acknowledged_before_the_bound_is_taken_back),
		cmocka_unit_test(test_q5_running_client_talks_before_it_acknowledges),
		cmocka_unit_test(test_q7_waiting_client_gets_and_requests),
		cmocka_unit_test(test_q7_wait_without_request),
		cmocka_unit_test(test_q8_nobody_runs_at_never),
		cmocka_unit_test(test_q8_last_moment_is_still_run),
		cmocka_unit_test(test_q9_request_in_the_past),
		cmocka_unit_test(test_q10_update_moves_time),
		cmocka_unit_test(test_q10_update_without_a_grant),
		cmocka_unit_test(test_q11_broadcast_reaches_all_before_its_ack),
		cmocka_unit_test(test_q11_recipient_talks_before_it_acknowledges),
		cmocka_unit_test(test_q11_broadcast_alone),
		cmocka_unit_test(test_q11_running_client_is_owed_a_broadcast),
		cmocka_unit_test(test_q11_broadcasts_of_two_do_not_lock_up),
		cmocka_unit_test(test_q14_reboot_is_a_new_client_with_the_same_id),
		cmocka_unit_test(test_q17_wait_is_answered_before_all_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
