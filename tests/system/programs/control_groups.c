// SPDX-License-Identifier: BSD-3-Clause
/*
 * The control groups of sandboxes (kernel/sandbox_group.h) on a Linux that has them: run in a guest
 * of its own, as root, where there is nothing else. It makes a group that is delegated to it, as
 * systemd would, and a sandbox's below that, with processes that take too much.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/sandbox/sandbox.h"

#define MOUNT	  "/sys/fs/cgroup"
#define DELEGATED MOUNT "/delegated"
#define MIB	  (1ull << 20)

static int cases, failed;

static void proves(bool holds, const char *what)
{
	failed += !holds;
	printf("%sok %d - %s\n", holds ? "" : "not ", ++cases, what);
	fflush(stdout);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("# cannot write %s to %s: %s\n", text, path, strerror(errno));
	close(fd);
}

static bool own_group_is(const char *expected)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[256] = "";
	bool is = file && fgets(line, sizeof(line), file) && !strncmp(line, "0::", 3) &&
		  !strcmp(line + 3, expected);

	if (!is)
		printf("# in the group %s", line);
	if (file)
		fclose(file);
	return is;
}

static void delegate(void)
{
	char pid[16];

	mkdir("/sys", 0755);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mkdir(MOUNT, 0755);
	if (mount("cgroup2", MOUNT, "cgroup2", 0, NULL) && errno != EBUSY)
		printf("# cannot mount cgroup2: %s\n", strerror(errno));
	write_text(MOUNT "/cgroup.subtree_control", "+memory +pids");
	mkdir(DELEGATED, 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	write_text(DELEGATED "/cgroup.procs", pid);
}

static void take_memory(void)
{
	char *taken =
		mmap(NULL, 160 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; taken != MAP_FAILED && i < 160 * MIB; i += 4096)
		taken[i] = 1;
	_exit(0);
}

/* Exit status 0: it was refused before there were 100. */
static void take_processes(void)
{
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid)
			for (;;)
				pause();
		if (pid < 0)
			_exit(errno == EAGAIN ? 0 : 2);
	}
	_exit(1);
}

/* Its wait status; all that it has started is ended by the removal of the group. */
static int run_in(const struct sandbox_group *group, void (*body)(void))
{
	struct clone_args arguments = { .flags = CLONE_INTO_CGROUP,
					.exit_signal = SIGCHLD,
					.cgroup = (uint64_t)group->fd };
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	int status = -1;

	if (!pid)
		body();
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		printf("# clone3: %s\n", strerror(errno));
	return status;
}

static bool is_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DELEGATED "/%s", name);
	return !access(path, F_OK);
}

int main(void)
{
	const struct sandbox_limits limits = { .memory = 8 * MIB, .processes = 10 };
	struct sandbox_group group, other;
	struct sandbox_groups groups;
	char own[64], name[32];
	int status;

	delegate();
	sandbox_groups_open(NULL, &groups);
	proves(groups.fd >= 0, "a group that is delegated is found");
	if (groups.fd < 0)
		printf("# %s\n", groups.reason);
	snprintf(own, sizeof(own), "/delegated/ttrec-%d\n", getpid());
	proves(own_group_is(own), "the command is in one of its own");
	sandbox_group_create(&groups, &limits, limits.memory, &group);
	proves(group.fd >= 0, "a sandbox gets a group");
	status = run_in(&group, take_memory);
	proves(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && sandbox_group_exceeded(&group),
	       "a process that takes too much memory is killed, and it is known why");
	sandbox_group_create(&groups, &limits, limits.memory, &other);
	status = run_in(&other, take_processes);
	proves(WIFEXITED(status) && !WEXITSTATUS(status),
	       "there are no more processes than allowed");
	proves(!sandbox_group_exceeded(&other), "which is not a shortage of memory");
	proves(sandbox_group_cpu(group.cpu_fd) > 0, "CPU time of ended processes is known");
	snprintf(name, sizeof(name), "%s", other.name);
	sandbox_group_remove(&group);
	sandbox_group_remove(&other);
	proves(!is_there(name), "with a group its processes end");
	sandbox_group_create(&groups, &limits, limits.memory, &group);
	snprintf(name, sizeof(name), "%s", group.name);
	sandbox_groups_close(&groups);
	proves(!is_there(name), "what was left behind is removed");
	proves(own_group_is("/delegated\n") && !is_there(groups.own), "all is as it was before");
	printf("1..%d\n", cases);
	return failed > 0;
}
