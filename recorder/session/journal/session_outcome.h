/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a recording ends: the first reason stays.
 *
 * To end a recording, write a reason into outcome_reason() and then call outcome_finish(). From
 * then on no event is handled.
 */
#ifndef TTREC_SESSION_OUTCOME_H
#define TTREC_SESSION_OUTCOME_H

#include <stdbool.h>

#include "recorder/session/journal/session_result.h"

struct outcome {
	struct session_result *result;
	bool over;
	struct diagnosis unused; /* later reasons */
};

/* Where to write the reason; only the first one counts. */
struct diagnosis *outcome_reason(struct outcome *outcome);

void outcome_finish(struct outcome *outcome, enum session_end end);

/* End the recording for lack of memory. */
void outcome_no_memory(struct outcome *outcome);

/* End the recording because the host cannot do what @doing describes: @err, a negative errno. */
void outcome_host_failed(struct outcome *outcome, int err, const char *doing);

#endif
