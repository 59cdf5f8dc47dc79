/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processes of a guest, found in its kernel's memory without debugging information.
 *
 * Used after a failure, to name the process. Nothing is trusted: invalid entries are left out.
 * Sources: arch/um/kernel/process.c (cpu_tasks), arch/um/include/shared/skas/mm_id.h,
 * init/init_task.c, Linux 5.10 to 7.2.
 */
#ifndef TTREC_GUEST_PROCESSES_H
#define TTREC_GUEST_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel/guest/guest.h"

#define GUEST_COMM 16

struct guest_process {
	char name[GUEST_COMM]; /* as the guest's ps shows it, printable; "": not known */
	uint32_t pid;	       /* in the guest; 0: not known, or the idle task */
	pid_t host;   /* the host's process in which it runs; 0: not known, or a kernel thread */
	bool current; /* the guest's kernel runs it, or runs for it */
	bool running; /* the host's process computes */
	uint64_t ip;  /* its program counter; 0: not known, as while it computes */
};

/*
 * All processes of @guest with a user space, and the current one in any case, in *@list
 * (malloc'ed), the current one first. If the kernel has no symbols, or unknown structures,
 * processes have no names. -ESRCH if the guest has ended. While the guest runs in its kernel, fewer
 * are found.
 */
int guest_processes_read(const struct guest *guest, struct guest_process **list, size_t *count);

/*
 * The process in @list that computes, with its program counter. It is stopped for that and stays
 * stopped, so use it only on a guest that is about to be ended. NULL: none computes; the guest's
 * kernel may.
 */
struct guest_process *guest_processes_stop(const struct guest *guest, struct guest_process *list,
					   size_t count);

#define GUEST_PROCESS_TEXT 64
/* "'spin' (pid 23)", "a process without a known name (pid 1234 of the host)". */
const char *guest_process_text(const struct guest_process *process, char text[GUEST_PROCESS_TEXT]);

#endif
