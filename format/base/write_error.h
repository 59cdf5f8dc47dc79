/* SPDX-License-Identifier: BSD-3-Clause */
/* Write errors: messages for a full file system and for standard output. */
#ifndef TTREC_WRITE_ERROR_H
#define TTREC_WRITE_ERROR_H

#include "format/base/diagnosis.h"

#define WRITE_ERROR_TEXT 512

/*
 * Describe @error (a negative errno) of writing to @path; for a full file system with its mount
 * point and the space left. Returns @text.
 */
const char *write_error_text(const char *path, int error, char text[WRITE_ERROR_TEXT]);

/* Flush standard output; -EIO with @why if writing failed, now or earlier. */
int output_finish(struct diagnosis *why);

/*
 * At the end of a command: as output_finish(), printed. Returns @status, or where that is 0 the
 * status of the failure.
 */
int output_status(int status, const char *command);

#endif
