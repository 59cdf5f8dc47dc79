// SPDX-License-Identifier: BSD-3-Clause
/* Preloaded into a command: its allocation number FAIL_ALLOCATION, counted from 1, fails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);

static const char variable[] = "FAIL_ALLOCATION=";

/* getenv(3) could not be called before the program itself is there. */
static long wanted(void)
{
	for (char **entry = environ; entry && *entry; entry++)
		if (!strncmp(*entry, variable, sizeof(variable) - 1))
			return atol(*entry + sizeof(variable) - 1);
	return 0;
}

static int fails(void)
{
	static long count;

	if (__sync_add_and_fetch(&count, 1) != wanted())
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
	return fails() ? NULL : __libc_realloc(pointer, size);
}
