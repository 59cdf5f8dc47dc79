// SPDX-License-Identifier: BSD-3-Clause
/* A host that does not take the probe is told apart from one that would, in words. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "format/base/cleanup.h"
#include "kernel/probe/probe.h"

/* What is done to a process before it tries to open the probe. */
struct host {
	int bpf_error;	       /* of every bpf(2); 0: the host's own */
	uint64_t capabilities; /* all it has */
	bool old;	       /* uname(2) says 2.6 */
};

#define CAPABILITY(number) (1ull << (number))

static void restrict_capabilities(uint64_t capabilities)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ (uint32_t)capabilities, (uint32_t)capabilities, 0 },
		{ (uint32_t)(capabilities >> 32), (uint32_t)(capabilities >> 32), 0 },
	};

	if (syscall(SYS_capset, &header, data))
		_exit(3);
}

static void filter_bpf(int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), SCMP_SYS(bpf), 0) ||
	    seccomp_load(filter))
		_exit(3);
	seccomp_release(filter);
}

/* 0: refused with @error and the @words; 1: not; 2: not refused; 3: the host could not be made. */
static int open_there(const struct host *host, int error, const char *words)
{
	struct diagnosis why = { 0 };
	struct probe *probe;
	int err;

	if (host->old && personality(UNAME26) < 0)
		return 3;
	if (host->bpf_error)
		filter_bpf(host->bpf_error);
	restrict_capabilities(host->capabilities);
	err = probe_open(&probe, &why);
	if (!err) {
		probe_close(probe);
		return 2;
	}
	if (err == error && !probe && strstr(why.what, words) && why.status == EXIT_CANNOT)
		return 0;
	fprintf(stderr, "%d: %s\n", err, why.what);
	return 1;
}

static void assert_refused(const struct host *host, int error, const char *words)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		_exit(open_there(host, error, words));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_without_capabilities(void **state)
{
	(void)state;
	assert_refused(&(struct host){ 0 }, -EPERM, "this process has neither");
}

static void test_with_one_of_two(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_refused(&(struct host){ .capabilities = CAPABILITY(CAP_BPF) }, -EPERM,
		       "this process has no CAP_PERFMON");
	assert_refused(&(struct host){ .capabilities = CAPABILITY(CAP_PERFMON) }, -EPERM,
		       "this process has no CAP_BPF");
}

static void test_filtered(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_refused(
		&(struct host){ .bpf_error = EPERM,
				.capabilities = CAPABILITY(CAP_BPF) | CAPABILITY(CAP_PERFMON) },
		-EPERM, "despite sufficient capabilities");
}

static void test_kernel_without_bpf(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_refused(&(struct host){ .bpf_error = ENOSYS }, -ENOSYS, "built without BPF");
}

static void test_old_kernel(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_refused(&(struct host){ .bpf_error = EINVAL, .old = true }, -ENOTSUP,
		       "needs Linux 6.0, this is 2.6");
	assert_refused(&(struct host){ .bpf_error = EINVAL }, -EINVAL, "Invalid argument");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_capabilities),
		cmocka_unit_test(test_with_one_of_two),
		cmocka_unit_test(test_filtered),
		cmocka_unit_test(test_kernel_without_bpf),
		cmocka_unit_test(test_old_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
