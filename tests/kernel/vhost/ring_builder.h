/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver's side of split vrings, in memory of a test: what a guest does before it kicks and
 * after it was called. Nothing is checked, so that everything can be built wrong as well.
 *
 *	struct builder_memory memory;
 *	struct ring_builder driver;
 *	struct vhost vhost = VHOST_NONE;   (or a struct vring_memory and a struct vring)
 *
 *	builder_memory_create(&memory, 1 << 20);
 *	ring_builder_create(&driver, &memory, 256);
 *	builder_memory_attach(&memory, &vhost.memory);
 *	ring_builder_attach(&driver, &vhost.memory, &vhost.ring[0]);
 *
 *	ring_builder_send(&driver, "hello", 5);       one buffer to read
 *	ring_builder_receive(&driver, 1500, &where); one buffer to write
 *	ring_builder_add(&driver, parts, count, BUILDER_DIRECT or BUILDER_INDIRECT);
 *	...the device works...
 *	while (ring_builder_take_used(&driver, &head, &written))
 *		...
 */
#ifndef TTREC_TEST_RING_BUILDER_H
#define TTREC_TEST_RING_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/vhost/vring.h"

/* Guest and user addresses differ, so that nobody gets away with mixing them up. */
#define BUILDER_GUEST_BASE 0x40000000ull
#define BUILDER_USER_BASE  0x7000000000ull

#define BUILDER_NEXT  1u
#define BUILDER_WRITE 2u
#define BUILDER_TABLE 4u

struct builder_memory {
	int fd; /* the guest's memory file */
	uint8_t *data;
	size_t size;
	size_t allocated;
};

struct builder_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

struct builder_used {
	uint32_t head;
	uint32_t written;
};

struct ring_builder {
	struct builder_memory *memory;
	uint16_t size;
	uint64_t desc, avail, used; /* guest addresses */
	uint16_t avail_index, used_index;
	uint16_t free_count;
	bool *taken; /* by descriptor */
};

/* One buffer of a chain. */
struct builder_part {
	uint64_t address; /* of the guest */
	uint32_t size;
	bool writable;
};

enum builder_shape { BUILDER_DIRECT, BUILDER_INDIRECT };

void builder_memory_create(struct builder_memory *memory, size_t size);
void builder_memory_destroy(struct builder_memory *memory);
void builder_memory_attach(const struct builder_memory *memory, struct vring_memory *device);

/* Take @size bytes, aligned to 16, never given back; returns their guest address. */
uint64_t builder_memory_allocate(struct builder_memory *memory, size_t size);
/* The driver's view of them. */
void *builder_memory_at(const struct builder_memory *memory, uint64_t address);

void ring_builder_create(struct ring_builder *ring, struct builder_memory *memory, uint16_t size);
void ring_builder_destroy(struct ring_builder *ring);
/* Set up and enable the device's view of it, as messages of a guest would. */
void ring_builder_attach(const struct ring_builder *ring, const struct vring_memory *memory,
			 struct vring *device);

struct builder_descriptor *ring_builder_descriptor(const struct ring_builder *ring, uint16_t index);
uint16_t *ring_builder_avail_flags(const struct ring_builder *ring);
uint16_t *ring_builder_avail_index(const struct ring_builder *ring);
uint16_t *ring_builder_avail_entry(const struct ring_builder *ring, uint16_t index);
uint16_t *ring_builder_used_index(const struct ring_builder *ring);
struct builder_used *ring_builder_used_entry(const struct ring_builder *ring, uint16_t index);

/* Write the index of the next chain to take: makes @head available. */
void ring_builder_publish(struct ring_builder *ring, uint16_t head);

/* Make a chain available; returns its head, -1 when there are no descriptors left. */
int ring_builder_add(struct ring_builder *ring, const struct builder_part *parts,
		     unsigned int count, enum builder_shape shape);

/* Chains of one buffer. Return the head; *@address may be NULL. */
int ring_builder_send(struct ring_builder *ring, const void *data, uint32_t size);
int ring_builder_receive(struct ring_builder *ring, uint32_t size, uint64_t *address);

/* The next chain the device is done with; its descriptors are free again. */
bool ring_builder_take_used(struct ring_builder *ring, uint16_t *head, uint32_t *written);

#endif
