/* SPDX-License-Identifier: BSD-3-Clause */
/* Scope-bound ownership: descriptors and memory that close themselves unless taken. */
#ifndef TTREC_CLEANUP_H
#define TTREC_CLEANUP_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

static inline void close_fd(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static inline void free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

/* The variable owns the descriptor, memory or stream until its scope ends or it is taken. */
#define auto_fd	  cleanup(close_fd) int
#define auto_free cleanup(free_pointer)
#define auto_file cleanup(close_file) FILE

/* Transfer ownership: returns the descriptor and sets the variable to -1. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Transfer ownership: returns the pointer and sets the variable to NULL. */
#define take_pointer(pointer)                             \
	({                                                \
		typeof(pointer) *taken_from = &(pointer); \
		typeof(pointer) taken = *taken_from;      \
		*taken_from = NULL;                       \
		taken;                                    \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

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

#endif
