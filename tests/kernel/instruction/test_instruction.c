// SPDX-License-Identifier: BSD-3-Clause
/* Instructions that return properties of the processor: found where they are, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/instruction/instruction.h"

#define ADDRESS	   0x7f0000001000ull
#define EVERYTHING ((1u << INSTRUCTIONS) - 1)

struct found {
	enum instruction instruction;
	uint64_t address;
};

struct list {
	struct found item[64];
	size_t count;
};

static void note(void *context, enum instruction instruction, uint64_t address)
{
	struct list *list = context;

	assert_true(list->count < ARRAY_SIZE(list->item));
	list->item[list->count++] = (struct found){ instruction, address };
}

static struct list scan(const void *code, size_t size, unsigned int wanted)
{
	struct list list = { .count = 0 };

	instruction_scan(code, size, ADDRESS, wanted, note, &list);
	return list;
}

static const uint8_t each[] = {
	0x0f, 0x31,		/* rdtsc */
	0x90,			/* nop */
	0x0f, 0x01, 0xf9,	/* rdtscp */
	0x48, 0x0f, 0xc7, 0xf0, /* rdrand %rax */
	0x0f, 0xc7, 0xf9,	/* rdseed %ecx */
	0xf3, 0x0f, 0xc7, 0xf8, /* rdpid %rax */
	0x0f, 0xa2,		/* cpuid */
	0xc3,			/* ret */
};

static void test_each_is_found(void **state)
{
	static const struct found expected[] = {
		{ INSTRUCTION_RDTSC, ADDRESS },	     { INSTRUCTION_RDTSCP, ADDRESS + 3 },
		{ INSTRUCTION_RDRAND, ADDRESS + 6 }, { INSTRUCTION_RDSEED, ADDRESS + 10 },
		{ INSTRUCTION_RDPID, ADDRESS + 13 }, { INSTRUCTION_CPUID, ADDRESS + 17 },
	};
	struct list list = scan(each, sizeof(each), EVERYTHING);

	(void)state;
	assert_int_equal(list.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < list.count; i++) {
		assert_int_equal(list.item[i].instruction, expected[i].instruction);
		assert_int_equal(list.item[i].address, expected[i].address);
	}
}

static void test_only_what_is_wanted(void **state)
{
	struct list list = scan(each, sizeof(each), INSTRUCTION_RANDOM_BITS);

	(void)state;
	assert_int_equal(list.count, 2);
	assert_int_equal(list.item[0].instruction, INSTRUCTION_RDRAND);
	assert_int_equal(list.item[1].instruction, INSTRUCTION_RDSEED);
}

/* The bytes are in operands, and in what only resembles them. */
static void test_bytes_are_not_enough(void **state)
{
	static const uint8_t code[] = {
		0xb8, 0x0f, 0x31, 0x00, 0x00,		  /* mov $0x310f, %eax */
		0x48, 0x8d, 0x05, 0x00, 0x0f, 0xa2, 0x00, /* lea 0xa20f00(%rip), %rax */
		0x0f, 0x01, 0xf8,			  /* swapgs */
		0x0f, 0xc7, 0x0e,			  /* cmpxchg8b (%rsi) */
		0x0f, 0xc7, 0x36,			  /* vmptrld (%rsi) */
		0x68, 0x0f, 0x01, 0xf9, 0x00,		  /* push $0xf9010f */
		0xc3,
	};

	(void)state;
	assert_int_equal(scan(code, sizeof(code), EVERYTHING).count, 0);
}

/* Far apart, with nothing before them that is decoded in vain, and cut off at both ends. */
static void test_long_code(void **state)
{
	const size_t size = 1u << 20, step = 10007;
	auto_free uint8_t *code = malloc(size);
	struct list list;

	(void)state;
	assert_non_null(code);
	memset(code, 0x90, size);
	for (size_t at = step; at + 8 < size; at += 2 * step)
		memcpy(code + at, "\xb8\x0f\x31\x00\x00\x0f\x31", 7);
	code[size - 1] = 0x0f;
	list = scan(code, size, EVERYTHING);
	assert_int_equal(list.count, (size - 8 - step) / (2 * step) + 1);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.item[i].address, ADDRESS + step + 5 + i * 2 * step);
	assert_int_equal(scan(code, 0, EVERYTHING).count, 0);
	assert_int_equal(scan(code + size - 1, 1, EVERYTHING).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found),
		cmocka_unit_test(test_only_what_is_wanted),
		cmocka_unit_test(test_bytes_are_not_enough),
		cmocka_unit_test(test_long_code),
	};

	/* Built without a disassembler there is nothing to test. */
	return instruction_available() ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
