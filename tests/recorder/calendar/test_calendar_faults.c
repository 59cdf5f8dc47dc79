// SPDX-License-Identifier: BSD-3-Clause
/* What the calendar refuses, in whose words, and that nothing has changed then. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/units.h"
#include "tests/recorder/calendar/calendar_stage.h"

#define NEVER	WIRE_TIME_NEVER
#define HORIZON (NS_PER_S / 10)

static const struct calendar_options each = { .grant = CALENDAR_GRANT_EACH };
static const struct calendar_options window = { .grant = CALENDAR_GRANT_WINDOW };

static void test_fault_unknown_operation(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ 10 }, c);
	is_run(&s, c[0], 10);
	for (uint64_t op = TRACE_OP_LIMIT; op <= UINT32_MAX; op = 2 * op + 1)
		stage_message_refused(__LINE__, &s, c[0],
				      (struct wire_message){ .op = (uint32_t)op },
				      "is unknown: expected 0 to 9");
	stage_close(&s);
}

static void test_fault_controllers_messages(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ 10 }, c);
	is_run(&s, c[0], 10);
	refused(&s, c[0], RUN, 10, "RUN is sent only by the controller: expected ACK");
	refused(&s, c[0], FREE_UNTIL, 10, "FREE_UNTIL is sent only by the controller");
	stage_close(&s);
}

static void test_fault_before_start(void **state)
{
	struct stage s;
	uint32_t client;

	(void)state;
	stage_open(&s, each);
	client = stage_connect(&s);
	for (uint32_t op = 0; op < TRACE_OP_LIMIT; op++)
		if (op != TRACE_OP_START)
			stage_refused(__LINE__, &s, client, op, 0,
				      "before START: expected START as the first message");
	stage_close(&s);
}

static void test_fault_while_starting(void **state)
{
	uint32_t a, b;
	struct stage s;

	(void)state;
	stage_open(&s, (struct calendar_options){ .expected = 2 });
	a = starts_alone(&s, 1);
	for (uint32_t op = 0; op < TRACE_OP_LIMIT; op++)
		if (op != TRACE_OP_START)
			stage_refused(__LINE__, &s, a, op, 0, "while its START is not answered");
	refused(&s, a, START, 1, "a second START");
	b = starts_alone(&s, 2);
	is_admitted(&s, a, 0, 0);
	refused(&s, b, GET, 0, "while its START is not answered");
	refused(&s, a, START, 1, "a second START");
	waits(&s, a);
	is_admitted(&s, b, 1, 0);
	refused(&s, a, START, 1, "a second START");
	stage_close(&s);
}

static void test_fault_wait_while_waiting(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 20 }, c);
	is_run(&s, c[0], 10);
	refused(&s, c[1], WAIT, UINT64_MAX, "WAIT from a waiting client");
	stage_close(&s);
}

static void test_fault_run_not_acknowledged(void **state)
{
	uint32_t c[1];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 1, (uint64_t[]){ 10 }, c);
	sends(&s, c[0], FREE_UNTIL, 10 + HORIZON);
	sends(&s, c[0], RUN, 10);
	acks(&s, c[0]);
	refused(&s, c[0], WAIT, 0, "WAIT before the ACK of RUN: expected the ACK of seq 2");
	refused(&s, c[0], UPDATE, 10, "UPDATE before the ACK of RUN");
	says(&s, c[0], GET, UINT64_MAX); /* an interrupt that crossed the RUN */
	sends(&s, c[0], ACK, 10);
	acks(&s, c[0]);
	waits(&s, c[0]);
	stage_close(&s);
}

static void test_fault_ack(void **state)
{
	struct wire_message ack = { TRACE_OP_ACK, 2, 0 };
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 20 }, c);
	sends(&s, c[0], FREE_UNTIL, 20);
	sends(&s, c[0], RUN, 10);
	refused(&s, c[1], ACK, 0, "expected none, everything is acknowledged");
	stage_message_refused(__LINE__, &s, c[0], ack,
			      "ACK of seq 2: expected that of FREE_UNTIL, seq 1");
	acks(&s, c[0]);
	ack.seq = 1;
	stage_message_refused(__LINE__, &s, c[0], ack, "expected that of RUN, seq 2");
	acks(&s, c[0]);
	stage_message_refused(__LINE__, &s, c[0], ack, "expected none");
	stage_close(&s);
}

static void test_fault_question_while_a_question_is_open(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, 20 }, c);
	is_run(&s, c[0], 10);
	says(&s, c[0], BROADCAST, 1);
	sends(&s, c[1], BROADCAST, 1);
	refused(&s, c[0], REQUEST, 30, "REQUEST while its BROADCAST is not answered");
	refused(&s, c[0], WAIT, 0, "WAIT while its BROADCAST is not answered");
	refused(&s, c[0], BROADCAST, 0, "BROADCAST while its BROADCAST is not answered");
	stage_close(&s);
}

static void test_fault_time_overflow(void **state)
{
	uint32_t c[1], late;
	struct stage s;

	(void)state;
	stage_clients(&s, each, 1, (uint64_t[]){ NEVER - 10 }, c);
	is_run(&s, c[0], NEVER - 10);
	late = starts_alone(&s, 2);
	waits(&s, c[0]);
	is_admitted(&s, late, 1, NEVER - 10);
	refused(&s, late, REQUEST, 10, "beyond 2^63 ns");
	refused(&s, late, REQUEST, NEVER - 1, "beyond 2^63 ns");
	refused(&s, late, UPDATE, 10, "beyond the client's grant");
	refused(&s, late, UPDATE, UINT64_MAX - 5, "beyond the client's grant");
	asks(&s, late, NEVER);
	asks(&s, late, UINT64_MAX);
	asks(&s, late, 9);
	waits(&s, late);
	is_run(&s, late, 9);
	stage_close(&s);
}

static void may_leave(struct stage *stage, uint32_t client)
{
	assert_int_equal(calendar_check_leave(stage->calendar, client), 0);
}

static void may_not_leave(struct stage *stage, uint32_t client, const char *text)
{
	assert_int_equal(calendar_check_leave(stage->calendar, client), -EPROTO);
	assert_non_null(strstr(calendar_last_fault(stage->calendar)->text, text));
}

static void test_fault_leaving(void **state)
{
	uint32_t c[2], late;
	struct stage s;

	(void)state;
	stage_clients(&s, window, 2, (uint64_t[]){ 10, 20 }, c);
	may_not_leave(&s, c[1], "left while waiting");
	sends(&s, c[0], FREE_UNTIL, 20);
	sends(&s, c[0], RUN, 10);
	may_not_leave(&s, c[0], "left before the ACK of RUN: expected the ACK of seq 2");
	acks(&s, c[0]);
	may_not_leave(&s, c[0], "left before the ACK of RUN");
	acks(&s, c[0]);
	may_leave(&s, c[0]);
	says(&s, c[0], BROADCAST, 1);
	may_not_leave(&s, c[0], "left while its BROADCAST is not answered");
	late = stage_connect(&s);
	may_not_leave(&s, late, "left before START");
	says(&s, late, START, 3);
	may_not_leave(&s, late, "left while its START is not answered");
	stage_close(&s);
}

static void test_fault_leaving_with_nothing_to_wait_for(void **state)
{
	uint32_t c[2];
	struct stage s;

	(void)state;
	stage_clients(&s, each, 2, (uint64_t[]){ 10, NEVER }, c);
	may_leave(&s, c[1]);
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_unknown_operation),
		cmocka_unit_test(test_fault_controllers_messages),
		cmocka_unit_test(test_fault_before_start),
		cmocka_unit_test(test_fault_while_starting),
		cmocka_unit_test(test_fault_wait_while_waiting),
		cmocka_unit_test(test_fault_run_not_acknowledged),
		cmocka_unit_test(test_fault_ack),
		cmocka_unit_test(test_fault_question_while_a_question_is_open),
		cmocka_unit_test(test_fault_time_overflow),
		cmocka_unit_test(test_fault_leaving),
		cmocka_unit_test(test_fault_leaving_with_nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
