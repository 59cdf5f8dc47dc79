/* SPDX-License-Identifier: BSD-3-Clause */
/* The processes that replay guests: starts them by the plan, waits for them, ends them together. */
#ifndef TTREC_REPLAY_WORKERS_H
#define TTREC_REPLAY_WORKERS_H

#include "replayer/plan/replay_options.h"
#include "replayer/plan/replay_plan.h"
#include "replayer/cursor/replay_guest.h"

/*
 * Replay all guests of @plan, no more than @active_max at the same time. Returns 0 with each one's
 * outcome filled and *@signal the one that stopped it, or 0; or a negative errno when processes
 * cannot be started: none is left then.
 */
int replay_workers_run(const struct replay_options *options, const struct replay_plan *plan,
		       size_t active_max, int *signal);

/* Open the sandbox of @guest, replay it to its end and fill guest->outcome. */
void replay_child(const struct replay_options *options, struct replay_guest *guest);

#endif
