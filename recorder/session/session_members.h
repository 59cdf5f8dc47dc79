/* SPDX-License-Identifier: BSD-3-Clause */
/* How clients, guests, devices and programs enter a turn and leave it. */
#ifndef TTREC_SESSION_MEMBERS_H
#define TTREC_SESSION_MEMBERS_H

#include "recorder/session/session_turn.h"

/* The owner of the client that joins with @event (EVENT_JOINED). */
struct partition *members_partition(const struct turn *turn, const struct event *event);

/* EVENT_JOINED: it has connected to its time socket, or accepting it failed. */
void members_join(struct turn *turn, const struct event *event);

/* The calendar admits the client: it gets its number, and its START is recorded. */
void members_admit(struct turn *turn, struct client *client, const struct calendar_action *action);

/* EVENT_LEFT, after @partial bytes of a message. */
void members_end_of_connection(struct turn *turn, struct client *client, uint64_t partial);

/* EVENT_SEND_FAILED */
void members_send_failed(struct turn *turn, struct client *client, int error);

/* EVENT_ATTACHED: the guest has connected to the device, or accepting it failed. */
void members_attach(struct turn *turn, struct session_device *device, const struct event *event);

/* EVENT_EXITED: the guest's process has ended. */
void members_exited(struct turn *turn, struct session_guest *guest);

/* EVENT_PROGRAM_EXIT: its sockets report the rest, unless it never connected. */
void members_program_exit(struct turn *turn, const struct session_program *program);

/* Disconnect @program: it leaves the partition, and its devices are closed. */
void members_fail_program(struct turn *turn, struct session_program *program, const char *problem);

/* EVENT_UPSTREAM_LEFT: the other scheduler has ended. */
void members_upstream_left(struct turn *turn, struct client *client);

/*
 * Whether only clients without an id are left, such as simulators of a medium: their users have
 * left.
 */
bool members_only_servers_are_left(const struct turn *turn, const struct partition *partition);

#endif
