/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Possible causes of a divergence: what is known to make guests differ (docs/architecture.md,
 * Isolation), checked for this recording and this machine.
 */
#ifndef TTREC_CAUSE_H
#define TTREC_CAUSE_H

#include "format/ci/finding.h"
#include "replayer/cursor/replay_guest.h"

#define CAUSES_MAX 8

/*
 * Add the causes that have evidence, the strongest first: at least one and at most CAUSES_MAX;
 * where nothing known explains it, FOUND_UNKNOWN.
 */
void causes_find(const struct replay_guest *guest, struct findings *found);

#endif
