// SPDX-License-Identifier: BSD-3-Clause
/*
 * Executed in place of a guest's kernel: clears the upper part of its own address space, maps the
 * kernel and its dynamic loader as the plan says, and enters them. No library and no thread-local
 * storage: nothing of this program is left registered with the host (rseq, robust lists) when the
 * kernel begins.
 */
#include "kernel/loader/loader.h"

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/mman.h>

#define OWN_STACK 8192

static struct loader_plan plan;

/* The stack it was started with goes away under it. */
unsigned char loader_stack[OWN_STACK] __attribute__((aligned(16)));

void loader_main(void) __attribute__((noreturn));

/* ---- System calls -------------------------------------------------------------------------- */

static long call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
		 uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static long map(uint64_t address, uint64_t size, uint32_t protection, uint32_t flags, int fd,
		uint64_t offset)
{
	return call(__NR_mmap, address, size, protection, flags, (uint64_t)fd, offset);
}

static int map_at(uint64_t address, uint64_t size, uint32_t protection, uint32_t flags, int fd,
		  uint64_t offset)
{
	long at = map(address, size, protection, flags | MAP_PRIVATE | MAP_FIXED, fd, offset);

	return at < 0 && at > -4096 ? (int)at : 0;
}

static int read_at(uint64_t address, uint64_t size, uint64_t offset)
{
	while (size) {
		long got = call(__NR_pread64, LOADER_FD_PLAN, address, size, offset, 0, 0);

		if (got <= 0)
			return got ? (int)got : -EIO;
		address += (uint64_t)got;
		offset += (uint64_t)got;
		size -= (uint64_t)got;
	}
	return 0;
}

/* ---- Steps --------------------------------------------------------------------------------- */

static int read_plan(void)
{
	return read_at((uint64_t)&plan, sizeof(plan), 0);
}

/* Unmap what the host has placed there: the first stack, the vDSO and its data. */
static int reserve(void)
{
	return map_at(LOADER_CEILING, LOADER_ADDRESS_END - LOADER_CEILING, PROT_NONE,
		      MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* Whether the host places mappings at the same addresses in every run. */
static int check_place(void)
{
	long at = map(0, LOADER_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at < 0 && at > -4096)
		return (int)at;
	call(__NR_munmap, (uint64_t)at, LOADER_PAGE, 0, 0, 0, 0);
	return (uint64_t)at == LOADER_CEILING - LOADER_PAGE ? 0 : -EADDRNOTAVAIL;
}

static int map_stack(void)
{
	int err = map_at(LOADER_STACK, LOADER_STACK_SIZE, PROT_READ | PROT_WRITE,
			 MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return err ? err
		   : read_at(LOADER_ADDRESS_END - plan.stack_size, plan.stack_size, sizeof(plan));
}

static void clear(uint64_t end, uint64_t size)
{
	volatile unsigned char *byte = (volatile unsigned char *)(end - size);

	while (size--)
		*byte++ = 0;
}

static int map_segment(const struct loader_mapping *mapping)
{
	int err = 0;

	if (mapping->file_end > mapping->begin)
		err = map_at(mapping->begin, mapping->file_end - mapping->begin,
			     mapping->protection, 0, (int)mapping->fd, mapping->offset);
	if (err)
		return err;
	clear(mapping->file_end, mapping->zero);
	if (mapping->end > mapping->file_end)
		err = map_at(mapping->file_end, mapping->end - mapping->file_end,
			     mapping->protection, MAP_ANONYMOUS, -1, 0);
	return err;
}

static int map_program(void)
{
	int err = 0;

	for (uint64_t i = 0; !err && i < plan.mappings; i++)
		err = map_segment(&plan.mapping[i]);
	return err;
}

static int set_heap(void)
{
	call(__NR_prctl, PR_SET_NAME, (uint64_t)plan.name, 0, 0, 0, 0);
	return (int)call(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, (uint64_t)&plan.process,
			 sizeof(plan.process), 0, 0);
}

/* ---- From entry to entry --------------------------------------------------------------------- */

static void report(enum loader_step step, int error)
{
	struct loader_status status = { .step = step, .error = error };

	call(__NR_write, LOADER_FD_STATUS, (uint64_t)&status, sizeof(status), 0, 0, 0);
}

/* As after execve(2): all registers are 0. */
static void __attribute__((noreturn)) enter(uint64_t stack_pointer, uint64_t entry)
{
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "push %1\n\t"
			 "xor %%eax, %%eax\n\t"
			 "xor %%ebx, %%ebx\n\t"
			 "xor %%ecx, %%ecx\n\t"
			 "xor %%edx, %%edx\n\t"
			 "xor %%esi, %%esi\n\t"
			 "xor %%edi, %%edi\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "xor %%r8d, %%r8d\n\t"
			 "xor %%r9d, %%r9d\n\t"
			 "xor %%r10d, %%r10d\n\t"
			 "xor %%r11d, %%r11d\n\t"
			 "xor %%r12d, %%r12d\n\t"
			 "xor %%r13d, %%r13d\n\t"
			 "xor %%r14d, %%r14d\n\t"
			 "xor %%r15d, %%r15d\n\t"
			 "ret"
			 :
			 : "r"(stack_pointer), "r"(entry)
			 : "memory");
	__builtin_unreachable();
}

static int (*const steps[])(void) = {
	[LOADER_READ_PLAN] = read_plan,	    [LOADER_RESERVE] = reserve,
	[LOADER_PLACE] = check_place,	    [LOADER_MAP_STACK] = map_stack,
	[LOADER_MAP_PROGRAM] = map_program, [LOADER_SET_HEAP] = set_heap,
};

void loader_main(void)
{
	for (unsigned int step = 0; step < LOADER_DONE; step++) {
		int err = steps[step]();

		if (!err)
			continue;
		report(step, -err);
		call(__NR_exit_group, 127, 0, 0, 0, 0, 0);
	}
	report(LOADER_DONE, 0);
	for (int fd = LOADER_FD_PLAN; fd < LOADER_FD_END; fd++)
		call(__NR_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	enter(plan.stack_pointer, plan.entry);
}

__asm__(".globl _start\n"
	"_start:\n\t"
	"lea loader_stack+8192(%rip), %rsp\n\t"
	"call loader_main\n");
