/* SPDX-License-Identifier: BSD-3-Clause */
/* The replay of one guest, in a process of its own. */
#ifndef TTREC_REPLAY_CHILD_H
#define TTREC_REPLAY_CHILD_H

#include "replayer/cursor/replay_guest.h"
#include "replayer/plan/replay_options.h"

/* Open the sandbox of @guest, replay it to its end and fill guest->outcome. */
void replay_child(const struct replay_options *options, struct replay_guest *guest);

#endif
