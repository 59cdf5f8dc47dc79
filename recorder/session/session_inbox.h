/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The inbox: everything that arrives from outside, in the order in which it is handled.
 *
 * Readers put events in (session_readers.c), the turn takes them out (session_turn.c). The order is
 * that of compare_events() and nothing else:
 *
 *   1. virtual time of the partition that it concerns;
 *   2. kind, as enum event_kind lists them: what a guest did before it said something comes before
 *      that (console, closed devices, messages, kicks), and so does what a program did;
 *   3. number of the guest, program or client in the trace;
 *   4. order of arrival, which decides only between events of one participant.
 *
 * All that was done before an event is in the inbox with it, or was: a round of the loop asks for
 * all descriptors at once and then reads of each only what was there at that moment. An event that
 * may not be taken yet (a program interrupts a guest, which has to reply first) stays, and its
 * descriptor is not read meanwhile.
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
	/* What came of an effect: before all else. */
	EVENT_SEND_FAILED,	/* client; @error */
	EVENT_UPSTREAM_REFUSED, /* client: what it said could not be passed on */
	EVENT_FORWARD_FAILED,	/* device; @problem */
	EVENT_CALL_REFUSED,	/* device: its guest could not be interrupted */
	/* What participants did, in the order in which they do it. */
	EVENT_STOP,	      /* @value: the signal */
	EVENT_CONSOLE,	      /* guest: what it wrote is in its buffer */
	EVENT_DEVICE_CLOSED,  /* device: its guest closed the connection */
	EVENT_UPSTREAM,	      /* client; @message of the other scheduler, no RUN */
	EVENT_PROGRAM_CALL,   /* device: link->incoming */
	EVENT_UPSTREAM_RUN,   /* client; @message */
	EVENT_MESSAGE,	      /* client; @message */
	EVENT_LEFT,	      /* client; @value: bytes of a message that it did not finish */
	EVENT_RESUME,	      /* partition: its device turn goes on */
	EVENT_JOINED,	      /* of a guest, a program or neither: @fd, @upstream_fd; or @error */
	EVENT_ATTACHED,	      /* device; or @error */
	EVENT_REQUEST,	      /* device: its @request */
	EVENT_REQUEST_BROKEN, /* device: its vhost->problem */
	EVENT_CALLED,	      /* device; @value of the reply */
	EVENT_CALLED_BROKEN,  /* device: what came is no reply */
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

/* Of those that concern no participant. */
#define EVENT_NO_PARTICIPANT UINT32_MAX

struct inbox {
	struct event *event; /* in order */
	size_t count, space;
	uint64_t numbers;
};

/* 0 or -ENOMEM. */
int inbox_put(struct inbox *inbox, const struct event *event);

/* The first event of which @may_take is true; it is gone from the inbox then. False: none. */
typedef bool inbox_filter(const void *context, const struct event *event);
bool inbox_take(struct inbox *inbox, inbox_filter *may_take, const void *context,
		struct event *event);

/* Is there an event of which @may_take is true? */
bool inbox_has(const struct inbox *inbox, inbox_filter *may_take, const void *context);

/* Drop all events that were read from @source. */
void inbox_forget(struct inbox *inbox, struct source *source);

/* Closes the connections of those that have not been taken. */
void inbox_release(struct inbox *inbox);

#endif
