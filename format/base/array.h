/* SPDX-License-Identifier: BSD-3-Clause */
/* Arrays that grow, and binary heaps in arrays. */
#ifndef TTREC_ARRAY_H
#define TTREC_ARRAY_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * Give @array, which holds *@space items of @size bytes, room for @wanted items: the space is
 * doubled until it suffices, and is at least @least. Returns the array and updates *@space; NULL
 * without memory, and nothing is changed.
 */
static inline void *array_reserve(void *array, size_t *space, size_t wanted, size_t least,
				  size_t size)
{
	size_t grown = *space ? *space : least;
	void *moved = array;

	while (grown < wanted)
		grown = grown > SIZE_MAX / 2 ? wanted : 2 * grown;
	if (grown != *space || !array)
		moved = reallocarray(array, grown, size);
	if (moved)
		*space = grown;
	return moved;
}

/* The same, updating @space and @array: 0 or -ENOMEM. */
#define array_room(array, space, wanted, least)                                                \
	({                                                                                     \
		void *array_moved =                                                            \
			array_reserve((array), &(space), (wanted), (least), sizeof(*(array))); \
		(array) = array_moved ?: (void *)(array);                                      \
		array_moved ? 0 : -ENOMEM;                                                     \
	})

/*
 * The arrays below have room for the next power of two of their number of items, so it is not
 * stored. They begin as NULL, and items are added only by these macros.
 */
static inline void *array_grown(void *array, size_t count, size_t wanted, size_t size)
{
	size_t space = count ? 1 : 0;

	while (space < count)
		space *= 2;
	array = array_reserve(array, &space, wanted, 1, size);
	if (array)
		memset((char *)array + count * size, 0, (wanted - count) * size);
	return array;
}

/* One more item, zeroed, of @array with @count: a pointer to it, or NULL without memory. */
#define array_add(array, count)                                                         \
	({                                                                              \
		void *array_moved =                                                     \
			array_grown((array), (count), (count) + 1ul, sizeof(*(array))); \
		(array) = array_moved ?: (void *)(array);                               \
		array_moved ? &(array)[(count)++] : NULL;                               \
	})

/* One more item: 0 or -ENOMEM. */
#define array_push(array, count, ...)                                  \
	({                                                             \
		typeof(array) array_new = array_add((array), (count)); \
		if (array_new)                                         \
			*array_new = (__VA_ARGS__);                    \
		array_new ? 0 : -ENOMEM;                               \
	})

/* Extend @array of @count with zeroed items so that @index exists: 0 or -ENOMEM. */
#define array_reach(array, count, index)                                                       \
	({                                                                                     \
		size_t array_wanted = (index) + 1ul;                                           \
		int array_err = 0;                                                             \
		if (array_wanted > (count)) {                                                  \
			void *array_moved =                                                    \
				array_grown((array), (count), array_wanted, sizeof(*(array))); \
			(array) = array_moved ?: (void *)(array);                              \
			(count) = array_moved ? (typeof(count))array_wanted : (count);         \
			array_err = array_moved ? 0 : -ENOMEM;                                 \
		}                                                                              \
		array_err;                                                                     \
	})

/* ---- Heaps: no item comes before the first. @before(a, b) gets pointers to two items. -------- */

/* Add @item to @heap of @count, which has room for it. */
#define heap_push(heap, count, item, before)                                          \
	({                                                                            \
		const typeof(*(heap)) heap_item = (item);                             \
		size_t heap_hole = (count)++;                                         \
		for (; heap_hole && before(&heap_item, &(heap)[(heap_hole - 1) / 2]); \
		     heap_hole = (heap_hole - 1) / 2)                                 \
			(heap)[heap_hole] = (heap)[(heap_hole - 1) / 2];              \
		(heap)[heap_hole] = heap_item;                                        \
	})

/* Take the first item of @heap, which is not empty: the last goes in its place, and down. */
#define heap_pop(heap, count, before)                                                       \
	({                                                                                  \
		const typeof(*(heap)) heap_first = (heap)[0];                               \
		const typeof(*(heap)) heap_item = (heap)[--(count)];                        \
		size_t heap_hole = 0, heap_child;                                           \
		while ((heap_child = 2 * heap_hole + 1) < (count)) {                        \
			heap_child += heap_child + 1 < (count) &&                           \
				      before(&(heap)[heap_child + 1], &(heap)[heap_child]); \
			if (!before(&(heap)[heap_child], &heap_item))                       \
				break;                                                      \
			(heap)[heap_hole] = (heap)[heap_child];                             \
			heap_hole = heap_child;                                             \
		}                                                                           \
		(heap)[heap_hole] = heap_item;                                              \
		heap_first;                                                                 \
	})

#endif
