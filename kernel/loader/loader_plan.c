// SPDX-License-Identifier: BSD-3-Clause
/* Makes the plan for the loader: the place of each segment of a program, and its first stack. */
#include "kernel/loader/loader_plan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel/image/elf_view.h"

#define PAGE_DOWN(address) ((address) & ~(LOADER_PAGE - 1))
#define PAGE_UP(address)   PAGE_DOWN((address) + LOADER_PAGE - 1)

#define STACK_TEXT_MAX (LOADER_STACK_SIZE / 4) /* as much as execve(2) allows */

/* Of <asm/auxvec.h>, newer than the C library of Debian 12. */
#define AUX_MINSIGSTKSZ 51

/* ---- Segments ------------------------------------------------------------------------------ */

/* The addresses of a mapped file. */
struct placed {
	struct elf_view elf;
	uint64_t base, begin, end;
	uint64_t headers; /* address of its program headers; 0 when they are not mapped */
	uint64_t code_end, data_begin, data_end;
};

static uint32_t protection_of(const Elf64_Phdr *segment)
{
	return (segment->p_flags & PF_R ? PROT_READ : 0) |
	       (segment->p_flags & PF_W ? PROT_WRITE : 0) |
	       (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

/* The numbers are checked here, so that no later sum overflows. */
static int check_segment(const struct placed *placed, const Elf64_Phdr *segment)
{
	const uint64_t size = placed->elf.size;

	if (segment->p_filesz > segment->p_memsz || segment->p_offset > size ||
	    segment->p_filesz > size - segment->p_offset ||
	    (segment->p_vaddr - segment->p_offset) % LOADER_PAGE)
		return -EBADMSG;
	/* Below the first page that the host allows to be mapped, or beyond the layout's end. */
	if (segment->p_vaddr > LOADER_ADDRESS_END || segment->p_memsz > LOADER_ADDRESS_END ||
	    placed->base + segment->p_vaddr < 16 * LOADER_PAGE)
		return -EADDRINUSE;
	return 0;
}

static bool overlaps(uint64_t begin, uint64_t end, uint64_t other, uint64_t other_end)
{
	return begin < other_end && other < end;
}

/* Addresses that the layout itself uses: the loader, and for a program everything reserved. */
static bool is_taken(const struct placed *placed, uint64_t begin, uint64_t end)
{
	if (placed->base == LOADER_INTERPRETER)
		return end > LOADER_STACK;
	return overlaps(begin, end, LOADER_SELF, LOADER_SELF + LOADER_SELF_SIZE) ||
	       end > LOADER_CEILING;
}

static void note_extent(struct placed *placed, const Elf64_Phdr *segment)
{
	uint64_t address = placed->base + segment->p_vaddr;
	uint64_t end = address + segment->p_memsz, file_end = address + segment->p_filesz;

	if (!placed->end || PAGE_DOWN(address) < placed->begin)
		placed->begin = PAGE_DOWN(address);
	if (end > placed->end)
		placed->end = end;
	if ((segment->p_flags & PF_X) && file_end > placed->code_end)
		placed->code_end = file_end;
	if ((segment->p_flags & PF_W) && file_end > placed->data_end) {
		placed->data_begin = address;
		placed->data_end = file_end;
	}
	if (segment->p_offset <= placed->elf.header->e_phoff &&
	    placed->elf.header->e_phoff - segment->p_offset < segment->p_filesz)
		placed->headers = address + placed->elf.header->e_phoff - segment->p_offset;
}

/*
 * The rest of a writable segment's last page is cleared to its end, which may be beyond the
 * segment's size: the dynamic loader allocates memory there.
 */
static int plan_segment(struct loader_plan *plan, struct placed *placed, uint32_t fd,
			const Elf64_Phdr *segment)
{
	uint64_t address = placed->base + segment->p_vaddr;
	struct loader_mapping mapping = { .begin = PAGE_DOWN(address),
					  .file_end = PAGE_UP(address + segment->p_filesz),
					  .end = PAGE_UP(address + segment->p_memsz),
					  .offset = PAGE_DOWN(segment->p_offset),
					  .protection = protection_of(segment),
					  .fd = fd };
	int err = check_segment(placed, segment);

	if (err)
		return err;
	if (!segment->p_filesz)
		mapping.file_end = mapping.begin;
	else if (segment->p_flags & PF_W)
		mapping.zero = (uint32_t)(mapping.file_end - address - segment->p_filesz);
	if (is_taken(placed, mapping.begin, mapping.end))
		return -EADDRINUSE;
	if (plan->mappings == LOADER_MAPPINGS)
		return -E2BIG;
	plan->mapping[plan->mappings++] = mapping;
	note_extent(placed, segment);
	return 0;
}

/* Plan the mapping of a file; @base is for position-independent ones. */
static int plan_file(struct loader_plan *plan, const struct loader_file *file, uint64_t base,
		     uint32_t fd, struct placed *placed)
{
	const Elf64_Phdr *segment;
	int err = elf_view_open(&placed->elf, file->data, file->size);

	if (err)
		return err;
	if (placed->elf.header->e_type != ET_EXEC && placed->elf.header->e_type != ET_DYN)
		return -ENOEXEC;
	placed->base = placed->elf.header->e_type == ET_DYN ? base : 0;
	segment = elf_view_segments(&placed->elf);
	for (unsigned int i = 0; !err && i < placed->elf.header->e_phnum; i++)
		if (segment[i].p_type == PT_LOAD && segment[i].p_memsz)
			err = plan_segment(plan, placed, fd, &segment[i]);
	if (!err && !placed->end)
		err = -ENOEXEC;
	return err;
}

/* ---- The stack ------------------------------------------------------------------------------- */

/* Filled from its end, which is the end of the address space, downwards. */
struct stack {
	uint8_t *image;
	uint64_t size, used;
	uint64_t arguments, arguments_end, environment, environment_end;
};

static uint64_t push(struct stack *stack, const void *data, size_t size)
{
	stack->used += size;
	memcpy(stack->image + stack->size - stack->used, data, size);
	return LOADER_ADDRESS_END - stack->used;
}

static uint64_t push_word(struct stack *stack, uint64_t word)
{
	return push(stack, &word, sizeof(word));
}

static size_t count_texts(char *const *text)
{
	size_t count = 0;

	while (text[count])
		count++;
	return count;
}

static size_t size_of_texts(char *const *text)
{
	size_t size = 0;

	for (; *text; text++)
		size += strlen(*text) + 1;
	return size;
}

static uint64_t push_texts(struct stack *stack, char *const *text, uint64_t *end)
{
	*end = LOADER_ADDRESS_END - stack->used;
	for (size_t i = count_texts(text); i--;)
		push(stack, text[i], strlen(text[i]) + 1);
	return LOADER_ADDRESS_END - stack->used;
}

/* The last first: NULL, and before it the addresses of texts that lie from @at on. */
static void push_addresses(struct stack *stack, char *const *text, uint64_t at)
{
	size_t count = count_texts(text);

	at += size_of_texts(text);
	push_word(stack, 0);
	while (count--) {
		at -= strlen(text[count]) + 1;
		push_word(stack, at);
	}
}

static int stack_create(const struct loader_start *start, struct stack *stack)
{
	size_t text = size_of_texts(start->arguments) + size_of_texts(start->environment) +
		      strlen(start->name) + 1;
	size_t words = count_texts(start->arguments) + count_texts(start->environment);

	if (text + words * sizeof(uint64_t) > STACK_TEXT_MAX)
		return -E2BIG;
	stack->size = PAGE_UP(text + words * sizeof(uint64_t) + LOADER_PAGE);
	stack->image = calloc(1, stack->size);
	return stack->image ? 0 : -ENOMEM;
}

/*
 * No AT_SYSINFO_EHDR: the host's vDSO is not mapped, as its place and its size are the host's. The
 * other missing entries (AT_RSEQ_*) describe features of the host that are not needed.
 */
static void push_auxv(struct stack *stack, const struct placed *program,
		      const struct placed *interpreter, uint64_t name, uint64_t random,
		      uint64_t platform, struct prctl_mm_map *process)
{
	const Elf64_Ehdr *header = program->elf.header;
	const uint64_t auxv[][2] = {
		{ AT_HWCAP, getauxval(AT_HWCAP) },
		{ AT_PAGESZ, LOADER_PAGE },
		{ AT_CLKTCK, (uint64_t)sysconf(_SC_CLK_TCK) },
		{ AT_PHDR, program->headers },
		{ AT_PHENT, sizeof(Elf64_Phdr) },
		{ AT_PHNUM, header->e_phnum },
		{ AT_BASE, interpreter->base },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, program->base + header->e_entry },
		{ AT_UID, getuid() },
		{ AT_EUID, geteuid() },
		{ AT_GID, getgid() },
		{ AT_EGID, getegid() },
		{ AT_SECURE, 0 },
		{ AT_RANDOM, random },
		{ AT_HWCAP2, getauxval(AT_HWCAP2) },
		{ AT_EXECFN, name },
		{ AT_PLATFORM, platform },
		{ AUX_MINSIGSTKSZ, getauxval(AUX_MINSIGSTKSZ) },
		{ AT_NULL, 0 },
	};

	process->auxv = (void *)(uintptr_t)push(stack, auxv, sizeof(auxv));
	process->auxv_size = sizeof(auxv);
}

static void align(struct stack *stack, size_t words_to_come)
{
	stack->used = (stack->used + 15) & ~15ull;
	if (words_to_come % 2)
		stack->used += sizeof(uint64_t);
}

static void fill_stack(const struct loader_start *start, const struct placed *program,
		       const struct placed *interpreter, struct stack *stack,
		       struct loader_plan *plan)
{
	static const char platform_name[] = "x86_64";
	struct prctl_mm_map *process = &plan->process;
	uint64_t name, platform, random, end;
	size_t arguments = count_texts(start->arguments);

	push_word(stack, 0);
	name = push(stack, start->name, strlen(start->name) + 1);
	process->env_start = push_texts(stack, start->environment, &end);
	process->env_end = end;
	process->arg_start = push_texts(stack, start->arguments, &end);
	process->arg_end = end;
	platform = push(stack, platform_name, sizeof(platform_name));
	random = push(stack, start->random, sizeof(start->random));
	/* Both lists with their NULL, and the number of arguments. */
	align(stack, arguments + count_texts(start->environment) + 3);
	push_auxv(stack, program, interpreter, name, random, platform, process);
	push_addresses(stack, start->environment, process->env_start);
	push_addresses(stack, start->arguments, process->arg_start);
	plan->stack_pointer = push_word(stack, arguments);
}

/* ---- The plan -------------------------------------------------------------------------------- */

/* In the order that prctl(2) requires: the heap after the data (kernel/sys.c). */
static void describe_process(const struct placed *program, struct loader_plan *plan)
{
	struct prctl_mm_map *process = &plan->process;
	uint64_t heap = PAGE_UP(program->end);

	process->start_code = program->begin;
	process->end_code = program->code_end > program->begin ? program->code_end : program->end;
	process->start_data = program->data_begin ? program->data_begin : program->begin;
	process->end_data = program->data_end ? program->data_end : program->begin;
	if (process->end_data >= heap)
		process->end_data = heap - 1;
	process->start_brk = process->brk = heap;
	process->start_stack = plan->stack_pointer;
	process->exe_fd = (uint32_t)-1; /* naming another file needs a privilege */
}

static void name_process(const struct loader_start *start, struct loader_plan *plan)
{
	const char *slash = strrchr(start->name, '/');

	snprintf(plan->name, sizeof(plan->name), "%.15s", slash ? slash + 1 : start->name);
}

int loader_plan_build(const struct loader_start *start, struct loader_plan *plan, void **image)
{
	struct placed program = { 0 }, interpreter = { 0 };
	struct stack stack = { 0 };
	int err;

	*plan = (struct loader_plan){ 0 };
	*image = NULL;
	err = plan_file(plan, &start->program, LOADER_PROGRAM_BASE, LOADER_FD_PROGRAM, &program);
	if (!err && start->interpreter.data)
		err = plan_file(plan, &start->interpreter, LOADER_INTERPRETER,
				LOADER_FD_INTERPRETER, &interpreter);
	/* It could only be in the program's way. */
	if (!err && start->interpreter.data && !interpreter.base)
		err = -ENOEXEC;
	if (!err)
		err = stack_create(start, &stack);
	if (err)
		return err;
	fill_stack(start, &program, &interpreter, &stack, plan);
	describe_process(&program, plan);
	name_process(start, plan);
	plan->entry = start->interpreter.data ? interpreter.base + interpreter.elf.header->e_entry
					      : program.base + program.elf.header->e_entry;
	plan->stack_size = stack.used;
	memmove(stack.image, stack.image + stack.size - stack.used, stack.used);
	*image = stack.image;
	return 0;
}
