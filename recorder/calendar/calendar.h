/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The calendar: who runs next, and until when.
 *
 * Pure: no descriptors, no clock, no allocation beyond its tables, so the same messages in the same
 * order always give the same answers. The session feeds it what arrived (calendar_connect,
 * calendar_receive, calendar_disconnect) and then carries out its actions, in order, until
 * calendar_next() returns false.
 *
 * Rules (see docs/architecture.md for why):
 *  - one token: a client runs from its RUN (or the ACK of its START) until it WAITs;
 *  - total order by (time, client id, admission index); the order of arrival never decides;
 *  - STARTs are admitted in id order, those without an id first, once all expected clients have
 * sent theirs; later ones join between two runs, with the current time as their offset;
 *  - a REQUEST replaces the client's previous one;
 *  - nothing is sent to a client that runs, but answers to its own messages and a FREE_UNTIL it is
 *    waiting to be able to read (it waits for an ACK or, in a vhost-user exchange, for a reply);
 *  - RUN goes only to a client in WAIT whose WAIT was ACKed and which has no message unanswered;
 *  - a BROADCAST goes to every waiting client, one after the other in order of admission, then its
 *    sender gets its ACK, and no client runs before all have it;
 *  - the devices of the session have one event together, that of the first of its devices; it
 *    comes before those of clients at the same time, and while they have the token no client
 *    runs, so that every client can be interrupted in its WAIT;
 *  - in windows, nothing at or after the window's end happens until the next one is opened: clients
 *    of other calendars may then be anywhere in the same window;
 *  - time is that of the last RUN or UPDATE. When a client with a bound WAITs, it is the end of its
 *    window, or the next event when that is earlier: the client has been somewhere before that.
 */
#ifndef TTREC_CALENDAR_H
#define TTREC_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/wire/wire.h"

struct calendar;

/* How far a client may run without asking. Stored in the trace. */
enum calendar_grant {
	CALENDAR_GRANT_EACH,   /* not at all: every event is an exchange, the finest trace */
	CALENDAR_GRANT_WINDOW, /* FREE_UNTIL the next event of any other client, the limit, the end
				* of the window or, without windows, 1 s */
};

struct calendar_options {
	enum calendar_grant grant;
	uint32_t expected; /* clients that must have sent START before any is admitted; >= 1 */
	uint64_t tod;	   /* ns since 1970 at virtual time 0, what GET_TOD is answered from */
	uint64_t limit;	   /* ns: virtual time at which the simulation is over; 0 = none */
	bool windowed;	   /* the session opens windows, see calendar_open_window() */
};

/* An action of the calendar. */
enum calendar_action_kind {
	CALENDAR_ADMIT, /* client is admitted: @index, @message is its START, @offset */
	CALENDAR_SEND,	/* write @message to the client; after its ADMIT comes the ACK of START */
	CALENDAR_IDLE_END,    /* all clients sleep forever: nothing happens unless one leaves */
	CALENDAR_LIMIT,	      /* the next event lies at or beyond the limit */
	CALENDAR_DEVICE_TURN, /* the devices' event is due: they have the token */
	CALENDAR_WINDOW,      /* all that is before the window's end has happened */
};

/*
 * IDLE_END and LIMIT concern no client (@client is CALENDAR_NO_CLIENT), come once, and end it: no
 * client is admitted or run afterwards, though requests still get a reply. IDLE_END does not come
 * while a connected client has not sent START; it is taken back when a client disconnects, and
 * comes again if the others have no event either. A windowed calendar reports WINDOW, once per
 * window, in place of IDLE_END or LIMIT: the session decides whether that is the end.
 */
#define CALENDAR_NO_CLIENT UINT32_MAX

struct calendar_action {
	enum calendar_action_kind kind;
	uint32_t client; /* handle from calendar_connect */
	uint32_t index;	 /* admission index, the guest number in the trace */
	uint64_t offset; /* ns: controller time at the client's START */
	struct wire_message message;
};

/* Why a client's message was refused: enough for one line that names it. */
struct calendar_fault {
	uint32_t client;
	uint64_t id; /* from START, WIRE_ID_NONE before it */
	uint64_t now;
	struct wire_message message;
	char text[256]; /* "RUN is the controller's to send", "expected ...", ... */
};

enum calendar_client_state {
	CALENDAR_CONNECTED, /* no START yet */
	CALENDAR_STARTING,  /* START received, not admitted */
	CALENDAR_RUNNING,   /* has the token */
	CALENDAR_WAITING,   /* sent WAIT, no RUN yet */
	CALENDAR_GONE,
};

/* Returns 0, -ENOMEM, or -EINVAL when @expected is 0 or @tod exceeds 2^63-1. */
int calendar_create(const struct calendar_options *options, struct calendar **calendar);
void calendar_destroy(struct calendar *calendar);

/* A client connected; returns its handle in *@client (handles of clients that left are reused). */
int calendar_connect(struct calendar *calendar, uint32_t *client);

/*
 * A whole message arrived from @client. Returns 0, -EPROTO when the client broke the protocol (see
 * calendar_last_fault(); the state of the calendar is unchanged, the session will disconnect the
 * client), -ENOMEM.
 */
int calendar_receive(struct calendar *calendar, uint32_t client,
		     const struct wire_message *message);

/*
 * Whether a client that has closed its connection may leave now; the protocol has no message for
 * that. A client that runs and has acknowledged everything may leave (that is how a guest powers
 * off), and one that waits for nothing. Returns 0, or -EPROTO if it may not (calendar_last_fault()
 * has its state; its @message is empty). Call it before calendar_disconnect().
 */
int calendar_check_leave(struct calendar *calendar, uint32_t client);

/*
 * Remove a client, in whatever state; pending messages to it are dropped. If it held the token, the
 * next one gets it; if the others waited for its START, they still wait for one, see
 * calendar_expect_fewer().
 */
void calendar_disconnect(struct calendar *calendar, uint32_t client);

/*
 * One of the expected clients will never send START: the others no longer wait for it. Without
 * effect once all that were expected have been admitted.
 */
void calendar_expect_fewer(struct calendar *calendar);

/*
 * The next action. Actions must be carried out in this order; consecutive SENDs to one client may
 * be written at once. Returns false if there is none until the next input.
 */
bool calendar_next(struct calendar *calendar, struct calendar_action *action);

/*
 * The first event of the devices is at @time, ns; WIRE_TIME_NEVER: none. When it is due
 * calendar_next() returns CALENDAR_DEVICE_TURN, and the devices have no event until this is called
 * again. Returns 0 or -ENOMEM.
 */
int calendar_set_device_turn(struct calendar *calendar, uint64_t time);

/*
 * Whether the running client may continue. Not while it could run past the devices' event: it must
 * first acknowledge an earlier bound, which it reads while it waits for the device's reply.
 */
bool calendar_is_bound_acknowledged(const struct calendar *calendar);

/* The devices return the token. Returns 0 or -ENOMEM. */
int calendar_device_turn_done(struct calendar *calendar);

/* Of a windowed calendar: let everything before @end happen. Returns 0 or -ENOMEM. */
int calendar_open_window(struct calendar *calendar, uint64_t end);

/*
 * Of a windowed calendar: let its window end at @end, if that is earlier. The running client's
 * bound is lowered as for the devices, see calendar_is_bound_acknowledged(). Returns 0 or -ENOMEM.
 */
int calendar_narrow_window(struct calendar *calendar, uint64_t end);

/*
 * Of a windowed calendar: any action of a client on the outside has consequences for it no earlier
 * than @reach ns later. A client announces such an action (UPDATE): its window is narrowed with the
 * answer, which needs no exchange of its own.
 */
void calendar_set_reach(struct calendar *calendar, uint64_t reach);

/* Time of the first event of any client or device; WIRE_TIME_NEVER: none. */
uint64_t calendar_next_event(const struct calendar *calendar);

/* Of a windowed calendar: where its window ends, ns. */
uint64_t calendar_window_end(const struct calendar *calendar);

/* Whether CALENDAR_WINDOW was returned since the last calendar_open_window(). */
bool calendar_window_done(const struct calendar *calendar);

const struct calendar_fault *calendar_last_fault(const struct calendar *calendar);

/* Virtual time in ns: that of the last RUN, or of the running client's last UPDATE. */
uint64_t calendar_now(const struct calendar *calendar);

enum calendar_client_state calendar_client_state(const struct calendar *calendar, uint32_t client);
uint64_t calendar_client_id(const struct calendar *calendar, uint32_t client);

/* The client that holds the token; false if none does (start-up, or waiting for a client). */
bool calendar_running(const struct calendar *calendar, uint32_t *client);

/*
 * A client whose message is due, in @client: it runs, has not acknowledged a message, or has
 * connected and not sent START. False: there is none.
 */
bool calendar_owes(const struct calendar *calendar, uint32_t *client);

/*
 * One line per client with its state ("id 2: waiting, next event 1.000000000"), for the
 * report of a hang or a deadlock. Returns false when @position is past the last; starts at 0.
 */
bool calendar_describe(const struct calendar *calendar, uint32_t *position, char *text,
		       size_t size);

#endif
