/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients of another scheduler: messages of each are recorded and relayed over a connection of its
 * own, in both directions. There is no calendar here: the other scheduler decides which guest runs
 * when.
 *
 * Only that a guest which sleeps is sent a RUN after it has replied to an interrupt is seen to:
 * calls and RUNs come on different sockets.
 */
#ifndef TTREC_SESSION_UPSTREAM_H
#define TTREC_SESSION_UPSTREAM_H

#include "recorder/session/member/session_client.h"

/* A message from @client: record and relay it. */
void upstream_forward(struct client *client, const struct wire_message *message);

/* May the guest be run, or is there an interrupt to which it has to reply before? */
bool upstream_may_run(const struct client *client);

/* A message from the scheduler to @client. */
void upstream_deliver(struct client *client, const struct wire_message *message);

/* Its connection has ended while @client is there: ends the recording. */
void upstream_left(const struct client *client);

/* @client could not be passed on to it. */
void upstream_refused(const struct client *client);

#endif
