/* SPDX-License-Identifier: BSD-3-Clause */
/* Which processes of a guest have executed, or may have, instructions that read properties of the
 * processor. */
#ifndef TTREC_GUEST_SUSPECTS_H
#define TTREC_GUEST_SUSPECTS_H

#include "kernel/guest/guest_processes.h"
#include "kernel/instruction/instruction.h"

#define GUEST_SUSPECTS_MAX 8

/* An instruction in an executable page that a process has mapped: pages are mapped when used. */
struct guest_suspect {
	struct guest_process process;
	enum instruction instruction;
	uint64_t address; /* of those of that kind, the one nearest to the program counter */
	uint64_t count;	  /* of that kind */
	/* Of a program in the initrd instead of a process: its path, and there the function. */
	char file[64], function[64];
};

/*
 * Look for those of the set @wanted in the code of @processes processes, as guest_processes_read()
 * gives them: at most GUEST_SUSPECTS_MAX, the current process first, then by suspicion. Returns how
 * many; 0, too, where nothing can be found out. Takes some 10 ms for each 10 MiB of code.
 */
size_t guest_suspects_find(const struct guest_process *process, size_t processes,
			   unsigned int wanted, struct guest_suspect suspects[GUEST_SUSPECTS_MAX]);

/*
 * The same of the programs in the initrd among @files, whether they ran or not: where no process
 * that is left has one. Of each program the first of a kind.
 */
size_t guest_suspects_in_initrd(const struct image_files *files, unsigned int wanted,
				struct guest_suspect suspects[GUEST_SUSPECTS_MAX]);

#endif
