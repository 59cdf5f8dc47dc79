/* SPDX-License-Identifier: BSD-3-Clause */
/* Scope-bound ownership: descriptors and memory that close themselves unless taken. */
#ifndef TTREC_CLEANUP_H
#define TTREC_CLEANUP_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Hand ownership on: returns the descriptor and leaves -1 behind. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Hand ownership on: returns the pointer and leaves NULL behind. */
#define take_pointer(pointer)                             \
	({                                                \
		typeof(pointer) *taken_from = &(pointer); \
		typeof(pointer) taken = *taken_from;      \
		*taken_from = NULL;                       \
		taken;                                    \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Give @array, which holds *@space items of @size bytes, room for @wanted: twice as much until that
 * is enough, and at least @least. Returns the array, with *@space adapted; NULL when there is no
 * memory, with nothing changed.
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

#endif
