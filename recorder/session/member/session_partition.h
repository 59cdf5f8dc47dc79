/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A partition: clients that run one at a time, with a calendar of their own.
 *
 * Partitions are connected by networks with a delay, and run in parallel in windows of that length
 * (session_window.h). Only the turn and the windows change a calendar; the functions here only
 * query it.
 *
 *   CLIENTS -- the calendar's event of the devices --> DEVICES -- all devices are done --> CLIENTS
 *   any -- a client broke the protocol --> FAULTED
 */
#ifndef TTREC_SESSION_PARTITION_H
#define TTREC_SESSION_PARTITION_H

#include "recorder/calendar/calendar.h"
#include "recorder/network/network.h"
#include "recorder/session/journal/session_effects.h"
#include "recorder/session/journal/session_journal.h"

enum partition_state {
	PARTITION_CLIENTS, /* its clients run */
	PARTITION_DEVICES, /* the device turn: its clients sleep, devices complete and interrupt */
	PARTITION_FAULTED, /* no more of its events are handled */
};

/* The client that broke the protocol, and how; see turn_report_fault(). */
struct partition_fault {
	uint64_t time, id; /* ns; of the client, WIRE_ID_NONE */
	char who[32];
	char with[WIRE_NAME_TEXT]; /* its message; empty: none */
	char text[256];
};

/* A frame that left its guest in this window. */
struct outgoing {
	struct network_port *port;
	uint64_t time;
	size_t network, sequence;
	struct network_frame *frame;
};

struct partition {
	size_t number;
	enum partition_state state;
	struct journal *journal;
	struct effects *effects;
	struct outcome *outcome;
	struct calendar *calendar; /* NULL with @upstream */
	const char *upstream;	   /* path of another scheduler, instead of a calendar; or NULL */
	uint64_t now;		   /* with @upstream: latest known virtual time, ns */
	struct client **client;	   /* by handle */
	size_t client_count;
	struct session_device **device; /* in the order of guests */
	size_t device_count;
	size_t turn;		       /* in the device turn: index of the current device */
	struct session_device *called; /* in the device turn: the device whose guest has to reply */
	struct session_device *kicked; /* its guest waits for the reply to a kick */
	size_t guests_left;
	size_t absent;	  /* guests that have not connected yet, or have left and not exited yet */
	bool due_changed; /* of some device, since the calendar was updated */
	bool calls_held;  /* of some program, until a guest is blocked */
	bool busy;	  /* it is counted in turn->busy */
	bool over;	  /* no more of it is recorded */
	struct partition_fault fault;
	struct outgoing *outgoing;
	size_t outgoing_count, outgoing_space;
};

/* With @upstream (else NULL) there is no calendar. 0 or -errno. */
int partition_create(const struct calendar_options *options, const char *upstream,
		     struct partition **partition);
void partition_destroy(struct partition *partition);

int partition_add_device(struct partition *partition, struct session_device *device);

/* Keep @client under its handle. */
int partition_add_client(struct partition *partition, struct client *client, uint32_t handle);

/* Does nothing once the recording is over. */
void partition_record(const struct partition *partition, const struct trace_record *record);

/* Virtual time, ns. */
uint64_t partition_now(const struct partition *partition);

/*
 * It has reached the end of its window, has no clients left, or has failed: it does not delay the
 * end of the window.
 */
bool partition_is_done(const struct partition *partition);

/* The client that has the token; NULL. */
struct client *partition_running(const struct partition *partition);

/* Whether @client, which is connected, sleeps in its WAIT. */
bool partition_is_waiting(const struct partition *partition, const struct client *client);

/* The client whose message the partition waits for; or NULL. */
const struct client *partition_owing(const struct partition *partition);

#endif
