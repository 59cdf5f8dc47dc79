// SPDX-License-Identifier: BSD-3-Clause
/* Consoles are compared line by line: how many differ, and which are the first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/text/console_compare.h"

static struct console_differences compare(const char *expected, const char *got)
{
	struct console_differences differences = { 0 };

	console_compare(&differences, 7, expected, strlen(expected), got, strlen(got));
	return differences;
}

static void equal_texts_do_not_differ(void **state)
{
	(void)state;
	assert_int_equal(compare("", "").count, 0);
	assert_int_equal(compare("one\ntwo\n", "one\ntwo\n").count, 0);
	assert_int_equal(compare("no end", "no end").count, 0);
}

static void line_ends_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(compare("one\r\ntwo\r\n", "one\ntwo").count, 0);
}

static void lines_that_differ_are_told(void **state)
{
	struct console_differences found = compare("a\nb\nc\n", "a\nB\nc\n");

	(void)state;
	assert_int_equal(found.count, 1);
	assert_int_equal(found.first[0].record, 7);
	assert_string_equal(found.first[0].expected, "b");
	assert_string_equal(found.first[0].got, "B");
}

static void a_line_more_is_told(void **state)
{
	struct console_differences found = compare("a\n", "a\nb\n");

	(void)state;
	assert_int_equal(found.count, 1);
	assert_string_equal(found.first[0].expected, "");
	assert_string_equal(found.first[0].got, "b");
	found = compare("a\nb\n", "a\n");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.first[0].expected, "b");
}

static void all_are_counted_and_the_first_kept(void **state)
{
	struct console_differences found = compare("1\n2\n3\n4\n5\n", "6\n7\n8\n9\n0\n");

	(void)state;
	assert_int_equal(found.count, 5);
	assert_int_equal(console_differences_shown(&found), CONSOLE_SHOWN);
	assert_string_equal(found.first[CONSOLE_SHOWN - 1].got, "8");
}

static void they_add_up(void **state)
{
	struct console_differences found = compare("a\n", "b\n");

	(void)state;
	console_compare(&found, 9, "c\n", 2, "d\n", 2);
	assert_int_equal(found.count, 2);
	assert_int_equal(console_differences_shown(&found), 2);
	assert_int_equal(found.first[1].record, 9);
}

static void what_is_kept_is_printable(void **state)
{
	struct console_differences found = compare("\033[2J\n", "\001\n");

	(void)state;
	assert_string_equal(found.first[0].expected, "?[2J");
	assert_string_equal(found.first[0].got, "?");
}

static void long_lines_are_cut(void **state)
{
	struct console_differences found = { 0 };
	char text[4 * CONSOLE_LINE];

	(void)state;
	memset(text, 'x', sizeof(text));
	console_compare(&found, 0, text, sizeof(text), NULL, 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(strlen(found.first[0].expected), CONSOLE_LINE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_texts_do_not_differ),
		cmocka_unit_test(line_ends_do_not_count),
		cmocka_unit_test(lines_that_differ_are_told),
		cmocka_unit_test(a_line_more_is_told),
		cmocka_unit_test(all_are_counted_and_the_first_kept),
		cmocka_unit_test(they_add_up),
		cmocka_unit_test(what_is_kept_is_printable),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
