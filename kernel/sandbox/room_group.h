/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control groups of sandboxes, where they are delegated to this process (cgroup v2).
 *
 * No process escapes a group's counts: memory of the host's kernel for a sandbox's sockets and
 * pipes, and processes too short-lived to be seen. They are never needed: without them the
 * supervisor counts (room_use.c).
 *
 * A group that has controllers for those below it has no processes of its own. So the command
 * moves itself into one below, and back at its end: room_groups_open(), room_groups_close(). Both
 * by a process that has no children yet, or no more.
 */
#ifndef TTREC_ROOM_GROUP_H
#define TTREC_ROOM_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct room_limits;

#define ROOM_GROUPS_TEXT 160

/* Where groups can be made. */
struct room_groups {
	int fd;			       /* of the delegated group; -1: none */
	char reason[ROOM_GROUPS_TEXT]; /* why not; empty */
	char own[32];		       /* name of that which this process went into */
	unsigned int made;	       /* below it */
};

#define ROOM_GROUPS_NONE ((struct room_groups){ .fd = -1 })

/* The group of one sandbox. */
struct room_group {
	int fd; /* -1: none */
	int parent_fd;
	int cpu_fd; /* for room_group_cpu() */
	char name[32];
};

#define ROOM_GROUP_NONE                                 \
	{                                               \
		.fd = -1, .parent_fd = -1, .cpu_fd = -1 \
	}

/*
 * Look for a group that is delegated to this process, and get ready to make others below it.
 * @directory is that group, or NULL: where this process is.
 */
void room_groups_open(const char *directory, struct room_groups *groups);
void room_groups_close(struct room_groups *groups);

/*
 * Make a group below it for a sandbox with @limits and @memory bytes for its files. If there is no
 * delegated group (@groups may be NULL), or it is refused, none is made.
 */
void room_group_create(struct room_groups *groups, const struct room_limits *limits,
		       uint64_t memory, struct room_group *group);

/* The CPU time of all that have ever been in the group with that cpu_fd, ns. */
uint64_t room_group_cpu(int cpu_fd);

/* Did the host kill a process of it because of its memory? */
bool room_group_exceeded(const struct room_group *group);

/* After the sandbox has ended: what is left in it is killed. Idempotent. */
void room_group_remove(struct room_group *group);

#endif
