/* SPDX-License-Identifier: BSD-3-Clause */
/* What is long goes through a pager when it goes to a terminal. */
#ifndef TTREC_PAGER_H
#define TTREC_PAGER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "format/base/diagnosis.h"

struct pager {
	FILE *out; /* write here; standard output when there is no pager */
	pid_t process;
	const char *command;
};

/* Standard output can colour what it shows, and colours are not disabled (https://no-color.org). */
bool terminal_is_colourful(void);

/*
 * Start a pager if @wanted and standard output is a terminal: $TTREC_PAGER, $PAGER, or less if that
 * is installed; with "cat" or an empty value there is no pager. A pager that is left early is not
 * an error: the writer sees ferror(pager->out) and stops. 0 or a negative errno with @why filled.
 */
int pager_open(struct pager *pager, bool wanted, struct diagnosis *why);

/*
 * Wait until the reader has read enough. What is to be said of errors comes after that. 0, or a
 * negative errno with @why filled when it could not be run.
 */
int pager_close(struct pager *pager, struct diagnosis *why);

#endif
