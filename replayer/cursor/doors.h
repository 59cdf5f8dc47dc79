/* SPDX-License-Identifier: BSD-3-Clause */
/* The interfaces of a replayed guest, as a source of events: its next action. */
#ifndef TTREC_DOORS_H
#define TTREC_DOORS_H

#include <stdint.h>

#include "kernel/guest/guest.h"
#include "replayer/cursor/console.h"

enum door_event_kind {
	DOOR_MESSAGE,  /* on the time socket */
	DOOR_ENTROPY,  /* it asks for random bytes */
	DOOR_ATTACH,   /* it connected to a device */
	DOOR_REQUEST,  /* a vhost-user message to a device */
	DOOR_CALLED,   /* it replied to a call of a device */
	DOOR_NONSENSE, /* it sent a device an invalid message */
	DOOR_LEFT,     /* it closed the time socket */
	DOOR_EXIT,     /* its process ended */
	DOOR_SILENCE,  /* nothing within the time given */
	DOOR_FLOOD,    /* more console than is kept, and no move */
	DOOR_STOP,     /* the replay must end: a signal, or 0: on request */
};

struct door_event {
	enum door_event_kind kind;
	struct wire_message message;
	struct entropy_request entropy;
	unsigned int device;
	const struct vhost_message *request; /* of the interfaces, until the next event */
	uint64_t value;			     /* of its reply to a call */
	int status, signal;
	const char *exceeded; /* which limit of its sandbox it was killed at; empty or NULL */
};

struct doors {
	struct guest *guest;
	struct probe *probe; /* NULL: none */
	int epoll_fd, stop_fd;
	bool left, ended;	/* time socket closed, process gone */
	struct door_event kept; /* by doors_peek(), while @has_kept */
	bool has_kept;
	int status, signal;
	struct vhost_message request;
	char *console; /* what the guest wrote and was not compared yet */
	size_t console_size, console_space;
	struct console_printer *printer; /* NULL: not shown */
};

/* @printer: where the console is shown; may be NULL. */
int doors_open(struct doors *doors, struct guest *guest, struct console_printer *printer);
/* Empty the rings of @probe while the guest runs. */
int doors_watch_probe(struct doors *doors, struct probe *probe);
void doors_close(struct doors *doors);

/*
 * The guest's next action; most likely of kind @expected. Waits at most @timeout ns of
 * wall time (0: forever). Its messages to devices have already been applied (vhost_apply()).
 * Returns 0 or -errno.
 *
 * A guest writes to its time socket before any other visible action, so that socket is always
 * checked first. Closing its connection to a device does not count: it waits for nothing then, and
 * its host does the same when it ends.
 */
int doors_next(struct doors *doors, enum door_event_kind expected, uint64_t timeout,
	       struct door_event *event);

/* The same, but the next doors_next() returns it again. */
int doors_peek(struct doors *doors, enum door_event_kind expected, uint64_t timeout,
	       struct door_event *event);

/* Once @fd is readable what comes next is DOOR_STOP. To watch it twice is no error. */
int doors_watch_end(struct doors *doors, int fd);

/* End device number @device: the guest finds its connections closed. */
int doors_cut(struct doors *doors, unsigned int device);

/* Take everything off the console that the guest has written by now. */
int doors_drain_console(struct doors *doors);

#endif
