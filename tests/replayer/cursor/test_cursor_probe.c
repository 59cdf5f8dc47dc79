// SPDX-License-Identifier: BSD-3-Clause
/*
 * Interrupts in a replay: those of the probe are held against those of the trace. The probe here is
 * a list; kernel/probe/probe.c has tests of its own.
 */
#include "kernel/probe/probe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "replayer/cursor/cursor.h"
#include "tests/replayer/cursor/fake_guest.h"

#define HANG_NS (20ull * 1000000000)

/* ---- The probe --------------------------------------------------------------------------------
 */

static char warning[] = "kernel/a.c:7", other_warning[] = "kernel/b.c:7";

struct probe {
	struct probe_event event[4];
	size_t count, next;
	uint64_t lost;
	bool refuses, attached;
	int fd;
};

int probe_open(struct probe **probe, struct diagnosis *why)
{
	*probe = NULL;
	return diagnose(why, EXIT_CANNOT, -ENOTSUP, NULL, "a test has its own");
}

int probe_attach(struct probe *probe, unsigned int guest, pid_t pid, const char *path,
		 const struct image_file *kernel, struct diagnosis *why)
{
	(void)path;
	(void)kernel;
	assert_int_equal(guest, 0);
	assert_true(pid > 0);
	if (probe->refuses)
		return diagnose(why, EXIT_CANNOT, -ENOENT, NULL, "no symbols");
	probe->attached = true;
	return 0;
}

bool probe_take(struct probe *probe, unsigned int guest, struct probe_event *event)
{
	assert_int_equal(guest, 0);
	if (!probe->attached || probe->next == probe->count)
		return false;
	*event = probe->event[probe->next++];
	return true;
}

int probe_fd(const struct probe *probe)
{
	return probe->fd;
}

void probe_drain(struct probe *probe)
{
	(void)probe;
}

uint64_t probe_lost(const struct probe *probe, unsigned int guest)
{
	(void)guest;
	return probe->attached ? probe->lost : 0;
}

void probe_detach(struct probe *probe, unsigned int guest)
{
	(void)probe;
	(void)guest;
}

void probe_close(struct probe *probe)
{
	(void)probe;
}

/* ---- Cases ------------------------------------------------------------------------------------
 */

/* Two interrupts and a warning, after its START. */
static const struct trace_record recorded[] = {
	{ .kind = TRACE_irq, .irq = { TRACE_IRQ_ENTRY, 0, 500 } },
	{ .kind = TRACE_irq,
	  .irq = { TRACE_IRQ_WARN, 0, 600 },
	  .payload = warning,
	  .payload_size = sizeof(warning) - 1 },
	{ .kind = TRACE_irq, .irq = { TRACE_IRQ_ENTRY, 5, 700 } },
};

static struct probe same_probe(void)
{
	return (struct probe){ .event = { { TRACE_IRQ_ENTRY, 0, 0, 500, NULL },
					  { TRACE_IRQ_WARN, 0, 1, 600, warning },
					  { TRACE_IRQ_ENTRY, 5, 2, 700, NULL } },
			       .count = 3 };
}

/* After its START has been acknowledged. */
static size_t first_place(struct fake_trace *trace)
{
	return (size_t)(fake_trace_find(trace, TRACE_to, 0) - trace->record) + 1;
}

static struct cursor_report replay(struct fake_trace *trace, struct probe *probe, bool keep_going)
{
	struct cursor_options options = { .until_record = UINT64_MAX,
					  .hang_timeout = HANG_NS,
					  .keep_going = keep_going,
					  .probe = probe };
	struct trace_reader *reader = fake_trace_open(trace);
	struct cursor_report report;
	struct diagnosis why = { 0 };
	struct fake_guest fake;

	if (probe)
		probe->fd = eventfd(0, EFD_CLOEXEC);
	fake_guest_start(&fake, FAKE_TRUE);
	assert_int_equal(cursor_run(reader, &fake.guest, &options, &report, &why), 0);
	fake_guest_end(&fake);
	trace_reader_close(reader);
	if (probe)
		close(probe->fd);
	return report;
}

static void make_trace(struct fake_trace *trace)
{
	fake_trace_make(trace);
	for (size_t i = ARRAY_SIZE(recorded); i--;)
		fake_trace_insert(trace, first_place(trace), &recorded[i]);
}

static void test_the_same_are_identical(void **state)
{
	struct probe probe = same_probe();
	struct cursor_report report;
	struct fake_trace trace;

	(void)state;
	make_trace(&trace);
	report = replay(&trace, &probe, false);
	if (report.diverged)
		fail_msg("expected %s, got %s", report.expected, report.got);
	assert_int_equal(report.probed, 3);
	assert_string_equal(report.probe_reason, "");
}

static void test_without_a_probe_they_are_passed_over(void **state)
{
	struct cursor_report report;
	struct fake_trace trace;

	(void)state;
	make_trace(&trace);
	report = replay(&trace, NULL, false);
	assert_false(report.diverged);
	assert_int_equal(report.probed, 0);
}

static void test_each_difference_is_named(void **state)
{
	static const struct {
		size_t event;
		struct probe_event instead;
		const char *expected, *got;
	} cases[] = {
		{ 0,
		  { TRACE_IRQ_ENTRY, 1, 0, 500, NULL },
		  "interrupt 0 at 0.000000500 s",
		  "interrupt 1 at 0.000000500 s" },
		{ 2,
		  { TRACE_IRQ_ENTRY, 5, 2, 701, NULL },
		  "interrupt 5 at 0.000000700 s",
		  "interrupt 5 at 0.000000701 s" },
		{ 2,
		  { TRACE_IRQ_ENTRY, 5, 2, PROBE_TIME_UNKNOWN, NULL },
		  "interrupt 5 at 0.000000700 s",
		  "interrupt 5 at an unknown time" },
		{ 1,
		  { TRACE_IRQ_WARN, 0, 1, 600, other_warning },
		  "a warning (kernel/a.c:7) at 0.000000600 s",
		  "a warning (kernel/b.c:7) at 0.000000600 s" },
		{ 1,
		  { TRACE_IRQ_PANIC, 0, 1, 600, warning },
		  "a warning (kernel/a.c:7) at 0.000000600 s",
		  "a panic (kernel/a.c:7) at 0.000000600 s" },
	};
	struct fake_trace trace;

	(void)state;
	make_trace(&trace);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct probe probe = same_probe();
		struct cursor_report report;

		probe.event[cases[i].event] = cases[i].instead;
		report = replay(&trace, &probe, false);
		assert_true(report.diverged);
		assert_string_equal(report.expected, cases[i].expected);
		assert_string_equal(report.got, cases[i].got);
		assert_int_equal(report.probed, cases[i].event);
		assert_int_equal(report.record, first_place(&trace) + cases[i].event);
	}
}

static void test_one_too_few_or_too_many_is_a_difference(void **state)
{
	struct probe few = same_probe(), many = same_probe();
	struct cursor_report report;
	struct fake_trace trace;

	(void)state;
	make_trace(&trace);
	few.count = 2;
	report = replay(&trace, &few, false);
	assert_string_equal(report.expected, "interrupt 5 at 0.000000700 s");
	assert_string_equal(report.got, "no interrupt");
	many.event[many.count++] = (struct probe_event){ TRACE_IRQ_ENTRY, 3, 3, 800, NULL };
	report = replay(&trace, &many, false);
	assert_string_equal(report.expected, "no interrupt");
	assert_string_equal(report.got, "interrupt 3 at 0.000000800 s");
	/* The first at which the guest is blocked after that. */
	assert_int_equal(trace.record[report.record].kind, TRACE_request);
}

/* One that is missing shifts all that follow: that is one difference. */
static void test_goes_on_after_a_difference(void **state)
{
	struct probe probe = same_probe();
	struct cursor_report report;
	struct fake_trace trace;

	(void)state;
	make_trace(&trace);
	memmove(probe.event, probe.event + 1, 2 * sizeof(probe.event[0]));
	probe.count = 2;
	report = replay(&trace, &probe, true);
	assert_int_equal(report.divergences, 1);
	assert_false(report.stopped);
	assert_int_equal(report.next_record, trace.count - 1);
}

static void test_what_the_probe_lost_is_no_difference(void **state)
{
	struct probe probe = same_probe();
	struct cursor_report report;
	struct fake_trace trace;

	(void)state;
	make_trace(&trace);
	probe.count = 2;
	probe.lost = 1;
	report = replay(&trace, &probe, false);
	assert_false(report.diverged);
	assert_int_equal(report.probed, 2);
	assert_non_null(strstr(report.probe_reason, "the replay's probe lost 1"));
}

static void test_what_the_recording_lost_is_no_difference(void **state)
{
	struct probe probe = same_probe();
	struct cursor_report report;
	struct fake_trace trace;

	(void)state;
	fake_trace_make(&trace);
	fake_trace_insert(&trace, first_place(&trace),
			  &(struct trace_record){ .kind = TRACE_meta,
						  .payload = "probe=0",
						  .payload_size = strlen("probe=0") });
	fake_trace_insert(&trace, first_place(&trace),
			  &(struct trace_record){ .kind = TRACE_note,
						  .payload = "2 were lost",
						  .payload_size = strlen("2 were lost") });
	fake_trace_insert(&trace, first_place(&trace), &recorded[0]);
	report = replay(&trace, &probe, false);
	assert_false(report.diverged);
	assert_non_null(strstr(report.probe_reason, "the recording has no more"));
	/* It went on: that is not what it ended with. */
	assert_string_equal(report.note, "");
}

static void test_a_guest_that_cannot_be_probed_is_no_difference(void **state)
{
	struct probe probe = same_probe();
	struct cursor_report report;
	struct fake_trace trace;

	(void)state;
	make_trace(&trace);
	probe.refuses = true;
	report = replay(&trace, &probe, false);
	assert_false(report.diverged);
	assert_int_equal(report.probed, 0);
	assert_string_equal(report.probe_reason, "not compared: no symbols");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_are_identical),
		cmocka_unit_test(test_without_a_probe_they_are_passed_over),
		cmocka_unit_test(test_each_difference_is_named),
		cmocka_unit_test(test_one_too_few_or_too_many_is_a_difference),
		cmocka_unit_test(test_goes_on_after_a_difference),
		cmocka_unit_test(test_what_the_probe_lost_is_no_difference),
		cmocka_unit_test(test_what_the_recording_lost_is_no_difference),
		cmocka_unit_test(test_a_guest_that_cannot_be_probed_is_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
