// SPDX-License-Identifier: BSD-3-Clause
/* A vring between a driver and a device: chains, their bytes, used entries, and the interposer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/kernel/vhost/ring_builder.h"

#define MEMORY_SIZE (1u << 20)

struct stage {
	struct builder_memory memory;
	struct ring_builder driver;
	struct vring_memory mapped;
	struct vring ring;
	struct vring_chain chain;
};

static int stage_open_size(void **state, uint16_t size)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	builder_memory_create(&stage->memory, MEMORY_SIZE);
	ring_builder_create(&stage->driver, &stage->memory, size);
	builder_memory_attach(&stage->memory, &stage->mapped);
	ring_builder_attach(&stage->driver, &stage->mapped, &stage->ring);
	assert_int_equal(vring_check(&stage->ring), 0);
	*state = stage;
	return 0;
}

static int stage_open(void **state)
{
	return stage_open_size(state, 8);
}

static int stage_open_huge(void **state)
{
	return stage_open_size(state, VRING_SIZE_MAX);
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

static struct builder_part part(struct stage *stage, uint32_t size, bool writable)
{
	return (struct builder_part){ builder_memory_allocate(&stage->memory, size), size,
				      writable };
}

/* ---- Chains --------------------------------------------------------------------------------- */

static void test_empty_ring_gives_nothing(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(vring_take(&stage->ring, &stage->chain), 0);
}

static void test_buffer_is_read_and_completed(void **state)
{
	struct stage *stage = *state;
	char data[16] = "";
	int sent = ring_builder_send(&stage->driver, "hello", 5);
	uint16_t head;
	uint32_t written;

	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(stage->chain.head, sent);
	assert_int_equal(stage->chain.read_count, 1);
	assert_int_equal(stage->chain.write_count, 0);
	assert_int_equal(stage->chain.read_size, 5);
	assert_int_equal(vring_chain_read(&stage->chain, 0, data, sizeof(data)), 5);
	assert_string_equal(data, "hello");
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 0);

	assert_false(ring_builder_take_used(&stage->driver, &head, &written));
	assert_int_equal(vring_complete(&stage->ring, stage->chain.head, 0), 0);
	assert_true(ring_builder_take_used(&stage->driver, &head, &written));
	assert_int_equal(head, sent);
	assert_int_equal(written, 0);
	assert_false(ring_builder_take_used(&stage->driver, &head, &written));
}

static void test_buffer_is_written(void **state)
{
	struct stage *stage = *state;
	uint64_t address;
	uint16_t head;
	uint32_t written;
	char back[8] = "";

	ring_builder_receive(&stage->driver, 6, &address);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(stage->chain.write_size, 6);
	assert_int_equal(vring_chain_write(&stage->chain, 0, "frames", 7), 6);
	assert_int_equal(vring_chain_write(&stage->chain, 6, "!", 1), 0);
	assert_int_equal(vring_chain_read(&stage->chain, 0, back, sizeof(back)), 0);
	assert_int_equal(vring_chain_read_back(&stage->chain, 1, back, sizeof(back)), 5);
	assert_string_equal(back, "rames");
	assert_int_equal(vring_complete(&stage->ring, stage->chain.head, 6), 0);
	assert_true(ring_builder_take_used(&stage->driver, &head, &written));
	assert_int_equal(written, 6);
	assert_memory_equal(builder_memory_at(&stage->memory, address), "frames", 6);
}

/* As of a disk: a header to read, then data and a status to write. */
static void check_mixed_chain(struct stage *stage, enum builder_shape shape)
{
	struct builder_part parts[] = { part(stage, 16, false), part(stage, 3, false),
					part(stage, 10, true), part(stage, 1, true) };
	uint8_t *first = builder_memory_at(&stage->memory, parts[0].address);
	uint8_t *second = builder_memory_at(&stage->memory, parts[1].address);
	uint8_t data[32];

	memset(first, 1, 16);
	memset(second, 2, 3);
	assert_true(ring_builder_add(&stage->driver, parts, 4, shape) >= 0);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(stage->chain.read_count, 2);
	assert_int_equal(stage->chain.write_count, 2);
	assert_int_equal(stage->chain.read_size, 19);
	assert_int_equal(stage->chain.write_size, 11);
	/* across the border of two buffers, in both directions */
	assert_int_equal(vring_chain_read(&stage->chain, 14, data, 4), 4);
	assert_memory_equal(data, ((uint8_t[]){ 1, 1, 2, 2 }), 4);
	assert_int_equal(vring_chain_write(&stage->chain, 8, "abc", 3), 3);
	assert_memory_equal((uint8_t *)builder_memory_at(&stage->memory, parts[2].address) + 8,
			    "ab", 2);
	assert_memory_equal(builder_memory_at(&stage->memory, parts[3].address), "c", 1);
}

static void test_chain_of_several_buffers(void **state)
{
	check_mixed_chain(*state, BUILDER_DIRECT);
}

static void test_indirect_chain(void **state)
{
	check_mixed_chain(*state, BUILDER_INDIRECT);
}

/* VIRTIO 1.2, 2.7.5.3.2: normal descriptors and then one table; its WRITE flag means nothing. */
static void test_table_after_plain_descriptors(void **state)
{
	struct stage *stage = *state;
	struct builder_part plain = part(stage, 4, false);
	struct builder_part inner[] = { part(stage, 2, false), part(stage, 8, true) };
	int table = ring_builder_add(&stage->driver, inner, 2, BUILDER_INDIRECT);

	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	ring_builder_descriptor(&stage->driver, (uint16_t)table)->flags |= BUILDER_WRITE;
	*ring_builder_descriptor(&stage->driver, 7) =
		(struct builder_descriptor){ plain.address, plain.size, BUILDER_NEXT,
					     (uint16_t)table };
	ring_builder_publish(&stage->driver, 7);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(stage->chain.read_size, 6);
	assert_int_equal(stage->chain.write_size, 8);
}

static void test_chain_of_the_whole_ring(void **state)
{
	struct stage *stage = *state;
	struct builder_part parts[8];

	for (unsigned int i = 0; i < 8; i++)
		parts[i] = part(stage, 1 + i, i >= 4);
	assert_true(ring_builder_add(&stage->driver, parts, 8, BUILDER_DIRECT) >= 0);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(stage->chain.read_size, 1 + 2 + 3 + 4);
	assert_int_equal(stage->chain.write_size, 5 + 6 + 7 + 8);
}

static void test_longest_indirect_chain(void **state)
{
	struct stage *stage = *state;
	static struct builder_part parts[VRING_CHAIN_MAX];

	for (unsigned int i = 0; i < VRING_CHAIN_MAX; i++)
		parts[i] = part(stage, 4, true);
	ring_builder_add(&stage->driver, parts, VRING_CHAIN_MAX, BUILDER_INDIRECT);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(stage->chain.write_count, VRING_CHAIN_MAX);
	assert_int_equal(stage->chain.write_size, 4 * VRING_CHAIN_MAX);
}

/* How a replay finds the buffer of a record, and how it is found again later. */
static void test_chain_in_flight_is_found_again(void **state)
{
	struct stage *stage = *state;
	uint64_t address;
	int head;

	ring_builder_receive(&stage->driver, 10, NULL);
	head = ring_builder_receive(&stage->driver, 20, &address);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	memset(&stage->chain, 0xee, sizeof(stage->chain));
	assert_int_equal(vring_chain_at(&stage->ring, (uint16_t)head, &stage->chain), 0);
	assert_int_equal(stage->chain.head, head);
	assert_int_equal(stage->chain.write_size, 20);
	assert_int_equal(stage->chain.read_count, 0);
	assert_int_equal(vring_chain_write(&stage->chain, 0, "late", 4), 4);
	assert_memory_equal(builder_memory_at(&stage->memory, address), "late", 4);
}

/* A device may hold a chain while the guest gives it other memory: there is nothing behind it. */
static void test_chain_of_memory_that_was_replaced(void **state)
{
	struct stage *stage = *state;
	uint8_t data[4];

	ring_builder_receive(&stage->driver, 10, NULL);
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
	vring_memory_clear(&stage->mapped);
	builder_memory_attach(&stage->memory, &stage->mapped);
	assert_int_equal(vring_chain_write(&stage->chain, 0, "late", 4), 0);
	assert_int_equal(vring_chain_read_back(&stage->chain, 0, data, 4), 0);
	assert_int_equal(vring_chain_at(&stage->ring, stage->chain.head, &stage->chain), 0);
	assert_int_equal(vring_chain_write(&stage->chain, 0, "late", 4), 4);
}

/* ---- Indices -------------------------------------------------------------------------------- */

static void test_indices_wrap_around(void **state)
{
	struct stage *stage = *state;
	uint64_t address = builder_memory_allocate(&stage->memory, 16);
	uint16_t head;
	uint32_t written;

	for (uint32_t i = 0; i < 70000; i++) {
		assert_int_equal(ring_builder_add(&stage->driver,
						  &(struct builder_part){ address, 16, true }, 1,
						  BUILDER_DIRECT),
				 0);
		assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
		assert_int_equal(vring_complete(&stage->ring, 0, i), 0);
		assert_true(ring_builder_take_used(&stage->driver, &head, &written));
		assert_int_equal(written, i);
	}
}

static void test_completed_out_of_order(void **state)
{
	static const uint16_t order[] = { 2, 0, 3, 1 };
	struct stage *stage = *state;
	uint16_t heads[4], head;
	uint32_t written;

	for (int i = 0; i < 4; i++)
		heads[i] = (uint16_t)ring_builder_receive(&stage->driver, 8, NULL);
	while (vring_take(&stage->ring, &stage->chain) == 1)
		;
	for (int i = 0; i < 4; i++)
		assert_int_equal(vring_complete(&stage->ring, heads[order[i]], order[i]), 0);
	for (int i = 0; i < 4; i++) {
		assert_true(ring_builder_take_used(&stage->driver, &head, &written));
		assert_int_equal(head, heads[order[i]]);
		assert_int_equal(written, order[i]);
	}
}

static void test_a_ring_that_is_not_ready_gives_nothing(void **state)
{
	struct stage *stage = *state;

	ring_builder_send(&stage->driver, "x", 1);
	assert_true(vring_ready(&stage->ring));
	stage->ring.enabled = false;
	assert_false(vring_ready(&stage->ring));
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 0);
	stage->ring.enabled = true;
	stage->ring.size = 0;
	assert_false(vring_ready(&stage->ring));
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 0);
	assert_int_equal(vring_complete(&stage->ring, 0, 0), -EBADMSG);
	stage->ring.size = 8;
	assert_int_equal(vring_take(&stage->ring, &stage->chain), 1);
}

static void test_calls_are_wanted_or_not(void **state)
{
	struct stage *stage = *state;

	assert_true(vring_wants_call(&stage->ring));
	*ring_builder_avail_flags(&stage->driver) = 1;
	assert_false(vring_wants_call(&stage->ring));
	*ring_builder_avail_flags(&stage->driver) = 0xfffe;
	assert_true(vring_wants_call(&stage->ring));
	stage->ring.avail = 0;
	assert_false(vring_wants_call(&stage->ring));
}

static void test_used_entries_of_a_foreign_device(void **state)
{
	struct stage *stage = *state;
	struct vring foreign = stage->ring;
	uint32_t written;
	uint16_t head;

	assert_int_equal(vring_next_used(&stage->ring, &head, &written), 0);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(vring_complete(&foreign, (uint16_t)(5 - i), 100u + i), 0);
	for (uint16_t i = 0; i < 3; i++) {
		assert_int_equal(vring_next_used(&stage->ring, &head, &written), 1);
		assert_int_equal(head, 5 - i);
		assert_int_equal(written, 100 + i);
	}
	assert_int_equal(vring_next_used(&stage->ring, &head, &written), 0);
	assert_int_equal(stage->ring.next_used, 3);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(test_empty_ring_gives_nothing),
		STAGED(test_buffer_is_read_and_completed),
		STAGED(test_buffer_is_written),
		STAGED(test_chain_of_several_buffers),
		STAGED(test_indirect_chain),
		STAGED(test_table_after_plain_descriptors),
		STAGED(test_chain_of_the_whole_ring),
		STAGED(test_longest_indirect_chain),
		cmocka_unit_test_setup_teardown(test_longest_indirect_chain, stage_open_huge,
						stage_close),
		STAGED(test_chain_in_flight_is_found_again),
		STAGED(test_chain_of_memory_that_was_replaced),
		STAGED(test_indices_wrap_around),
		STAGED(test_completed_out_of_order),
		STAGED(test_a_ring_that_is_not_ready_gives_nothing),
		STAGED(test_calls_are_wanted_or_not),
		STAGED(test_used_entries_of_a_foreign_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
