// SPDX-License-Identifier: BSD-3-Clause
/* Why a recording ends: the first reason stays. */
#include "recorder/session/journal/session_outcome.h"

#include <errno.h>
#include <string.h>

struct diagnosis *outcome_reason(struct outcome *outcome)
{
	return outcome->over ? &outcome->unused : &outcome->result->diagnosis;
}

void outcome_finish(struct outcome *outcome, enum session_end end)
{
	if (outcome->over)
		return;
	outcome->over = true;
	outcome->result->end = end;
}

void outcome_no_memory(struct outcome *outcome)
{
	diagnose(outcome_reason(outcome), EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	outcome_finish(outcome, SESSION_FAULT);
}

void outcome_host_failed(struct outcome *outcome, int err, const char *doing)
{
	diagnose(outcome_reason(outcome), EXIT_CANNOT, err, diagnosis_shortage(err),
		 "cannot %s: %s", doing, strerror(-err));
	outcome_finish(outcome, SESSION_FAULT);
}
