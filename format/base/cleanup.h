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

#endif
