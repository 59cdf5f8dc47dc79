/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of a guest's isolation: what makes the sandbox the same every time, and which parts
 * hold.
 */
#ifndef TTREC_SEAL_H
#define TTREC_SEAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * SEAL(NAME, "name", "what is lost without it", "what to do")
 * The order is that in which `ttrec doctor` lists them.
 */
#define SEAL_PARTS(SEAL)                                                                          \
	SEAL(USER, "user", "guest and recorder share a user; other namespaces need root",         \
	     "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, on Ubuntu 24.04 " \
	     "sysctl kernel.apparmor_restrict_unprivileged_userns=0, in Docker "                  \
	     "--security-opt seccomp=docs/docker-seccomp.json")                                   \
	SEAL(PID, "pid", "host process ids reach guest memory: messages replay, memory differs",  \
	     "allow user namespaces; `ttrec doctor` says how")                                    \
	SEAL(MOUNT, "mount", "the guest can access this machine's files: a replay needs --trust", \
	     "allow user namespaces; `ttrec doctor` says how")                                    \
	SEAL(NET, "net", "the guest process can reach this machine's network",                    \
	     "allow user namespaces; `ttrec doctor` says how")                                    \
	SEAL(ASLR, "aslr",                                                                        \
	     "addresses and memory size change with every run: a replay rarely matches",          \
	     "run Linux with CONFIG_CHECKPOINT_RESTORE=y, without ulimit -v")                     \
	SEAL(ENTROPY, "entropy",                                                                  \
	     "the guest gets this machine's random numbers: it cannot be replayed",               \
	     "allow seccomp user notification (Linux 5.9 or newer)")                              \
	SEAL(AUXV, "auxv", "libc's random bytes differ: a few words of memory differ",            \
	     "run Linux with CONFIG_CHECKPOINT_RESTORE=y, without ulimit -v")                     \
	SEAL(CPU, "cpu", "the guest moves between CPUs: memory differs and it runs slower",       \
	     "allow sched_setaffinity(2)")

enum seal_part {
#define SEAL(NAME, name, lost, advice) SEAL_##NAME##_BIT,
	SEAL_PARTS(SEAL)
#undef SEAL
		SEAL_COUNT,
};

enum {
#define SEAL(NAME, name, lost, advice) SEAL_##NAME = 1 << SEAL_##NAME##_BIT,
	SEAL_PARTS(SEAL)
#undef SEAL
		SEAL_FULL = (1 << SEAL_COUNT) - 1,
	SEAL_NAMESPACES = SEAL_USER | SEAL_PID | SEAL_MOUNT | SEAL_NET,
};

struct seal_info {
	const char *name, *lost, *advice;
};

const struct seal_info *seal_info(enum seal_part part);

/* "full", "none", or the names of the parts that hold: "entropy,auxv,cpu". */
#define SEAL_TEXT 96
const char *seal_text(unsigned int parts, char text[SEAL_TEXT]);

/* The same for people, who want to know what does not hold: "without mount,net". */
const char *seal_extent_text(unsigned int parts, char text[SEAL_TEXT]);

/* The parts @text names; -1 when it names something unknown. */
int seal_parse(const char *text);

#endif
