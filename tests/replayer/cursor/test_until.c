// SPDX-License-Identifier: BSD-3-Clause
/* Points of a trace: what is understood, what is found, what is said of what is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "replayer/cursor/until.h"
#include "tests/replayer/cursor/fake_guest.h"

static struct replay_guest guests[] = { { .index = 0, .name = "n1", .wanted = true },
					{ .index = 1, .name = "n2", .wanted = true } };

static void add(struct fake_trace *trace, uint32_t guest, enum trace_kind kind, const char *text)
{
	trace->record[trace->count] = (struct trace_record){ .guest = guest,
							     .kind = kind,
							     .now = trace->count * NS_PER_MS,
							     .payload = text,
							     .payload_size = strlen(text) };
	trace->count++;
}

/* A record each millisecond. */
static struct trace_reader *open_sample(void)
{
	struct fake_trace trace = { 0 };

	add(&trace, 0, TRACE_from, "");
	add(&trace, 1, TRACE_from, "");
	add(&trace, 0, TRACE_console, "[    0.000] Linux\nlog");
	add(&trace, 1, TRACE_call, "");
	add(&trace, 0, TRACE_call, "");
	add(&trace, 1, TRACE_console, "login: ");
	add(&trace, 0, TRACE_console, "in: \r\nready\n");
	add(&trace, 0, TRACE_irq, "");
	add(&trace, 1, TRACE_call, "");
	add(&trace, 1, TRACE_leave, "");
	return fake_trace_open(&trace);
}

static int find(const char *text, uint64_t first, uint64_t *record, struct diagnosis *why)
{
	struct until_scope scope = { .guest = guests,
				     .count = ARRAY_SIZE(guests),
				     .first = first,
				     .now = first * NS_PER_MS };
	struct trace_reader *reader = open_sample();
	struct until until;
	int err;

	*why = (struct diagnosis){ 0 };
	err = until_parse(text, &until, why);
	if (!err)
		err = until_find(&until, &scope, reader, record, why);
	trace_reader_close(reader);
	return err;
}

static void test_what_is_there_is_found(void **state)
{
	static const struct {
		const char *text;
		uint64_t first, record;
	} cases[] = {
		{ "0", 0, 0 },
		{ "9", 0, 9 },
		{ "9", 9, 9 },
		{ "0.004s", 0, 4 },
		{ "4.5ms", 0, 5 },
		{ "irq:1", 0, 3 },
		{ "irq:2", 0, 4 },
		{ "n1:irq:1", 0, 4 },
		{ "n2:irq:2", 0, 8 },
		{ "1:irq:2", 0, 8 },
		{ "console:login:", 0, 5 },
		{ "n1:console:login:", 0, 6 },
		{ "console:^Linux$", 0, 2 },
		{ "console:^\\[ .*Linux$", 0, 2 },
		{ "console:^login: $", 0, 5 },
		{ "console:^login: $", 6, 6 },
		{ "console:ready|irq:1", 0, 6 },
		{ "+1", 3, 4 },
		{ "+2", 4, 6 },
		{ "+2ms", 3, 5 },
	};
	struct diagnosis why;
	uint64_t record;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		record = UINT64_MAX;
		if (find(cases[i].text, cases[i].first, &record, &why))
			fail_msg("%s: %s", cases[i].text, why.what);
		if (record != cases[i].record)
			fail_msg("%s: found at %ju", cases[i].text, (uintmax_t)record);
	}
}

static void test_what_is_not_there_is_told(void **state)
{
	static const struct {
		const char *text;
		uint64_t first;
		const char *said;
	} cases[] = {
		{ "10", 0, "the last one is 9" },
		{ "2s", 0, "the trace ends at 0.009000000 s" },
		{ "irq:4", 0, "there are 3 device interrupts" },
		{ "n1:irq:2", 0, "not counting the 1 that only the probe saw" },
		{ "n3:irq:1", 0, "no guest n3 in the trace" },
		{ "console:bye", 0, "none of 3 lines matches" },
		{ "irq:1", 4, "is record 3, which has passed" },
		{ "3", 4, "has passed" },
		{ "+5", 4, "the guest has 3 more" },
		{ "+1", 10, "the guest has 0 more" },
		{ "+1s", 4, "the trace ends at" },
	};
	struct diagnosis why;
	uint64_t record;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(find(cases[i].text, cases[i].first, &record, &why), -ERANGE);
		if (!strstr(why.what, cases[i].said) || !strstr(why.what, cases[i].text))
			fail_msg("%s: %s", cases[i].text, why.what);
		assert_int_equal(why.status, EXIT_USAGE);
	}
}

static void test_what_makes_no_sense_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"5x",
		"-1",
		"irq:",
		"irq:0",
		"irq:x",
		"irq:-1",
		"console:(",
		"n1:",
		":irq:1x",
		"99999999999999999999",
		"irq:99999999999999999999",
		"n1:5",
		"virq:1",
	};
	struct diagnosis why;
	struct until until;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		why = (struct diagnosis){ 0 };
		if (until_parse(texts[i], &until, &why) != -EINVAL)
			fail_msg("'%s' was understood", texts[i]);
		assert_true(*why.what && *why.advice);
	}
}

/* Where no guest is named, those count that are replayed. */
static void test_only_wanted_guests_count(void **state)
{
	struct diagnosis why;
	uint64_t record;

	(void)state;
	guests[1].wanted = false;
	assert_int_equal(find("irq:1", 0, &record, &why), 0);
	assert_int_equal(record, 4);
	assert_int_equal(find("irq:2", 0, &record, &why), -ERANGE);
	assert_int_equal(find("n2:irq:2", 0, &record, &why), 0);
	assert_int_equal(record, 8);
	guests[1].wanted = true;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_there_is_found),
		cmocka_unit_test(test_what_is_not_there_is_told),
		cmocka_unit_test(test_what_makes_no_sense_is_refused),
		cmocka_unit_test(test_only_wanted_guests_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
