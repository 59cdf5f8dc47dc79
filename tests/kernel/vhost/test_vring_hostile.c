// SPDX-License-Identifier: BSD-3-Clause
/*
 * Rings that make no sense: each is refused with a sentence, and nothing but the guest's memory is
 * ever touched. Named cases, then random ones.
 *
 * TTREC_TEST_SEED=N has the random ones begin elsewhere; a failure names the seed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/kernel/vhost/ring_builder.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define MEMORY_SIZE (1u << 20)
#define RING_SIZE   16u
#define MEMORY_END  (BUILDER_GUEST_BASE + MEMORY_SIZE)

struct stage {
	struct builder_memory memory;
	struct ring_builder driver;
	struct vring_memory mapped;
	struct vring ring;
	struct vring_chain chain;
	uint64_t buffer; /* 4096 bytes of good memory */
};

static int stage_open(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	builder_memory_create(&stage->memory, MEMORY_SIZE);
	ring_builder_create(&stage->driver, &stage->memory, RING_SIZE);
	builder_memory_attach(&stage->memory, &stage->mapped);
	ring_builder_attach(&stage->driver, &stage->mapped, &stage->ring);
	stage->buffer = builder_memory_allocate(&stage->memory, 4096);
	*state = stage;
	return 0;
}

static int stage_close(void **state)
{
	struct stage *stage = *state;

	vring_memory_clear(&stage->mapped);
	ring_builder_destroy(&stage->driver);
	builder_memory_destroy(&stage->memory);
	free(stage);
	return 0;
}

static void put(struct stage *stage, uint16_t index, uint64_t address, uint32_t length,
		unsigned int flags, uint16_t next)
{
	*ring_builder_descriptor(&stage->driver, index) =
		(struct builder_descriptor){ address, length, (uint16_t)flags, next };
}

/* The chain at 0 is refused with this, and stays where it is. */
static void expect_refusal(struct stage *stage, const char *problem)
{
	uint16_t before = stage->ring.next_avail;

	ring_builder_publish(&stage->driver, 0);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), -EBADMSG);
	assert_string_equal(stage->ring.problem, problem);
	assert_int_equal(stage->ring.next_avail, before);
	assert_int_equal(*ring_builder_used_index(&stage->driver), 0);
}

/* ---- Chains --------------------------------------------------------------------------------- */

static void test_circle(void **state)
{
	struct stage *stage = *state;

	put(stage, 0, stage->buffer, 8, BUILDER_NEXT, 1);
	put(stage, 1, stage->buffer, 8, BUILDER_NEXT, 0);
	expect_refusal(stage, "chain 0: loops");
	put(stage, 0, stage->buffer, 8, BUILDER_NEXT, 0);
	expect_refusal(stage, "chain 0: loops");
}

static void test_circle_in_a_table(void **state)
{
	struct stage *stage = *state;
	struct builder_descriptor *table = builder_memory_at(&stage->memory, stage->buffer);

	table[0] = (struct builder_descriptor){ stage->buffer, 8, BUILDER_NEXT, 1 };
	table[1] = (struct builder_descriptor){ stage->buffer, 8, BUILDER_NEXT, 0 };
	put(stage, 0, stage->buffer, 32, BUILDER_TABLE, 0);
	expect_refusal(stage, "chain 0: loops");
}

static void test_next_beyond_the_ring(void **state)
{
	struct stage *stage = *state;

	put(stage, 0, stage->buffer, 8, BUILDER_NEXT, RING_SIZE);
	expect_refusal(stage, "chain 0: next descriptor 16 of 16");
	put(stage, 0, stage->buffer, 8, BUILDER_NEXT, UINT16_MAX);
	expect_refusal(stage, "chain 0: next descriptor 65535 of 16");
}

static void test_next_beyond_the_table(void **state)
{
	struct stage *stage = *state;
	struct builder_descriptor *table = builder_memory_at(&stage->memory, stage->buffer);

	table[0] = (struct builder_descriptor){ stage->buffer, 8, BUILDER_NEXT, 2 };
	put(stage, 0, stage->buffer, 32, BUILDER_TABLE, 0);
	expect_refusal(stage, "chain 0: next descriptor 2 of 2");
}

static void test_buffers_outside_memory(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t length;
	} bad[] = {
		{ 0, 8 },
		{ BUILDER_GUEST_BASE - 1, 8 },
		{ BUILDER_GUEST_BASE - 1, 1 },
		{ MEMORY_END - 7, 8 },
		{ MEMORY_END, 1 },
		{ MEMORY_END, 0 },
		{ UINT64_MAX, 8 },
		{ UINT64_MAX - 7, 8 },
		{ BUILDER_GUEST_BASE, MEMORY_SIZE + 1 },
		{ BUILDER_GUEST_BASE + 1, UINT32_MAX },
		{ BUILDER_USER_BASE, 8 },
	};
	struct stage *stage = *state;
	char problem[VRING_PROBLEM_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(stage, 0, bad[i].address, bad[i].length, i % 2 ? BUILDER_WRITE : 0, 0);
		snprintf(problem, sizeof(problem),
			 "chain 0: %" PRIu32 " bytes at 0x%" PRIx64 " are not in its memory",
			 bad[i].length, bad[i].address);
		expect_refusal(stage, problem);
	}
	put(stage, 0, MEMORY_END - 8, 8, 0, 0);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
}

static void test_readable_after_writable(void **state)
{
	struct stage *stage = *state;

	put(stage, 0, stage->buffer, 8, BUILDER_WRITE | BUILDER_NEXT, 1);
	put(stage, 1, stage->buffer, 8, 0, 0);
	expect_refusal(stage, "chain 0: a readable buffer after a writable one");
}

static void test_tables_of_bad_length(void **state)
{
	static const uint32_t bad[] = { 0,	    1,	       15, 17, 16 * (VRING_CHAIN_MAX + 1),
					UINT32_MAX, 0xfffffff0 };
	struct stage *stage = *state;
	char problem[VRING_PROBLEM_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(stage, 0, stage->buffer, bad[i], BUILDER_TABLE, 0);
		snprintf(problem, sizeof(problem),
			 "chain 0: an indirect table of %" PRIu32 " bytes", bad[i]);
		expect_refusal(stage, problem);
	}
}

static void test_table_outside_memory(void **state)
{
	struct stage *stage = *state;

	put(stage, 0, MEMORY_END - 16, 32, BUILDER_TABLE, 0);
	expect_refusal(stage, "chain 0: its indirect table at 0x400ffff0 is not in its memory");
	put(stage, 0, UINT64_MAX - 15, 32, BUILDER_TABLE, 0);
	expect_refusal(stage,
		       "chain 0: its indirect table at 0xfffffffffffffff0 is not in its memory");
}

static void test_table_in_a_table(void **state)
{
	struct stage *stage = *state;
	struct builder_descriptor *table = builder_memory_at(&stage->memory, stage->buffer);

	table[0] = (struct builder_descriptor){ stage->buffer, 16, BUILDER_TABLE, 0 };
	put(stage, 0, stage->buffer, 16, BUILDER_TABLE, 0);
	expect_refusal(stage, "chain 0: nested indirect tables");
}

static void test_chain_that_goes_on_after_its_table(void **state)
{
	struct stage *stage = *state;

	put(stage, 0, stage->buffer, 16, BUILDER_TABLE | BUILDER_NEXT, 1);
	expect_refusal(stage, "chain 0: continues after an indirect table");
}

/* A table may be as long as allowed, or follow other buffers, but not both. */
static void test_too_many_buffers(void **state)
{
	struct stage *stage = *state;
	uint64_t address = builder_memory_allocate(&stage->memory, 16 * VRING_CHAIN_MAX);
	struct builder_descriptor *table = builder_memory_at(&stage->memory, address);

	for (uint16_t i = 0; i < VRING_CHAIN_MAX; i++)
		table[i] = (struct builder_descriptor){ stage->buffer, 1,
							i + 1 < VRING_CHAIN_MAX ? BUILDER_NEXT : 0,
							(uint16_t)(i + 1) };
	put(stage, 0, stage->buffer, 1, BUILDER_NEXT, 1);
	put(stage, 1, address, 16 * VRING_CHAIN_MAX, BUILDER_TABLE, 0);
	expect_refusal(stage, "chain 0: more than 1024 buffers");
}

/* The same 4 MiB again and again: one time less than 4 GiB is fine. */
static void test_chain_of_too_many_bytes(void **state)
{
	const uint64_t base = 0x80000000, size = 4u << 20;
	struct builder_part parts[VRING_CHAIN_MAX];
	struct stage *stage = *state;
	struct builder_memory more;

	builder_memory_create(&more, size);
	assert_int_equal(vring_memory_add(&stage->mapped, more.fd, base, base, size, 0), 0);
	for (unsigned int i = 0; i < VRING_CHAIN_MAX; i++)
		parts[i] = (struct builder_part){ base, (uint32_t)size, false };
	ring_builder_add(&stage->driver, parts, VRING_CHAIN_MAX - 1, BUILDER_INDIRECT);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(stage->chain.read_size, (VRING_CHAIN_MAX - 1) * size);
	ring_builder_add(&stage->driver, parts, VRING_CHAIN_MAX, BUILDER_INDIRECT);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), -EBADMSG);
	assert_string_equal(stage->ring.problem, "chain 1: 4 GiB or more");
	builder_memory_destroy(&more);
}

/* ---- Rings ---------------------------------------------------------------------------------- */

static void test_head_beyond_the_ring(void **state)
{
	struct stage *stage = *state;

	ring_builder_publish(&stage->driver, RING_SIZE);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), -EBADMSG);
	assert_string_equal(stage->ring.problem, "chain head 16 of 16");
	assert_int_equal(vring_chain_at(&stage->ring, UINT16_MAX, &stage->chain), -EBADMSG);
	assert_int_equal(vring_complete(&stage->ring, RING_SIZE, 0), -EBADMSG);
	assert_string_equal(stage->ring.problem, "chain head 16 of 16");
	assert_int_equal(*ring_builder_used_index(&stage->driver), 0);
}

static void test_index_too_far_ahead(void **state)
{
	struct stage *stage = *state;

	put(stage, 0, stage->buffer, 8, 0, 0);
	*ring_builder_avail_index(&stage->driver) = RING_SIZE + 1;
	assert_int_equal(vring_take(&stage->ring, &stage->chain), -EBADMSG);
	assert_string_equal(stage->ring.problem, "17 chains made available in a ring of 16");
	*ring_builder_avail_index(&stage->driver) = UINT16_MAX;
	assert_int_equal(vring_take(&stage->ring, &stage->chain), -EBADMSG);
	*ring_builder_avail_index(&stage->driver) = RING_SIZE;
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
}

static void test_used_entries_that_make_no_sense(void **state)
{
	struct stage *stage = *state;
	uint32_t written;
	uint16_t head;

	*ring_builder_used_index(&stage->driver) = RING_SIZE + 1;
	assert_int_equal(vring_next_used(&stage->ring, &head, &written), -EBADMSG);
	assert_string_equal(stage->ring.problem, "17 chains used in a ring of 16");
	*ring_builder_used_index(&stage->driver) = 1;
	ring_builder_used_entry(&stage->driver, 0)->head = 0x10000;
	assert_int_equal(vring_next_used(&stage->ring, &head, &written), -EBADMSG);
	assert_string_equal(stage->ring.problem, "used chain head 65536 of 16");
	assert_int_equal(stage->ring.next_used, 0);
}

static void test_sizes_and_alignment(void **state)
{
	static const uint16_t bad[] = { 0, 3, 255, 1023, 2048, 0x8000, UINT16_MAX };
	struct stage *stage = *state;
	struct vring good = stage->ring;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		stage->ring.size = bad[i];
		assert_int_equal(vring_check(&stage->ring), -EBADMSG);
		assert_non_null(strstr(stage->ring.problem, "expected a power of two up to 1024"));
	}
	stage->ring = good;
	stage->ring.desc += 8;
	assert_int_equal(vring_check(&stage->ring), -EBADMSG);
	stage->ring = good;
	stage->ring.avail += 1;
	assert_int_equal(vring_check(&stage->ring), -EBADMSG);
	stage->ring = good;
	stage->ring.used += 2;
	assert_int_equal(vring_check(&stage->ring), -EBADMSG);
	assert_non_null(strstr(stage->ring.problem, "misaligned"));
	assert_int_equal(vring_check(&good), 0);
}

/* Each ring up to the last byte of memory, and one too far. */
static void test_rings_at_the_end_of_memory(void **state)
{
	struct stage *stage = *state;
	const uint64_t end = BUILDER_USER_BASE + MEMORY_SIZE;
	const struct vring good = stage->ring;
	struct vring ring;

	for (unsigned int i = 0; i < 6; i++) {
		bool far = i % 2;

		ring = good;
		if (i / 2 == 0)
			ring.desc = end - 16 * RING_SIZE + (far ? 16 : 0);
		else if (i / 2 == 1)
			ring.avail = end - 4 - 2 * RING_SIZE + (far ? 2 : 0);
		else
			ring.used = end - 4 - 8 * RING_SIZE + (far ? 4 : 0);
		assert_int_equal(vring_check(&ring), far ? -EBADMSG : 0);
		if (far)
			assert_non_null(strstr(ring.problem, "outside of its memory"));
	}
	ring = good;
	ring.desc = ring.avail = ring.used = UINT64_MAX - 15;
	assert_int_equal(vring_check(&ring), -EBADMSG);
}

/* Memory can go after a ring was checked: replaced by the guest itself. */
static void test_rings_without_memory(void **state)
{
	struct stage *stage = *state;
	uint32_t written;
	uint16_t head;

	put(stage, 0, stage->buffer, 8, 0, 0);
	ring_builder_publish(&stage->driver, 0);
	vring_memory_clear(&stage->mapped);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), -EBADMSG);
	assert_int_equal(vring_chain_at(&stage->ring, 0, &stage->chain), -EBADMSG);
	assert_int_equal(vring_complete(&stage->ring, 0, 0), -EBADMSG);
	assert_int_equal(vring_next_used(&stage->ring, &head, &written), -EBADMSG);
	assert_int_equal(vring_check(&stage->ring), -EBADMSG);
	assert_false(vring_wants_call(&stage->ring));
}

/* ---- Memory --------------------------------------------------------------------------------- */

#define PAGE 4096ull

static void test_regions_that_are_refused(void **state)
{
	static const struct {
		uint64_t guest, user, size, offset;
	} bad[] = {
		{ 0x1000, 0x1000, 0, 0 },			    /* nothing */
		{ 0x1001, 0x1000, PAGE, 0 },			    /* not at a page */
		{ 0x1000, 0x1010, PAGE, 0 },			    /* nor here */
		{ 0x1000, 0x1000, PAGE, 512 },			    /* nor in the file */
		{ 0x1000, 0x1000, MEMORY_SIZE + PAGE, 0 },	    /* beyond the file */
		{ 0x1000, 0x1000, PAGE, MEMORY_SIZE },		    /* beyond the file */
		{ 0x1000, 0x1000, PAGE, UINT64_MAX - PAGE + 1 },    /* wraps */
		{ 0x1000, 0x1000, UINT64_MAX, PAGE },		    /* wraps */
		{ UINT64_MAX - PAGE + 1, 0x1000, 2 * PAGE, 0 },	    /* wraps */
		{ 0x1000, UINT64_MAX - PAGE + 1, 2 * PAGE, 0 },	    /* wraps */
		{ BUILDER_GUEST_BASE, 0x1000, PAGE, 0 },	    /* twice */
		{ MEMORY_END - PAGE, 0x1000, 2 * PAGE, 0 },	    /* twice */
		{ BUILDER_GUEST_BASE - PAGE, 0x1000, 2 * PAGE, 0 }, /* twice */
		{ 0x1000, BUILDER_USER_BASE + PAGE, PAGE, 0 },	    /* twice */
	};
	struct stage *stage = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(vring_memory_add(&stage->mapped, stage->memory.fd, bad[i].guest,
						  bad[i].user, bad[i].size, bad[i].offset),
				 -EBADMSG);
	assert_int_equal(stage->mapped.count, 1);
	for (uint64_t i = 1; i < VRING_REGIONS_MAX; i++)
		assert_int_equal(vring_memory_add(&stage->mapped, stage->memory.fd, i * PAGE,
						  i * PAGE, PAGE, i * PAGE),
				 0);
	assert_int_equal(vring_memory_add(&stage->mapped, stage->memory.fd, 0, 0, PAGE, 0),
			 -ENOSPC);
}

static void test_files_that_are_no_memory(void **state)
{
	struct vring_memory memory = {};
	auto_fd null = open("/dev/null", O_RDWR), closed = -1;
	auto_fd self = open("/proc/self/exe", O_RDONLY);
	auto_fd directory = open("/", O_RDONLY | O_DIRECTORY);
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(vring_memory_add(&memory, null, 0, 0, PAGE, 0), -EBADMSG);
	assert_int_equal(vring_memory_add(&memory, ends[0], 0, 0, PAGE, 0), -EBADMSG);
	assert_int_equal(vring_memory_add(&memory, directory, 0, 0, 1, 0), -EBADMSG);
	assert_int_equal(vring_memory_add(&memory, closed, 0, 0, PAGE, 0), -EBADF);
	assert_int_equal(vring_memory_add(&memory, self, 0, 0, PAGE, 0), -EACCES);
	assert_int_equal(memory.count, 0);
	close(ends[0]);
	close(ends[1]);
}

static void test_nothing_reaches_from_one_region_into_the_next(void **state)
{
	struct vring_memory memory = {};
	struct stage *stage = *state;

	for (uint64_t i = 0; i < 2; i++)
		assert_int_equal(vring_memory_add(&memory, stage->memory.fd, (4 + i) * PAGE,
						  (8 + i) * PAGE, PAGE, (1 - i) * PAGE),
				 0);
	assert_ptr_equal(vring_memory_at_guest(&memory, 5 * PAGE, PAGE), memory.region[1].data);
	assert_ptr_equal(vring_memory_at_user(&memory, 9 * PAGE - 1, 1),
			 memory.region[0].data + PAGE - 1);
	assert_null(vring_memory_at_guest(&memory, 5 * PAGE - 1, 2));
	assert_null(vring_memory_at_user(&memory, 9 * PAGE - 1, 2));
	assert_null(vring_memory_at_guest(&memory, 8 * PAGE, 1));
	assert_null(vring_memory_at_user(&memory, 4 * PAGE, 1));
	vring_memory_clear(&memory);
}

/* ---- Random rings --------------------------------------------------------------------------- */

#define ROUNDS 200000

/* Mostly almost right, because what is all wrong is found out at once. */
static struct builder_descriptor random_descriptor(struct stage *stage, struct random *random)
{
	struct builder_descriptor entry = {
		.address = stage->buffer + random_below(random, 4096),
		.length = (uint32_t)random_below(random, 256),
		.flags = (uint16_t)random_below(random, 8),
		.next = (uint16_t)random_below(random, RING_SIZE),
	};

	if (entry.flags & BUILDER_TABLE && random_chance(random, 80)) {
		entry.flags &= (uint16_t)~BUILDER_NEXT;
		entry.length = 16 * (uint32_t)random_below(random, 20);
	}
	switch (random_below(random, 40)) {
	case 0:
		entry.address = random_next(random);
		break;
	case 1:
		entry.address = MEMORY_END - random_below(random, 300);
		break;
	case 2:
		entry.length = (uint32_t)random_next(random);
		break;
	case 3:
		entry.flags = (uint16_t)random_next(random);
		break;
	case 4:
		entry.next = (uint16_t)random_next(random);
		break;
	}
	return entry;
}

static void scribble(struct stage *stage, struct random *random)
{
	struct builder_descriptor *table = builder_memory_at(&stage->memory, stage->buffer);

	for (unsigned int i = 0; i < 4; i++) {
		*ring_builder_descriptor(&stage->driver,
					 (uint16_t)random_below(random, RING_SIZE)) =
			random_descriptor(stage, random);
		table[random_below(random, 256)] = random_descriptor(stage, random);
	}
	if (random_chance(random, 2))
		*ring_builder_avail_index(&stage->driver) = (uint16_t)random_next(random);
	else
		*ring_builder_avail_index(&stage->driver) = (uint16_t)(stage->ring.next_avail + 1);
	for (uint16_t i = 0; i < RING_SIZE; i++)
		*ring_builder_avail_entry(&stage->driver, i) =
			(uint16_t)random_below(random, RING_SIZE + random_chance(random, 2));
}

static size_t check_buffers(struct stage *stage, const struct iovec *part, unsigned int count)
{
	const uint8_t *begin = stage->mapped.region[0].data;
	size_t size = 0;

	for (; count; part++, count--) {
		const uint8_t *data = part->iov_base;

		assert_true(data >= begin && data <= begin + MEMORY_SIZE);
		assert_true(part->iov_len <= (size_t)(begin + MEMORY_SIZE - data));
		size += part->iov_len;
	}
	return size;
}

static void check_chain(struct stage *stage)
{
	const struct vring_chain *chain = &stage->chain;

	assert_true(chain->head < RING_SIZE);
	assert_true(chain->read_count + chain->write_count <= VRING_CHAIN_MAX);
	assert_int_equal(check_buffers(stage, chain->read, chain->read_count), chain->read_size);
	assert_int_equal(check_buffers(stage, chain->write, chain->write_count), chain->write_size);
}

static void test_random_rings(void **state)
{
	struct random random = { test_seed(1) };
	struct stage *stage = *state;
	unsigned int taken = 0, refused = 0;
	uint8_t data[512] = {};

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t seed = random.state;
		int got;

		scribble(stage, &random);
		stage->ring.problem[0] = '\0';
		got = vring_take(&stage->ring, &stage->chain);
		if (got == 1) {
			taken++;
			check_chain(stage);
			vring_chain_read(&stage->chain, random_below(&random, 64), data,
					 sizeof(data));
			vring_chain_write(&stage->chain, random_below(&random, 64), data,
					  sizeof(data));
			assert_int_equal(vring_complete(&stage->ring, stage->chain.head, 0), 0);
		} else if (got != 0) {
			refused++;
			if (got != -EBADMSG || !stage->ring.problem[0])
				fail_msg("seed %" PRIu64 ": %d, \"%s\"", seed, got,
					 stage->ring.problem);
		}
	}
	/* Both happen, or the test tests nothing. */
	assert_true(taken > ROUNDS / 20);
	assert_true(refused > ROUNDS / 20);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(test_circle),
		STAGED(test_circle_in_a_table),
		STAGED(test_next_beyond_the_ring),
		STAGED(test_next_beyond_the_table),
		STAGED(test_buffers_outside_memory),
		STAGED(test_readable_after_writable),
		STAGED(test_tables_of_bad_length),
		STAGED(test_table_outside_memory),
		STAGED(test_table_in_a_table),
		STAGED(test_chain_that_goes_on_after_its_table),
		STAGED(test_too_many_buffers),
		STAGED(test_chain_of_too_many_bytes),
		STAGED(test_head_beyond_the_ring),
		STAGED(test_index_too_far_ahead),
		STAGED(test_used_entries_that_make_no_sense),
		STAGED(test_sizes_and_alignment),
		STAGED(test_rings_at_the_end_of_memory),
		STAGED(test_rings_without_memory),
		STAGED(test_regions_that_are_refused),
		STAGED(test_files_that_are_no_memory),
		STAGED(test_nothing_reaches_from_one_region_into_the_next),
		STAGED(test_random_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
