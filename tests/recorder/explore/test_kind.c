// SPDX-License-Identifier: BSD-3-Clause
/* Which failures are of one kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/explore/trial/kind.h"

static void test_numbers_are_taken_out(void **state)
{
	static const char *const lines[][2] = {
		{ "", "" },
		{ "no number at all", "no number at all" },
		{ "not ok 3 - key 17 was acknowledged and is gone",
		  "not ok 3 - key # was acknowledged and is gone" },
		{ "    not ok 12 - 1,024 of 0.15 at 10:30", "    not ok 12 - # of # at #" },
		{ "120 paid in, 110 in the account", "# paid in, # in the account" },
		{ "segfault at 0 ip 0000005500001132 sp 7fff12ab error 4 in race[5500001000+1000]",
		  "segfault at # ip # sp # error # in race[#+#]" },
		{ "BUG at 0xdeadbeef!", "BUG at #!" },
		{ "dead beef added", "dead beef added" },
		{ "n2 is not the only leader.", "n# is not the only leader." },
		{ "ends with 5.", "ends with #." },
		{ "0x is none", "#x is none" },
	};
	char text[KIND_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		kind_normalise(lines[i][0], text);
		assert_string_equal(text, lines[i][1]);
	}
}

static void test_endless_lines(void **state)
{
	char line[4 * KIND_TEXT], text[KIND_TEXT];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	kind_normalise(line, text);
	assert_int_equal(strlen(text), KIND_TEXT - 1);
	memset(line, '7', sizeof(line) - 1);
	kind_normalise(line, text);
	assert_string_equal(text, "#");
	memcpy(line, "not ok ", 7);
	kind_normalise(line, text);
	assert_int_equal(strlen(text), KIND_TEXT - 1);
}

static void assert_name_begins(const char *text, const char *words)
{
	char name[KIND_NAME];

	kind_name("failed", "n1", text, name);
	assert_int_equal(strlen(name), strlen(words) + 9);
	assert_memory_equal(name, words, strlen(words));
	assert_null(strchr(name, '/'));
}

static void test_names_are_fit_for_files(void **state)
{
	(void)state;
	assert_name_begins("not ok 3 - key # was acknowledged", "not-ok-3");
	assert_name_begins("../../etc/passwd: Gone!", "etc-passwd-gone");
	assert_name_begins("#", "failed");
	assert_name_begins("", "failed");
	assert_name_begins("averyveryverylongword and others", "averyveryver-and-others");
}

static void test_what_makes_a_kind(void **state)
{
	char one[KIND_NAME], other[KIND_NAME];

	(void)state;
	kind_name("failed", "n1", "not ok 1", one);
	kind_name("failed", "n1", "not ok 1", other);
	assert_string_equal(one, other);
	kind_name("failed", "n2", "not ok 1", other);
	assert_string_not_equal(one, other);
	kind_name("protocol", "n1", "not ok 1", other);
	assert_string_not_equal(one, other);
	/* Nothing moves from one part to the next. */
	kind_name("a", "bc", "x", one);
	kind_name("ab", "c", "x", other);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_taken_out),
		cmocka_unit_test(test_endless_lines),
		cmocka_unit_test(test_names_are_fit_for_files),
		cmocka_unit_test(test_what_makes_a_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
