/* SPDX-License-Identifier: BSD-3-Clause */
/* ttreplay --then-live: on from the recording with a live calendar, which ttrec has. */
#ifndef TTREC_THEN_LIVE_H
#define TTREC_THEN_LIVE_H

#include "replayer/plan/replay_options.h"

/*
 * Become `ttrec run --again`, which makes the recording again with what is to be another: the same
 * up to where that shows, live from there. Returns only with an error, and @why.
 */
int then_live(const struct replay_options *options, struct diagnosis *why);

#endif
