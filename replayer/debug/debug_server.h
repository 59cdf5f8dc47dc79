/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The debug server: a debugger asks it where the guest is in its trace, and sets how far the
 *guest may run. * A thread answers: the cursor may be waiting for the very guest that the debugger
 *has stopped. Each question is a packet of text, each answer is "ok ..." or "error WHAT":
 *
 *	hello		GUEST TAB TTDUMP TAB TRACE: its name and paths; the debugger has the
 *			guest in its hands
 *	where		RECORD NOW 0|1 TEXT: what comes next, whether the guest is held before it,
 *			and why, when that is because nothing comes any more
 *	find POINT	RECORD, see until.h
 *	go RECORD	the guest is held before that record; a held one is let go
 *	around COUNT	RECORD RECORD: so many records of the guest before the next, and after it
 */
#ifndef TTREC_DEBUG_SERVER_H
#define TTREC_DEBUG_SERVER_H

#include "replayer/cursor/until.h"

struct debug_server;

struct debug_server_options {
	const char *trace;
	const struct replay_guest *guests; /* of the trace, all of them */
	size_t count;
	const struct replay_guest *guest; /* the one of them that is debugged */
	int fd;	     /* becomes the server's; its other end is the debugger's */
	int stop_fd; /* once it is readable the debugger is ended: its guest may hold us up */
	pid_t debugger;
};

int debug_server_open(const struct debug_server_options *options, struct debug_server **server);
void debug_server_close(struct debug_server *server);

/* The guest comes to @next: is it to be held before it? */
bool debug_server_pass(struct debug_server *server, const struct trace_record *next);

/* It is held there; @text: nothing comes any more, and why. */
void debug_server_hold(struct debug_server *server, const char *text);

/* Readable once a held guest is let go; debug_server_let_go() notes that it is. */
int debug_server_go_fd(const struct debug_server *server);
void debug_server_let_go(struct debug_server *server);

/* Has the debugger said hello? */
bool debug_server_met(struct debug_server *server);

#endif
