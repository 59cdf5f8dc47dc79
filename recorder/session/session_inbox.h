/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inbox: everything that arrives from outside, in the order in which it is handled.
 *
 * Readers put events in (session_readers.c), the turn takes them out (session_turn.c). The order is
 * that of compare_events() and nothing else:
 *
 *   1. virtual time of the partition that it concerns;
 *   2. kind, in the order of enum event_kind: what a participant did before it sent a message is
 *      handled before the message (console, closed devices, messages, kicks);
 *   3. number of the guest, program or client in the trace;
 *   4. order of arrival, which decides only between events of one participant.
 *
 * Everything that happened before an event is or was in the inbox: a round of the loop polls all
 * descriptors at once, and reads from each only what was there at that moment. An event that may
 * not be taken yet (a program interrupts a guest, which has to reply first) stays, and its
 * descriptor is not read until it is taken.
 */
#ifndef TTREC_SESSION_INBOX_H
#define TTREC_SESSION_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/wire/wire.h"
#include "recorder/session/journal/session_source.h"

struct client;
struct partition;
struct session_device;
struct session_guest;
struct session_program;

enum event_kind {
	/* Results of effects: before all others. */
	EVENT_SEND_FAILED,	/* client; @error */
	EVENT_UPSTREAM_REFUSED, /* client: its message could not be passed on */
	EVENT_FORWARD_FAILED,	/* device; @problem */
	EVENT_CALL_REFUSED,	/* device: its guest could not be interrupted */
	/* What participants did, in the order in which they do it. */
	EVENT_STOP,	      /* @value: the signal */
	EVENT_CONSOLE,	      /* guest: its output is in its buffer */
	EVENT_DEVICE_CLOSED,  /* device: its guest closed the connection */
	EVENT_UPSTREAM,	      /* client; @message of the other scheduler, except RUN */
	EVENT_PROGRAM_CALL,   /* device: link->incoming */
	EVENT_UPSTREAM_RUN,   /* client; @message */
	EVENT_MESSAGE,	      /* client; @message */
	EVENT_LEFT,	      /* client; @value: bytes of an incomplete message */
	EVENT_RESUME,	      /* partition: its device turn goes on */
	EVENT_JOINED,	      /* of a guest, a program or neither: @fd, @upstream_fd; or @error */
	EVENT_ATTACHED,	      /* device; or @error */
	EVENT_REQUEST,	      /* device: its @request */
	EVENT_REQUEST_BROKEN, /* device: its vhost->problem */
	EVENT_CALLED,	      /* device; @value of the reply */
	EVENT_CALLED_BROKEN,  /* device: a message that is not a reply */
	EVENT_ENTROPY,	      /* guest: its @entropy_request */
	EVENT_PROGRAM_REPLY,  /* device: link->reply */
	EVENT_PROGRAM_BROKEN, /* device; @problem */
	EVENT_PROGRAM_EXIT,   /* program: its exit */
	EVENT_UPSTREAM_LEFT,  /* client: the other scheduler has closed its connection */
	EVENT_EXITED,	      /* guest: its process has ended */
};

struct event {
	enum event_kind kind;
	uint64_t time;	       /* ns: of the partition when it arrived */
	uint32_t participant;  /* in the trace */
	uint64_t number;       /* inbox_put() sets it */
	struct source *source; /* it was read from; NULL */
	union {
		struct client *client;
		struct session_guest *guest;
		struct session_device *device;
		struct session_program *program;
		struct partition *partition;
	};
	enum event_member { JOINED_CLIENT, JOINED_GUEST, JOINED_PROGRAM } member; /* JOINED */
	struct wire_message message;
	uint64_t value;
	const char *problem;
	int error, fd, upstream_fd;
};

/* The participant of events that concern none. */
#define EVENT_NO_PARTICIPANT UINT32_MAX

struct inbox {
	struct event *event; /* in order */
	size_t count, space;
	uint64_t numbers;
};

/* 0 or -ENOMEM. */
int inbox_put(struct inbox *inbox, const struct event *event);

/* Take the first event that @may_take accepts out of the inbox. False: there is none. */
typedef bool inbox_filter(const void *context, const struct event *event);
bool inbox_take(struct inbox *inbox, inbox_filter *may_take, const void *context,
		struct event *event);

/* Whether @may_take accepts an event. */
bool inbox_has(const struct inbox *inbox, inbox_filter *may_take, const void *context);

/* Drop all events that were read from @source. */
void inbox_forget(struct inbox *inbox, struct source *source);

/* Also closes connections in events that have not been taken. */
void inbox_release(struct inbox *inbox);

#endif
