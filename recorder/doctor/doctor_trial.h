/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest that is started only to see whether it starts: its interfaces are served, nothing is
 * recorded.
 */
#ifndef TTREC_DOCTOR_TRIAL_H
#define TTREC_DOCTOR_TRIAL_H

#include "kernel/guest/guest.h"

enum trial_end {
	TRIAL_SPOKE,  /* it asked for time to start */
	TRIAL_ENDED,  /* it ended before: see status and signal */
	TRIAL_SILENT, /* neither, for ten seconds */
};

struct trial {
	enum trial_end end;
	int status, signal;
	char console[4096]; /* the beginning of what it printed */
	size_t console_size;
};

/* Serve an open guest until one of the ends. Returns 0 or -errno. */
int trial_run(struct guest *guest, struct trial *trial);

/* The last line of the console with text in it; cuts the console there. "" when there is none. */
const char *trial_last_line(struct trial *trial);

#endif
