// SPDX-License-Identifier: BSD-3-Clause
/* What a session makes of events: scripts of them, and the records and effects that come of each.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/session/session_turn.h"
#include "recorder/session/session_limits.h"
#include "recorder/session/session_members.h"
#include "tests/recorder/session/session_stage.h"

#define MS 1000000ull

/* Guests that connect and send START in the order that @order gives. */
static void join_in_order(const size_t *order, char *records, char *effects)
{
	struct stage stage;

	stage_open(&stage, (struct stage_options){ .guests = 3 });
	for (size_t i = 0; i < 3; i++) {
		stage_join(&stage, order[i]);
		stage_run(&stage);
	}
	stage_forget(&stage);
	for (size_t i = 0; i < 3; i++) {
		stage_send(&stage, order[2 - i], TRACE_OP_START, order[2 - i] + 1);
		stage_run(&stage);
	}
	strcpy(records, stage.records);
	strcpy(effects, stage.effects);
	stage_close(&stage);
}

static void test_joins_in_any_order_leave_no_mark(void **state)
{
	static const size_t orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					    { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	char records[STAGE_LOG], effects[STAGE_LOG];

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		join_in_order(orders[i], records, effects);
		assert_string_equal(records, "n0:join n0:from:START n0:to:ACK");
		assert_string_equal(effects, "n0>ACK");
	}
}

static void test_console_comes_before_the_message(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 1 });
	stage_boot(&stage, 100);
	stage_ack(&stage, 0);
	stage_run(&stage);
	stage_forget(&stage);
	/* As the host may report it: the message first. */
	stage_send(&stage, 0, TRACE_OP_GET, 0);
	stage_print(&stage, 0, "hello");
	stage_run(&stage);
	check_records(&stage, "n0:console:hello n0:from:GET n0:to:ACK");
	/* What comes without a message waits for one; an ACK is none that it waits for. */
	stage_print(&stage, 0, "more");
	stage_run(&stage);
	check_records(&stage, "");
	stage_send(&stage, 0, TRACE_OP_REQUEST, 200);
	stage_run(&stage);
	check_records(&stage, "n0:console:more n0:from:REQUEST n0:to:ACK");
	stage_close(&stage);
}

/* A guest that closes its device and then says something has detached it; one that ends has not. */
static void test_a_closed_device_counts_at_the_next_message(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 2 });
	stage_boot(&stage, 100);
	stage_ack(&stage, 0);
	stage_run(&stage);
	stage_forget(&stage);
	stage_send(&stage, 0, TRACE_OP_GET, 0);
	stage_put_device(&stage, 0, EVENT_DEVICE_CLOSED);
	stage_run(&stage);
	check_records(&stage, "n0:detach n0:from:GET n0:to:ACK");
	check_effects(&stage, "n0>close n0>ACK");
	stage_put_device(&stage, 1, EVENT_DEVICE_CLOSED);
	stage_leave(&stage, 1);
	stage_run(&stage);
	check_records(&stage, "n1:leave");
	check_effects(&stage, "n1>leave n1>close");
	stage_close(&stage);
}

static void test_a_kick_is_answered_and_its_interrupt_comes_when_all_sleep(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 1 });
	stage_boot(&stage, 50);
	stage_ack(&stage, 0);
	stage_run(&stage);
	stage_forget(&stage);
	stage_kick(&stage, 0);
	stage_run(&stage);
	check_records(&stage, "n0:kick n0:reply");
	check_effects(&stage, "n0>reply n0>listen");
	stage_send(&stage, 0, TRACE_OP_REQUEST, 1000);
	stage_run(&stage);
	stage_forget(&stage);
	stage_send(&stage, 0, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	check_records(&stage, "n0:from:WAIT n0:to:ACK n0:call");
	check_effects(&stage, "n0>ACK n0>call");
	assert_int_equal(stage.turn.partition[0]->state, PARTITION_DEVICES);
	/* It asks to be run for it, and replies. */
	stage_send(&stage, 0, TRACE_OP_REQUEST, 150);
	stage_run(&stage);
	check_effects(&stage, "n0>ACK");
	stage_put_device(&stage, 0, EVENT_CALLED);
	stage_run(&stage);
	check_effects(&stage, "n0>RUN");
	assert_int_equal(stage.turn.partition[0]->state, PARTITION_CLIENTS);
	stage_close(&stage);
}

static void test_a_call_that_cannot_be_made_does_not_hold_the_others(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 1 });
	stage_boot(&stage, 50);
	stage_ack(&stage, 0);
	stage_kick(&stage, 0);
	stage_run(&stage);
	stage_send(&stage, 0, TRACE_OP_REQUEST, 1000);
	stage_send(&stage, 0, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	stage_forget(&stage);
	stage_put_device(&stage, 0, EVENT_CALL_REFUSED);
	stage_run(&stage);
	check_effects(&stage, "n0>RUN");
	stage_close(&stage);
}

/* A guest that dies in a call: the device turn goes on with its end. */
static void test_a_guest_that_leaves_in_a_call_is_not_waited_for(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 2 });
	stage_boot(&stage, 50);
	stage_ack(&stage, 0);
	stage_kick(&stage, 0);
	stage_run(&stage);
	stage_send(&stage, 0, TRACE_OP_REQUEST, 1000);
	stage_send(&stage, 0, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	stage_ack(&stage, 1);
	stage_send(&stage, 1, TRACE_OP_REQUEST, 2000);
	stage_send(&stage, 1, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	stage_forget(&stage);
	stage_put_device(&stage, 0, EVENT_DEVICE_CLOSED);
	stage_leave(&stage, 0);
	stage_run(&stage);
	check_records(&stage, "n0:leave n1:to:RUN");
	check_effects(&stage, "n0>leave n0>close n1>RUN");
	stage_close(&stage);
}

/* What makes no sense while its guest is called: the device turn does not wait for the reply. */
static void test_a_device_that_is_ended_in_a_call_is_not_waited_for(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 1 });
	stage_boot(&stage, 50);
	stage_ack(&stage, 0);
	stage_kick(&stage, 0);
	stage_run(&stage);
	stage_send(&stage, 0, TRACE_OP_REQUEST, 1000);
	stage_send(&stage, 0, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	stage_forget(&stage);
	stage_put_device(&stage, 0, EVENT_REQUEST_BROKEN);
	stage_run(&stage);
	check_records(&stage, "n0:cut n0:to:RUN");
	check_effects(&stage, "n0>cut n0>RUN");
	stage_close(&stage);
}

static void test_a_reply_that_nobody_asked_for_ends_the_device(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 1 });
	stage_boot(&stage, 50);
	stage_ack(&stage, 0);
	stage_run(&stage);
	stage_forget(&stage);
	stage_put_device(&stage, 0, EVENT_CALLED);
	stage_run(&stage);
	check_records(&stage, "n0:cut");
	/* It comes once. */
	stage_put_device(&stage, 0, EVENT_CALLED);
	stage_run(&stage);
	check_records(&stage, "");
	stage_close(&stage);
}

/* ---- Windows -------------------------------------------------------------------------------- */

/* Two partitions with a guest each, both asleep: what they are due for lies in the next window. */
static void open_two(struct stage *stage, uint64_t time)
{
	stage_open(stage,
		   (struct stage_options){ .partitions = 2, .guests = 1, .lookahead = 1000 });
	stage_boot(stage, time);
}

static void test_partitions_at_the_same_time_run_side_by_side(void **state)
{
	struct stage stage;

	(void)state;
	open_two(&stage, 500);
	assert_int_equal(stage.guest[0].sent_count, 1);
	assert_int_equal(stage.guest[1].sent_count, 1);
	/* Their records are in the order of the partitions, whoever is heard of first. */
	stage_ack(&stage, 1);
	stage_send(&stage, 1, TRACE_OP_REQUEST, 5000);
	stage_send(&stage, 1, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	check_records(&stage, "");
	stage_ack(&stage, 0);
	stage_send(&stage, 0, TRACE_OP_REQUEST, 5000);
	stage_send(&stage, 0, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	check_records(&stage,
		      "n0:join n0:from:START n0:to:ACK n0:from:REQUEST n0:to:ACK n0:attach "
		      "n0:from:WAIT n1:join n1:from:START n1:to:ACK n1:from:REQUEST n1:to:ACK "
		      "n1:attach n1:from:WAIT n0:to:ACK n0:to:RUN n0:from:ACK n0:from:REQUEST "
		      "n0:to:ACK n0:from:WAIT n0:to:ACK n1:to:ACK n1:to:RUN n1:from:ACK "
		      "n1:from:REQUEST n1:to:ACK n1:from:WAIT n1:to:ACK");
	stage_close(&stage);
}

/* The interrupt of a kick in this window comes in the next one. */
static void test_a_kick_is_held_over_the_window(void **state)
{
	struct stage stage;

	(void)state;
	open_two(&stage, 500);
	stage.guest[0].device.delay = 3000;
	stage_ack(&stage, 0);
	stage_kick(&stage, 0);
	stage_run(&stage);
	stage_send(&stage, 0, TRACE_OP_REQUEST, WIRE_TIME_NEVER);
	stage_send(&stage, 0, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	stage_forget(&stage);
	assert_true(calendar_window_done(stage.turn.partition[0]->calendar));
	/* The other one has the window's end to come to. */
	stage_ack(&stage, 1);
	stage_send(&stage, 1, TRACE_OP_REQUEST, WIRE_TIME_NEVER);
	stage_run(&stage);
	check_effects(&stage, "n1>ACK");
	stage_send(&stage, 1, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	check_effects(&stage, "n1>ACK n0>call");
	assert_int_equal(partition_now(stage.turn.partition[0]), 3500);
	stage_close(&stage);
}

/* Both break the protocol in one window: the one with the lower id is named, at any order. */
static void two_faults(size_t first, size_t second, char *what)
{
	struct stage stage;

	open_two(&stage, 500);
	stage_send(&stage, first, TRACE_OP_RUN, 0);
	stage_run(&stage);
	assert_false(stage.turn.outcome.over);
	stage_send(&stage, second, TRACE_OP_RUN, 0);
	stage_run(&stage);
	assert_true(stage.turn.outcome.over);
	assert_int_equal(stage.result.end, SESSION_FAULT);
	strcpy(what, stage.result.diagnosis.what);
	stage_close(&stage);
}

static void test_of_two_faults_at_one_time_the_lowest_id_is_named(void **state)
{
	char one[512], other[512];

	(void)state;
	two_faults(0, 1, one);
	two_faults(1, 0, other);
	assert_string_equal(one, other);
	assert_non_null(strstr(one, "client 1 broke the protocol"));
	assert_non_null(strstr(one, "with RUN"));
}

/* One that is found later may be earlier in virtual time. */
static void test_the_earlier_fault_is_named(void **state)
{
	static const uint64_t times[] = { 500, 400 };
	struct stage stage;

	(void)state;
	stage_open(&stage,
		   (struct stage_options){ .partitions = 2, .guests = 1, .lookahead = 1000 });
	stage_boot_each(&stage, times);
	stage_send(&stage, 0, TRACE_OP_RUN, 0);
	stage_run(&stage);
	assert_false(stage.turn.outcome.over);
	/* Nothing of it is handled any more. */
	stage_send(&stage, 0, TRACE_OP_WAIT, 0);
	stage_run(&stage);
	assert_false(stage.turn.outcome.over);
	assert_int_equal(stage.turn.inbox.count, 1);
	stage_send(&stage, 1, TRACE_OP_RUN, 0);
	stage_run(&stage);
	assert_true(stage.turn.outcome.over);
	assert_non_null(strstr(stage.result.diagnosis.what, "client 2 broke the protocol"));
	assert_non_null(strstr(stage.result.diagnosis.what, "t=0.000000400"));
	stage_close(&stage);
}

static void test_a_fault_waits_for_the_others_no_longer_than_a_hang(void **state)
{
	struct stage stage;
	struct limits limits = { .hang_timeout = 100 };

	(void)state;
	open_two(&stage, 500);
	stage_send(&stage, 1, TRACE_OP_RUN, 0);
	stage_run(&stage);
	limits_check(&limits, &stage.turn, 99);
	assert_false(stage.turn.outcome.over);
	limits_check(&limits, &stage.turn, 100);
	assert_true(stage.turn.outcome.over);
	assert_non_null(strstr(stage.result.diagnosis.what, "client 2 broke the protocol"));
	stage_close(&stage);
}

/* ---- Programs ------------------------------------------------------------------------------- */

/* A guest whose device a program simulates, both admitted; the guest awaits the reply to a kick. */
static void open_program(struct stage *stage)
{
	stage_open(stage, (struct stage_options){ .guests = 1, .program = true });
	stage_join(stage, 0);
	stage_join_program(stage);
	stage_run(stage);
	stage_send(stage, 0, TRACE_OP_START, 1);
	stage_program_send(stage, TRACE_OP_START, WIRE_ID_NONE);
	stage_run(stage);
	stage_program_send(stage, TRACE_OP_WAIT, 0);
	stage_put_device(stage, 0, EVENT_ATTACHED);
	stage_run(stage);
	stage_kick(stage, 0);
	stage_run(stage);
	stage_forget(stage);
}

static void test_a_call_while_a_message_is_outstanding(void **state)
{
	struct stage stage;

	(void)state;
	open_program(&stage);
	/* In the order of arrival: what it says after the call comes after the guest's reply. */
	stage_program_send(&stage, TRACE_OP_REQUEST, 700);
	stage_program_call(&stage, 0);
	stage_run(&stage);
	check_records(&stage, "n0:call");
	check_effects(&stage, "n0>call");
	assert_int_equal(stage.turn.inbox.count, 1);
	/* A second call, too. */
	stage_program_call(&stage, 0);
	stage_run(&stage);
	check_effects(&stage, "");
	stage_put_device(&stage, 0, EVENT_CALLED);
	stage_run(&stage);
	check_records(&stage, "n0:called n0:call");
	check_effects(&stage, "n0>answer n0>call");
	stage_put_device(&stage, 0, EVENT_CALLED);
	stage_run(&stage);
	check_records(&stage, "n0:called n1:from:REQUEST n1:to:ACK");
	check_effects(&stage, "n0>answer n1>ACK");
	assert_int_equal(stage.turn.inbox.count, 0);
	stage_close(&stage);
}

/* Its guest is cut off when it has replied, and everybody else goes on. */
static void test_a_program_that_dies_in_a_call(void **state)
{
	struct stage stage;

	(void)state;
	open_program(&stage);
	stage_program_call(&stage, 0);
	stage_run(&stage);
	stage_forget(&stage);
	members_fail_program(&stage.turn, stage.program, "it is dead");
	stage_run(&stage);
	check_records(&stage, "n1:leave");
	stage_forget(&stage);
	stage_put_device(&stage, 0, EVENT_CALLED);
	stage_run(&stage);
	check_records(&stage, "n0:called n0:cut");
	assert_string_equal(stage_session_guest(&stage, 0)->result.device_fault,
			    "program (device 0): it is dead");
	assert_false(stage.turn.outcome.over);
	stage_close(&stage);
}

static void test_a_program_that_never_comes_is_named(void **state)
{
	struct limits limits = { .hang_timeout = 100 };
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 1, .program = true });
	stage_join(&stage, 0);
	stage_run(&stage);
	limits_check(&limits, &stage.turn, 100);
	assert_true(stage.turn.outcome.over);
	assert_string_equal(stage.result.diagnosis.what,
			    "the program program has not connected to its time socket");
	stage_close(&stage);
}

/* ---- Ends ----------------------------------------------------------------------------------- */

static void test_a_guest_that_never_starts(void **state)
{
	struct limits limits = { .hang_timeout = 100 };
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 2 });
	stage_join(&stage, 0);
	stage_run(&stage);
	stage_send(&stage, 0, TRACE_OP_START, 1);
	stage_run(&stage);
	stage_forget(&stage);
	/* It ends before it connects: the other one goes on without it. */
	stage_put_guest(&stage, 1, EVENT_EXITED);
	stage_run(&stage);
	check_records(&stage, "n1:exit n0:join n0:from:START n0:to:ACK");
	check_effects(&stage, "n1>close n0>ACK");
	stage_close(&stage);

	/* It neither connects nor ends. */
	stage_open(&stage, (struct stage_options){ .guests = 2 });
	stage_join(&stage, 0);
	stage_run(&stage);
	stage_send(&stage, 0, TRACE_OP_START, 1);
	stage_run(&stage);
	limits_check(&limits, &stage.turn, 100);
	assert_int_equal(stage.result.end, SESSION_HUNG);
	assert_non_null(strstr(stage.result.diagnosis.what, "has sent no message for"));
	stage_close(&stage);
}

/* Steps that bring a stage with one guest into each of its states. */
static void step(struct stage *stage, unsigned int number)
{
	switch (number) {
	case 0:
		stage_join(stage, 0);
		break;
	case 1:
		stage_send(stage, 0, TRACE_OP_START, 1);
		break;
	case 2:
		stage_put_device(stage, 0, EVENT_ATTACHED);
		break;
	case 3:
		stage_kick(stage, 0);
		break;
	case 4:
		stage_send(stage, 0, TRACE_OP_REQUEST, 1000);
		break;
	case 5:
		stage_send(stage, 0, TRACE_OP_WAIT, 0);
		break;
	case 6:
		stage_put_device(stage, 0, EVENT_CALLED);
		break;
	case 7:
		stage_ack(stage, 0);
		break;
	case 8:
		stage_put_device(stage, 0, EVENT_DEVICE_CLOSED);
		break;
	default:
		stage_leave(stage, 0);
		break;
	}
	stage_run(stage);
}
#define STEPS 10

static void open_at(struct stage *stage, unsigned int steps)
{
	stage_open(stage, (struct stage_options){ .guests = 1 });
	for (unsigned int i = 0; i < steps; i++)
		step(stage, i);
	assert_false(stage->turn.outcome.over);
	stage_forget(stage);
}

static void test_a_signal_ends_it_in_every_state(void **state)
{
	struct stage stage;

	(void)state;
	for (unsigned int steps = 0; steps <= STEPS; steps++) {
		open_at(&stage, steps);
		stage_print(&stage, 0, "too late");
		stage_signal(&stage, SIGINT);
		stage_run(&stage);
		assert_int_equal(stage.result.end, SESSION_SIGNAL);
		assert_int_equal(stage.result.signal, SIGINT);
		check_records(&stage, "");
		check_effects(&stage, "");
		stage_close(&stage);
	}
}

static void test_a_wall_limit_ends_it_in_every_state(void **state)
{
	struct limits limits = { .limit_wall = 50 * MS };
	struct stage stage;

	(void)state;
	for (unsigned int steps = 0; steps <= STEPS; steps++) {
		open_at(&stage, steps);
		limits_check(&limits, &stage.turn, 50 * MS - 1);
		assert_false(stage.turn.outcome.over);
		limits_check(&limits, &stage.turn, 50 * MS);
		assert_int_equal(stage.result.end, SESSION_TIMEOUT);
		stage_close(&stage);
	}
}

/* Whoever owes a message is found, but for a guest that has left and ended. */
static void test_a_hang_ends_it_in_every_state(void **state)
{
	struct limits limits = { .hang_timeout = 50 * MS };
	struct stage stage;

	(void)state;
	for (unsigned int steps = 0; steps <= STEPS; steps++) {
		open_at(&stage, steps);
		limits_check(&limits, &stage.turn, 50 * MS);
		assert_int_equal(stage.result.end, SESSION_HUNG);
		stage_close(&stage);
	}
}

static void test_an_exit_is_recorded_in_every_state(void **state)
{
	struct stage stage;

	(void)state;
	for (unsigned int steps = 0; steps <= STEPS; steps++) {
		struct session_guest *guest;

		open_at(&stage, steps);
		guest = stage_session_guest(&stage, 0);
		stage_put_guest(&stage, 0, EVENT_EXITED);
		if (guest->client)
			stage_leave(&stage, 0);
		stage_run(&stage);
		assert_int_equal(guest->state, GUEST_SETTLED);
		assert_int_equal(guest->device[0].state, DEVICE_ENDED);
		assert_non_null(strstr(stage.records, "n0:exit"));
		assert_int_equal(stage.turn.guests.left, 0);
		assert_int_equal(stage.turn.partition[0]->state, PARTITION_CLIENTS);
		stage_close(&stage);
	}
}

static void test_the_virtual_limit_ends_it(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 1, .limit = 1000 });
	stage_boot(&stage, 1000);
	assert_int_equal(stage.result.end, SESSION_LIMIT);
	stage_close(&stage);
}

static void test_everybody_asleep_ends_it(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, (struct stage_options){ .guests = 2 });
	stage_boot(&stage, WIRE_TIME_NEVER);
	assert_int_equal(stage.result.end, SESSION_DEADLOCK);
	stage_close(&stage);

	open_two(&stage, WIRE_TIME_NEVER);
	assert_int_equal(stage.result.end, SESSION_DEADLOCK);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joins_in_any_order_leave_no_mark),
		cmocka_unit_test(test_console_comes_before_the_message),
		cmocka_unit_test(test_a_closed_device_counts_at_the_next_message),
		cmocka_unit_test(test_a_kick_is_answered_and_its_interrupt_comes_when_all_sleep),
		cmocka_unit_test(test_a_call_that_cannot_be_made_does_not_hold_the_others),
		cmocka_unit_test(test_a_guest_that_leaves_in_a_call_is_not_waited_for),
		cmocka_unit_test(test_a_device_that_is_ended_in_a_call_is_not_waited_for),
		cmocka_unit_test(test_a_reply_that_nobody_asked_for_ends_the_device),
		cmocka_unit_test(test_partitions_at_the_same_time_run_side_by_side),
		cmocka_unit_test(test_a_kick_is_held_over_the_window),
		cmocka_unit_test(test_of_two_faults_at_one_time_the_lowest_id_is_named),
		cmocka_unit_test(test_the_earlier_fault_is_named),
		cmocka_unit_test(test_a_fault_waits_for_the_others_no_longer_than_a_hang),
		cmocka_unit_test(test_a_call_while_a_message_is_outstanding),
		cmocka_unit_test(test_a_program_that_dies_in_a_call),
		cmocka_unit_test(test_a_program_that_never_comes_is_named),
		cmocka_unit_test(test_a_guest_that_never_starts),
		cmocka_unit_test(test_a_signal_ends_it_in_every_state),
		cmocka_unit_test(test_a_wall_limit_ends_it_in_every_state),
		cmocka_unit_test(test_a_hang_ends_it_in_every_state),
		cmocka_unit_test(test_an_exit_is_recorded_in_every_state),
		cmocka_unit_test(test_the_virtual_limit_ends_it),
		cmocka_unit_test(test_everybody_asleep_ends_it),
	};

	return cmocka_run_group_tests_name("session turn", tests, NULL, NULL);
}
