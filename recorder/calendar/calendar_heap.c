// SPDX-License-Identifier: BSD-3-Clause
/* A binary heap with the position of each client. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "recorder/calendar/calendar_heap.h"
#include "format/base/array.h"

int calendar_heap_reserve(struct calendar_heap *heap, uint32_t capacity)
{
	size_t entries = heap->capacity, positions = entries;

	if (capacity <= heap->capacity)
		return 0;
	if (array_room(heap->entries, entries, capacity, 8) ||
	    array_room(heap->positions, positions, capacity, 8))
		return -ENOMEM;
	for (uint32_t client = heap->capacity; client < capacity; client++)
		heap->positions[client] = CALENDAR_HEAP_ABSENT;
	heap->capacity = capacity;
	return 0;
}

void calendar_heap_release(struct calendar_heap *heap)
{
	free(heap->entries);
	free(heap->positions);
	*heap = (struct calendar_heap){};
}

static inline bool key_before(const struct calendar_key *a, const struct calendar_key *b)
{
	if (a->time != b->time)
		return a->time < b->time;
	if (a->id != b->id)
		return a->id < b->id;
	return a->order < b->order;
}

static inline void entry_place(struct calendar_heap *heap, uint32_t position,
			       const struct calendar_heap_entry *entry)
{
	heap->entries[position] = *entry;
	heap->positions[entry->client] = position;
}

/* Move the hole at @position towards the root until @entry fits. Returns where that is. */
static uint32_t hole_rise(struct calendar_heap *heap, uint32_t position,
			  const struct calendar_heap_entry *entry)
{
	while (position) {
		uint32_t parent = (position - 1) / 2;

		if (!key_before(&entry->key, &heap->entries[parent].key))
			break;
		entry_place(heap, position, &heap->entries[parent]);
		position = parent;
	}
	return position;
}

/* Move the hole at @position towards the leaves until @entry fits. Returns where that is. */
static uint32_t hole_sink(struct calendar_heap *heap, uint32_t position,
			  const struct calendar_heap_entry *entry)
{
	for (;;) {
		uint32_t child = 2 * position + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count)
			child += key_before(&heap->entries[child + 1].key,
					    &heap->entries[child].key);
		if (!key_before(&heap->entries[child].key, &entry->key))
			break;
		entry_place(heap, position, &heap->entries[child]);
		position = child;
	}
	return position;
}

/* Fill the hole at @position with @entry, wherever the order wants it. */
static void hole_fill(struct calendar_heap *heap, uint32_t position,
		      const struct calendar_heap_entry *entry)
{
	uint32_t risen = hole_rise(heap, position, entry);

	if (risen == position)
		risen = hole_sink(heap, position, entry);
	entry_place(heap, risen, entry);
}

void calendar_heap_set(struct calendar_heap *heap, uint32_t client, struct calendar_key key)
{
	const struct calendar_heap_entry entry = { .key = key, .client = client };
	uint32_t position;

	assert(client < heap->capacity);
	position = heap->positions[client];
	if (position == CALENDAR_HEAP_ABSENT)
		position = heap->count++;
	hole_fill(heap, position, &entry);
}

void calendar_heap_remove(struct calendar_heap *heap, uint32_t client)
{
	struct calendar_heap_entry last;
	uint32_t position;

	assert(client < heap->capacity);
	position = heap->positions[client];
	if (position == CALENDAR_HEAP_ABSENT)
		return;
	heap->positions[client] = CALENDAR_HEAP_ABSENT;
	last = heap->entries[--heap->count];
	if (position != heap->count)
		hole_fill(heap, position, &last);
}
