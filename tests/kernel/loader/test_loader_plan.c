// SPDX-License-Identifier: BSD-3-Clause
/* The plan for the loader: segments of good and of bad ELF files, and what is on the stack. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/loader/loader_plan.h"

#define SEGMENTS_MAX 80
#define FILE_SIZE    0x6000

/* A file with program headers right behind its header, and nothing in it besides. */
struct file {
	union {
		struct {
			Elf64_Ehdr header;
			Elf64_Phdr segment[SEGMENTS_MAX];
		};
		uint8_t data[FILE_SIZE];
	};
};

static void file_init(struct file *file, uint16_t type)
{
	memset(file, 0, sizeof(*file));
	memcpy(file->header.e_ident, ELFMAG, SELFMAG);
	file->header.e_ident[EI_CLASS] = ELFCLASS64;
	file->header.e_ident[EI_DATA] = ELFDATA2LSB;
	file->header.e_type = type;
	file->header.e_machine = EM_X86_64;
	file->header.e_phoff = sizeof(Elf64_Ehdr);
	file->header.e_phentsize = sizeof(Elf64_Phdr);
	file->header.e_entry = 0x1234;
}

static Elf64_Phdr *file_add(struct file *file, uint32_t flags, uint64_t address, uint64_t offset,
			    uint64_t file_size, uint64_t size)
{
	Elf64_Phdr *segment = &file->segment[file->header.e_phnum++];

	*segment = (Elf64_Phdr){ .p_type = PT_LOAD,
				 .p_flags = flags,
				 .p_vaddr = address,
				 .p_offset = offset,
				 .p_filesz = file_size,
				 .p_memsz = size };
	return segment;
}

/* Text at 4 MiB, data behind it with a part that is not in the file. */
static void file_make(struct file *file, uint16_t type, uint64_t base)
{
	file_init(file, type);
	file->header.e_entry = base + 0x1234;
	file_add(file, PF_R | PF_X, base, 0, 0x2345, 0x2345);
	file_add(file, PF_R | PF_W, base + 0x3100, 0x3100, 0x1f00, 0x3000);
}

struct built {
	struct loader_plan plan;
	uint8_t *stack;
	int err;
};

static struct built build(const struct file *program, const struct file *interpreter,
			  char *const *arguments, char *const *environment)
{
	struct loader_start start = { .program = { program->data, FILE_SIZE },
				      .name = "./linux",
				      .arguments = arguments,
				      .environment = environment };
	struct built built;

	if (interpreter)
		start.interpreter = (struct loader_file){ interpreter->data, FILE_SIZE };
	memset(start.random, 0x77, sizeof(start.random));
	built.err = loader_plan_build(&start, &built.plan, (void **)&built.stack);
	return built;
}

static char *const words[] = { (char *)"linux", (char *)"mem=64M", (char *)"", NULL };
static char *const environment[] = { (char *)"HOME=/", (char *)"X=y", NULL };

/* ---- Segments -------------------------------------------------------------------------------- */

static void assert_mapping(const struct loader_mapping *mapping, uint64_t begin, uint64_t file_end,
			   uint64_t end, uint64_t offset, uint32_t zero, uint32_t protection)
{
	assert_int_equal(mapping->begin, begin);
	assert_int_equal(mapping->file_end, file_end);
	assert_int_equal(mapping->end, end);
	assert_int_equal(mapping->offset, offset);
	assert_int_equal(mapping->zero, zero);
	assert_int_equal(mapping->protection, protection);
}

static void test_a_static_program(void **state)
{
	struct file program;
	struct built built;

	(void)state;
	file_make(&program, ET_EXEC, 0x400000);
	built = build(&program, NULL, words, environment);
	assert_int_equal(built.err, 0);
	assert_int_equal(built.plan.mappings, 2);
	assert_mapping(&built.plan.mapping[0], 0x400000, 0x403000, 0x403000, 0, 0,
		       PROT_READ | PROT_EXEC);
	assert_mapping(&built.plan.mapping[1], 0x403000, 0x405000, 0x407000, 0x3000, 0,
		       PROT_READ | PROT_WRITE);
	assert_int_equal(built.plan.entry, 0x401234);
	assert_int_equal(built.plan.process.start_brk, 0x407000);
	assert_int_equal(built.plan.process.brk, 0x407000);
	assert_true(built.plan.process.end_data < built.plan.process.brk);
	assert_string_equal(built.plan.name, "linux");
	free(built.stack);
}

/* The dynamic loader takes memory there, beyond the end of its own data. */
static void test_the_last_page_is_cleared_to_its_end(void **state)
{
	struct file program;
	struct built built;

	(void)state;
	file_make(&program, ET_EXEC, 0x400000);
	program.segment[1].p_filesz = 0x1234;
	program.segment[1].p_memsz = 0x1300;
	built = build(&program, NULL, words, environment);
	assert_int_equal(built.err, 0);
	assert_mapping(&built.plan.mapping[1], 0x403000, 0x405000, 0x405000, 0x3000, 0xccc,
		       PROT_READ | PROT_WRITE);
	free(built.stack);
	program.segment[1].p_filesz = 0;
	built = build(&program, NULL, words, environment);
	assert_int_equal(built.err, 0);
	assert_mapping(&built.plan.mapping[1], 0x403000, 0x403000, 0x405000, 0x3000, 0,
		       PROT_READ | PROT_WRITE);
	free(built.stack);
}

static void test_a_program_with_a_dynamic_loader(void **state)
{
	struct file program, interpreter;
	struct built built;

	(void)state;
	file_make(&program, ET_DYN, 0);
	file_make(&interpreter, ET_DYN, 0);
	built = build(&program, &interpreter, words, environment);
	assert_int_equal(built.err, 0);
	assert_int_equal(built.plan.mappings, 4);
	assert_int_equal(built.plan.mapping[0].begin, LOADER_PROGRAM_BASE);
	assert_int_equal(built.plan.mapping[2].begin, LOADER_INTERPRETER);
	assert_int_equal(built.plan.mapping[2].fd, LOADER_FD_INTERPRETER);
	assert_int_equal(built.plan.entry, LOADER_INTERPRETER + 0x1234);
	assert_int_equal(built.plan.process.start_brk, LOADER_PROGRAM_BASE + 0x7000);
	free(built.stack);
	/* It would be in the program's way. */
	interpreter.header.e_type = ET_EXEC;
	for (int i = 0; i < 2; i++)
		interpreter.segment[i].p_vaddr += 0x400000;
	built = build(&program, &interpreter, words, environment);
	assert_int_equal(built.err, -ENOEXEC);
}

static void assert_refused(const struct file *program, int error)
{
	struct built built = build(program, NULL, words, environment);

	assert_int_equal(built.err, error);
	assert_null(built.stack);
}

static void test_damaged_files(void **state)
{
	static const struct {
		size_t member;
		uint64_t value;
	} damages[] = {
		{ offsetof(Elf64_Phdr, p_filesz), 0x1f01 + 0x1000 },
		{ offsetof(Elf64_Phdr, p_filesz), UINT64_MAX },
		{ offsetof(Elf64_Phdr, p_offset), UINT64_MAX - 0xeff },
		{ offsetof(Elf64_Phdr, p_offset), 0x5100 },
		{ offsetof(Elf64_Phdr, p_offset), 0x3101 },
		{ offsetof(Elf64_Phdr, p_memsz), 0x1eff },
	};
	struct file program;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		file_make(&program, ET_EXEC, 0x400000);
		memcpy((uint8_t *)&program.segment[1] + damages[i].member, &damages[i].value,
		       sizeof(uint64_t));
		assert_refused(&program, -EBADMSG);
	}
	file_make(&program, ET_REL, 0x400000);
	assert_refused(&program, -ENOEXEC);
	file_init(&program, ET_EXEC);
	assert_refused(&program, -ENOEXEC);
	program.header.e_machine = EM_AARCH64;
	assert_refused(&program, -EXDEV);
	program.data[0] = 'x';
	assert_refused(&program, -ENOEXEC);
}

/* What else is in the process must not be mapped over. */
static void test_addresses_that_are_taken(void **state)
{
	static const uint64_t taken[] = {
		0,
		0x1000,
		LOADER_SELF,
		LOADER_SELF + LOADER_SELF_SIZE - LOADER_PAGE,
		LOADER_SELF - LOADER_PAGE,
		LOADER_CEILING - LOADER_PAGE,
		LOADER_INTERPRETER,
		LOADER_STACK,
		UINT64_MAX - 0xfff,
	};
	struct file program;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		file_make(&program, ET_EXEC, taken[i]);
		assert_refused(&program, -EADDRINUSE);
	}
	file_make(&program, ET_EXEC, 0x400000);
	program.segment[1].p_memsz = UINT64_MAX;
	assert_refused(&program, -EADDRINUSE);
	/* From below the loader over all of it. */
	program.segment[1].p_memsz = 0x20000000;
	assert_refused(&program, -EADDRINUSE);
}

static void test_too_many_segments(void **state)
{
	struct file program;

	(void)state;
	file_init(&program, ET_EXEC);
	for (uint64_t i = 0; i <= LOADER_MAPPINGS; i++)
		file_add(&program, PF_R, 0x400000 + i * LOADER_PAGE, 0, 1, 1);
	assert_refused(&program, -E2BIG);
}

/* ---- The stack ------------------------------------------------------------------------------- */

/* What the program finds at @address. */
static const void *at(const struct built *built, uint64_t address)
{
	uint64_t begin = LOADER_ADDRESS_END - built->plan.stack_size;

	assert_true(address >= begin && address < LOADER_ADDRESS_END);
	return built->stack + (address - begin);
}

static uint64_t word_at(const struct built *built, uint64_t address)
{
	uint64_t word;

	memcpy(&word, at(built, address), sizeof(word));
	return word;
}

static uint64_t check_texts(const struct built *built, uint64_t address, char *const *texts)
{
	for (; *texts; texts++, address += 8)
		assert_string_equal(at(built, word_at(built, address)), *texts);
	assert_int_equal(word_at(built, address), 0);
	return address + 8;
}

static uint64_t auxiliary(const struct built *built, uint64_t address, uint64_t type)
{
	for (; word_at(built, address) != AT_NULL; address += 16)
		if (word_at(built, address) == type)
			return word_at(built, address + 8);
	return UINT64_MAX;
}

static void check_stack(char *const *arguments, char *const *variables, uint64_t count)
{
	struct file program;
	struct built built;
	uint64_t address;
	uint8_t random[LOADER_RANDOM_SIZE];

	file_make(&program, ET_EXEC, 0x400000);
	built = build(&program, NULL, arguments, variables);
	assert_int_equal(built.err, 0);
	address = built.plan.stack_pointer;
	assert_int_equal(address % 16, 0);
	assert_int_equal(word_at(&built, address), count);
	address = check_texts(&built, address + 8, arguments);
	address = check_texts(&built, address, variables);
	assert_int_equal((uintptr_t)built.plan.process.auxv, address);
	memset(random, 0x77, sizeof(random));
	assert_memory_equal(at(&built, auxiliary(&built, address, AT_RANDOM)), random,
			    sizeof(random));
	assert_string_equal(at(&built, auxiliary(&built, address, AT_EXECFN)), "./linux");
	assert_int_equal(auxiliary(&built, address, AT_PHDR), 0x400000 + sizeof(Elf64_Ehdr));
	assert_int_equal(auxiliary(&built, address, AT_PHNUM), 2);
	assert_int_equal(auxiliary(&built, address, AT_ENTRY), 0x401234);
	assert_int_equal(auxiliary(&built, address, AT_BASE), 0);
	assert_int_equal(auxiliary(&built, address, AT_SECURE), 0);
	assert_int_equal(auxiliary(&built, address, AT_SYSINFO_EHDR), UINT64_MAX);
	free(built.stack);
}

static void test_stacks(void **state)
{
	char *const none[] = { NULL };

	(void)state;
	check_stack(words, environment, 3);
	check_stack(words + 1, environment, 2);
	check_stack(words + 2, environment + 1, 1);
	check_stack(none, none, 0);
}

static void test_arguments_that_do_not_fit(void **state)
{
	auto_free char *text = malloc(LOADER_STACK_SIZE);
	char *arguments[] = { text, NULL };
	struct file program;
	struct built built;

	(void)state;
	assert_non_null(text);
	file_make(&program, ET_EXEC, 0x400000);
	memset(text, 'x', LOADER_STACK_SIZE);
	text[LOADER_STACK_SIZE / 4] = '\0';
	built = build(&program, NULL, arguments, environment);
	assert_int_equal(built.err, -E2BIG);
	text[LOADER_STACK_SIZE / 4 - 100] = '\0';
	built = build(&program, NULL, arguments, environment);
	assert_int_equal(built.err, 0);
	free(built.stack);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_static_program),
		cmocka_unit_test(test_the_last_page_is_cleared_to_its_end),
		cmocka_unit_test(test_a_program_with_a_dynamic_loader),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_addresses_that_are_taken),
		cmocka_unit_test(test_too_many_segments),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_arguments_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
