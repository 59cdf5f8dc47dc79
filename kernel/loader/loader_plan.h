/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes the plan for the loader: where each segment of a program goes, and what is on its stack. *
 * The ELF files are not trusted: everything is checked against their size and against the layout
 * (loader.h) here, where it can be tested, so that the loader only carries out the plan.
 */
#ifndef TTREC_LOADER_PLAN_H
#define TTREC_LOADER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/loader/loader.h"

#define LOADER_RANDOM_SIZE 16

struct loader_file {
	const void *data;
	size_t size;
};

/*
 * The program to start. The process that builds the plan becomes the program, with the same user.
 */
struct loader_start {
	struct loader_file program;
	struct loader_file interpreter;		     /* .data NULL for a static program */
	const char *name;			     /* how the program was called: its AT_EXECFN */
	char *const *arguments, *const *environment; /* NULL-terminated */
	uint8_t random[LOADER_RANDOM_SIZE];	     /* what AT_RANDOM points to */
};

/*
 * Fill @plan, and *@stack (malloc'ed, plan->stack_size bytes) with the contents of the end of the
 * stack. Returns 0 or -ENOEXEC, -EXDEV, -EBADMSG: a file that is not a program for this machine, or
 * a damaged one; -EADDRINUSE: a program with fixed addresses that the layout uses otherwise;
 * -E2BIG: too many arguments or segments; -ENOMEM.
 */
int loader_plan_build(const struct loader_start *start, struct loader_plan *plan, void **stack);

#endif
