/* SPDX-License-Identifier: BSD-3-Clause */
/* The doors of a replayed guest, as a source of events: whatever it does next. */
#ifndef TTREC_DOORS_H
#define TTREC_DOORS_H

#include <stdint.h>

#include "kernel/guest.h"

enum door_event_kind {
	DOOR_MESSAGE, /* on the time socket */
	DOOR_ENTROPY, /* it asks for random bytes */
	DOOR_LEFT,    /* it closed the time socket */
	DOOR_EXIT,    /* its process ended */
	DOOR_SILENCE, /* nothing within the time given */
	DOOR_STOP,    /* a signal for us: the replay is to end */
};

struct door_event {
	enum door_event_kind kind;
	struct wire_message message;
	struct entropy_request entropy;
	int status, signal;
};

struct doors {
	struct guest *guest;
	int epoll_fd, stop_fd;
	bool left, ended; /* time socket closed, process gone */
	int status, signal;
	char *console; /* what the guest wrote and was not compared yet */
	size_t console_size, console_space;
	bool show_console;
};

int doors_open(struct doors *doors, struct guest *guest, bool show_console);
void doors_close(struct doors *doors);

/*
 * What the guest does next. Waits at most @timeout ns of wall time (0: forever). Returns 0 or
 * -errno.
 */
int doors_next(struct doors *doors, uint64_t timeout, struct door_event *event);

/* Take everything off the console that the guest has written by now. */
int doors_drain_console(struct doors *doors);

#endif
