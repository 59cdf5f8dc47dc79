/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of the conformance test, done by a participant. */
#ifndef TTREC_CONFORMANCE_PARTICIPANT_H
#define TTREC_CONFORMANCE_PARTICIPANT_H

#include "kernel/participant/participant.h"
#include "tests/system/conformance/conformance_steps.h"

/* What the guest's kernel had in mind before the part's mark; times as the guest knows them. */
struct conformance_state {
	uint64_t begin;	     /* ns: when the mark began */
	uint64_t programmed; /* ns: when the timer was set last before, */
	uint64_t request;    /* ns: and for when: the next tick */
};

struct conformance_part {
	enum conformance_mark name;
	const struct conformance_step *steps;
};

/* Returns 0 or a negative errno; prints what went wrong. */
int conformance_participant(const char *address, enum participant_kernel kernel,
			    const struct conformance_part *part,
			    const struct conformance_state *state);

#endif
