/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows, in which partitions run in parallel, and frames between partitions. */
#ifndef TTREC_SESSION_WINDOW_H
#define TTREC_SESSION_WINDOW_H

#include "recorder/network/network.h"
#include "recorder/session/session_turn.h"

/* See session_add_network(). */
int window_add_network(struct turn *turn, struct network *network,
		       struct network_port *const *ports, struct device *const *devices,
		       const size_t *partitions, size_t count);
void window_release(struct window *window);

/*
 * When all partitions have reached the end of the window: switch frames, write records, and open
 * the next one, or report the participant that broke the protocol first. Returns true if that
 * window may be over already: call it again without waiting. Each window includes the first event
 * of all partitions, so time advances; if no window can be opened, the recording ends.
 */
bool window_advance(struct turn *turn);

#endif
