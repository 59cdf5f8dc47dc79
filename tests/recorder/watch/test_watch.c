// SPDX-License-Identifier: BSD-3-Clause
/* What is looked for on consoles, one and several of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "recorder/watch/watch.h"

static struct watch *watch_for(const char *const *expect, const char *const *fail_on,
			       size_t consoles)
{
	struct diagnosis why = { 0 };
	struct watch *watch = NULL;

	struct watch_options options = {
		.consoles = consoles, .expect = expect, .fail_on = fail_on, .defaults = true
	};

	assert_int_equal(watch_create(&options, &watch, &why), 0);
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
	assert_false(verdict.failure.count);
}

/* What could not be found out within the steps allowed fails, whatever was asked. */
static void test_a_pattern_that_takes_too_long_fails(void **state)
{
	static const char *const slow[] = { "^(a|a)+[bc]$", NULL };
	char line[202];
	struct watch_verdict verdict;
	struct watch *watch;

	(void)state;
	memset(line, 'a', sizeof(line) - 2);
	strcpy(line + sizeof(line) - 2, "\n");
	watch = watch_for(NULL, slow, 1);
	feed(watch, 0, line);
	assert_int_equal(judge(watch).failure.count, 1);
	watch = watch_for(slow, NULL, 1);
	feed(watch, 0, line);
	verdict = judge(watch);
	assert_string_equal(verdict.missing, slow[0]);
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
	assert_false(verdict.failure.count);
}

static void test_first_failure_is_the_one_that_is_said(void **state)
{
	struct watch *watch = watch_for(NULL, NULL, 2);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 1, "[    1.500000] BUG: first\r\n");
	watch_feed(watch, 0, 1, "Kernel panic - second\n", 22);
	verdict = judge(watch);
	assert_true(verdict.failure.count);
	assert_string_equal(verdict.failure.line, "BUG: first");
	assert_int_equal(verdict.failure.console, 1);
}

/* Guests run side by side: what is read first need not have been said first. */
static void test_earliest_failure_is_the_one_that_is_said(void **state)
{
	static const char text[] = "BUG: \nWARNING: \n";
	struct watch *watch = watch_for(NULL, NULL, 4);
	struct watch_verdict verdict;

	(void)state;
	watch_feed(watch, 3, 20, text, strlen(text));
	watch_feed(watch, 2, 10, text, strlen(text));
	watch_feed(watch, 1, 10, text, strlen(text));
	watch_feed(watch, 2, 30, text, strlen(text));
	assert_null(watch_failure(watch, 0));
	assert_int_equal(watch_failure(watch, 3)->now, 20);
	verdict = judge(watch);
	assert_int_equal(verdict.failure.count, 4);
	assert_int_equal(verdict.failure.console, 1);
	assert_int_equal(verdict.failure.now, 10);
	assert_int_equal(verdict.warning.count, 4);
	assert_int_equal(verdict.warning.console, 1);
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
	assert_true(verdict.failure.count);
	assert_int_equal(verdict.failure.console, 2);
}

enum judged { FINE, WARNS, FAILS };

/* Every line of the table in watch.c as it is printed, and what only looks like it. */
static void test_default_table(void **state)
{
	static const struct {
		const char *line;
		enum judged judged;
	} cases[] = {
		{ "<2>[    0.5] Kernel panic - not syncing", FAILS },
		{ "[    0.5]     not ok 3 some_test", FAILS },
		{ "not ok 1 - suite", FAILS },
		{ "not ok - /test: exit status 3", FAILS },
		{ "not ok", FAILS },
		{ "not ok 4 - later # TODO write it", FINE },
		{ "not ok 4 - elsewhere # SKIP no such device", FINE },
		{ "not ok then", FINE },
		{ "it is not ok 1", FINE },
		{ "[not a stamp] not ok 1", FINE },
		{ "ok 1 - suite", FINE },
		{ "Bail out! no memory", FAILS },
		{ "BUG: sleeping function called from invalid context", FAILS },
		{ "[ BUG: Invalid wait context ]", FAILS },
		{ "DEBUG: fine", FINE },
		{ "kernel BUG at mm/slub.c:448!", FAILS },
		{ "Oops: 0002 [#1] PREEMPT", FAILS },
		{ "Internal error: Oops - undefined instruction: 0 [#1]", FAILS },
		{ "Oops, I did it", FINE },
		{ "general protection fault, probably for non-canonical address", FAILS },
		{ "Unable to handle kernel NULL pointer dereference at 0", FAILS },
		{ "BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0x1/0x2", FAILS },
		{ "KASAN: null-ptr-deref in range [0x0-0x7]", FAILS },
		{ "BUG: KCSAN: data-race in one / other", FAILS },
		{ "UBSAN: array-index-out-of-bounds in lib/x.c:1:2", FAILS },
		{ "WARNING: possible circular locking dependency detected", FAILS },
		{ "WARNING: possible recursive locking detected", FAILS },
		{ "WARNING: possible irq lock inversion dependency detected", FAILS },
		{ "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", FAILS },
		{ "WARNING: inconsistent lock state", FAILS },
		{ "WARNING: bad unlock balance detected!", FAILS },
		{ "WARNING: held lock freed!", FAILS },
		{ "WARNING: sh/23 still has locks held!", FAILS },
		{ "WARNING: lock held when returning to user space!", FAILS },
		{ "WARNING: suspicious RCU usage", FAILS },
		{ "rcu: INFO: rcu_sched self-detected stall on CPU", FAILS },
		{ "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", FAILS },
		{ "INFO: task sh:12 blocked for more than 120 seconds.", FAILS },
		{ "race[21]: segfault at 1 ip 000000000040174d sp 0000007fbf error 6", FAILS },
		{ "Initramfs unpacking failed: write error", FAILS },
		{ "WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2", WARNS },
		{ "WARNING: kernel/x.c:1 at f+0x1/0x2, CPU#0: swapper/1", WARNS },
		{ "Out of memory: Killed process 23 (test)", WARNS },
		{ "Call Trace:", WARNS },
		{ "everything is well", FINE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct watch *watch = watch_for(NULL, NULL, 1);
		struct watch_verdict verdict;
		enum judged judged;

		feed(watch, 0, cases[i].line);
		feed(watch, 0, "\n");
		verdict = judge(watch);
		judged = verdict.failure.count ? FAILS : verdict.warning.count ? WARNS : FINE;
		if (judged != cases[i].judged)
			fail_msg("'%s' is judged %d", cases[i].line, judged);
	}
}

/* A report has a call trace; that counts by itself only where nothing was reported. */
static void test_call_trace_belongs_to_its_report(void **state)
{
	struct watch *watch = watch_for(NULL, NULL, 2);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 0, "WARNING: CPU: 0 PID: 1 at x\nCPU: 0\nCall Trace:\n");
	feed(watch, 1, "Call Trace:\n");
	for (unsigned int i = 0; i < 200; i++)
		feed(watch, 0, "well\n");
	feed(watch, 0, "Call Trace:\n");
	verdict = judge(watch);
	assert_false(verdict.failure.count);
	assert_int_equal(verdict.warning.count, 3);
	assert_string_equal(verdict.warning.line, "WARNING: CPU: 0 PID: 1 at x");
	assert_int_equal(verdict.warning.console, 0);
}

static void test_allowed_lines_are_not_judged(void **state)
{
	static const char *const allow[] = { "WARNING: .* at drivers/", "^not ok 2 ", NULL };
	static const char *const there[] = { "segfault", NULL };
	struct watch_options options = { .consoles = 2, .allow = allow, .defaults = true };
	struct diagnosis why = { 0 };
	struct watch_verdict verdict;
	struct watch *watch;

	(void)state;
	assert_int_equal(watch_create(&options, &watch, &why), 0);
	assert_int_equal(watch_allow(watch, 1, there, &why), 0);
	feed(watch, 0, "WARNING: CPU: 0 PID: 1 at drivers/x.c:1\nCall Trace:\nnot ok 2 known\n");
	feed(watch, 1, "a[2]: segfault at 0 ip 0\n");
	watch_judge(watch, &verdict);
	assert_false(verdict.failure.count);
	assert_false(verdict.warning.count);
	feed(watch, 0, "a[2]: segfault at 0 ip 0\n");
	verdict = judge(watch);
	assert_int_equal(verdict.failure.count, 1);
	assert_int_equal(verdict.failure.console, 0);
}

/* What is given takes the place of the table, which then warns; a word brings it back. */
static void test_table_is_replaced_or_completed(void **state)
{
	static const char *const own[] = { "^tick 2$", NULL };
	static const char *const both[] = { "WARNING:", "default", NULL };
	struct watch *watch = watch_for(NULL, own, 1);
	struct watch_verdict verdict;

	(void)state;
	feed(watch, 0, "not ok 1\n");
	verdict = judge(watch);
	assert_false(verdict.failure.count);
	assert_int_equal(verdict.warning.count, 1);
	watch = watch_for(NULL, both, 1);
	feed(watch, 0, "WARNING: CPU\nnot ok 1\ndefault\n");
	verdict = judge(watch);
	assert_int_equal(verdict.failure.count, 2);
	assert_string_equal(verdict.failure.line, "WARNING: CPU");
	assert_false(verdict.warning.count);
}

static struct program_end program_of(const char *text)
{
	struct watch_options options = { .consoles = 1, .defaults = true, .program = true };
	struct diagnosis why = { 0 };
	struct watch *watch;

	assert_int_equal(watch_create(&options, &watch, &why), 0);
	feed(watch, 0, text);
	return judge(watch).program;
}

static void test_end_of_the_program(void **state)
{
	static const struct {
		const char *text;
		struct program_end end;
	} cases[] = {
		{ "hello\n", { 0 } },
		{ "ok - /work/a: exit status 0\n", { .reported = true } },
		{ "no newline ok - /work/a: exit status 0\n", { .reported = true } },
		{ "\nnot ok - /work/a b: exit status 3\n", { .reported = true, .status = 3 } },
		{ "not ok - /a: killed by signal 11 (SIGSEGV)\n",
		  { .reported = true, .signal = 11 } },
		{ "not ok - /a: cannot be run: Exec format error\n",
		  { .reported = true, .trouble = "Exec format error" } },
		/* The last word is that of the init. */
		{ "ok - /work/a: exit status 0\nnot ok - /work/a: exit status 1\n",
		  { .reported = true, .status = 1 } },
		/* What makes no sense is no report. */
		{ "ok - /a: exit status 3\n", { 0 } },
		{ "not ok - /a: exit status 0\n", { 0 } },
		{ "ok - /a: exit status 0 or so\n", { 0 } },
		{ "not ok - /a: exit status 999\n", { 0 } },
		{ "not ok - /a: killed by signal 0\n", { 0 } },
		{ "ok - a: exit status 0\n", { 0 } },
		{ "ok - /a\n", { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct program_end end = program_of(cases[i].text);

		if (memcmp(&end, &cases[i].end, sizeof(end)))
			fail_msg("case %zu: reported %d, status %d, signal %d, '%s'", i,
				 end.reported, end.status, end.signal, end.trouble);
	}
}

static void test_end_of_the_program_in_words(void **state)
{
	static const struct {
		struct program_end end;
		const char *text;
	} cases[] = {
		{ { .reported = true, .status = 3 }, "./a ended with status 3" },
		{ { .reported = true, .signal = 11 }, "./a was killed by SIGSEGV" },
		{ { .reported = true, .signal = 40 }, "./a was killed by signal 40" },
		{ { .reported = true, .trouble = "No" }, "./a cannot be run: No" },
		{ { 0 }, "./a did not end: the guest went down first" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_false(program_end_passed(&cases[i].end));
		program_end_text(&cases[i].end, "./a", text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void test_no_failures_when_none_are_asked_for(void **state)
{
	static const char *const nothing[] = { NULL };
	struct watch *watch = watch_for(NULL, nothing, 1);

	(void)state;
	feed(watch, 0, "Kernel panic\n");
	assert_false(judge(watch).failure.count);
}

/* A kernel that restarts says so last of all; that a program says it counts for nothing. */
static void test_restart(void **state)
{
	struct watch *watch = watch_for(NULL, NULL, 3);
	uint64_t now;

	(void)state;
	feed(watch, 0, "reboot: Restarting system\n[    0.030000] reboot: Power down\n");
	watch_feed(watch, 1, 7, "[    0.030000] reboot: Restar", 29);
	watch_feed(watch, 1, 8, "ting system with command 'x'\n\n", 30);
	feed(watch, 2, "it said reboot: Restarting system\n");
	assert_false(watch_restarted(watch, 0, &now));
	assert_true(watch_restarted(watch, 1, &now));
	assert_int_equal(now, 8);
	assert_false(watch_restarted(watch, 2, &now));
	watch_destroy(watch);
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
	const struct watch_options expect = { .consoles = 1, .expect = bad };
	const struct watch_options fail_on = { .consoles = 1, .fail_on = bad };
	const struct watch_options allow = { .consoles = 1, .allow = bad };
	struct diagnosis why = { 0 };
	struct watch *watch = NULL;

	(void)state;
	assert_int_equal(watch_create(&expect, &watch, &why), -EINVAL);
	assert_non_null(strstr(why.what, "--expect '(bad'"));
	assert_int_equal(why.status, EXIT_USAGE);
	why = (struct diagnosis){ 0 };
	assert_int_equal(watch_create(&fail_on, &watch, &why), -EINVAL);
	assert_non_null(strstr(why.what, "--fail-on '(bad'"));
	why = (struct diagnosis){ 0 };
	assert_int_equal(watch_create(&allow, &watch, &why), -EINVAL);
	assert_non_null(strstr(why.what, "--allow-line '(bad'"));
	assert_null(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expected_line_on_any_console),
		cmocka_unit_test(test_a_pattern_that_takes_too_long_fails),
		cmocka_unit_test(test_first_missing_expectation_is_named),
		cmocka_unit_test(test_consoles_do_not_mix),
		cmocka_unit_test(test_first_failure_is_the_one_that_is_said),
		cmocka_unit_test(test_earliest_failure_is_the_one_that_is_said),
		cmocka_unit_test(test_unfinished_line_of_each_console_counts),
		cmocka_unit_test(test_unfinished_line_fails_by_its_console),
		cmocka_unit_test(test_default_table),
		cmocka_unit_test(test_call_trace_belongs_to_its_report),
		cmocka_unit_test(test_allowed_lines_are_not_judged),
		cmocka_unit_test(test_table_is_replaced_or_completed),
		cmocka_unit_test(test_end_of_the_program),
		cmocka_unit_test(test_end_of_the_program_in_words),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_no_failures_when_none_are_asked_for),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_bad_expressions_are_refused_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
