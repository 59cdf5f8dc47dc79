// SPDX-License-Identifier: BSD-3-Clause
/* Numbers, times and escaped text on a line, against what the C library says of them. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "format/base/line.h"
#include "format/text/record_json.h"
#include "format/base/units.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

static struct line line;

static int forget_line(void **state)
{
	(void)state;
	line_free(&line);
	return 0;
}

static void assert_line(const char *expected)
{
	assert_false(line.failed);
	assert_int_equal(line.size, strlen(expected));
	assert_memory_equal(line.text ?: "", expected, line.size);
	line.size = 0;
}

static void numbers(void **state)
{
	struct sample_random random = { test_seed(1) };
	char text[64];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t number = sample_random(&random) >> sample_below(&random, 64);

		number = i ? number : UINT64_MAX;
		line_number(&line, number);
		snprintf(text, sizeof(text), "%" PRIu64, number);
		assert_line(text);
		line_hex(&line, number);
		snprintf(text, sizeof(text), "0x%" PRIx64, number);
		assert_line(text);
		line_seconds(&line, number);
		assert_line(duration_exact(number, text));
	}
	line_number(&line, 0);
	assert_line("0");
	line_hex(&line, 0);
	assert_line("0x0");
}

static void durations(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1ns" },
		{ 999, "999ns" },
		{ 1000, "1us" },
		{ 99488, "99.488us" },
		{ 1050, "1.05us" },
		{ 10000000, "10ms" },
		{ 29632636, "29.632636ms" },
		{ 2000000001, "2.000000001s" },
		{ 3600000000000, "3600s" },
		{ UINT64_MAX, "18446744073.709551615s" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		line_duration(&line, cases[i].ns);
		assert_line(cases[i].text);
	}
}

/* What is printed is read back as what it was. */
static void durations_are_exact(void **state)
{
	struct sample_random random = { test_seed(2) };

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t ns = sample_random(&random) >> (1 + sample_below(&random, 62)), read;

		line.size = 0;
		line_duration(&line, ns);
		line_char(&line, '\0');
		assert_int_equal(duration_parse(line.text, &read), 0);
		assert_int_equal(read, ns);
	}
	line.size = 0;
}

static void counts_are_read(void **state)
{
	static const char *const wrong[] = { "", "-1", "+1", " 1", "1 ", "0x1", "1s" };
	uint64_t count;

	(void)state;
	assert_int_equal(count_parse("0", &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(count_parse("18446744073709551615", &count), 0);
	assert_int_equal(count, UINT64_MAX);
	assert_int_equal(count_parse("18446744073709551616", &count), -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(count_parse(wrong[i], &count), -EINVAL);
}

static void differences(void **state)
{
	(void)state;
	line_difference(&line, 5, 5);
	assert_line("+0");
	line_difference(&line, 0, 256);
	assert_line("+256ns");
	line_difference(&line, 10000000, 0);
	assert_line("-10ms");
}

static void nothing_a_terminal_acts_on(void **state)
{
	static const char text[] = "a\"b\\c\n\r\t\x1b[31m\x07\x7f\xc3\xa4\xff\xe2\x80\xae";

	(void)state;
	line_escaped(&line, text, sizeof(text), true);
	assert_line("a\\\"b\\\\c\\n\\r\\t\\x1b[31m\\a\\x7f\xc3\xa4\\xff\\xe2\\x80\\xae\\x00");
	line_escaped(&line, text, sizeof(text), false);
	assert_line("a\\\"b\\\\c\\n\\r\\t\\x1b[31m\\a\\x7f\\xc3\\xa4\\xff\\xe2\\x80\\xae\\x00");
	/* A control character of two bytes, one that is cut off, and a surrogate. */
	line_escaped(&line, "\xc2\x9b\xe2\x82", 4, true);
	assert_line("\\xc2\\x9b\\xe2\\x82");
	line_escaped(&line, "\xed\xa0\x80", 3, true);
	assert_line("\\xed\\xa0\\x80");
}

/* Names lose what cannot be shown, and keep their length. */
static void names_are_printable(void **state)
{
	char name[] = "n\xc3\xa4\x1b[1m\xe2\x80\xaex\xc2\x9b\xff";

	(void)state;
	assert_string_equal(printable(name), "n\xc3\xa4?[1m???x???");
}

static void any_bytes_become_printable(void **state)
{
	struct sample_random random = { test_seed(3) };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char bytes[16];
		size_t size = sample_below(&random, sizeof(bytes));

		for (size_t j = 0; j < size; j++)
			bytes[j] = (char)sample_random(&random);
		line.size = 0;
		line_escaped(&line, bytes, size, false);
		for (size_t j = 0; j < line.size; j++)
			assert_true(line.text[j] >= ' ' && line.text[j] <= '~');
	}
	line.size = 0;
}

/* Whatever is taken as a string of JSON, another reader of JSON reads as it was. */
static void json_strings(void **state)
{
	struct sample_random random = { test_seed(5) };
	int taken = 0;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		char bytes[12];
		size_t size = sample_below(&random, sizeof(bytes));
		json_t *string, *same;
		bool is_text;

		for (size_t j = 0; j < size; j++)
			bytes[j] =
				(char)(sample_random(&random) >> sample_below(&random, 8) & 0xff);
		line.size = 0;
		is_text = line_add_json_string(&line, bytes, size);
		same = json_stringn(bytes, size);
		assert_int_equal(is_text, same != NULL);
		if (is_text) {
			string = json_loadb(line.text, line.size, JSON_DECODE_ANY | JSON_ALLOW_NUL,
					    NULL);
			assert_non_null(string);
			assert_true(json_equal(string, same));
			json_decref(string);
			json_decref(same);
			taken++;
		} else {
			assert_int_equal(line.size, 0);
		}
	}
	line.size = 0;
	assert_in_range(taken, 1000, 49000);
}

static void columns(void **state)
{
	(void)state;
	line_text(&line, "| ");
	line_number(&line, 42);
	line_align_right(&line, 2, 5);
	assert_line("|    42");
	line_text(&line, "n\xc3\xa4");
	assert_int_equal(line_columns(&line, 0), 2);
	line_align_left(&line, 0, 4);
	assert_line("n\xc3\xa4  ");
	line_text(&line, "wider");
	line_align_left(&line, 0, 4);
	line_align_right(&line, 0, 4);
	assert_line("wider");
}

static void grows(void **state)
{
	size_t size = 300000;
	auto_free char *long_text = malloc(size + 1);

	(void)state;
	memset(long_text, 'x', size);
	long_text[size] = '\0';
	line_text(&line, long_text);
	line_format(&line, " %d", 5);
	assert_int_equal(line.size, size + 2);
	assert_memory_equal(line.text + size - 1, "x 5", 3);
}

/* Nothing is something that is added and aligned, too. */
static void empty(void **state)
{
	struct line nothing = { 0 };

	(void)state;
	assert_int_equal(line_columns(&nothing, 0), 0);
	line_bytes(&nothing, "", 0);
	line_escaped(&nothing, NULL, 0, true);
	assert_non_null(line_grow(&nothing, 0));
	assert_int_equal(nothing.size, 0);
	line_align_right(&nothing, 0, 3);
	assert_memory_equal(nothing.text, "   ", 3);
	line_free(&nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(durations),
		cmocka_unit_test(durations_are_exact),
		cmocka_unit_test(counts_are_read),
		cmocka_unit_test(differences),
		cmocka_unit_test(nothing_a_terminal_acts_on),
		cmocka_unit_test(names_are_printable),
		cmocka_unit_test(any_bytes_become_printable),
		cmocka_unit_test(json_strings),
		cmocka_unit_test(columns),
		cmocka_unit_test(grows),
		cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests(tests, NULL, forget_line);
}
