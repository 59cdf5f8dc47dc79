/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripts that belong to the commands and are installed beside them: kernel/uml/ in the source. */
#ifndef TTREC_GUEST_SCRIPT_H
#define TTREC_GUEST_SCRIPT_H

#include "format/base/diagnosis.h"

struct script {
	char *path;
	int out_fd; /* gets its standard output */
	char *text; /* what it said to standard error */
};

/* A path beside the commands; the caller frees it. NULL: out of memory. */
char *script_path(const char *name);

/* Returns its exit status, or -errno; also where it could not start one of its commands. */
int script_run(struct script *script, char *const *arguments);

/* What a script says last, "NAME: what" and "  hint: what to do", as a diagnosis. */
int script_failed(const struct script *script, int err, struct diagnosis *why);

#endif
