/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Binary heaps in arrays: no item comes before the first one. @before(a, b) gets pointers to two
 * items.
 */
#ifndef TTREC_HEAP_H
#define TTREC_HEAP_H

#include <stddef.h>

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
