// SPDX-License-Identifier: BSD-3-Clause
/* Patterns of users: what they match, and that memory and time are bounded for each. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/pattern/pattern.h"

static int match(const char *text, const char *line, bool continued, size_t *end)
{
	char reason[PATTERN_REASON] = "";
	struct pattern *pattern;
	int found;

	assert_int_equal(pattern_compile(text, &pattern, reason), 0);
	found = pattern_match(pattern, line, continued, end);
	pattern_free(pattern);
	return found;
}

static void lines_match(void **state)
{
	size_t end = 0;

	(void)state;
	assert_int_equal(match("not ok( [0-9]| - |$)", "  not ok 3 - x", false, NULL), 1);
	assert_int_equal(match("not ok( [0-9]| - |$)", "not okay", false, NULL), 0);
	assert_int_equal(match("^[[:alpha:]]+: (ok|done)$", "test: done", false, NULL), 1);
	assert_int_equal(match("\\d+ ms", "took 17 ms", false, &end), 1);
	assert_int_equal(end, 10);
	assert_int_equal(match("", "anything", false, NULL), 1);
	assert_int_equal(match("[^a]", "\xff", false, NULL), 1);
	assert_int_equal(match("^a", "ab", true, NULL), 0);
	assert_int_equal(match("a", "ba", true, &end), 1);
	assert_int_equal(end, 2);
}

static void assert_refused(const char *text, const char *expected)
{
	char reason[PATTERN_REASON] = "";
	struct pattern *pattern;

	assert_int_equal(pattern_compile(text, &pattern, reason), -EINVAL);
	assert_string_equal(reason, expected);
}

/* @part @count times; the caller frees it. */
static char *repeated(const char *part, size_t count)
{
	char *text = malloc(strlen(part) * count + 1), *at = text;

	assert_non_null(text);
	*text = '\0';
	while (count--)
		at = stpcpy(at, part);
	return text;
}

static void errors_have_a_reason(void **state)
{
	auto_free char *deep = repeated("(", 100), *size = repeated("abc", 2000);

	(void)state;
	assert_refused("(", "missing closing parenthesis (at byte 2)");
	assert_refused("a**b", "quantifier does not follow a repeatable item (at byte 3)");
	assert_refused("((ab){500}){500}", "regular expression is too large (at byte 17)");
	assert_refused(deep, "parentheses are too deeply nested (at byte 66)");
	assert_refused(size, "too long: at most 4096 bytes");
	assert_refused("(*UTF)a", "using UTF is disabled by the application (at byte 7)");
}

/* One that takes exponential time gives up, the same way in each run. */
static void steps_are_bounded(void **state)
{
	auto_free char *line = repeated("a", 500);

	(void)state;
	assert_int_equal(match("^(a+)+$", line, false, NULL), 1);
	assert_int_equal(match("^(a+)+b$", line, false, NULL), 0); /* no b: seen at once */
	assert_int_equal(match("^(a|a)+[bc]$", line, false, NULL), -ELOOP);
	assert_int_equal(match("^(.|x)*y?$", line, false, NULL), 1);
}

static void append_part(char *text, uint64_t *random, int depth)
{
	static const char *const repeats[] = { "", "", "", "*", "+", "?", "{2}", "{3,}", "{0,40}" };
	int parts;

	*random = *random * 6364136223846793005 + 1442695040888963407;
	parts = 1 + (int)(*random >> 60);
	for (int i = 0; i < parts; i++) {
		*random = *random * 6364136223846793005 + 1442695040888963407;
		if ((*random >> 62) && depth) {
			strcat(text, "(");
			append_part(text, random, depth - 1);
			strcat(text, ")");
		} else {
			strcat(text, (*random >> 61) & 1 ? "a" : "^|[ab]");
		}
		strcat(text, repeats[(*random >> 33) % (sizeof(repeats) / sizeof(*repeats))]);
	}
}

/* Nested repetitions of what may be empty: the C library takes minutes and gigabytes for some. */
static void compiling_is_bounded(void **state)
{
	static char text[1 << 20];
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char reason[PATTERN_REASON];
		struct pattern *pattern;
		clock_t begin = clock();

		text[0] = '\0';
		append_part(text, &random, i % 4);
		if (!pattern_compile(text, &pattern, reason)) {
			pattern_match(pattern, "aaaabaaaabab", false, NULL);
			pattern_free(pattern);
		}
		assert_true(clock() - begin < 2 * CLOCKS_PER_SEC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_match),
		cmocka_unit_test(errors_have_a_reason),
		cmocka_unit_test(steps_are_bounded),
		cmocka_unit_test(compiling_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
