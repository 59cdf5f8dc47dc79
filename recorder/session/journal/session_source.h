/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One descriptor whose readability a session monitors, embedded in its owner (a client, a guest, a
 * device, a program). See session_sources.h.
 */
#ifndef TTREC_SESSION_SOURCE_H
#define TTREC_SESSION_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

/* What the descriptor is, and so which struct owns the source and how it is read. */
enum source_kind {
	SOURCE_STOP,	       /* signals */
	SOURCE_PROBE,	       /* rings of the interrupt probe */
	SOURCE_LISTEN,	       /* for clients that were started elsewhere: struct session */
	SOURCE_GUEST_LISTEN,   /* where a guest connects for time: struct session_guest */
	SOURCE_CONSOLE,	       /* the same */
	SOURCE_ENTROPY,	       /* the same */
	SOURCE_EXIT,	       /* its supervisor; the same */
	SOURCE_CLIENT,	       /* struct client */
	SOURCE_UPSTREAM,       /* its connection to another scheduler; the same */
	SOURCE_DEVICE_LISTEN,  /* struct session_device */
	SOURCE_DEVICE,	       /* requests of the guest; the same */
	SOURCE_CALLED,	       /* its replies to calls; the same */
	SOURCE_PROGRAM_REPLY,  /* of a device program; the same */
	SOURCE_PROGRAM_CALL,   /* the same */
	SOURCE_PROGRAM_LISTEN, /* where it connects for time: struct session_program */
	SOURCE_PROGRAM_EXIT,   /* the same */
};

enum source_state {
	SOURCE_CLOSED,
	SOURCE_OPEN,
	SOURCE_PAUSED, /* its events have to be handled first */
};

struct source {
	enum source_kind kind;
	enum source_state state;
	int fd; /* the owner's */
	void *owner;
	unsigned int waiting; /* its events in the inbox */
	uint64_t round;	      /* in which it was read last */
	bool requeued;	      /* it is in the list of sources to be read without notification */
};

#endif
