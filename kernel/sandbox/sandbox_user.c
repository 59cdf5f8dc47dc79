// SPDX-License-Identifier: BSD-3-Clause
/* Chooses and maps the user of a sandbox from outside. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/sandbox/host_checks.h"
#include "kernel/sandbox/sandbox_internal.h"

#define CAPABILITIES_TO_MAP (1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_DAC_OVERRIDE)
/* The owner of a user namespace has these capabilities over its processes without holding them. */
#define CAPABILITIES_TO_DROP (CAPABILITIES_TO_MAP | 1u << CAP_KILL | 1u << CAP_SYS_PTRACE)

/* Capabilities to start processes of other users, and to access these and their files. */
static bool has_capabilities(unsigned int needed)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &header, data) && (data[0].effective & needed) == needed;
}

/* "         0          0 4294967295": first user here, first one outside, how many. */
static bool maps_user(const char *line, uint64_t user)
{
	uint64_t number[3];

	for (size_t i = 0; i < ARRAY_SIZE(number); i++) {
		line += strspn(line, " ");
		if (number_take(&line, 10, UINT32_MAX, &number[i]))
			return false;
	}
	return number[0] <= user && user - number[0] < number[2];
}

/* Whether the caller's user namespace maps nobody. One with only root does not. */
static bool maps_nobody(const char *path)
{
	auto_file *map = fopen(path, "re");
	char line[64];

	while (map && fgets(line, sizeof(line), map))
		if (maps_user(line, SANDBOX_NOBODY))
			return true;
	return false;
}

void sandbox_choose_user(struct sandbox_plan *plan)
{
	bool root = !geteuid() && !plan->options->host_files;
	bool known = maps_nobody("/proc/self/uid_map") && maps_nobody("/proc/self/gid_map");

	plan->nobody = root && known && (plan->parts & ISOLATION_USER) &&
		       has_capabilities(CAPABILITIES_TO_MAP);
	/*
	 * Other namespaces without a user namespace require root, or they are not entered:
	 * ISOLATION_USER stands for that.
	 */
	plan->drop_root = root && !(plan->parts & ISOLATION_USER) &&
			  ((plan->parts & ISOLATION_PID) ||
			   (known && has_capabilities(CAPABILITIES_TO_DROP)));
}

static int write_map(pid_t supervisor, const char *name)
{
	char path[48], map[32];

	snprintf(path, sizeof(path), "/proc/%d/%s", supervisor, name);
	snprintf(map, sizeof(map), "%u %d 1\n", SANDBOX_USER, SANDBOX_NOBODY);
	return host_write_setting(AT_FDCWD, path, map);
}

int sandbox_map_nobody(pid_t supervisor, int report_fd)
{
	enum sandbox_mapping answer = SANDBOX_MAPPED;

	if (write_map(supervisor, "gid_map") || write_map(supervisor, "uid_map"))
		answer = SANDBOX_NOT_MAPPED;
	/* A process that has already exited has reported why; another one waits for the answer. */
	if (TEMP_FAILURE_RETRY(send(report_fd, &answer, sizeof(answer), MSG_NOSIGNAL)) < 0)
		return errno == EPIPE ? 0 : -errno;
	return 0;
}
