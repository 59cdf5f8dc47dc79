/* SPDX-License-Identifier: BSD-3-Clause */
/* The process of the Ethernet of `ttrec serve --net`. */
#ifndef TTREC_SERVE_NET_H
#define TTREC_SERVE_NET_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Start it: guests connect at @fd, which stays the caller's; it connects to the scheduler that is
 * about to listen at @clock. A frame takes @delay ns. Before the process has threads or holds
 * signals. 0 with *@pid, or -errno.
 */
int serve_net_start(int fd, const char *clock, uint64_t delay, pid_t *pid);

/* End it; @pid may be 0. */
void serve_net_stop(pid_t pid);

#endif
