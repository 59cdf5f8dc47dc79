/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control groups of sandboxes, where they are delegated to this process (cgroup v2).
 *
 * No process escapes a group's counts: memory of the host's kernel for a sandbox's sockets and
 * pipes, and processes too short-lived to be seen. They are optional: without them only the
 * supervisor counts (sandbox_use.c).
 *
 * A group that has controllers for those below it has no processes of its own. So the command moves
 * itself into one below it (sandbox_groups_open()), and back at its end (sandbox_groups_close()).
 * Call both when the process has no children.
 */
#ifndef TTREC_SANDBOX_GROUP_H
#define TTREC_SANDBOX_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sandbox_limits;

#define SANDBOX_GROUPS_TEXT 160

/* Where groups can be made. */
struct sandbox_groups {
	int fd;				  /* of the delegated group; -1: none */
	char reason[SANDBOX_GROUPS_TEXT]; /* why not; empty */
	char own[32];			  /* name of that which this process went into */
	unsigned int made;		  /* below it */
};

#define SANDBOX_GROUPS_NONE ((struct sandbox_groups){ .fd = -1 })

/* The group of one sandbox. */
struct sandbox_group {
	int fd; /* -1: none */
	int parent_fd;
	int cpu_fd; /* for sandbox_group_cpu() */
	char name[32];
};

#define SANDBOX_GROUP_NONE { .fd = -1, .parent_fd = -1, .cpu_fd = -1 }

/*
 * Look for a group that is delegated to this process, and prepare it for groups below it.
 * @directory is that group, or NULL: where this process is.
 */
void sandbox_groups_open(const char *directory, struct sandbox_groups *groups);
void sandbox_groups_close(struct sandbox_groups *groups);

/*
 * Make a group below it for a sandbox with @limits and @memory bytes for its files. If there is no
 * delegated group (@groups may be NULL), or it is refused, none is made.
 */
void sandbox_group_create(struct sandbox_groups *groups, const struct sandbox_limits *limits,
			  uint64_t memory, struct sandbox_group *group);

/* The CPU time of all that have ever been in the group with that cpu_fd, ns. */
uint64_t sandbox_group_cpu(int cpu_fd);

/* Whether the host killed a process of the group because of its memory. */
bool sandbox_group_exceeded(const struct sandbox_group *group);

/* After the sandbox has ended: kill processes that are left, remove the group. Idempotent. */
void sandbox_group_remove(struct sandbox_group *group);

#endif
