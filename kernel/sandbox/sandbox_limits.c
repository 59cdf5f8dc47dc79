// SPDX-License-Identifier: BSD-3-Clause
/*
 * Resource limits of a sandbox that are set in advance. Any user may set them; control groups count
 * better, but not every user may create them (sandbox_group.c). What all processes use together is
 * monitored: sandbox_use.c.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/sandbox/host_checks.h"
#include "kernel/sandbox/sandbox_internal.h"

#define SANDBOX_FILES_MAX   8192
#define SANDBOX_DESCRIPTORS 1024
/*
 * The mmap layout of a process depends on its stack limit, which would be that of the caller's
 * shell.
 */
#define SANDBOX_STACK (8u << 20)

/*
 * A guest whose addresses are not fixed counts the gap between its data and its heap as memory, too
 * (arch/um/kernel/um_arch.c, "exec-shield gap"; arch/x86/kernel/process.c, arch_randomize_brk).
 */
#define SANDBOX_GAP (1ull << 30)

uint64_t sandbox_memory(const struct sandbox_plan *plan)
{
	return plan->options->limits.memory + (plan->parts & ISOLATION_ASLR ? 0 : SANDBOX_GAP);
}

void sandbox_root_options(const struct sandbox_plan *plan, char text[SANDBOX_ROOT_OPTIONS_TEXT])
{
	if (plan->options->limits.memory)
		snprintf(text, SANDBOX_ROOT_OPTIONS_TEXT, "mode=0755,size=%" PRIu64 ",nr_inodes=%d",
			 sandbox_memory(plan), SANDBOX_FILES_MAX);
	else
		snprintf(text, SANDBOX_ROOT_OPTIONS_TEXT, "mode=0755,size=100%%");
}

void sandbox_limit_supervisor(const struct sandbox_plan *plan)
{
	/* Refused if /proc is read-only; then this limit is missing. */
	if (plan->parts & ISOLATION_USER)
		host_write_setting(AT_FDCWD, "/proc/sys/user/max_user_namespaces", "0");
	host_write_setting(AT_FDCWD, "/proc/self/oom_score_adj", "1000");
}

static void set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return;
	limit.rlim_max = value < limit.rlim_max ? value : limit.rlim_max;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

static void set_stack(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit))
		return;
	limit.rlim_cur = SANDBOX_STACK;
	setrlimit(RLIMIT_STACK, &limit);
}

/*
 * Since Linux 5.14 processes are counted by user namespace (kernel/ucount.c), before that by user,
 * so the caller's other processes would count, too. Root's are never limited.
 */
static bool processes_count_alone(const struct sandbox_plan *plan)
{
	struct utsname host;

	return (plan->parts & ISOLATION_USER) && !uname(&host) &&
	       host_parse_version(host.release) >= HOST_LINUX(5, 14, 0);
}

void sandbox_limit_guest(const struct sandbox_plan *plan)
{
	const struct sandbox_limits *limits = &plan->options->limits;

	set_stack();
	set_limit(RLIMIT_CORE, 0); /* the kernel prints it at boot */
	set_limit(RLIMIT_NOFILE, SANDBOX_DESCRIPTORS);
	if (limits->memory) {
		set_limit(RLIMIT_FSIZE, sandbox_memory(plan));
		/* Bounds reservations: a kernel with KASAN does not start then. Better than
		 * nothing. */
		if (!plan->watched)
			set_limit(RLIMIT_DATA, sandbox_memory(plan));
	}
	/* A limit for each of its processes is better than none. */
	if (limits->cpu && !plan->watched)
		set_limit(RLIMIT_CPU, (limits->cpu + NS_PER_S - 1) / NS_PER_S);
	if (limits->processes && processes_count_alone(plan))
		set_limit(RLIMIT_NPROC, limits->processes);
}
