/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest sees of the host, made the same on every host: answered by the same seccomp listener
 * as its entropy (entropy.h).
 *
 * - uname(2): User-Mode Linux keeps all of it in its memory and shows it in /proc/cpuinfo.
 * - statfs(2) of the directory for its memory: the kernel prints at boot whether that is a tmpfs.
 * - In a sandbox without a root of its own, open(2) and access(2) of an absolute path: only the
 *   sandbox's files and /dev/null are visible, as with a root of its own. A guest can circumvent
 *   this: it makes runs equal, and is no protection.
 */
#ifndef TTREC_HOST_FACTS_H
#define TTREC_HOST_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sandbox;
struct seccomp_notif;

/*
 * Answer @question of a guest in @sandbox if it is such a query: the call returns *@value. False
 * for any other call, which the host then executes.
 */
bool host_facts_answer(const struct sandbox *sandbox, const struct seccomp_notif *question,
		       int64_t *value);

/*
 * The text at @address of the process @pid, at most @size - 1 bytes of it. False when it cannot be
 * read.
 */
bool host_facts_read_text(pid_t pid, uint64_t address, char *text, size_t size);

#endif
