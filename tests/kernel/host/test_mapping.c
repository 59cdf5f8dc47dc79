// SPDX-License-Identifier: BSD-3-Clause
/* Lines of /proc/PID/maps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/host/mapping.h"

static void a_line(void **state)
{
	struct mapping mapping;

	(void)state;
	assert_int_equal(mapping_parse("7f1c2e000000-7f1c2e021000 rw-s 0001f000 fe:01 131 "
				       "    /tmp/a b\n",
				       &mapping),
			 0);
	assert_true(mapping.begin == 0x7f1c2e000000 && mapping.end == 0x7f1c2e021000);
	assert_string_equal(mapping.permissions, "rw-s");
	assert_int_equal(mapping.offset, 0x1f000);
	assert_int_equal(mapping.inode, 131);
}

static void no_line(void **state)
{
	static const char *const wrong[] = {
		"",
		"\n",
		"1000-2000 rw-s 0 fe:01 \n",
		"1000 rw-s 0 fe:01 1\n",
		"1000-2000 rw-sx 0 fe:01 1\n",
		"1000-2000 rw",
		"1000-2000 rw-s",
		"1000-10000000000000000 rw-s 0 fe:01 1\n",
		"the rest of a long line",
	};
	struct mapping mapping;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(mapping_parse(wrong[i], &mapping), -EBADMSG);
}

static void all_of_our_own(void **state)
{
	auto_file *maps = fopen("/proc/self/maps", "re");
	struct mapping mapping;
	bool seen = false;
	char line[512];

	(void)state;
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		assert_int_equal(mapping_parse(line, &mapping), 0);
		seen |= mapping.begin <= (uintptr_t)line && (uintptr_t)line < mapping.end;
	}
	assert_true(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line),
		cmocka_unit_test(no_line),
		cmocka_unit_test(all_of_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
