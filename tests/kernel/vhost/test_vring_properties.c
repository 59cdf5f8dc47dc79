// SPDX-License-Identifier: BSD-3-Clause
/*
 * Whatever a driver makes available, a device gets: random chains in random shapes, taken and
 * completed in any order, compared with what was put in.
 *
 * TTREC_TEST_SEED=N tries the worlds from N on; a failure names the seed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/kernel/vhost/ring_builder.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define WORLDS	    200
#define STEPS	    600
#define PARTS_MAX   12
#define PART_MAX    200
#define MEMORY_SIZE (4u << 20)

/* A chain as the driver made it. */
struct expected {
	int head;
	uint8_t to_read[PARTS_MAX * PART_MAX], to_write[PARTS_MAX * PART_MAX];
	size_t read_size, write_size;
	struct builder_part parts[PARTS_MAX];
	unsigned int count;
};

struct world {
	uint64_t seed;
	struct random random;
	struct builder_memory memory;
	struct ring_builder driver;
	struct vring_memory mapped;
	struct vring ring;
	struct vring_chain chain;
	struct expected *expected; /* by head */
	uint16_t queue[256];	   /* made available, not taken */
	size_t queued;
	uint16_t flying[256]; /* taken, not completed */
	size_t flown;
	uint16_t completed[256]; /* not yet seen by the driver */
	uint32_t written[256];
	size_t done;
};

#define check(world, truth)                                                                       \
	do {                                                                                      \
		if (!(truth))                                                                     \
			fail_msg("seed %" PRIu64 ": not so: %s (line %d)", (world)->seed, #truth, \
				 __LINE__);                                                       \
	} while (0)

static uint16_t take_any(struct world *world, uint16_t *list, size_t *count)
{
	size_t i = random_below(&world->random, *count);
	uint16_t taken = list[i];

	memmove(&list[i], &list[i + 1], (--*count - i) * sizeof(*list));
	return taken;
}

static void fill(struct world *world, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)random_next(&world->random);
}

/* A part the device reads gets its bytes now, one it writes is noted. */
static void build_part(struct world *world, struct expected *chain, bool writable)
{
	uint32_t size = (uint32_t)(1 + random_below(&world->random, PART_MAX));
	uint64_t address = builder_memory_allocate(&world->memory, size);
	uint8_t *data = builder_memory_at(&world->memory, address);

	chain->parts[chain->count++] = (struct builder_part){ address, size, writable };
	if (writable) {
		chain->write_size += size;
		return;
	}
	fill(world, data, size);
	memcpy(chain->to_read + chain->read_size, data, size);
	chain->read_size += size;
}

static void make_available(struct world *world)
{
	static struct expected chain;
	unsigned int reads = (unsigned int)random_below(&world->random, PARTS_MAX / 2);
	unsigned int writes = (unsigned int)random_below(&world->random, PARTS_MAX / 2);
	enum builder_shape shape =
		random_chance(&world->random, 50) ? BUILDER_DIRECT : BUILDER_INDIRECT;

	chain.count = 0;
	chain.read_size = chain.write_size = 0;
	for (unsigned int i = 0; i < reads; i++)
		build_part(world, &chain, false);
	for (unsigned int i = 0; i < writes || !chain.count; i++)
		build_part(world, &chain, true);
	chain.head = ring_builder_add(&world->driver, chain.parts, chain.count, shape);
	if (chain.head < 0)
		return;
	world->expected[chain.head] = chain;
	world->queue[world->queued++] = (uint16_t)chain.head;
}

static void check_chain(struct world *world, const struct expected *expected)
{
	uint8_t data[sizeof(expected->to_read)];
	size_t offset = random_below(&world->random, expected->read_size + 1);

	check(world, world->chain.head == expected->head);
	check(world, world->chain.read_size == expected->read_size);
	check(world, world->chain.write_size == expected->write_size);
	check(world, world->chain.read_count + world->chain.write_count == expected->count);
	check(world, vring_chain_read(&world->chain, offset, data, sizeof(data)) ==
			     expected->read_size - offset);
	check(world, !memcmp(data, expected->to_read + offset, expected->read_size - offset));
}

static void take(struct world *world)
{
	int got = vring_take(&world->ring, &world->chain);
	uint16_t head;

	check(world, got == (world->queued != 0));
	if (!got)
		return;
	head = world->queue[0];
	memmove(&world->queue[0], &world->queue[1], --world->queued * sizeof(head));
	check_chain(world, &world->expected[head]);
	world->flying[world->flown++] = head;
}

/* Writes all of the chain in two pieces, in either order. */
static void complete(struct world *world)
{
	struct expected *expected;
	size_t border;
	uint16_t head;

	if (!world->flown)
		return;
	head = take_any(world, world->flying, &world->flown);
	expected = &world->expected[head];
	check(world, vring_chain_at(&world->ring, head, &world->chain) == 0);
	check_chain(world, expected);
	fill(world, expected->to_write, expected->write_size);
	border = random_below(&world->random, expected->write_size + 1);
	check(world, vring_chain_write(&world->chain, border, expected->to_write + border,
				       sizeof(expected->to_write) - border) ==
			     expected->write_size - border);
	check(world, vring_chain_write(&world->chain, 0, expected->to_write, border) == border);
	check(world, vring_complete(&world->ring, head, (uint32_t)expected->write_size) == 0);
	world->completed[world->done++] = head;
}

static void check_written(struct world *world, const struct expected *expected)
{
	size_t offset = 0;

	for (unsigned int i = 0; i < expected->count; i++) {
		const struct builder_part *part = &expected->parts[i];

		if (!part->writable)
			continue;
		check(world, !memcmp(builder_memory_at(&world->memory, part->address),
				     expected->to_write + offset, part->size));
		offset += part->size;
	}
}

static void reap(struct world *world)
{
	uint32_t written;
	uint16_t head;

	for (size_t i = 0; i < world->done; i++) {
		check(world, ring_builder_take_used(&world->driver, &head, &written));
		check(world, head == world->completed[i]);
		check(world, written == world->expected[head].write_size);
		check_written(world, &world->expected[head]);
	}
	check(world, !ring_builder_take_used(&world->driver, &head, &written));
	world->done = 0;
}

static void run_world(uint64_t seed)
{
	struct world *world = calloc(1, sizeof(*world));
	uint16_t size;

	assert_non_null(world);
	world->seed = seed;
	world->random.state = seed;
	size = (uint16_t)(1u << random_below(&world->random, 9));
	world->expected = calloc(size, sizeof(*world->expected));
	assert_non_null(world->expected);
	builder_memory_create(&world->memory, MEMORY_SIZE);
	ring_builder_create(&world->driver, &world->memory, size);
	builder_memory_attach(&world->memory, &world->mapped);
	ring_builder_attach(&world->driver, &world->mapped, &world->ring);
	for (unsigned int i = 0; i < STEPS; i++) {
		switch (random_below(&world->random, 8)) {
		case 0 ... 2:
			make_available(world);
			break;
		case 3 ... 4:
			take(world);
			break;
		case 5 ... 6:
			complete(world);
			break;
		default:
			reap(world);
		}
	}
	vring_memory_clear(&world->mapped);
	ring_builder_destroy(&world->driver);
	builder_memory_destroy(&world->memory);
	free(world->expected);
	free(world);
}

static void test_devices_get_what_drivers_give(void **state)
{
	uint64_t first = test_seed(1);

	(void)state;
	for (uint64_t seed = first; seed < first + WORLDS; seed++)
		run_world(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices_get_what_drivers_give),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
