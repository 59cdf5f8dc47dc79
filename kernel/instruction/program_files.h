/* SPDX-License-Identifier: BSD-3-Clause */
/* The programs and libraries in a file, a directory or an archive, as an initrd is one. */
#ifndef TTREC_PROGRAM_FILES_H
#define TTREC_PROGRAM_FILES_H

#include <stddef.h>

#include "format/base/diagnosis.h"

/*
 * Called for each regular file that begins as an ELF file does: its path below what was given, and
 * its content, until it returns. Returns 0 or -errno to end.
 */
typedef int program_found(void *context, const char *path, const void *data, size_t size);

/*
 * Go through @path, in the order of names (of an archive: as they are there). Links are not
 * followed. Archives are those that libarchive knows, compressed or not; of several that follow
 * each other in one initrd it is the first.
 */
int program_files_walk(const char *path, program_found *found, void *context,
		       struct diagnosis *why);

/* The same of an archive in memory. 0 or -errno, -EBADMSG for anything else. */
int program_files_walk_archive(const void *data, size_t size, program_found *found, void *context);

#endif
