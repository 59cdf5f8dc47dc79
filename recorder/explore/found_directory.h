/* SPDX-License-Identifier: BSD-3-Clause */
/* The directory of a kind of failure, as a whole: files, no directories in it. */
#ifndef TTREC_FOUND_DIRECTORY_H
#define TTREC_FOUND_DIRECTORY_H

/* Remove what is at @path, if there is something. Returns 0 or -errno, as all of these do. */
int found_directory_remove(const char *path);

/* @part becomes @whole, in place of what was there. */
int found_directory_keep(const char *part, const char *whole);

/* Copy all files of @from to the new directory @to. */
int found_directory_copy(const char *from, const char *to);

#endif
