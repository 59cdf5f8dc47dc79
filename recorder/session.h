/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording: sockets and guests on one side, calendar and trace on the other.
 *
 * The way of a message, in session_client.c: socket -> trace -> calendar -> trace -> socket.
 */
#ifndef TTREC_SESSION_H
#define TTREC_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "format/diagnosis.h"
#include "format/tttrace.h"
#include "kernel/guest.h"
#include "recorder/calendar.h"
#include "recorder/watch.h"

struct session;

enum digest_policy { DIGEST_AUTO, DIGEST_OFF, DIGEST_EVERY };

/* Why a recording ended. */
enum session_end {
	SESSION_DONE,	  /* every guest and client left by itself */
	SESSION_DEADLOCK, /* everybody sleeps forever */
	SESSION_LIMIT,	  /* --limit-virtual or --limit-wall */
	SESSION_FAULT,	  /* a client broke the protocol */
	SESSION_HUNG,	  /* a guest computes and never WAITs */
	SESSION_STORAGE,  /* the trace could not be written */
	SESSION_SIGNAL,	  /* SIGINT, SIGTERM */
};

struct session_options {
	struct calendar_options calendar;
	uint64_t seed;
	uint64_t limit_wall;   /* ns of wall time; 0 = none */
	uint64_t hang_timeout; /* ns of wall time a client may run without a message; 0 = none */
	enum digest_policy digest;
	uint32_t digest_every; /* with DIGEST_EVERY: at each that many-th WAIT */
	bool show_console;     /* copy console output to standard output */
	bool show_status;      /* keep a live line on the terminal */
};

struct session_result {
	enum session_end end;
	struct diagnosis diagnosis; /* what and why, unless SESSION_DONE */
	int signal;		    /* of SESSION_SIGNAL */
	int guest_status, guest_signal;
	uint64_t messages, digests, records;
	int digest_error; /* why memory could not be hashed at some WAIT; 0 */
	uint64_t virtual_ns, wall_ns;
};

/*
 * Call process_hold_stop() before. @writer may be NULL: nothing is recorded. @watch may be NULL:
 * the console is not judged. Both stay the caller's.
 */
int session_create(const struct session_options *options, struct trace_writer *writer,
		   struct watch *watch, struct session **session);
void session_destroy(struct session *session);

/* Accept clients on @fd, which is taken over unless this fails. */
int session_listen(struct session *session, int fd);

/* Serve the doors of @guest (stays the caller's), which was just opened. */
int session_add_guest(struct session *session, struct guest *guest);

/* Until everybody has left or something ends it. Returns 0; how it went is in @result. */
int session_run(struct session *session, struct session_result *result);

#endif
