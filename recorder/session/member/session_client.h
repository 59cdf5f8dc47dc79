/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A client: one time-travel connection, of a guest, of a device program, or of neither.
 *
 *   GONE -- connects --> CONNECTED -- its START is admitted: it has a number --> ADMITTED
 *   ADMITTED -- the ACK of its START goes out --> RUNNING
 * Of a client with a calendar that is all; the calendar has its state in the simulation. Of
 * one that another scheduler runs:
 *   RUNNING -- its WAIT --> ASKS_WAIT -- the ACK of that --> WAITING -- RUN --> RUNNING
 *   any -- end of the connection --> GONE
 */
#ifndef TTREC_SESSION_CLIENT_H
#define TTREC_SESSION_CLIENT_H

#include "recorder/session/member/session_partition.h"
#include "recorder/session/journal/session_source.h"

enum client_state {
	CLIENT_GONE,
	CLIENT_CONNECTED,
	CLIENT_ADMITTED,
	CLIENT_RUNNING,
	CLIENT_ASKS_WAIT,
	CLIENT_WAITING,
};

struct client {
	enum client_state state;
	int fd;
	uint32_t index;	 /* in the trace */
	uint32_t handle; /* in the calendar of its partition */
	uint64_t id;	 /* once it is admitted; WIRE_ID_NONE: a simulator without an id */
	uint64_t wait_count;
	uint64_t next_digest; /* at which WAIT */
	struct partition *partition;
	struct session_guest *guest;	 /* NULL */
	struct session_program *program; /* which takes part in time; else NULL */
	struct wire_input input;
	struct source source;
	/* Of one that another scheduler runs: */
	int upstream_fd; /* to that; -1 */
	struct wire_input upstream_input;
	struct source upstream_source;
	uint32_t wait_seq; /* of its last WAIT */
};

/* All clients. The slot of one that has left is used again. */
struct clients {
	struct client **client;
	size_t count;
	size_t left, seen; /* of those that belong to no program */
	size_t admitted;
};

/* A client that is CLIENT_GONE. 0 or -ENOMEM. */
int clients_take_place(struct clients *clients, struct client **client);
void clients_release(struct clients *clients);

bool client_is_admitted(const struct client *client);

/* The client has got its number. */
void client_record_join(struct client *client, uint64_t id, uint64_t offset);
void client_record_message(struct client *client, enum trace_kind kind,
			   const struct wire_message *message);
void client_record_leave(const struct client *client);

/* Record @message and send it. Changes of the guest's memory by programs are recorded first. */
void client_send(struct client *client, const struct wire_message *message);

#endif
