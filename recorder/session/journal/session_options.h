/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of a recording, of a guest, and of a device program. */
#ifndef TTREC_SESSION_OPTIONS_H
#define TTREC_SESSION_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "format/ci/ci_console.h"
#include "recorder/calendar/calendar.h"
#include "recorder/watch/watch.h"

/* A session is not started with the last one, which means none. */
enum digest_policy { DIGEST_AUTO, DIGEST_OFF, DIGEST_EVERY, DIGEST_UNSET };

struct session_options {
	struct calendar_options calendar; /* of each partition, but @expected */
	uint64_t seed;
	uint64_t limit_wall;   /* ns of wall time; 0 = none */
	uint64_t hang_timeout; /* ns of wall time a client may run without a message; 0 = none */
	enum digest_policy digest;
	uint32_t digest_every; /* with DIGEST_EVERY: at each that many-th WAIT */
	bool show_console;     /* copy console output to standard output */
	bool show_status;      /* keep a live line on the terminal */
};

/* What a session needs for a guest besides the guest itself. */
struct session_guest_options {
	size_t partition;
	uint64_t seed;		       /* of its entropy */
	struct watch *watch;	       /* judges its console; may be NULL; stays the caller's */
	struct ci_console *ci_console; /* collects its console for the CI report; the same */
};

/* A device program, to which its devices are relayed. */
struct session_program_options {
	const char *name, *socket; /* path at which it listens for vhost-user; the caller's */
	uint32_t virtio_id;
	size_t partition;
	int time_fd; /* where it connects as a client of that partition, listening; -1: untimed */
	int process; /* pidfd of it, if it was started for the session; -1. Both are the caller's */
	bool allowed; /* accept it even if its guests cannot be replayed */
};

#endif
