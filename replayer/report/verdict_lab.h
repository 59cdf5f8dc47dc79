/* SPDX-License-Identifier: BSD-3-Clause */
/* What the replay of a trace found: of one guest, or of each and all of several. */
#ifndef TTREC_VERDICT_LAB_H
#define TTREC_VERDICT_LAB_H

#include <jansson.h>

#include "replayer/plan/replay_lab.h"
#include "replayer/report/verdict.h"

struct verdict_lab {
	const char *trace; /* path, for the next command */
	const struct replay_lab *lab;
	const char *until; /* where they were to stop, if that is not a record, as it was given */
	const struct diagnosis
		*refused; /* why nothing was replayed; NULL, and then there is a lab */
	uint64_t wall_ns; /* from the first guest's start to the last one's end */
};

/* The next guest that was wanted, from *@position on, which starts at 0. False: no more. */
bool verdict_lab_next(const struct verdict_lab *all, size_t *position, struct verdict *verdict);

/* "identical", "diverged" or "not replayed": of all together. */
const char *verdict_lab_word(const struct verdict_lab *all);

/* What --json prints of several guests; NULL: out of memory. */
json_t *verdict_lab_json(const struct verdict_lab *all);

/*
 * Print the verdict and return the exit status. If a single guest was not replayed, that is an
 * error of the command: print *@why.
 */
int verdict_lab_report(const struct verdict_lab *verdict, bool json, struct diagnosis *why);

#endif
