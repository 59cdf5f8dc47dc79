/* SPDX-License-Identifier: BSD-3-Clause */
/* Output: messages for a full file system and for standard output, and files not to overwrite. */
#ifndef TTREC_WRITE_ERROR_H
#define TTREC_WRITE_ERROR_H

#include <stdbool.h>
#include <stdio.h>

#include "format/base/diagnosis.h"

#define WRITE_ERROR_TEXT 512

/*
 * Describe @error (a negative errno) of writing to @path; for a full file system with its mount
 * point and the space left. Returns @text.
 */
const char *write_error_text(const char *path, int error, char text[WRITE_ERROR_TEXT]);

/*
 * Part of the output is missing because of @error, a negative errno (0: nothing is missing), found
 * by code that cannot return it. It stays set, as the error of a stdio stream does, and
 * output_finish() returns it.
 */
void output_incomplete(int error);

/*
 * A copy, or a stream into memory, for output, as by strdup(3) and open_memstream(3). NULL without
 * memory, and the output is incomplete.
 */
char *output_copy(const char *text);
FILE *output_buffer_open(char **text, size_t *size);
void output_buffer_close(FILE *buffer);

/*
 * Flush standard output; -EIO with @why if writing failed, now or earlier, or if part of the output
 * is missing.
 */
int output_finish(struct diagnosis *why);

/*
 * At the end of a command: as output_finish(), printed. Returns @status, or where that is 0 the
 * status of the failure.
 */
int output_status(int status, const char *command);

/*
 * Whether both names are of one regular file, or the same name of a file that does not exist yet.
 */
bool is_same_file(const char *one, const char *other);

/*
 * -EEXIST if writing @output (may be NULL) would overwrite the trace @input, which is read. @option
 * names the option for @output, such as "--junit".
 */
int refuse_overwriting(const char *input, const char *output, const char *option,
		       struct diagnosis *why);

#endif
