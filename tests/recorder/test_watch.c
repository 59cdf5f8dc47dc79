// SPDX-License-Identifier: BSD-3-Clause
/* What is looked for on consoles, one and several of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/cleanup.h"
#include "recorder/watch.h"

static struct watch *watch_for(const char *const *expect, const char *const *fail_on,
			       size_t consoles)
{
	struct diagnosis why = { 0 };
	struct watch *watch = NULL;

	assert_int_equal(watch_create(expect, fail_on, consoles, &watch, &why), 0);
	return watch;
}

static void feed(struct watch *watch, size_t console, const char *text)
{
	watch_feed(watch, console, 0, text, strlen(text));
}

/* The verdict, after which the watch is gone. */
static struct watch_verdict judge(struct watch *watch)
{
	struct watch_verdict verdict;

	watch_judge(watch, &verdict);
	watch_destroy(watch);
	return verdict;
}

static const char *const done[] = { "done$", NULL };

static void test_expected_line_on_any_console(void **state)
{
	struct watch *watch = watch_for(done, NULL, 3);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 0, "hello\n");
	feed(watch, 2, "all done\n");
	feed(watch, 1, "done and more\n");
	verdict = judge(watch);
	assert_null(verdict.missing);
	assert_false(verdict.failed);
}

static void test_first_missing_expectation_is_named(void **state)
{
	static const char *const expect[] = { "one", "two", "three", NULL };
	struct watch *watch = watch_for(expect, NULL, 2);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 1, "one\nthree\n");
	verdict = judge(watch);
	assert_string_equal(verdict.missing, "two");
}

/* Lines of several consoles come in pieces, in between each other. */
static void test_consoles_do_not_mix(void **state)
{
	static const char *const fail_on[] = { "boom", "xy", NULL };
	static const char *const expect[] = { "^abcdef$", "^uvw$", NULL };
	struct watch *watch = watch_for(expect, fail_on, 2);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 0, "abc");
	feed(watch, 1, "u");
	feed(watch, 0, "def\nbo");
	feed(watch, 1, "vw\nom\nx");
	feed(watch, 0, "\ny\n");
	verdict = judge(watch);
	assert_null(verdict.missing);
	assert_false(verdict.failed);
}

static void test_first_failure_is_the_one_that_is_said(void **state)
{
	struct watch *watch = watch_for(NULL, NULL, 2);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 1, "[    1.500000] BUG: first\r\n");
	feed(watch, 0, "Kernel panic - second\n");
	verdict = judge(watch);
	assert_true(verdict.failed);
	assert_string_equal(verdict.line, "BUG: first");
	assert_int_equal(verdict.console, 1);
}

static void test_unfinished_line_of_each_console_counts(void **state)
{
	static const char *const expect[] = { "login:", "password:", NULL };
	struct watch *watch = watch_for(expect, NULL, 2);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 0, "login: ");
	feed(watch, 1, "password: ");
	verdict = judge(watch);
	assert_null(verdict.missing);
}

static void test_unfinished_line_fails_by_its_console(void **state)
{
	struct watch *watch = watch_for(NULL, NULL, 3);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 0, "well");
	feed(watch, 2, "Kernel panic");
	verdict = judge(watch);
	assert_true(verdict.failed);
	assert_int_equal(verdict.console, 2);
}

static void test_default_failures(void **state)
{
	static const struct {
		const char *line;
		bool fails;
	} cases[] = {
		{ "<2>[    0.5] Kernel panic - not syncing", true },
		{ "[    0.5]     not ok 3 some_test", true },
		{ "not ok 1 - suite", true },
		{ "not ok then", false },
		{ "it is not ok 1", false },
		{ "DEBUG: fine", true },
		{ "everything is well", false },
		{ "[not a stamp] not ok 1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct watch *watch = watch_for(NULL, NULL, 1);

		feed(watch, 0, cases[i].line);
		feed(watch, 0, "\n");
		if (judge(watch).failed != cases[i].fails)
			fail_msg("'%s' should%s fail", cases[i].line, cases[i].fails ? "" : " not");
	}
}

static void test_no_failures_when_none_are_asked_for(void **state)
{
	static const char *const nothing[] = { NULL };
	struct watch *watch = watch_for(NULL, nothing, 1);

	(void)state;
	feed(watch, 0, "Kernel panic\n");
	assert_false(judge(watch).failed);
}

/* A line without an end is looked at in pieces; zeros are no text. */
static void test_endless_line(void **state)
{
	char piece[3 * WATCH_LINE_MAX];
	struct watch *watch = watch_for(done, NULL, 2);
	struct watch_verdict verdict;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	for (unsigned int i = 0; i < 100; i++)
		watch_feed(watch, 1, 0, piece, sizeof(piece));
	watch_feed(watch, 1, 0, "\ndo\0ne\n", 7);
	verdict = judge(watch);
	assert_null(verdict.missing);
}

static void test_bad_expressions_are_refused_in_words(void **state)
{
	static const char *const bad[] = { "good", "(bad", NULL };
	struct diagnosis why = { 0 };
	struct watch *watch = NULL;

	(void)state;
	assert_int_equal(watch_create(bad, NULL, 1, &watch, &why), -EINVAL);
	assert_non_null(strstr(why.what, "--expect '(bad'"));
	assert_int_equal(why.status, EXIT_USAGE);
	why = (struct diagnosis){ 0 };
	assert_int_equal(watch_create(NULL, bad, 1, &watch, &why), -EINVAL);
	assert_non_null(strstr(why.what, "--fail-on '(bad'"));
	assert_null(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expected_line_on_any_console),
		cmocka_unit_test(test_first_missing_expectation_is_named),
		cmocka_unit_test(test_consoles_do_not_mix),
		cmocka_unit_test(test_first_failure_is_the_one_that_is_said),
		cmocka_unit_test(test_unfinished_line_of_each_console_counts),
		cmocka_unit_test(test_unfinished_line_fails_by_its_console),
		cmocka_unit_test(test_default_failures),
		cmocka_unit_test(test_no_failures_when_none_are_asked_for),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_bad_expressions_are_refused_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
