/* SPDX-License-Identifier: BSD-3-Clause */
/* Output that did not arrive: what is said of a full file system, and of standard output. */
#ifndef TTREC_WRITE_ERROR_H
#define TTREC_WRITE_ERROR_H

#include "format/base/diagnosis.h"

#define WRITE_ERROR_TEXT 512

/*
 * What @error (a negative errno) of writing to @path is in words; where a file system is full, with
 * its mount point and the space left on it. Returns @text.
 */
const char *write_error_text(const char *path, int error, char text[WRITE_ERROR_TEXT]);

/* Write out standard output; -EIO with @why where not all of it arrived, now or earlier. */
int output_finish(struct diagnosis *why);

/*
 * At the end of a command: as output_finish(), printed. Returns @status, or where that is 0 the
 * status of the failure.
 */
int output_status(int status, const char *command);

#endif
