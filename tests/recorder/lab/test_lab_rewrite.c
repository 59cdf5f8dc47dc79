// SPDX-License-Identifier: BSD-3-Clause
/* A lab file that is put elsewhere describes the same lab. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/lab/lab.h"

static struct lab *parse(const char *path, const char *text)
{
	struct diagnosis why = { 0 };
	struct lab *lab = NULL;

	if (lab_parse(path, text, strlen(text), &lab, &why))
		fail_msg("%s (%s)", why.what, why.advice);
	return lab;
}

static struct lab *rewrite(const char *text, uint64_t seed)
{
	struct lab *lab = parse("/absent/there/lab.yaml", text), *again;
	char *rewritten;

	assert_int_equal(lab_rewrite(lab, seed, &rewritten), 0);
	again = parse("elsewhere.yaml", rewritten);
	free(rewritten);
	lab_destroy(lab);
	return again;
}

static void test_paths_and_seed(void **state)
{
	struct lab *lab =
		rewrite("# a comment\n"
			"x-base: &base {kernel: ./linux, memory: 64M}\n"
			"networks: [{name: lan, delay: 100us, loss: 10%}]\n"
			"guests:\n"
			"  - {<<: *base, name: n1, initrd: /boot/initrd.gz, append: 'a=1 b'}\n"
			"  - <<: *base\n"
			"    name: n2\n"
			"    devices: [{disk: disk.img}, {net: lan},\n"
			"              {disk: null, size: 1M}]\n",
			7);

	(void)state;
	assert_int_equal(lab->seed, 7);
	assert_int_equal(lab->guest_count, 2);
	assert_string_equal(lab->guest[0].kernel, "/absent/there/./linux");
	assert_string_equal(lab->guest[1].kernel, "/absent/there/./linux");
	assert_string_equal(lab->guest[0].initrd, "/boot/initrd.gz");
	assert_string_equal(lab->guest[0].arguments[1], "a=1");
	assert_string_equal(lab->guest[1].device[0].disk.image, "/absent/there/disk.img");
	assert_null(lab->guest[1].device[2].disk.image);
	assert_int_equal(lab->network_count, 1);
	lab_destroy(lab);
}

static void test_another_seed(void **state)
{
	struct lab *lab =
		rewrite("seed: 3\nguests: [{name: n1, kernel: linux, seed: 5}]\n", 1234567);

	(void)state;
	assert_int_equal(lab->seed, 1234567);
	assert_int_equal(lab->guest[0].seed, 5);
	lab_destroy(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_and_seed),
		cmocka_unit_test(test_another_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
