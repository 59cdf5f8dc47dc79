// SPDX-License-Identifier: BSD-3-Clause
/* What is made of the last output of kernels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/watch/final_output.h"

static struct final_output feed(const char *text)
{
	struct final_output output = { 0 };

	final_output_feed(&output, text, strlen(text));
	return output;
}

static void test_a_guest_that_says_nothing_of_it(void **state)
{
	(void)state;
	assert_null(feed("hello\nnot ok 1 - mine\nKernel panic - not syncing: mine\n").hint);
}

/* Whatever comes first: the ext2 driver's refusal says more than the panic that follows. */
static void test_the_cause_counts_not_its_consequences(void **state)
{
	struct final_output output = feed(
		"[    0.01] EXT2-fs (vda): error: couldn't mount because of unsupported optional "
		"features (2c0)\n"
		"[    0.01] No filesystem could mount root, tried: \r\n"
		"[    0.01]  ext2\n"
		"[    0.01] Kernel panic - not syncing: VFS: Unable to mount root fs on "
		"\"/dev/vda\"\n");

	(void)state;
	assert_non_null(strstr(output.hint, "CONFIG_EXT4_FS"));
	output = feed("Initramfs unpacking failed: write error\nNo working init found.\n");
	assert_non_null(strstr(output.hint, "mem="));
	output = feed("No working init found.\nInitramfs unpacking failed: write error\n");
	assert_non_null(strstr(output.hint, "mem="));
}

static void assert_last(const char *text, const char *expected)
{
	struct final_output output = feed(text);

	assert_string_equal(final_output_line(&output), expected);
}

static void test_the_last_line_that_says_more_than_the_end(void **state)
{
	struct final_output output = feed("Checking PROT_EXEC mmap...OK\n");

	(void)state;
	assert_last("", "");
	assert_last("one\ntwo\r\n\n  \n", "two");
	assert_last("one\nno end", "no end");
	assert_last("\033[31mred\033[0m\x9b\n[    0.01] Run /init as init process\n", "red?");
	assert_last("cannot open it\n\nnot ok - /work/x: exit status 3\n"
		    "[    0.02] reboot: Power down\n",
		    "cannot open it");
	assert_last("not ok 1 - it\n", "not ok 1 - it");
	final_output_forget(&output);
	assert_string_equal(final_output_line(&output), "");
}

static void test_a_line_comes_in_pieces(void **state)
{
	static const char text[] =
		"Run /init as init process\nFailed to execute /init (error -2)\n";
	struct final_output output = { 0 };

	(void)state;
	for (const char *at = text; *at; at++)
		final_output_feed(&output, at, 1);
	assert_non_null(strstr(output.hint, "dynamic loader"));
}

static void test_a_line_without_end_does_no_harm(void **state)
{
	struct final_output output = { 0 };
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	final_output_feed(&output, text, sizeof(text));
	assert_null(output.hint);
	final_output_feed(&output, "\nNo working init found\n", 23);
	assert_non_null(output.hint);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_guest_that_says_nothing_of_it),
		cmocka_unit_test(test_the_cause_counts_not_its_consequences),
		cmocka_unit_test(test_the_last_line_that_says_more_than_the_end),
		cmocka_unit_test(test_a_line_comes_in_pieces),
		cmocka_unit_test(test_a_line_without_end_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
