// SPDX-License-Identifier: BSD-3-Clause
/* Numbers are read strictly: what is no number, or too large a one, is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

static void numbers_are_taken(void **state)
{
	const char *text = "18446744073709551615 Ff:0";
	uint64_t number;

	(void)state;
	assert_int_equal(number_take(&text, 10, UINT64_MAX, &number), 0);
	assert_true(number == UINT64_MAX);
	assert_string_equal(text, " Ff:0");
	assert_int_equal(number_take(&text, 10, UINT64_MAX, &number), -EINVAL);
	assert_string_equal(text++, " Ff:0");
	assert_int_equal(number_take(&text, 10, UINT64_MAX, &number), -EINVAL);
	assert_int_equal(number_take(&text, 16, 254, &number), -ERANGE);
	assert_string_equal(text, "Ff:0");
	assert_int_equal(number_take(&text, 16, 255, &number), 0);
	assert_int_equal(number, 255);
	assert_string_equal(text, ":0");
}

static void nothing_else_is_a_number(void **state)
{
	static const char *const wrong[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.", "a", "\xb2" };
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(number_parse(wrong[i], 10, UINT64_MAX, &number), -EINVAL);
	assert_int_equal(number_parse("18446744073709551616", 10, UINT64_MAX, &number), -ERANGE);
	assert_int_equal(number_parse("99999999999999999999", 10, UINT64_MAX, &number), -ERANGE);
	assert_int_equal(number_parse("256", 10, 255, &number), -ERANGE);
	assert_int_equal(number, 7);
	assert_int_equal(number_parse("0000000000000000000000255", 10, 255, &number), 0);
	assert_int_equal(number, 255);
	assert_int_equal(number_parse("8", 8, 255, &number), -EINVAL);
}

static void sizes(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(size_parse("17", &size), 0);
	assert_int_equal(size, 17);
	assert_int_equal(size_parse("16777215T", &size), 0);
	assert_true(size == 16777215ull << 40);
	assert_int_equal(size_parse("16777216T", &size), -ERANGE);
	assert_int_equal(size_parse("1MB", &size), -EINVAL);
	assert_int_equal(size_parse("M", &size), -EINVAL);
}

static void bytes(void **state)
{
	static const uint8_t expected[] = { 0x00, 0x9a, 0xFf };
	uint8_t data[3];

	(void)state;
	assert_int_equal(hex_parse("009aFf", data, 3), 0);
	assert_memory_equal(data, expected, 3);
	assert_int_equal(hex_parse("009aFf0", data, 3), -EINVAL);
	assert_int_equal(hex_parse("009aF", data, 3), -EINVAL);
	assert_int_equal(hex_parse("", data, 3), -EINVAL);
	assert_int_equal(hex_parse("00 9aF", data, 3), -EINVAL);
}

static void addresses_of_cards(void **state)
{
	static const char *const wrong[] = { "",
					     "02:00:00:00:00",
					     "02:00:00:00:00:0",
					     "02:00:00:00:00:01 ",
					     "02-00-00-00-00-01",
					     "02:00:00:00:00:0g",
					     "2:00:00:00:00:01:0",
					     "02:00:00:00:00:01:" };
	uint8_t mac[6];

	(void)state;
	assert_int_equal(mac_parse("02:01:7d:56:AE:80", mac), 0);
	assert_memory_equal(mac, "\x02\x01\x7d\x56\xae\x80", 6);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(mac_parse(wrong[i], mac), -EINVAL);
	assert_memory_equal(mac, "\x02\x01\x7d\x56\xae\x80", 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_taken),
		cmocka_unit_test(nothing_else_is_a_number),
		cmocka_unit_test(sizes),
		cmocka_unit_test(bytes),
		cmocka_unit_test(addresses_of_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
