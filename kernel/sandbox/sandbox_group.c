// SPDX-License-Identifier: BSD-3-Clause
/* Control groups of sandboxes, see Documentation/admin-guide/cgroup-v2.rst of Linux. */
#include "kernel/sandbox/sandbox_group.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox.h"

/* Additional memory of the host's kernel for a sandbox, bytes, and threads of its processes. */
#define SPARE_MEMORY (64ull << 20)
#define SPARE_TASKS  64

#define REMOVE_TRIES	100
#define REMOVE_PAUSE_NS 10000000

#define GROUP_PREFIX "ttrec-"

#define CONTROLLERS "+memory +pids"

static int write_number(int directory, const char *name, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return host_write_setting(directory, name, text);
}

/* Whether @word is in @list, which is separated by spaces or newlines. */
static bool has_word(const char *list, const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ' ') && strchr(" \n", at[length]))
			return true;
	return false;
}

/* Its processes leave it a little after they were killed. That of this process stays. */
static void remove_group(int parent, const char *name)
{
	const struct timespec pause = { .tv_nsec = REMOVE_PAUSE_NS };
	auto_fd fd = openat(parent, name, O_DIRECTORY | O_CLOEXEC);
	char own[32];

	snprintf(own, sizeof(own), GROUP_PREFIX "%d", getpid());
	if (!strcmp(name, own))
		return;
	host_write_setting(fd, "cgroup.kill", "1");
	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (!unlinkat(parent, name, AT_REMOVEDIR) || errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
}

/* ---- Location ------------------------------------------------------------------------------ */

static bool is_control_group(const char *path)
{
	struct statfs status;

	return !statfs(path, &status) && status.f_type == CGROUP2_SUPER_MAGIC;
}

/* Where this process is: "0::/user.slice/..." below the mount. */
static bool find_own(char path[PATH_MAX])
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	auto_file *groups = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX / 2];

	while (groups && fgets(line, sizeof(line), groups)) {
		if (strncmp(line, "0::/", strlen("0::/")))
			continue;
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
			if (!is_control_group(mounts[i]))
				continue;
			snprintf(path, PATH_MAX, "%s%s", mounts[i], line + strlen("0::"));
			return true;
		}
	}
	return false;
}

/* Never the root group of the machine, even if it is writable. */
static bool is_root_group(int fd)
{
	return faccessat(fd, "cgroup.type", F_OK, 0);
}

static void refuse(struct sandbox_groups *groups, const char *reason, int error)
{
	close_fd(&groups->fd);
	snprintf(groups->reason, sizeof(groups->reason), "%s%s%s", reason, error ? ": " : "",
		 error ? strerror(-error) : "");
}

static bool has_controllers(int fd)
{
	char text[256];

	host_read_setting(fd, "cgroup.controllers", text, sizeof(text));
	return has_word(text, "memory") && has_word(text, "pids");
}

/* A number that no other process has while this one exists. */
static int enter_own(struct sandbox_groups *groups)
{
	auto_fd fd = -1;

	snprintf(groups->own, sizeof(groups->own), GROUP_PREFIX "%d", getpid());
	if (mkdirat(groups->fd, groups->own, 0755) && errno != EEXIST)
		return -errno;
	fd = openat(groups->fd, groups->own, O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : write_number(fd, "cgroup.procs", (uint64_t)getpid());
}

static void leave_own(struct sandbox_groups *groups)
{
	write_number(groups->fd, "cgroup.procs", (uint64_t)getpid());
	unlinkat(groups->fd, groups->own, AT_REMOVEDIR);
}

void sandbox_groups_open(const char *directory, struct sandbox_groups *groups)
{
	char path[PATH_MAX];
	int err;

	*groups = SANDBOX_GROUPS_NONE;
	if (!directory && !find_own(path)) {
		refuse(groups, "cgroup v2 is not mounted", 0);
		return;
	}
	groups->fd = open(directory ? directory : path, O_DIRECTORY | O_CLOEXEC);
	if (groups->fd < 0 || is_root_group(groups->fd)) {
		refuse(groups, "this process has no control group of its own", 0);
		return;
	}
	if (!has_controllers(groups->fd)) {
		refuse(groups, "its control group lacks the controllers memory and pids", 0);
		return;
	}
	err = enter_own(groups);
	if (err) {
		unlinkat(groups->fd, groups->own, AT_REMOVEDIR);
		refuse(groups, "its control group is not writable", err);
		return;
	}
	err = host_write_setting(groups->fd, "cgroup.subtree_control", CONTROLLERS);
	if (!err)
		return;
	leave_own(groups);
	refuse(groups,
	       err == -EBUSY ? "its control group contains other processes"
			     : "its control group cannot delegate its controllers",
	       err == -EBUSY ? 0 : err);
}

/* A process of this sandbox was killed: the group has no others. */
static void remove_left(int parent)
{
	int copy = openat(parent, ".", O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (!strncmp(entry->d_name, GROUP_PREFIX, strlen(GROUP_PREFIX)))
			remove_group(parent, entry->d_name);
	if (directory)
		closedir(directory);
	else
		close_fd(&copy);
}

void sandbox_groups_close(struct sandbox_groups *groups)
{
	if (groups->fd < 0)
		return;
	remove_left(groups->fd);
	host_write_setting(groups->fd, "cgroup.subtree_control", "-memory -pids");
	leave_own(groups);
	close_fd(&groups->fd);
}

/* ---- One of a sandbox ---------------------------------------------------------------------- */

/* The supervisor should act first, because it can name the exceeded limit. */
static int limit_group(const struct sandbox_limits *limits, uint64_t memory, int fd)
{
	int err = 0;

	if (limits->memory) {
		err = write_number(fd, "memory.max", 2 * memory + SPARE_MEMORY);
		/* Not there without swap. */
		host_write_setting(fd, "memory.swap.max", "0");
		host_write_setting(fd, "memory.oom.group", "1");
	}
	if (!err && limits->processes)
		err = write_number(fd, "pids.max", limits->processes + SPARE_TASKS);
	return err;
}

void sandbox_group_create(struct sandbox_groups *groups, const struct sandbox_limits *limits,
			  uint64_t memory, struct sandbox_group *group)
{
	*group = (struct sandbox_group)SANDBOX_GROUP_NONE;
	if (!groups || groups->fd < 0)
		return;
	snprintf(group->name, sizeof(group->name), GROUP_PREFIX "%d-%u", getpid(), groups->made++);
	if (mkdirat(groups->fd, group->name, 0755))
		return;
	group->parent_fd = groups->fd;
	group->fd = openat(groups->fd, group->name, O_DIRECTORY | O_CLOEXEC);
	group->cpu_fd = openat(group->fd, "cpu.stat", O_RDONLY | O_CLOEXEC);
	if (group->fd < 0 || limit_group(limits, memory, group->fd))
		sandbox_group_remove(group);
}

uint64_t sandbox_group_cpu(int cpu_fd)
{
	char text[512];
	ssize_t length = pread(cpu_fd, text, sizeof(text) - 1, 0);
	const char *line;

	text[length < 0 ? 0 : length] = '\0';
	line = strstr(text, "usage_usec ");
	return line ? strtoull(line + strlen("usage_usec "), NULL, 10) * 1000 : 0;
}

bool sandbox_group_exceeded(const struct sandbox_group *group)
{
	char text[512];
	const char *line;

	if (group->fd < 0)
		return false;
	host_read_setting(group->fd, "memory.events", text, sizeof(text));
	line = strstr(text, "oom_kill ");
	return line && strtoull(line + strlen("oom_kill "), NULL, 10);
}

void sandbox_group_remove(struct sandbox_group *group)
{
	if (group->parent_fd < 0)
		return;
	remove_group(group->parent_fd, group->name);
	close_fd(&group->fd);
	close_fd(&group->cpu_fd);
	group->parent_fd = -1;
}
