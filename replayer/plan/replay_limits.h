/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much of this machine a replay may use. The user decides, not the trace: what all that the
 * trace asks for comes to is compared before any of it is taken.
 */
#ifndef TTREC_REPLAY_LIMITS_H
#define TTREC_REPLAY_LIMITS_H

#include "replayer/plan/replay_lab.h"

/* Each guest alone, before anything of it is read: mem= is the trace's word. */
int replay_limits_check(const struct replay_options *options, const struct replay_lab *lab,
			struct diagnosis *why);

/*
 * With the files of those that will run: how many fit side by side, whichever they are. One always
 * does, or it is refused. Sets lab->active_max and lab->memory.
 */
int replay_limits_share(const struct replay_options *options, struct replay_lab *lab,
			struct diagnosis *why);

/* Print what the guests may use where it is much: once, before they start. */
void replay_limits_print(const struct replay_options *options, const struct replay_lab *lab);

/*
 * @guest, which was replayed with the error @err or diverged, may have been killed for what it
 * took, or by somebody: then this is why, and @why says so.
 */
void replay_limits_explain(struct replay_guest *replayed, struct guest *guest, int err);

#endif
