// SPDX-License-Identifier: BSD-3-Clause
/* What is made of the last words of kernels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/watch/last_words.h"

static struct last_words hear(const char *text)
{
	struct last_words words = { 0 };

	last_words_feed(&words, text, strlen(text));
	return words;
}

static void test_a_guest_that_says_nothing_of_it(void **state)
{
	(void)state;
	assert_null(hear("hello\nnot ok 1 - mine\nKernel panic - not syncing: mine\n").hint);
}

/* Whatever comes first: the ext2 driver's refusal says more than the panic that follows. */
static void test_the_cause_counts_not_its_consequences(void **state)
{
	struct last_words words = hear(
		"[    0.01] EXT2-fs (vda): error: couldn't mount because of unsupported optional "
		"features (2c0)\n"
		"[    0.01] No filesystem could mount root, tried: \r\n"
		"[    0.01]  ext2\n"
		"[    0.01] Kernel panic - not syncing: VFS: Unable to mount root fs on "
		"\"/dev/vda\"\n");

	(void)state;
	assert_non_null(strstr(words.hint, "CONFIG_EXT4_FS"));
	words = hear("Initramfs unpacking failed: write error\nNo working init found.\n");
	assert_non_null(strstr(words.hint, "mem="));
	words = hear("No working init found.\nInitramfs unpacking failed: write error\n");
	assert_non_null(strstr(words.hint, "mem="));
}

static void assert_last(const char *text, const char *expected)
{
	struct last_words words = hear(text);

	assert_string_equal(last_words_line(&words), expected);
}

static void test_the_last_line_that_says_more_than_the_end(void **state)
{
	struct last_words words = hear("Checking PROT_EXEC mmap...OK\n");

	(void)state;
	assert_last("", "");
	assert_last("one\ntwo\r\n\n  \n", "two");
	assert_last("one\nno end", "no end");
	assert_last("\033[31mred\033[0m\x9b\n[    0.01] Run /init as init process\n", "red?");
	assert_last("cannot open it\n\nnot ok - /work/x: exit status 3\n"
		    "[    0.02] reboot: Power down\n",
		    "cannot open it");
	assert_last("not ok 1 - it\n", "not ok 1 - it");
	last_words_forget(&words);
	assert_string_equal(last_words_line(&words), "");
}

static void test_a_line_comes_in_pieces(void **state)
{
	static const char text[] =
		"Run /init as init process\nFailed to execute /init (error -2)\n";
	struct last_words words = { 0 };

	(void)state;
	for (const char *at = text; *at; at++)
		last_words_feed(&words, at, 1);
	assert_non_null(strstr(words.hint, "dynamic loader"));
}

static void test_a_line_without_end_does_no_harm(void **state)
{
	struct last_words words = { 0 };
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	last_words_feed(&words, text, sizeof(text));
	assert_null(words.hint);
	last_words_feed(&words, "\nNo working init found\n", 23);
	assert_non_null(words.hint);
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
