/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording: sockets, guests and devices on one side, calendars and trace on the other.
 *
 * The way of a message, in session_client.c: socket -> trace -> calendar -> trace -> socket. That
 * of an interrupt, in session_device.c: calendar -> device -> guest memory and trace -> socket.
 *
 * Clients that may only be run one after the other form an island, with a calendar of its own.
 * Islands are joined by networks that take time, and run side by side in windows of that length
 * (session_window.c). `ttrec serve` is one island without windows.
 */
#ifndef TTREC_SESSION_H
#define TTREC_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "format/ci/ci_console.h"
#include "format/base/diagnosis.h"
#include "format/tttrace.h"
#include "kernel/guest/guest.h"
#include "recorder/calendar.h"
#include "recorder/device.h"
#include "recorder/network.h"
#include "recorder/watch.h"
#include "recorder/weave.h"

struct session;
struct probe;

/* A session is not started with the last one: it stands for none. */
enum digest_policy { DIGEST_AUTO, DIGEST_OFF, DIGEST_EVERY, DIGEST_UNSET };

/* Why a recording ended. */
enum session_end {
	SESSION_DONE,	  /* every guest and client left by itself */
	SESSION_DEADLOCK, /* everybody sleeps forever */
	SESSION_LIMIT,	  /* --limit-virtual */
	SESSION_TIMEOUT,  /* --limit-wall */
	SESSION_FAULT,	  /* a client broke the protocol */
	SESSION_HUNG,	  /* a guest computes and never WAITs */
	SESSION_STORAGE,  /* the trace could not be written */
	SESSION_SIGNAL,	  /* SIGINT, SIGTERM */
};

struct session_options {
	struct calendar_options calendar; /* of each island, but @expected */
	uint64_t seed;
	uint64_t limit_wall;   /* ns of wall time; 0 = none */
	uint64_t hang_timeout; /* ns of wall time a client may run without a message; 0 = none */
	enum digest_policy digest;
	uint32_t digest_every; /* with DIGEST_EVERY: at each that many-th WAIT */
	bool show_console;     /* copy console output to standard output */
	bool show_status;      /* keep a live line on the terminal */
};

/* How one guest ended. */
struct session_guest_result {
	bool ended;
	int status, signal;
	uint64_t ended_now;    /* virtual time at which it left, ns, or ended where it never came */
	const char *hint;      /* for what its kernel said, see last_words.h; NULL */
	const char *last_line; /* of its console, see last_words.h; NULL: it did not end */
	char exceeded[ROOM_EXCEEDED_TEXT]; /* which limit of its sandbox it was killed at; empty */
	uint64_t messages;
	uint64_t interrupts;			    /* calls and configuration changes */
	uint64_t probed;			    /* interrupts that the probe saw, recorded */
	char probe_problem[512];		    /* why these are not all; empty */
	char device_fault[VHOST_PROBLEM_TEXT + 64]; /* the first of its devices that was ended */
	uint64_t device_fault_now;		    /* when, ns */
};

struct session_result {
	enum session_end end;
	struct diagnosis diagnosis; /* what and why, unless SESSION_DONE */
	int signal;		    /* of SESSION_SIGNAL */
	uint64_t messages, digests, records;
	int digest_error; /* why memory could not be hashed at some WAIT; 0 */
	uint64_t virtual_ns, wall_ns;
};

/*
 * Call process_hold_stop() before. @writer may be NULL: nothing is recorded; it stays the caller's.
 */
int session_create(const struct session_options *options, struct trace_writer *writer,
		   struct session **session);
void session_destroy(struct session *session);

/*
 * An island in which @expected clients are waited for before time begins. All islands are added
 * before anything else. Returns its number in *@island.
 */
int session_add_island(struct session *session, uint32_t expected, size_t *island);

/* Accept clients on @fd in the first island; taken over unless this fails. */
int session_listen(struct session *session, int fd);

/* What a session needs to know of a guest besides the guest itself. */
struct session_guest_options {
	size_t island;
	uint64_t seed;		  /* of its entropy */
	struct watch *watch;	  /* judges its console; may be NULL; stays the caller's */
	struct ci_console *heard; /* keeps what a CI is told of it; the same */
};

/*
 * Serve the doors of @guest (stays the caller's), which was just opened. Guests are numbered from 0
 * in the order in which they are added, in the trace, too.
 */
int session_add_guest(struct session *session, struct guest *guest,
		      const struct session_guest_options *options);

/* Judge the consoles of all guests together; each is the console of its number. */
void session_watch(struct session *session, struct watch *watch);

/* Record the interrupts of all guests as @probe sees them; stays the caller's, until after. */
int session_add_probe(struct session *session, struct probe *probe);

/* What answers at socket number @number of guest @guest; taken over, also on error. */
int session_add_device(struct session *session, size_t guest, unsigned int number,
		       struct device *device);

/* Whoever simulates devices outside of this process. */
struct session_program_options {
	const char *name, *socket; /* path at which it listens for vhost-user; the caller's */
	uint32_t virtio_id;
	size_t island;
	int time_fd; /* where it connects as a client of that island, listening; -1: untimed */
	int process; /* pidfd of it, if it was started for the session; -1. Both are the caller's */
	bool allowed; /* it is accepted even if its guest cannot be replayed then */
};
int session_add_program(struct session *session, const struct session_program_options *options,
			size_t *number);

/* Program number @program answers at socket number @number of guest @guest. */
int session_add_program_device(struct session *session, size_t guest, unsigned int number,
			       size_t program);

/*
 * An island whose clients are another scheduler's, which listens at @path (stays the caller's): all
 * that is said is passed on and recorded. It takes the place of session_add_island(), is the only
 * island, and has no devices but those of programs.
 */
int session_add_upstream(struct session *session, const char *path, size_t *island);

/*
 * A network with ports in several islands: its frames wait for the end of the window. @ports[i] is
 * port number i, in island @islands[i]. All stay the caller's.
 */
int session_add_network(struct session *session, struct network *network,
			struct network_port *const *ports, struct device *const *devices,
			const size_t *islands, size_t count);

/*
 * Have @observer told of each record, in the order of the trace; not of what is written when the
 * host ends a recording while guests run, at any place.
 */
void session_observe(struct session *session, weave_observer *observer, void *context);

/* Until everybody has left or something ends it. Returns 0; how it went is in @result. */
int session_run(struct session *session, struct session_result *result);

/* Valid until the session is destroyed. */
const struct session_guest_result *session_guest_result(const struct session *session,
							size_t guest);

#endif
