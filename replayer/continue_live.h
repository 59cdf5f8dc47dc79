/* SPDX-License-Identifier: BSD-3-Clause */
/* ttreplay --continue-live: continues a recording with a live calendar, which ttrec has. */
#ifndef TTREC_CONTINUE_LIVE_H
#define TTREC_CONTINUE_LIVE_H

#include "replayer/plan/replay_options.h"

/*
 * Execute `ttrec run --rerecord` with the replacements: the same up to the first difference, live
 * from there. Returns only with an error, and @why.
 */
int continue_live(const struct replay_options *options, struct diagnosis *why);

#endif
