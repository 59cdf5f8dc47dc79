/* SPDX-License-Identifier: BSD-3-Clause */
/* The other commands, which are beside this one. */
#ifndef TTREC_BESIDE_H
#define TTREC_BESIDE_H

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The path of the command @name; the caller frees it. NULL: out of memory. */
static inline char *beside_path(const char *name)
{
	char own[PATH_MAX], *path, *slash;
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[length < 0 ? 0 : length] = '\0';
	slash = strrchr(own, '/');
	return asprintf(&path, "%.*s%s", slash ? (int)(slash - own) + 1 : 0, own, name) < 0 ? NULL
											    : path;
}

#endif
