/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plan for the loader, and the address layout of a guest's process.
 *
 * The layout is that of an x86_64 process without address space randomisation as far as a guest can
 * tell (stack at the top, heap behind the program), and the same on every host:
 *
 *	0x000000400000 ...	the program, at the addresses in its file, and its heap
 *	0x000010000000		the loader itself
 *	0x555555554000		a program that is position independent
 *	0x6f0000000000		what mmap(2) places itself, from here downwards
 *	0x7f0000000000		the dynamic loader; all else from 0x6f0000000000 on is reserved
 *	0x7fffff7ff000		the stack, up to the end of the address space
 *
 * User-Mode Linux 7.2 takes the end of its environment as the end of the address space, and kernels
 * before 6.13 unmap everything below 0x7fbfffe000 in their children: what the libraries of a child
 * still need is above it.
 */
#ifndef TTREC_LOADER_H
#define TTREC_LOADER_H

#include <linux/prctl.h>
#include <stdint.h>

#define LOADER_PAGE 4096ull

#define LOADER_SELF	    0x10000000ull
#define LOADER_SELF_SIZE    0x100000ull
#define LOADER_PROGRAM_BASE 0x555555554000ull
#define LOADER_CEILING	    0x6f0000000000ull
#define LOADER_INTERPRETER  0x7f0000000000ull
#define LOADER_ADDRESS_END  0x7ffffffff000ull
#define LOADER_STACK_SIZE   0x800000ull
#define LOADER_STACK	    (LOADER_ADDRESS_END - LOADER_STACK_SIZE)

/* Descriptors that the loader is started with, and closes. */
enum {
	LOADER_FD_PLAN = 60,
	LOADER_FD_STATUS,
	LOADER_FD_PROGRAM,
	LOADER_FD_INTERPRETER,
	LOADER_FD_END,
};

#define LOADER_MAPPINGS 64

/*
 * From @begin to @file_end a file is mapped, from there to @end anonymous memory; all three are
 * multiples of the page size. @zero bytes before @file_end are set to 0: the part of a segment's
 * last page that the file has no content for.
 */
struct loader_mapping {
	uint64_t begin, file_end, end;
	uint64_t offset; /* in the file */
	uint32_t zero;
	uint32_t protection; /* PROT_* */
	uint32_t fd;	     /* LOADER_FD_PROGRAM or LOADER_FD_INTERPRETER */
	uint32_t unused;
};

/* The file at LOADER_FD_PLAN: this struct, then @stack_size bytes for the end of the stack. */
struct loader_plan {
	struct loader_mapping mapping[LOADER_MAPPINGS];
	uint64_t mappings;
	uint64_t stack_size;
	uint64_t stack_pointer;
	uint64_t entry;
	struct prctl_mm_map process; /* where the heap begins, and values shown in /proc */
	char name[16];		     /* of the process */
};

enum loader_step {
	LOADER_READ_PLAN,
	LOADER_RESERVE,
	LOADER_PLACE,
	LOADER_MAP_STACK,
	LOADER_MAP_PROGRAM,
	LOADER_SET_HEAP,
	LOADER_DONE, /* the program is entered next */
};

/* Written to LOADER_FD_STATUS once: the step that failed, or LOADER_DONE. */
struct loader_status {
	uint32_t step; /* enum loader_step */
	int32_t error; /* errno; 0 with LOADER_DONE */
};

#endif
