// SPDX-License-Identifier: BSD-3-Clause
/* What is made of a console: some lines of it, and the tests that it reports in KTAP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/ci/ci_console.h"
#include "format/base/cleanup.h"

/* As `outcome name` of each test, with what was said during failed ones behind it. */
static void assert_tests(const char *console_text, const char *expected)
{
	static const char letter[] = { 'p', 'f', 'e', 's' };
	struct ci_console *console = ci_console_create();
	const struct ci_test *test;
	size_t count, left_out, size;
	auto_free char *got = NULL;
	FILE *out = open_memstream(&got, &size);

	/* Bytes come as they please. */
	for (size_t i = 0; console_text[i]; i++)
		ci_console_feed(console, i, console_text + i, 1);
	ci_console_finish(console);
	assert_int_equal(ci_console_tests(console, &test, &count, &left_out), 0);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%c %s;", letter[test[i].outcome], test[i].name);
	fclose(out);
	assert_string_equal(got, expected);
	assert_int_equal(left_out, 0);
	ci_console_destroy(console);
}

static void test_kunit_is_named_from_the_inside(void **state)
{
	(void)state;
	assert_tests(
		"KTAP version 1\n1..2\n"
		"    KTAP version 1\n    # Subtest: list\n    # module: test\n    1..2\n"
		"    ok 1 list_init\n    not ok 2 list_add\n# list: pass:1 fail:1 skip:0 total:2\n"
		"not ok 1 list\n"
		"    KTAP version 1\n    # Subtest: time\n    1..1\n"
		"        KTAP version 1\n        # Subtest: shift\n"
		"        ok 1 case a\n        ok 2 case b # SKIP not here\n"
		"    ok 1 shift\n"
		"ok 2 time\n",
		"p list.list_init;f list.list_add;p time.shift.case a;s time.shift.case b;");
}

static void test_printk_and_carriage_returns_do_not_matter(void **state)
{
	(void)state;
	assert_tests("[    0.010000]     # Subtest: a\r\n[    0.010000]     ok 1 - b\r\n"
		     "<6>[    0.010000] ok 1 - a\r\nnot ok 2",
		     "p a.b;f unnamed;");
}

/* A suite that failed although none of its tests did (its exit did) is a test of its own. */
static void test_a_sum_that_says_more_is_kept(void **state)
{
	(void)state;
	assert_tests("    # Subtest: a\n    ok 1 b\nnot ok 1 a\n", "p a.b;f a;");
}

static void test_kselftest_is_flat(void **state)
{
	(void)state;
	assert_tests("TAP version 13\n1..3\n# selftests: net: a.sh\nok 1 selftests: net: a.sh\n"
		     "not ok 2 selftests: net: b.sh # exit=1\n"
		     "ok 3 selftests: net: c.sh # SKIP\nnot ok 4 later # TODO\n",
		     "p selftests: net: a.sh;f selftests: net: b.sh;s selftests: net: c.sh;"
		     "s later;");
}

static void test_what_only_looks_like_it_is_none(void **state)
{
	(void)state;
	assert_tests("ok then\nok\nnot ok\nok 1x\nokay 1\n ok\nit is ok 1\nnot  ok 1\n", "");
}

static void test_a_failed_test_has_what_was_said_during_it(void **state)
{
	struct ci_console *console = ci_console_create();
	const char *text = "before\nok 1 a\n# b: EXPECTATION FAILED\n\033[31m1 == 2\033[0m\n"
			   "not ok 2 b\nafter\n";
	const struct ci_test *test;
	size_t count, left_out;
	auto_free char *tail = NULL;

	(void)state;
	ci_console_feed(console, 5, text, 15);
	ci_console_feed(console, 12, text + 15, strlen(text) - 15);
	assert_int_equal(ci_console_tests(console, &test, &count, &left_out), 0);
	assert_int_equal(count, 2);
	assert_null(test[0].text);
	assert_string_equal(test[1].text, "# b: EXPECTATION FAILED\n1 == 2\nnot ok 2 b\n");
	assert_int_equal(test[1].now, 12);
	assert_int_equal(test[1].took, 7);
	tail = ci_console_excerpt(console);
	assert_non_null(strstr(tail, "before\nok 1 a\n"));
	assert_non_null(strstr(tail, "not ok 2 b\nafter\n"));
	ci_console_destroy(console);
}

static void test_only_the_last_lines_are_kept(void **state)
{
	struct ci_console *console = ci_console_create();
	auto_free char *tail = NULL;
	char line[16];

	(void)state;
	assert_null(ci_console_excerpt(console));
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		ci_console_feed(console, 0, line, strlen(line));
	}
	tail = ci_console_excerpt(console);
	assert_null(strstr(tail, "line 959\n"));
	assert_non_null(strstr(tail, "line 960\n"));
	assert_non_null(strstr(tail, "line 999\n"));
	ci_console_destroy(console);
}

static void test_lines_around_a_mark_are_kept(void **state)
{
	struct ci_console *console = ci_console_create();
	auto_free char *text = NULL;
	char line[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		ci_console_feed(console, 0, line, strlen(line));
		if (i == 500 || i == 700)
			ci_console_mark(console);
	}
	text = ci_console_excerpt(console);
	assert_non_null(strstr(text, "line 480\n"));
	assert_non_null(strstr(text, "line 500\n"));
	assert_non_null(strstr(text, "line 510\n"));
	assert_null(strstr(text, "line 511\n"));
	ci_console_destroy(console);
}

/* A guest that reports for ever does not take this machine's memory. */
static void test_too_many_are_counted(void **state)
{
	struct ci_console *console = ci_console_create();
	const struct ci_test *test;
	size_t count, left_out;

	(void)state;
	for (int i = 0; i < 20000; i++)
		ci_console_feed(console, 0, "not ok 1 a\n", 11);
	assert_int_equal(ci_console_tests(console, &test, &count, &left_out), 0);
	assert_int_equal(count + left_out, 20000);
	assert_true(left_out > 0);
	ci_console_destroy(console);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kunit_is_named_from_the_inside),
		cmocka_unit_test(test_printk_and_carriage_returns_do_not_matter),
		cmocka_unit_test(test_a_sum_that_says_more_is_kept),
		cmocka_unit_test(test_kselftest_is_flat),
		cmocka_unit_test(test_what_only_looks_like_it_is_none),
		cmocka_unit_test(test_a_failed_test_has_what_was_said_during_it),
		cmocka_unit_test(test_only_the_last_lines_are_kept),
		cmocka_unit_test(test_lines_around_a_mark_are_kept),
		cmocka_unit_test(test_too_many_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
