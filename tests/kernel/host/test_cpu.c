// SPDX-License-Identifier: BSD-3-Clause
/* CPUID that faults in a thread is answered with the real one; other faults still end it. */
#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/host/cpu.h"

static void identify(struct cpu_identity *identity)
{
	*identity = (struct cpu_identity){ 0 };
	assert_int_equal(cpu_pin(cpu_here(), identity), 0);
}

/* Runs @act in a process of its own; the status it ended with. */
static int in_child(void (*act)(void))
{
	const struct rlimit no_core = { 0, 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		setrlimit(RLIMIT_CORE, &no_core);
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void compare_answers(void)
{
	struct cpu_identity before, after;

	identify(&before);
	cpu_fault_on_cpuid();
	cpu_fault_on_cpuid();
	identify(&after);
	_exit(before.cpuid == after.cpuid && before.state == after.state &&
			      !strcmp(before.model, after.model)
		      ? 0
		      : 1);
}

static void test_answers_are_the_same(void **state)
{
	int status = in_child(compare_answers);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void touch_nothing(void)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cpu_fault_on_cpuid();
	*(volatile char *)page = 1;
}

/* A general protection fault, too, has no address. */
static void touch_no_address(void)
{
	uintptr_t address = UINT64_C(1) << 63;

	cpu_fault_on_cpuid();
	__asm__ volatile("movb $1, (%0)" : : "r"(address) : "memory");
}

static void test_other_faults_end_the_process(void **state)
{
	void (*const acts[])(void) = { touch_nothing, touch_no_address };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int status = in_child(acts[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSEGV);
	}
}

/* Asking must not leave it switched on. */
static void test_asking_changes_nothing(void **state)
{
	struct cpu_identity before, after;

	(void)state;
	identify(&before);
	cpu_can_be_virtual();
	identify(&after);
	assert_true(before.cpuid == after.cpuid);
	assert_false(after.is_virtual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_the_same),
		cmocka_unit_test(test_other_faults_end_the_process),
		cmocka_unit_test(test_asking_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
