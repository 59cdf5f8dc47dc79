/* SPDX-License-Identifier: BSD-3-Clause */
/* The interfaces of a replayed guest, as a source of events: its next action. */
#ifndef TTREC_INTERFACES_H
#define TTREC_INTERFACES_H

#include <stdint.h>

#include "kernel/guest/guest.h"
#include "replayer/cursor/console.h"

enum interface_event_kind {
	INTERFACE_MESSAGE, /* on the time socket */
	INTERFACE_ENTROPY, /* it asks for random bytes */
	INTERFACE_ATTACH,  /* it connected to a device */
	INTERFACE_REQUEST, /* a vhost-user message to a device */
	INTERFACE_CALLED,  /* it replied to a call of a device */
	INTERFACE_INVALID, /* it sent a device an invalid message */
	INTERFACE_LEFT,	   /* it closed the time socket */
	INTERFACE_EXIT,	   /* its process ended */
	INTERFACE_SILENCE, /* nothing within the time given */
	INTERFACE_FLOOD,   /* more console than is kept, and no move */
	INTERFACE_STOP,	   /* the replay must end: a signal, or 0: on request */
};

struct interface_event {
	enum interface_event_kind kind;
	struct wire_message message;
	struct entropy_request entropy;
	unsigned int device;
	const struct vhost_message *request; /* of the interfaces, until the next event */
	uint64_t value;			     /* of its reply to a call */
	int status, signal;
	const char *exceeded; /* which limit of its sandbox it was killed at; empty or NULL */
};

struct interfaces {
	struct guest *guest;
	struct probe *probe; /* NULL: none */
	int epoll_fd, stop_fd;
	bool left, ended;	     /* time socket closed, process gone */
	struct interface_event kept; /* by interfaces_peek(), while @has_kept */
	bool has_kept;
	int status, signal;
	struct vhost_message request;
	struct guest_console console;	 /* not compared yet */
	struct console_printer *printer; /* NULL: not shown */
};

/* @printer: where the console is shown; may be NULL. */
int interfaces_open(struct interfaces *interfaces, struct guest *guest,
		    struct console_printer *printer);
/* Empty the rings of @probe while the guest runs. */
int interfaces_watch_probe(struct interfaces *interfaces, struct probe *probe);
void interfaces_close(struct interfaces *interfaces);

/*
 * The guest's next action; most likely of kind @expected. Waits at most @timeout ns of
 * wall time (0: forever). Its messages to devices have already been applied (vhost_apply()).
 * Returns 0 or -errno.
 *
 * A guest writes to its time socket before any other visible action, so that socket is always
 * checked first. Closing its connection to a device does not count: it waits for nothing then, and
 * its host does the same when it ends.
 */
int interfaces_next(struct interfaces *interfaces, enum interface_event_kind expected,
		    uint64_t timeout, struct interface_event *event);

/* The same, but the next interfaces_next() returns it again. */
int interfaces_peek(struct interfaces *interfaces, enum interface_event_kind expected,
		    uint64_t timeout, struct interface_event *event);

/* Once @fd is readable what comes next is INTERFACE_STOP. It may be watched twice. */
int interfaces_watch_end(struct interfaces *interfaces, int fd);

/* End device number @device: the guest finds its connections closed. */
int interfaces_cut(struct interfaces *interfaces, unsigned int device);

/* Take everything off the console that the guest has written by now. */
int interfaces_drain_console(struct interfaces *interfaces);

#endif
