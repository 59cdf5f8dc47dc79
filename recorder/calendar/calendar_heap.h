/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An ordered set of clients: smallest key first, any client moved or removed in O(log n).
 *
 * Memory is only taken by calendar_heap_reserve(), so that nothing can fail in between.
 */
#ifndef TTREC_CALENDAR_HEAP_H
#define TTREC_CALENDAR_HEAP_H

#include <stdint.h>

/* Compared field by field, in this order. */
struct calendar_key {
	uint64_t time;
	uint64_t id;
	uint64_t order;
};

struct calendar_heap_entry {
	struct calendar_key key;
	uint32_t client;
};

struct calendar_heap {
	struct calendar_heap_entry *entries;
	uint32_t *positions; /* by client; CALENDAR_HEAP_ABSENT: not in the heap */
	uint32_t count, capacity;
};

#define CALENDAR_HEAP_ABSENT UINT32_MAX

/* Make room for clients 0 to @capacity - 1. Returns 0, or -ENOMEM and nothing has changed. */
int calendar_heap_reserve(struct calendar_heap *heap, uint32_t capacity);
void calendar_heap_release(struct calendar_heap *heap);

/* Put @client in, or move it when it is in already. */
void calendar_heap_set(struct calendar_heap *heap, uint32_t client, struct calendar_key key);

/* Take @client out; nothing happens when it is not in. */
void calendar_heap_remove(struct calendar_heap *heap, uint32_t client);

/* The entry with the smallest key, NULL when empty. Valid until the next change. */
static inline const struct calendar_heap_entry *calendar_heap_top(const struct calendar_heap *heap)
{
	return heap->count ? &heap->entries[0] : NULL;
}

#endif
