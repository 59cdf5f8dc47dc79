/* SPDX-License-Identifier: BSD-3-Clause */
/* How a recording went. */
#ifndef TTREC_SESSION_RESULT_H
#define TTREC_SESSION_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/base/diagnosis.h"
#include "kernel/sandbox/sandbox.h"
#include "kernel/vhost/vhost.h"

/* Why a recording ended. */
enum session_end {
	SESSION_DONE,	  /* every guest and client left by itself */
	SESSION_DEADLOCK, /* all clients sleep forever */
	SESSION_LIMIT,	  /* --limit-virtual */
	SESSION_TIMEOUT,  /* --limit-wall */
	SESSION_FAULT,	  /* a client broke the protocol, or the host failed */
	SESSION_HUNG,	  /* a guest sends no message, or virtual time does not pass */
	SESSION_STORAGE,  /* the trace could not be written */
	SESSION_SIGNAL,	  /* SIGINT, SIGTERM */
};

/* How one guest ended. */
struct session_guest_result {
	bool ended;
	int status, signal;
	uint64_t ended_now;    /* virtual time at which it left, ns, or ended where it never came */
	const char *hint;      /* for its kernel's last messages, see final_output.h; NULL */
	const char *last_line; /* of its console, see final_output.h; NULL: it did not end */
	char exceeded[SANDBOX_EXCEEDED_TEXT]; /* which limit of its sandbox it was killed at; empty
					       */
	uint64_t messages;
	uint64_t console_hash;	 /* of what it printed, and when: to compare runs without a trace */
	uint64_t interrupts;	 /* calls and configuration changes */
	uint64_t probed;	 /* interrupts that the probe saw, recorded */
	char probe_problem[512]; /* why these are not all; empty */
	char device_fault[VHOST_PROBLEM_TEXT + 64]; /* the first of its devices that was ended */
	uint64_t device_fault_now;		    /* when, ns */
	/* Devices, a bit each: it never connected to them; it never set up a vring of them. */
	uint64_t unseen, unused;
};

struct session_result {
	enum session_end end;
	struct diagnosis diagnosis; /* what and why, unless SESSION_DONE */
	int signal;		    /* of SESSION_SIGNAL */
	uint64_t messages, digests, records;
	int digest_error; /* why memory could not be hashed at some WAIT; 0 */
	uint64_t virtual_ns, wall_ns;
};

#endif
