/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of a guest's isolation: what makes the sandbox the same every time, and which parts
 * hold.
 */
#ifndef TTREC_ISOLATION_H
#define TTREC_ISOLATION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * PART(NAME, "name", "what is lost without it", "what to do")
 * The order is that in which `ttrec doctor` lists them.
 */
#define ISOLATION_PARTS(PART)                                                                     \
	PART(USER, "user", "guest and recorder share a user; other namespaces need root",         \
	     "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, on Ubuntu 24.04 " \
	     "sysctl kernel.apparmor_restrict_unprivileged_userns=0, in Docker "                  \
	     "--security-opt seccomp=docs/docker-seccomp.json")                                   \
	PART(PID, "pid", "host process ids reach guest memory: messages replay, memory differs",  \
	     "allow user namespaces; `ttrec doctor` says how")                                    \
	PART(MOUNT, "mount", "the guest can access this machine's files: a replay needs --trust", \
	     "allow user namespaces; `ttrec doctor` says how")                                    \
	PART(NET, "net", "the guest process can reach this machine's network",                    \
	     "allow user namespaces; `ttrec doctor` says how")                                    \
	PART(ASLR, "aslr",                                                                        \
	     "addresses and memory size change with every run: a replay rarely matches",          \
	     "run Linux with CONFIG_CHECKPOINT_RESTORE=y, without ulimit -v")                     \
	PART(ENTROPY, "entropy",                                                                  \
	     "the guest gets this machine's random numbers: it cannot be replayed",               \
	     "allow seccomp user notification (Linux 5.9 or newer)")                              \
	PART(AUXV, "auxv", "libc's random bytes differ: a few words of memory differ",            \
	     "run Linux with CONFIG_CHECKPOINT_RESTORE=y, without ulimit -v")                     \
	PART(CPU, "cpu", "the guest moves between CPUs: memory differs and it runs slower",       \
	     "allow sched_setaffinity(2)")

enum isolation_part {
#define PART(NAME, name, lost, advice) ISOLATION_##NAME##_BIT,
	ISOLATION_PARTS(PART)
#undef PART
		ISOLATION_COUNT,
};

enum {
#define PART(NAME, name, lost, advice) ISOLATION_##NAME = 1 << ISOLATION_##NAME##_BIT,
	ISOLATION_PARTS(PART)
#undef PART
		ISOLATION_FULL = (1 << ISOLATION_COUNT) - 1,
	ISOLATION_NAMESPACES = ISOLATION_USER | ISOLATION_PID | ISOLATION_MOUNT | ISOLATION_NET,
};

struct isolation_info {
	const char *name, *lost, *advice;
};

const struct isolation_info *isolation_info(enum isolation_part part);

/* "full", "none", or the names of the parts that hold: "entropy,auxv,cpu". */
#define ISOLATION_TEXT 96
const char *isolation_text(unsigned int parts, char text[ISOLATION_TEXT]);

/* For messages, the parts that are missing: "without mount,net". */
const char *isolation_extent_text(unsigned int parts, char text[ISOLATION_TEXT]);

/* The parts @text names; -1 when it names something unknown. */
int isolation_parse(const char *text);

#endif
