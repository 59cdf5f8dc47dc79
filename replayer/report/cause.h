/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Possible causes of a divergence: what is known to make guests differ (docs/architecture.md,
 * Isolation), checked for this recording and this machine.
 */
#ifndef TTREC_CAUSE_H
#define TTREC_CAUSE_H

#include "replayer/cursor/replay_guest.h"

#define CAUSES_MAX 8

struct cause {
	char what[160];	    /* "the recording's sandbox was not fully isolated" */
	char evidence[320]; /* the evidence */
	char advice[320];   /* what to do about it */
};

/*
 * The causes that have evidence, the strongest first: at least one, the last of which may be
 * that nothing known does. Returns how many.
 */
size_t causes_find(const struct replay_guest *guest, struct cause causes[CAUSES_MAX]);

#endif
