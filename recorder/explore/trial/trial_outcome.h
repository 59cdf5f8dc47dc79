/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run went, from what it printed (`ttrec run --json`) and how its process ended. */
#ifndef TTREC_TRIAL_OUTCOME_H
#define TTREC_TRIAL_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/explore/trial/kind.h"

enum trial_verdict {
	TRIAL_PASSED,
	TRIAL_FAILED,
	TRIAL_OVERTIME, /* ended by a limit of wall time, so by this machine: not judged */
	TRIAL_REFUSED,	/* the command line or the lab is wrong: every run will be refused */
	TRIAL_SHORTAGE, /* of this machine, or the process did not end by itself: to be repeated */
	TRIAL_STOPPED,	/* by a signal */
};

struct trial_outcome {
	enum trial_verdict verdict;
	char guest[64], code[32];
	char line[KIND_TEXT]; /* why it failed; of a shortage and a refusal, why */
	uint64_t virtual_ns, wall_ns;
	uint64_t fingerprint; /* of consoles, messages and times: equal runs have equal ones */
	bool given;	      /* it printed a result */
};

/*
 * @text is what it printed to both streams, @status is that of waitpid(2).
 */
void trial_outcome_read(const char *text, int status, struct trial_outcome *outcome);

/* Did both runs do the same, as far as that is known? */
bool trial_outcome_same(const struct trial_outcome *one, const struct trial_outcome *other);

/* The kind of a failure. */
void trial_outcome_kind(const struct trial_outcome *outcome, char name[KIND_NAME]);

#endif
