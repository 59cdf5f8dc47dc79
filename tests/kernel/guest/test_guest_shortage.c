// SPDX-License-Identifier: BSD-3-Clause
/* The lines in which kernels report that the host refused them something, and others like them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/guest/guest_shortage.h"

static int find(const char *text, size_t *at)
{
	return guest_shortage_find(text, strlen(text), at);
}

static void test_reports_of_kernels(void **state)
{
	static const struct {
		const char *line;
		int error;
	} reports[] = {
		{ "[    0.010000] start_userspace : clone failed, errno = 11", -EAGAIN },
		{ "start_userspace : clone failed, errno = 12", -ENOMEM },
		{ "<3>[    1.2] copy_context_skas0 - stub-parent reports error 11", -EAGAIN },
		{ "[    1.2] start_io_thread - clone failed : errno = 11", -EAGAIN },
		{ "Checking that ptrace can change system call numbers...start_ptraced_child : "
		  "fork failed: Resource temporarily unavailable",
		  -EAGAIN },
		{ "check_seccomp : clone failed: Cannot allocate memory", -ENOMEM },
		{ "[    1.1] userspace - ptrace set regs failed, errno = 3", -ESRCH },
		{ "userspace - ptrace continue failed, op = 24, errno = 3", -ESRCH },
		{ "wait_stub_done : failed to wait for SIGTRAP, pid = 31, n = 31, errno = 0, "
		  "status = 0x9",
		  -ESRCH },
		{ "Kernel panic - not syncing: Failed to continue stub, pid = 7, errno = 3",
		  -ESRCH },
		{ "start_userspace : expected SIGSTOP, got status = 9", -ESRCH },
		{ "Checking that ptrace can change system call numbers...check_ptrace : expected "
		  "SIGSTOP, got status = 9",
		  -ESRCH },
		{ "check_ptrace : ptrace failed: No such process", -ESRCH },
	};
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++)
		assert_int_equal(find(reports[i].line, &at), reports[i].error);
}

static void test_other_lines(void **state)
{
	static const char *const others[] = {
		"",
		"\n\n",
		"sh: fork: Resource temporarily unavailable",
		"test: userspace - ended with status = 9",
		"echo start_userspace : clone failed, errno = 11",
		"start_userspace : clone failed, errno = ",
		"start_userspace : clone failed, errno = 22",
		"start_userspace : clone failed, errno = 110",
		"userspace - ptrace set regs failed, errno = 5",
		"wait_stub_done : failed to wait for SIGTRAP, n = 31, errno = 0, status = 0x9f",
		"start_ptraced_child : fork failed: Operation not permitted",
	};
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(find(others[i], &at), 0);
}

static void test_place_of_line(void **state)
{
	static const char text[] = "one\ntwo\r\nrun_helper : clone failed, errno = 11\r\nthree\n";
	char long_line[4096];
	size_t at;

	(void)state;
	assert_int_equal(find(text, &at), -EAGAIN);
	assert_int_equal(at, strlen("one\ntwo\r\n"));
	memset(long_line, 'x', sizeof(long_line));
	assert_int_equal(guest_shortage_find(long_line, sizeof(long_line), &at), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports_of_kernels),
		cmocka_unit_test(test_other_lines),
		cmocka_unit_test(test_place_of_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
