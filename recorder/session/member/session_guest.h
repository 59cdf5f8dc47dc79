/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest whose sandbox this session serves; clients of `ttrec serve` have none. Its console,
 * entropy, memory digests, probed interrupts, and exit.
 *
 *   ALIVE -- its process has ended --> EXITED -- and its connection is gone --> SETTLED
 */
#ifndef TTREC_SESSION_GUEST_H
#define TTREC_SESSION_GUEST_H

#include "format/base/terminal_text.h"
#include "kernel/guest/guest.h"
#include "recorder/watch/final_output.h"
#include "recorder/session/journal/session_options.h"
#include "recorder/session/member/session_partition.h"
#include "recorder/session/journal/session_source.h"
#include "recorder/watch/status_line.h"

struct client;
struct probe;

enum session_guest_state { GUEST_ALIVE, GUEST_EXITED, GUEST_SETTLED };

/* What all guests of a session share. */
struct session_guests {
	struct session_guest **guest; /* by number in the trace */
	size_t count;
	size_t left;	     /* that are not settled */
	struct watch *watch; /* of all consoles; may be NULL */
	struct probe *probe; /* may be NULL */
	enum digest_policy digest;
	uint32_t digest_every; /* with DIGEST_EVERY: at each that many-th WAIT */
	bool show;	       /* copy console output to standard output */
	struct status_line *status;
	uint32_t shown_guest; /* whose line is incomplete on standard output */
	bool shown_open;      /* it has no newline yet */
};

struct session_guest {
	enum session_guest_state state;
	struct session_guests *all;
	struct guest *guest;
	struct partition *partition;
	struct entropy_stream *entropy;
	struct watch *watch;	       /* of its console; may be NULL */
	struct ci_console *ci_console; /* the same */
	struct final_output final_output;
	struct terminal_text terminal; /* state of terminal sequences in its output */
	struct client *client;	       /* while it is connected; else NULL */
	struct session_device *device; /* guest->spec->device_count of them */
	unsigned int closing;	       /* closed devices whose reason is not known yet */
	unsigned int linked;	       /* devices that a program simulates */
	uint64_t calls;		       /* so far: the sequence number of the next one */
	uint64_t probe_next;	       /* the same of probed interrupts */
	bool probed;		       /* no probed interrupt was lost so far */
	uint32_t index;
	uint64_t left;		      /* virtual time at which it left, ns; WIRE_TIME_NEVER */
	struct guest_console console; /* not yet in the trace */
	size_t console_shown;
	struct entropy_request entropy_request;
	struct session_guest_result result;
	struct source listen, console_source, entropy_source, exit;
};

int session_guest_create(struct session_guests *all, struct guest *guest,
			 struct partition *partition, uint64_t seed);
void session_guests_release(struct session_guests *all);

/* ---- Console (session_guest_console.c) ------------------------------------------------------ */

/*
 * Show the output that was read. More than GUEST_CONSOLE_MAX without a message ends the recording.
 */
void session_guest_show_console(struct session_guest *guest);

/* Record its output so far, and its interrupts. Only while it is blocked. */
void session_guest_record_console(struct session_guest *guest);

/* Judge and show text that @guest wrote to a console device. */
void session_guest_said(struct session_guest *guest, const char *text, size_t size);

/* ---- Entropy, memory, end ------------------------------------------------------------------- */

/* Answer the guest's entropy_request. */
void session_guest_answer_entropy(struct session_guest *guest);

/* The guest is in WAIT: take a digest if one is due. */
void session_guest_digest(struct session_guest *guest);

/* Its process has ended and it has left: write its last record. */
void session_guest_record_exit(struct session_guest *guest);

/* Record all changes of its memory by programs, before it continues or is hashed. */
void session_guest_harvest(struct session_guest *guest);

/* ---- Interrupts (session_guest_probe.c); all do nothing without a probe --------------------- */

/* The guest has sent its START, and waits. */
void session_guest_attach_probe(struct session_guest *guest);
/* Record the interrupts that it has taken so far. Only while it is blocked. */
void session_guest_record_probe(struct session_guest *guest);
void session_guest_detach_probe(struct session_guest *guest);

#endif
