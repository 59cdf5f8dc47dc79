// SPDX-License-Identifier: BSD-3-Clause
/* The cursor against a guest that does what the trace says, and against each way of not doing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "replayer/cursor/cursor.h"
#include "tests/replayer/cursor/fake_guest.h"

#define HANG_NS 300000000u

struct run {
	struct cursor_options options;
	struct cursor_report report;
	struct diagnosis why;
	int result;
};

static struct run run_guest(struct fake_trace *trace, enum fake_twist twist,
			    const struct cursor_options *options)
{
	static const struct cursor_options usual = { .until_record = UINT64_MAX,
						     .hang_timeout = 20ull * HANG_NS };
	struct run run = { .options = options ? *options : usual };
	struct fake_guest fake;
	struct trace_reader *reader = fake_trace_open(trace);

	fake_guest_start(&fake, twist);
	run.result = cursor_run(reader, &fake.guest, &run.options, &run.report, &run.why);
	fake_guest_end(&fake);
	trace_reader_close(reader);
	return run;
}

static void assert_identical(const struct run *run)
{
	if (run->report.diverged)
		fail_msg("expected %s, got %s", run->report.expected, run->report.got);
	assert_string_equal(run->why.what, "");
	assert_int_equal(run->result, 0);
	assert_int_equal(run->report.trace_error, 0);
}

static void test_same_life_is_identical(void **state)
{
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_identical(&run);
	assert_int_equal(run.report.interrupts, 1);
	assert_false(run.report.stopped);
}

/* Nobody waits when a device is closed: whoever records it sees it earlier or later. */
static void test_closing_a_device_is_no_difference(void **state)
{
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	run = run_guest(&trace, FAKE_CLOSES, NULL);
	assert_identical(&run);
	fake_trace_insert(&trace, trace.count - 4,
			  &(struct trace_record){ .kind = TRACE_detach, .now = 5000 });
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_identical(&run);
}

static void test_each_difference_is_named(void **state)
{
	static const struct {
		enum fake_twist twist;
		enum trace_kind kind;
		const char *expected, *got;
	} cases[] = {
		{ FAKE_OTHER_TIME, TRACE_from, "REQUEST 0.000001000", "REQUEST 0.000001001" },
		{ FAKE_OTHER_SEQ, TRACE_from, "REQUEST 0.000001000", "(seq 4, not 3)" },
		{ FAKE_OTHER_CONSOLE, TRACE_request, "console \"hello\"", "console \"jello\"" },
		{ FAKE_OTHER_DEVICE, TRACE_attach, "a connection to device 0",
		  "a connection to device 1" },
		{ FAKE_OTHER_REQUEST, TRACE_request, "GET_FEATURES to device 0",
		  "GET_QUEUE_NUM to device 0" },
		{ FAKE_OTHER_FLAGS, TRACE_request, "SET_OWNER to device 0",
		  "(flags 0x9, not 0x1)" },
		{ FAKE_OTHER_VALUE, TRACE_request, "SET_PROTOCOL_FEATURES 0x4228 to device 0",
		  "SET_PROTOCOL_FEATURES 0x4229 to device 0" },
		{ FAKE_OTHER_BODY, TRACE_request, "GET_CONFIG to device 0",
		  "(0x1 at byte 12, not 0)" },
		{ FAKE_OTHER_SIZE, TRACE_request, "GET_CONFIG to device 0", "(21 bytes, not 20)" },
		{ FAKE_NONSENSE, TRACE_request, "GET_CONFIG to device 0",
		  "invalid message to device 0" },
		{ FAKE_OTHER_QUEUE, TRACE_kick, "a kick of queue 1 of device 0",
		  "a kick of queue 0 of device 0" },
		{ FAKE_NO_FRAME, TRACE_kick, "1 buffers in queue 1", "0" },
		{ FAKE_OTHER_FRAME, TRACE_taken, "what was sent", "other bytes at byte 6" },
		{ FAKE_SHORT_FRAME, TRACE_taken, "what was sent", "an end at byte 5" },
		{ FAKE_LONG_FRAME, TRACE_reply, "what was sent", "more than was sent" },
		{ FAKE_NO_BUFFER, TRACE_wrote, "queue 0 of device 0 as it was", "chain 0" },
		{ FAKE_SMALL_BUFFER, TRACE_used, "a buffer of 13 bytes in queue 0 of device 0",
		  "one of 8 bytes" },
		{ FAKE_OTHER_CALLED, TRACE_called, "its reply 0 to a call of device 0",
		  "its reply 1 to a call of device 0" },
		{ FAKE_DIES, TRACE_kick, "a kick of queue 1 of device 0",
		  "the end of its connection" },
		{ FAKE_OTHER_STATUS, TRACE_exit, "its end with status 3", "its end with status 4" },
	};
	struct fake_trace trace;

	(void)state;
	fake_trace_make(&trace);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run run = run_guest(&trace, cases[i].twist, NULL);

		assert_int_equal(run.result, 0);
		assert_true(run.report.diverged);
		assert_int_equal(run.report.divergences, 1);
		if (strcmp(run.report.expected, cases[i].expected) ||
		    !strstr(run.report.got, cases[i].got))
			fail_msg("expected %s, got %s", run.report.expected, run.report.got);
		assert_true(run.report.record < trace.count);
		assert_int_equal(trace.record[run.report.record].kind, cases[i].kind);
		assert_int_equal(trace.record[run.report.record].now, run.report.now);
	}
}

/* The same of a device program, which is not done with anything at once. */
static void test_what_a_program_is_sent_is_compared(void **state)
{
	static const struct {
		enum fake_twist twist;
		const char *got;
	} cases[] = {
		{ FAKE_NO_FRAME, "an end at byte 0" },
		{ FAKE_OTHER_FRAME, "other bytes at byte 6" },
		{ FAKE_SHORT_FRAME, "an end at byte 5" },
		{ FAKE_LONG_FRAME, "more than was sent at byte 9" },
	};
	struct fake_trace trace;
	struct run run;
	size_t at;

	(void)state;
	fake_trace_make(&trace);
	fake_trace_find(&trace, TRACE_kick, 0)->kick.done = 0;
	at = (size_t)(fake_trace_find(&trace, TRACE_taken, 0) - trace.record);
	fake_trace_insert(
		&trace, at + 1,
		&(struct trace_record){ .kind = TRACE_used, .now = 500, .used = { 0, 1 } });
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_identical(&run);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run = run_guest(&trace, cases[i].twist, NULL);
		assert_int_equal(run.result, 0);
		assert_true(run.report.diverged);
		assert_string_equal(run.report.expected, "what was sent");
		assert_string_equal(run.report.got, cases[i].got);
	}
}

/* Nothing was to be printed so far. */
static void test_the_first_that_is_printed_is_a_difference(void **state)
{
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	fake_trace_find(&trace, TRACE_console, 0)->kind = TRACE_note;
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_int_equal(run.result, 0);
	assert_true(run.report.diverged);
	assert_string_equal(run.report.expected, "console \"\"");
	assert_string_equal(run.report.got, "console \"hello\"");
}

static void test_a_guest_that_does_nothing_is_a_difference(void **state)
{
	struct cursor_options options = { .until_record = UINT64_MAX, .hang_timeout = HANG_NS };
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	run = run_guest(&trace, FAKE_SILENT, &options);
	assert_int_equal(run.result, 0);
	assert_true(run.report.diverged);
	assert_string_equal(run.report.expected, "WAIT");
	assert_non_null(strstr(run.report.got, "it is computing"));
}

static void test_goes_on_after_a_difference_that_changes_nothing(void **state)
{
	static const enum fake_twist twists[] = { FAKE_OTHER_CONSOLE, FAKE_OTHER_VALUE,
						  FAKE_OTHER_FRAME,   FAKE_LONG_FRAME,
						  FAKE_OTHER_CALLED,  FAKE_OTHER_STATUS };
	struct cursor_options options = { .until_record = UINT64_MAX,
					  .hang_timeout = 20ull * HANG_NS,
					  .keep_going = true };
	struct fake_trace trace;

	(void)state;
	fake_trace_make(&trace);
	for (size_t i = 0; i < ARRAY_SIZE(twists); i++) {
		struct run run = run_guest(&trace, twists[i], &options);

		assert_int_equal(run.result, 0);
		assert_int_equal(run.report.divergences, 1);
		assert_int_equal(run.report.next_record, trace.count - 1);
	}
}

static void test_stops_where_it_is_told_to(void **state)
{
	struct cursor_options options = { .until_record = 30, .hang_timeout = 20ull * HANG_NS };
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	run = run_guest(&trace, FAKE_TRUE, &options);
	assert_identical(&run);
	assert_true(run.report.stopped);
	assert_int_equal(run.report.next_record, 30);
}

/* Looks at the guest before each record, or ends the replay at one. */
struct onlooker {
	struct cursor_visitor visitor;
	uint64_t end_at;
	uint64_t visits, last;
	bool saw_end, saw_divergence;
};

static bool wants_all(struct cursor_visitor *visitor, const struct trace_record *next)
{
	(void)visitor;
	(void)next;
	return true;
}

static int look(struct cursor_visitor *visitor, const struct trace_record *next,
		const struct cursor_report *report, struct diagnosis *why)
{
	struct onlooker *onlooker = (struct onlooker *)visitor;

	(void)why;
	if (next) {
		assert_false(onlooker->saw_end);
		assert_true(!onlooker->visits || next->number > onlooker->last);
		onlooker->visits++;
		onlooker->last = next->number;
		return next->number >= onlooker->end_at;
	}
	onlooker->saw_end = true;
	onlooker->saw_divergence = report->diverged;
	return 0;
}

static struct run run_watched(enum fake_twist twist, struct onlooker *onlooker)
{
	struct cursor_options options = { .until_record = UINT64_MAX,
					  .hang_timeout = 20ull * HANG_NS,
					  .visitor = &onlooker->visitor };
	struct fake_trace trace;

	onlooker->visitor =
		(struct cursor_visitor){ .wants = wants_all, .visit = look, .end_fd = -1 };
	fake_trace_make(&trace);
	return run_guest(&trace, twist, &options);
}

static void test_who_looks_at_it_changes_nothing(void **state)
{
	struct onlooker onlooker = { .end_at = UINT64_MAX };
	struct run run = run_watched(FAKE_TRUE, &onlooker);

	(void)state;
	assert_identical(&run);
	assert_true(onlooker.visits > 30);
	assert_true(onlooker.saw_end && !onlooker.saw_divergence);
	assert_false(run.report.stopped);
}

static void test_who_looks_at_it_can_end_it(void **state)
{
	struct onlooker onlooker = { .end_at = 20 };
	struct run run = run_watched(FAKE_TRUE, &onlooker);

	(void)state;
	assert_identical(&run);
	assert_true(run.report.stopped);
	assert_int_equal(run.report.next_record, onlooker.last);
	assert_false(onlooker.saw_end);
}

static void test_who_looks_at_it_sees_it_diverge(void **state)
{
	struct onlooker onlooker = { .end_at = UINT64_MAX };
	struct run run = run_watched(FAKE_OTHER_TIME, &onlooker);

	(void)state;
	assert_true(run.report.diverged);
	assert_true(onlooker.saw_divergence);
	assert_int_equal(onlooker.last, run.report.record);
}

/* Whoever looks may let go while the guest does something that takes forever. */
static void test_who_looks_at_it_can_end_it_meanwhile(void **state)
{
	struct onlooker onlooker = { .end_at = UINT64_MAX };
	struct cursor_options options = { .until_record = UINT64_MAX,
					  .visitor = &onlooker.visitor };
	struct fake_trace trace;
	auto_fd end_fd = eventfd(1, EFD_CLOEXEC);
	struct run run;

	(void)state;
	onlooker.visitor = (struct cursor_visitor){
		.wants = wants_all, .visit = look, .end_fd = end_fd, .debugs = true
	};
	fake_trace_make(&trace);
	run = run_guest(&trace, FAKE_SILENT, &options);
	assert_int_equal(run.result, 0);
	assert_true(run.report.stopped);
	assert_false(run.report.diverged);
}

static void test_what_others_did_is_nothing_to_it(void **state)
{
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	for (size_t at = trace.count; at; at -= at < 3 ? at : 3) {
		static const enum trace_kind kinds[] = { TRACE_from, TRACE_to,	 TRACE_kick,
							 TRACE_used, TRACE_call, TRACE_cut };
		struct trace_record other = { .kind = kinds[at % ARRAY_SIZE(kinds)],
					      .guest = 1,
					      .now = at };

		fake_trace_insert(&trace, at, &other);
	}
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_identical(&run);
}

static void test_what_it_does_not_compare_is_nothing_to_it(void **state)
{
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	for (size_t at = trace.count; at; at -= at < 5 ? at : 5) {
		struct trace_record record = { .kind = at % 2 ? TRACE_irq : TRACE_lost };

		/* Between a kick and what it contains there is nothing. */
		if (at < trace.count && trace.record[at].kind == TRACE_taken)
			continue;
		fake_trace_insert(&trace, at, &record);
	}
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_identical(&run);
}

/* ---- With another kernel -------------------------------------------------------------------- */

static const struct cursor_options replaced = { .replaced = true,
						.compare_memory = true,
						.until_record = UINT64_MAX,
						.hang_timeout = HANG_NS };

static void test_what_another_kernel_prints_ends_nothing(void **state)
{
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	run = run_guest(&trace, FAKE_OTHER_CONSOLE, &replaced);
	assert_identical(&run);
	assert_int_equal(run.report.console.count, 1);
	assert_string_equal(run.report.console.first[0].expected, "hello");
	assert_string_equal(run.report.console.first[0].got, "jello");
}

/* Addresses of @request are others in the trace than in the guest. */
static void move_addresses(struct fake_trace *trace, uint32_t request, uint8_t body[64])
{
	struct trace_record *record = NULL;

	for (size_t i = 0; i < trace->count && !record; i++)
		if (trace->record[i].kind == TRACE_request &&
		    trace->record[i].request.request == request)
			record = &trace->record[i];
	assert_non_null(record);
	assert_in_range(record->payload_size, 1, 64);
	memcpy(body, record->payload, record->payload_size);
	body[record->payload_size - 1] ^= 1;
	record->payload = body;
}

static void test_another_kernel_has_its_vrings_elsewhere(void **state)
{
	static const uint32_t requests[] = { VHOST_SET_MEM_TABLE, VHOST_SET_VRING_ADDR };
	struct fake_trace trace;
	uint8_t body[64];
	struct run run;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		fake_trace_make(&trace);
		move_addresses(&trace, requests[i], body);
		run = run_guest(&trace, FAKE_TRUE, NULL);
		assert_true(run.report.diverged);
		run = run_guest(&trace, FAKE_TRUE, &replaced);
		assert_identical(&run);
	}
}

static void test_another_kernel_parts_where_it_does_something_else(void **state)
{
	static const enum fake_twist twists[] = { FAKE_OTHER_TIME,    FAKE_OTHER_DEVICE,
						  FAKE_OTHER_REQUEST, FAKE_OTHER_BODY,
						  FAKE_OTHER_QUEUE,   FAKE_NO_FRAME,
						  FAKE_OTHER_FRAME,   FAKE_LONG_FRAME,
						  FAKE_OTHER_STATUS };
	struct fake_trace trace;

	(void)state;
	fake_trace_make(&trace);
	for (size_t i = 0; i < ARRAY_SIZE(twists); i++) {
		struct run run = run_guest(&trace, twists[i], &replaced);

		if (!run.report.diverged)
			fail_msg("twist %d was not seen", twists[i]);
		assert_int_equal(run.report.records, trace.count);
	}
}

static void test_a_guest_that_cannot_be_replayed_further(void **state)
{
	static const char why[] = "replayable=no  wmediumd has no in-band notifications";
	struct trace_record record = { .kind = TRACE_meta,
				       .payload = why,
				       .payload_size = strlen(why) };
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	fake_trace_insert(&trace, 20, &record);
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_identical(&run);
	assert_string_equal(run.report.unreplayable, "wmediumd has no in-band notifications");
	/* Of another guest it says nothing. */
	trace.record[20].guest = 1;
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_identical(&run);
	assert_string_equal(run.report.unreplayable, "");
}

/* ---- Traces that make no sense -------------------------------------------------------------- */

static void bend_device(struct fake_trace *trace)
{
	fake_trace_find(trace, TRACE_reply, 2)->reply.device = 7;
}

static void bend_unattached(struct fake_trace *trace)
{
	fake_trace_find(trace, TRACE_used, 0)->used.device = 1;
}

static void bend_queue(struct fake_trace *trace)
{
	fake_trace_find(trace, TRACE_wrote, 0)->wrote.queue = VHOST_QUEUES_MAX;
}

static void bend_head(struct fake_trace *trace)
{
	fake_trace_find(trace, TRACE_used, 0)->used.head = 1 << 16;
}

static void bend_taken(struct fake_trace *trace)
{
	fake_trace_find(trace, TRACE_taken, 0)->taken.queue = 0;
}

static void bend_taken_alone(struct fake_trace *trace)
{
	struct trace_record *taken = fake_trace_find(trace, TRACE_taken, 0), before = *taken;

	/* After the reply to the kick. */
	taken[0] = taken[1];
	taken[1] = before;
}

static void bend_message(struct fake_trace *trace)
{
	static const uint8_t body[VHOST_BODY_MAX + 1];
	struct trace_record *record = fake_trace_find(trace, TRACE_request, 3);

	record->payload = body;
	record->payload_size = sizeof(body);
}

static void bend_call(struct fake_trace *trace)
{
	fake_trace_find(trace, TRACE_call, 0)->call.device = UINT64_MAX;
}

static void bend_cut(struct fake_trace *trace)
{
	struct trace_record *record = fake_trace_find(trace, TRACE_reply, 3);

	*record = (struct trace_record){ .kind = TRACE_cut };
	record->cut.device = 2;
}

static void test_nonsense_in_a_trace_is_refused(void **state)
{
	static void (*const bends[])(struct fake_trace *) = {
		bend_device, bend_unattached,  bend_queue,   bend_head, bend_taken,
		bend_cut,    bend_taken_alone, bend_message, bend_call,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bends); i++) {
		struct fake_trace trace;
		struct run run;

		fake_trace_make(&trace);
		bends[i](&trace);
		run = run_guest(&trace, FAKE_TRUE, NULL);
		if (run.result != -EBADMSG)
			fail_msg("nonsense %zu is taken: %d", i, run.result);
		assert_int_equal(run.why.status, EXIT_DAMAGED);
		assert_non_null(strstr(run.why.what, "is invalid"));
		assert_false(run.report.diverged);
	}
}

/* Larger than any buffer: not believed, and not written. */
static void test_more_than_a_buffer_holds_is_a_difference(void **state)
{
	static const uint64_t skips[] = { 62, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX };
	struct fake_trace trace;

	(void)state;
	fake_trace_make(&trace);
	for (size_t i = 0; i < ARRAY_SIZE(skips); i++) {
		struct run run;

		fake_trace_find(&trace, TRACE_used, 0)->used.skip = skips[i];
		run = run_guest(&trace, FAKE_TRUE, NULL);
		assert_int_equal(run.result, 0);
		assert_true(run.report.diverged);
		assert_string_equal(run.report.got, "one of 64 bytes");
	}
}

/* A few KiB of a trace can say so. */
static void test_more_console_than_a_guest_may_print_is_refused(void **state)
{
	static char text[TRACE_PAYLOAD_MAX];
	const size_t enough = 2 * GUEST_CONSOLE_MAX / sizeof(text) + 1;
	struct fake_trace trace;
	struct run run;

	(void)state;
	fake_trace_make(&trace);
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < enough; i++)
		fake_trace_insert(&trace, 0,
				  &(struct trace_record){ .kind = TRACE_console,
							  .payload = text,
							  .payload_size = sizeof(text) });
	run = run_guest(&trace, FAKE_TRUE, NULL);
	assert_int_equal(run.why.status, EXIT_DAMAGED);
	assert_non_null(strstr(run.why.what, "more console output than allowed at once"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_life_is_identical),
		cmocka_unit_test(test_closing_a_device_is_no_difference),
		cmocka_unit_test(test_each_difference_is_named),
		cmocka_unit_test(test_what_a_program_is_sent_is_compared),
		cmocka_unit_test(test_the_first_that_is_printed_is_a_difference),
		cmocka_unit_test(test_a_guest_that_does_nothing_is_a_difference),
		cmocka_unit_test(test_goes_on_after_a_difference_that_changes_nothing),
		cmocka_unit_test(test_stops_where_it_is_told_to),
		cmocka_unit_test(test_who_looks_at_it_changes_nothing),
		cmocka_unit_test(test_who_looks_at_it_can_end_it),
		cmocka_unit_test(test_who_looks_at_it_sees_it_diverge),
		cmocka_unit_test(test_who_looks_at_it_can_end_it_meanwhile),
		cmocka_unit_test(test_what_others_did_is_nothing_to_it),
		cmocka_unit_test(test_what_it_does_not_compare_is_nothing_to_it),
		cmocka_unit_test(test_what_another_kernel_prints_ends_nothing),
		cmocka_unit_test(test_another_kernel_has_its_vrings_elsewhere),
		cmocka_unit_test(test_another_kernel_parts_where_it_does_something_else),
		cmocka_unit_test(test_a_guest_that_cannot_be_replayed_further),
		cmocka_unit_test(test_nonsense_in_a_trace_is_refused),
		cmocka_unit_test(test_more_than_a_buffer_holds_is_a_difference),
		cmocka_unit_test(test_more_console_than_a_guest_may_print_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
