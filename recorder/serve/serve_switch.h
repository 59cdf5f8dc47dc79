/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An Ethernet switch between guests, which connect over vhost-user, as a participant in virtual
 * time. A frame takes the same time from each guest to each other one. The card of the guest that
 * connects first has the address 02:00:00:00:01:01, and so on.
 */
#ifndef TTREC_SERVE_SWITCH_H
#define TTREC_SERVE_SWITCH_H

#include <stdint.h>

/* Guests that can be connected, and frames that can be under way; more are lost. */
#define SWITCH_PORTS_MAX  1024
#define SWITCH_FRAMES_MAX 65536

/*
 * Serve guests at @listen_fd, which stays the caller's, until the scheduler at @clock_fd, which is
 * taken over, ends the connection: 0, or -errno.
 */
int serve_switch_run(int listen_fd, int clock_fd, uint64_t delay);

#endif
