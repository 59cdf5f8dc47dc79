// SPDX-License-Identifier: BSD-3-Clause
/*
 * A vring that changes while the device looks at it, as a guest with another CPU can make it.
 *
 * kernel/vhost/vring.c is compiled with a call before each load. Of those that read the guest's
 * memory each takes a decision from the input: is something else there now? So the same input
 * always changes the same memory between the same two loads, which a second thread would not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kernel/vhost/ring_builder.h"

#define MEMORY_SIZE (1u << 16)
#define RING_SIZE   8
#define TURNS	    32

void __sanitizer_cov_load1(uint8_t *address);
void __sanitizer_cov_load2(uint16_t *address);
void __sanitizer_cov_load4(uint32_t *address);
void __sanitizer_cov_load8(uint64_t *address);
void __sanitizer_cov_load16(__uint128_t *address);

static struct builder_memory memory;
static struct vring_memory mapped;
static struct fuzz_input changes;
static uint64_t table; /* guest address of an indirect table */

/* The device's view of the guest's memory is another mapping of the same file. */
static bool is_guest_memory(const void *address)
{
	const uint8_t *at = address;

	return mapped.count && at >= mapped.region[0].data &&
	       at < mapped.region[0].data + mapped.region[0].size;
}

static void about_to_load(void *address, size_t size)
{
	uint8_t how;

	if (!changes.left || !is_guest_memory(address))
		return;
	how = fuzz_byte(&changes);
	if (how & 1)
		for (size_t i = 0; i < size; i++)
			((uint8_t *)address)[i] = fuzz_byte(&changes);
	/* Somewhere else, where it may look next. */
	if (how & 2)
		memory.data[fuzz_u16(&changes) % MEMORY_SIZE] = fuzz_byte(&changes);
}

void __sanitizer_cov_load1(uint8_t *address)
{
	about_to_load(address, sizeof(*address));
}

void __sanitizer_cov_load2(uint16_t *address)
{
	about_to_load(address, sizeof(*address));
}

void __sanitizer_cov_load4(uint32_t *address)
{
	about_to_load(address, sizeof(*address));
}

void __sanitizer_cov_load8(uint64_t *address)
{
	about_to_load(address, sizeof(*address));
}

void __sanitizer_cov_load16(__uint128_t *address)
{
	about_to_load(address, sizeof(*address));
}

static size_t check_buffers(const struct iovec *part, unsigned int count)
{
	size_t size = 0;

	for (; count; part++, count--) {
		const uint8_t *data = part->iov_base;

		fuzz_expect(data >= mapped.region[0].data);
		fuzz_expect(data + part->iov_len <= mapped.region[0].data + MEMORY_SIZE);
		size += part->iov_len;
	}
	return size;
}

/* What was decided holds: all that is handed out lies in memory, whatever is there by now. */
static void check_chain(const struct vring_chain *chain)
{
	fuzz_expect(chain->head < RING_SIZE);
	fuzz_expect(chain->read_count + chain->write_count <= VRING_CHAIN_MAX);
	fuzz_expect(check_buffers(chain->read, chain->read_count) == chain->read_size);
	fuzz_expect(check_buffers(chain->write, chain->write_count) == chain->write_size);
}

static void use_chain(struct vring *ring, const struct vring_chain *chain)
{
	static uint8_t data[4096];

	check_chain(chain);
	vring_chain_read(chain, 3, data, sizeof(data));
	vring_chain_write(chain, 3, data, sizeof(data));
	vring_chain_read_back(chain, 0, data, sizeof(data));
	fuzz_expect(!vring_complete(ring, chain->head, (uint32_t)chain->write_size));
	vring_wants_call(ring);
}

/* Chains of each shape to begin with. */
static void offer(struct ring_builder *driver)
{
	const struct builder_part parts[] = { { table + 512, 16, false },
					      { table + 600, 40, true },
					      { table + 700, 8, true } };
	uint64_t address;

	ring_builder_send(driver, "hello", 5);
	ring_builder_add(driver, parts, ARRAY_SIZE(parts), BUILDER_DIRECT);
	ring_builder_receive(driver, 64, &address);
	ring_builder_add(driver, parts, ARRAY_SIZE(parts), BUILDER_INDIRECT);
}

static void run(struct vring *ring, struct fuzz_input *input)
{
	static struct vring_chain chain;
	uint32_t written;
	uint16_t head;

	for (int turn = 0; turn < TURNS; turn++) {
		int got;

		ring->problem[0] = '\0';
		switch (fuzz_below(input, 8)) {
		case 6:
			got = vring_chain_at(ring, (uint16_t)fuzz_below(input, RING_SIZE + 1),
					     &chain);
			if (!got)
				check_chain(&chain);
			break;
		case 7:
			got = vring_next_used(ring, &head, &written);
			break;
		default:
			got = vring_take(ring, &chain);
			if (got == 1)
				use_chain(ring, &chain);
		}
		fuzz_expect(got >= 0 || (got == -EBADMSG && ring->problem[0]));
		if (got < 0)
			return;
	}
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct vring ring = { .size = 0 };
	struct ring_builder driver;
	size_t count;

	builder_memory_create(&memory, MEMORY_SIZE);
	ring_builder_create(&driver, &memory, RING_SIZE);
	memset(&mapped, 0, sizeof(mapped));
	builder_memory_attach(&memory, &mapped);
	ring_builder_attach(&driver, &mapped, &ring);
	table = builder_memory_allocate(&memory, 1024);
	offer(&driver);
	changes.at = fuzz_bytes(&input, input.left - input.left / 4, &count);
	changes.left = count;
	run(&ring, &input);
	changes.left = 0;
	vring_memory_clear(&mapped);
	ring_builder_destroy(&driver);
	builder_memory_destroy(&memory);
	return 0;
}
