/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clients of another scheduler: the messages of each are recorded and relayed in both directions
 * over a connection of its own. There is no calendar: the other scheduler decides which guest runs
 * when.
 *
 * Calls and RUNs arrive on different sockets, so a RUN for a sleeping guest is held until it has
 * replied to its interrupts.
 */
#ifndef TTREC_SESSION_UPSTREAM_H
#define TTREC_SESSION_UPSTREAM_H

#include "recorder/session/member/session_client.h"

/* A message from @client: record and relay it. */
void upstream_forward(struct client *client, const struct wire_message *message);

/* Whether the guest may be run: it has no interrupt to reply to first. */
bool upstream_may_run(const struct client *client);

/* A message from the scheduler to @client. */
void upstream_deliver(struct client *client, const struct wire_message *message);

/* Its connection has ended while @client is there: ends the recording. */
void upstream_left(const struct client *client);

/* A message of @client could not be passed on to it. */
void upstream_refused(const struct client *client);

#endif
