// SPDX-License-Identifier: BSD-3-Clause
/* Hashes of memory: the guest is this process, its memory an unlinked file as UML has it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/memory/memory.h"
#include "kernel/host/xstate.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define SIZE  (16u * MEMORY_RAM_BLOCK)
#define STATE 576u

struct fixture {
	struct memory *memory;
	uint8_t *ram;
	struct xstate xstate;
};

static uint8_t *make_ram(void)
{
	char path[] = "/tmp/test_memory.XXXXXX";
	int fd = mkstemp(path);
	void *ram;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	/* The descriptor stays open: it is found by it. */
	ram = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(ram != MAP_FAILED);
	return ram;
}

/* The kernel of this process is its program. */
static void map_program(struct image_file *kernel)
{
	struct stat status;
	auto_fd fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	kernel->size = (size_t)status.st_size;
	kernel->data = mmap(NULL, kernel->size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(kernel->data != MAP_FAILED);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	struct random random = { test_seed(7) };
	struct image_file kernel = { 0 };

	fixture.ram = make_ram();
	for (size_t i = 2 * MEMORY_RAM_BLOCK; i < SIZE; i++)
		fixture.ram[i] = (uint8_t)random_next(&random);
	fixture.xstate = xstate_learn();
	map_program(&kernel);
	assert_int_equal(memory_open(getpid(), &kernel, &fixture.memory), 0);
	munmap(kernel.data, kernel.size);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	const struct fixture *fixture = *state;

	memory_close(fixture->memory);
	munmap(fixture->ram, SIZE);
	return 0;
}

static struct memory_digest hash(const struct fixture *fixture)
{
	struct memory_digest digest;
	const void *block_hashes;
	size_t size;

	assert_int_equal(memory_hash(fixture->memory, MEMORY_RAM, &digest, &block_hashes, &size),
			 0);
	return digest;
}

static bool same(struct memory_digest a, struct memory_digest b)
{
	return a.low == b.low && a.high == b.high;
}

/* The state of a task at @at, of which it is known how its words are hashed. */
static void put_state(const struct fixture *fixture, size_t at)
{
	uint8_t *state = fixture->ram + at;

	memcpy(state + 28, &fixture->xstate.mxcsr_mask, 4);
	memcpy(state + 464, &fixture->xstate.features, 8);
	memset(state + 512, 0, STATE - 512);
}

/* Wherever it lies, across the border of two blocks too: its word counts as zero, and no other bit.
 */
static void test_states_are_hashed_without_their_word(void **state)
{
	static const size_t places[] = { 2 * MEMORY_RAM_BLOCK, 4 * MEMORY_RAM_BLOCK - 520,
					 5 * MEMORY_RAM_BLOCK - 512, 7 * MEMORY_RAM_BLOCK - 24,
					 SIZE - STATE };
	const struct fixture *fixture = *state;
	struct memory_digest before;

	if (!fixture->xstate.features)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		put_state(fixture, places[i]);
	before = hash(fixture);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uint8_t *at = fixture->ram + places[i];

		at[512] = 3;
		assert_true(same(hash(fixture), before));
		at[512] = 0;
		for (size_t bit = 0; bit < 8 * STATE; bit += 5) {
			if (bit / 64 == 512 / 8)
				continue;
			at[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(same(hash(fixture), before));
			at[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	assert_true(same(hash(fixture), before));
}

/* A page that was never touched, one of zeros, and one that was written: the first two are alike.
 */
static void test_holes_are_zeros(void **state)
{
	const struct fixture *fixture = *state;
	struct memory_digest before = hash(fixture);

	fixture->ram[10] = 1;
	assert_false(same(hash(fixture), before));
	fixture->ram[10] = 0;
	assert_true(same(hash(fixture), before));
}

static void test_first_block_that_differs_is_named(void **state)
{
	const struct fixture *fixture = *state;
	struct memory_digest digest;
	const void *block_hashes;
	uint64_t address = 0;
	size_t size;

	/* The recording has seen what is there now. */
	hash(fixture);
	fixture->ram[3 * MEMORY_RAM_BLOCK] ^= 1;
	assert_int_equal(memory_hash(fixture->memory, MEMORY_RAM, &digest, &block_hashes, &size),
			 0);
	assert_int_equal(size, 1 + 4);
	assert_int_equal(memory_compare(fixture->memory, MEMORY_RAM, NULL, 0, &address), 1);
	assert_int_equal(address, 2 * MEMORY_RAM_BLOCK);
	/* A block that this memory does not have; and one without its hash. */
	assert_int_equal(memory_compare(fixture->memory, MEMORY_RAM, "\x10zzzz", 5, &address),
			 -ERANGE);
	assert_int_equal(memory_compare(fixture->memory, MEMORY_RAM, "\x01zzz", 4, &address),
			 -EBADMSG);
}

/* ---- What a block was ----------------------------------------------------------------------- */

/* Of the memory as it is now: the recording's half. */
struct recorded {
	struct memory *memory;
	struct memory_digest digest;
	const void *block_hashes;
	size_t size;
};

static void record(struct recorded *recorded)
{
	struct image_file kernel = { 0 };

	map_program(&kernel);
	assert_int_equal(memory_open(getpid(), &kernel, &recorded->memory), 0);
	munmap(kernel.data, kernel.size);
	assert_int_equal(memory_hash(recorded->memory, MEMORY_RAM, &recorded->digest,
				     &recorded->block_hashes, &recorded->size),
			 0);
}

/* A replay that sees the memory as it is now. */
static void recover(const struct recorded *recorded, uint64_t *address,
		    struct memory_difference *difference)
{
	struct memory_digest digest;
	struct image_file kernel = { 0 };
	struct memory *memory;
	const void *block_hashes;
	size_t size;

	map_program(&kernel);
	assert_int_equal(memory_open(getpid(), &kernel, &memory), 0);
	munmap(kernel.data, kernel.size);
	assert_int_equal(memory_hash(memory, MEMORY_RAM, &digest, &block_hashes, &size), 0);
	assert_int_equal(
		memory_compare(memory, MEMORY_RAM, recorded->block_hashes, recorded->size, address),
		1);
	assert_int_equal(memory_recover(memory, &recorded->digest, *address, difference), 0);
	memory_close(memory);
}

/* The word of @width bytes at @offset was @was and is @is: that is what is found. */
static void assert_recovered(const struct fixture *fixture, size_t offset, size_t width,
			     uint64_t was, uint64_t is)
{
	struct memory_difference difference;
	struct recorded recorded;
	uint64_t address, kept = 0, found = 0;

	memcpy(&kept, fixture->ram + offset, width);
	memcpy(fixture->ram + offset, &was, width);
	record(&recorded);
	memcpy(fixture->ram + offset, &is, width);
	recover(&recorded, &address, &difference);
	assert_int_equal(address, offset / MEMORY_RAM_BLOCK * MEMORY_RAM_BLOCK);
	assert_true(difference.recovered && difference.proven);
	assert_int_equal(difference.blocks, 1);
	assert_memory_equal(difference.bytes, fixture->ram + address, MEMORY_RAM_BLOCK);
	/* Perhaps found by fewer bytes of it, or by the zeros around it. */
	memcpy(fixture->ram + address + difference.offset, &difference.was, difference.width);
	memcpy(&found, fixture->ram + offset, width);
	assert_int_equal(found, was);
	memcpy(fixture->ram + offset, &kept, width);
	memory_close(recorded.memory);
}

static void test_small_changes_are_recovered(void **state)
{
	const struct fixture *fixture = *state;
	const size_t at = 9 * MEMORY_RAM_BLOCK;

	assert_recovered(fixture, at + 17, 1, 0x40, 0x41);
	assert_recovered(fixture, at, 1, 0xff, 0);
	assert_recovered(fixture, at + 4095, 1, 0x12, 0xed);
	assert_recovered(fixture, at + 4, 4, 0x1ff, 0x203);
	assert_recovered(fixture, at + 4092, 4, 0x20001, 0x1ff02);
	assert_recovered(fixture, at + 8, 8, 0xffffffff, 0x100000000);
	assert_recovered(fixture, at + 16, 4, 0, 0xdeadbeef);
	assert_recovered(fixture, at + 4088, 8, UINT64_MAX, 0x1122334455667788);
	/* In a page of zeros. */
	assert_recovered(fixture, 100, 4, 0, 0xdeadbeef);
	assert_recovered(fixture, 100, 1, 0xde, 0);
}

static void test_what_is_not_small_is_said_to_be_unknown(void **state)
{
	const struct fixture *fixture = *state;
	struct memory_difference difference;
	struct recorded recorded;
	uint64_t address;
	uint8_t kept[16];

	memcpy(kept, fixture->ram + 3 * MEMORY_RAM_BLOCK, sizeof(kept));
	record(&recorded);
	memset(fixture->ram + 3 * MEMORY_RAM_BLOCK, 0x55, sizeof(kept));
	recover(&recorded, &address, &difference);
	assert_int_equal(address, 3 * MEMORY_RAM_BLOCK);
	assert_false(difference.recovered);
	assert_int_not_equal(difference.recorded, (uint32_t)difference.replayed);
	memcpy(fixture->ram + 3 * MEMORY_RAM_BLOCK, kept, sizeof(kept));
	memory_close(recorded.memory);
}

/* Two blocks differ: the first is recovered by half a hash, which proves nothing. */
static void test_more_than_one_block_is_counted(void **state)
{
	const struct fixture *fixture = *state;
	struct memory_difference difference;
	struct recorded recorded;
	uint64_t address;

	record(&recorded);
	fixture->ram[4 * MEMORY_RAM_BLOCK + 9] ^= 0x10;
	fixture->ram[6 * MEMORY_RAM_BLOCK + 9] ^= 0x10;
	recover(&recorded, &address, &difference);
	assert_int_equal(address, 4 * MEMORY_RAM_BLOCK);
	assert_int_equal(difference.blocks, 2);
	assert_true(difference.recovered);
	assert_false(difference.proven);
	assert_int_equal(difference.offset, 9);
	assert_int_equal(difference.was ^ difference.is, 0x10);
	fixture->ram[4 * MEMORY_RAM_BLOCK + 9] ^= 0x10;
	fixture->ram[6 * MEMORY_RAM_BLOCK + 9] ^= 0x10;
	memory_close(recorded.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_are_hashed_without_their_word),
		cmocka_unit_test(test_holes_are_zeros),
		cmocka_unit_test(test_first_block_that_differs_is_named),
		cmocka_unit_test(test_small_changes_are_recovered),
		cmocka_unit_test(test_what_is_not_small_is_said_to_be_unknown),
		cmocka_unit_test(test_more_than_one_block_is_counted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
