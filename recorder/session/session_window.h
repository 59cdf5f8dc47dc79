/* SPDX-License-Identifier: BSD-3-Clause */
/* Windows, in which partitions run side by side, and the frames that cross them. */
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
 * When all partitions have come to the end of the window: switch frames, write records, open the
 * next, or name the participant that broke the protocol first. Returns true when that may be over,
 * too: it is to be called again without waiting for anybody. Each window lets the partition of the
 * first event have it, so time goes on, and where no window can be opened the recording ends.
 */
bool window_advance(struct turn *turn);

#endif
