// SPDX-License-Identifier: BSD-3-Clause
/* The driver's side of split vrings, for tests. */
#include "tests/kernel/vhost/ring_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- Memory --------------------------------------------------------------------------------- */

void builder_memory_create(struct builder_memory *memory, size_t size)
{
	*memory = (struct builder_memory){ .size = size };
	memory->fd = memfd_create("guest memory", MFD_CLOEXEC);
	assert_true(memory->fd >= 0);
	assert_int_equal(ftruncate(memory->fd, (off_t)size), 0);
	memory->data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	assert_ptr_not_equal(memory->data, MAP_FAILED);
}

void builder_memory_destroy(struct builder_memory *memory)
{
	munmap(memory->data, memory->size);
	close(memory->fd);
}

void builder_memory_attach(const struct builder_memory *memory, struct vring_memory *device)
{
	assert_int_equal(vring_memory_add(device, memory->fd, BUILDER_GUEST_BASE, BUILDER_USER_BASE,
					  memory->size, 0),
			 0);
}

uint64_t builder_memory_allocate(struct builder_memory *memory, size_t size)
{
	size_t begin = (memory->allocated + 15) & ~(size_t)15;

	assert_true(begin + size <= memory->size);
	memory->allocated = begin + size;
	return BUILDER_GUEST_BASE + begin;
}

void *builder_memory_at(const struct builder_memory *memory, uint64_t address)
{
	return memory->data + (address - BUILDER_GUEST_BASE);
}

/* ---- The ring ------------------------------------------------------------------------------- */

void ring_builder_create(struct ring_builder *ring, struct builder_memory *memory, uint16_t size)
{
	*ring = (struct ring_builder){ .memory = memory, .size = size, .free_count = size };
	ring->desc = builder_memory_allocate(memory, size * sizeof(struct builder_descriptor));
	ring->avail = builder_memory_allocate(memory, 6 + size * sizeof(uint16_t));
	ring->used = builder_memory_allocate(memory, 6 + size * sizeof(struct builder_used));
	ring->taken = calloc(size, sizeof(*ring->taken));
	assert_non_null(ring->taken);
}

void ring_builder_destroy(struct ring_builder *ring)
{
	free(ring->taken);
}

static uint64_t user_address(uint64_t guest_address)
{
	return guest_address - BUILDER_GUEST_BASE + BUILDER_USER_BASE;
}

void ring_builder_attach(const struct ring_builder *ring, const struct vring_memory *memory,
			 struct vring *device)
{
	*device = (struct vring){
		.memory = memory,
		.desc = user_address(ring->desc),
		.avail = user_address(ring->avail),
		.used = user_address(ring->used),
		.size = ring->size,
		.next_avail = ring->avail_index,
		.next_used = ring->used_index,
		.enabled = true,
	};
}

struct builder_descriptor *ring_builder_descriptor(const struct ring_builder *ring, uint16_t index)
{
	return (struct builder_descriptor *)builder_memory_at(ring->memory, ring->desc) + index;
}

uint16_t *ring_builder_avail_flags(const struct ring_builder *ring)
{
	return builder_memory_at(ring->memory, ring->avail);
}

uint16_t *ring_builder_avail_index(const struct ring_builder *ring)
{
	return ring_builder_avail_flags(ring) + 1;
}

uint16_t *ring_builder_avail_entry(const struct ring_builder *ring, uint16_t index)
{
	return ring_builder_avail_flags(ring) + 2 + index % ring->size;
}

uint16_t *ring_builder_used_index(const struct ring_builder *ring)
{
	return (uint16_t *)builder_memory_at(ring->memory, ring->used) + 1;
}

struct builder_used *ring_builder_used_entry(const struct ring_builder *ring, uint16_t index)
{
	uint8_t *used = builder_memory_at(ring->memory, ring->used);

	return (struct builder_used *)(used + 4) + index % ring->size;
}

void ring_builder_publish(struct ring_builder *ring, uint16_t head)
{
	*ring_builder_avail_entry(ring, ring->avail_index) = head;
	__atomic_store_n(ring_builder_avail_index(ring), ++ring->avail_index, __ATOMIC_RELEASE);
}

static uint16_t take_descriptor(struct ring_builder *ring)
{
	uint16_t index = 0;

	while (ring->taken[index])
		index++;
	ring->taken[index] = true;
	ring->free_count--;
	return index;
}

static struct builder_descriptor describe(const struct builder_part *part)
{
	return (struct builder_descriptor){ part->address, part->size,
					    part->writable ? BUILDER_WRITE : 0, 0 };
}

static int add_direct(struct ring_builder *ring, const struct builder_part *parts,
		      unsigned int count)
{
	uint16_t head = take_descriptor(ring), index = head;

	for (unsigned int i = 0; i < count; i++) {
		struct builder_descriptor *entry = ring_builder_descriptor(ring, index);

		*entry = describe(&parts[i]);
		if (i + 1 == count)
			break;
		index = take_descriptor(ring);
		entry->flags |= BUILDER_NEXT;
		entry->next = index;
	}
	return head;
}

static int add_indirect(struct ring_builder *ring, const struct builder_part *parts,
			unsigned int count)
{
	uint16_t head = take_descriptor(ring);
	uint64_t address =
		builder_memory_allocate(ring->memory, count * sizeof(struct builder_descriptor));
	struct builder_descriptor *table = builder_memory_at(ring->memory, address);

	for (unsigned int i = 0; i < count; i++) {
		table[i] = describe(&parts[i]);
		if (i + 1 == count)
			break;
		table[i].flags |= BUILDER_NEXT;
		table[i].next = (uint16_t)(i + 1);
	}
	*ring_builder_descriptor(ring, head) =
		(struct builder_descriptor){ address, (uint32_t)(count * sizeof(*table)),
					     BUILDER_TABLE, 0 };
	return head;
}

int ring_builder_add(struct ring_builder *ring, const struct builder_part *parts,
		     unsigned int count, enum builder_shape shape)
{
	unsigned int wanted = shape == BUILDER_DIRECT ? count : 1;
	int head;

	if (ring->free_count < wanted)
		return -1;
	if (shape == BUILDER_DIRECT)
		head = add_direct(ring, parts, count);
	else
		head = add_indirect(ring, parts, count);
	ring_builder_publish(ring, (uint16_t)head);
	return head;
}

int ring_builder_send(struct ring_builder *ring, const void *data, uint32_t size)
{
	uint64_t address = builder_memory_allocate(ring->memory, size);

	memcpy(builder_memory_at(ring->memory, address), data, size);
	return ring_builder_add(ring, &(struct builder_part){ address, size, false }, 1,
				BUILDER_DIRECT);
}

int ring_builder_receive(struct ring_builder *ring, uint32_t size, uint64_t *address)
{
	uint64_t place = builder_memory_allocate(ring->memory, size);

	if (address)
		*address = place;
	return ring_builder_add(ring, &(struct builder_part){ place, size, true }, 1,
				BUILDER_DIRECT);
}

static void free_chain(struct ring_builder *ring, uint16_t head)
{
	for (;;) {
		const struct builder_descriptor *entry = ring_builder_descriptor(ring, head);

		assert_true(ring->taken[head]);
		ring->taken[head] = false;
		ring->free_count++;
		if (!(entry->flags & BUILDER_NEXT))
			break;
		head = entry->next;
	}
}

bool ring_builder_take_used(struct ring_builder *ring, uint16_t *head, uint32_t *written)
{
	uint16_t index = __atomic_load_n(ring_builder_used_index(ring), __ATOMIC_ACQUIRE);
	const struct builder_used *entry;

	if (index == ring->used_index)
		return false;
	entry = ring_builder_used_entry(ring, ring->used_index++);
	assert_true(entry->head < ring->size);
	*head = (uint16_t)entry->head;
	*written = entry->written;
	free_chain(ring, *head);
	return true;
}
