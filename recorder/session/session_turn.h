/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The turn: takes events in the order of the inbox and handles each.
 *
 * It uses no descriptors: actions go into @effects, records into the journal. Together with the
 * windows (session_window.h) it is the only caller of calendars, devices and networks. So a
 * recording is a function of the order of events, and its tests are scripts of events.
 *
 * Order of calls, for each event: inbox_take() with turn_may_take(), turn_take(), carry out the
 * effects. When the inbox has no event that may be taken: window_advance(), carry out the effects.
 */
#ifndef TTREC_SESSION_TURN_H
#define TTREC_SESSION_TURN_H

#include "recorder/session/member/session_client.h"
#include "recorder/session/member/session_guest.h"
#include "recorder/session/session_inbox.h"
#include "recorder/session/member/session_program.h"

/* Windows, and what waits for their end, see session_window.h. */
struct window {
	uint64_t lookahead; /* ns: length of a window; WIRE_TIME_NEVER: partitions never meet */
	bool begun;	    /* the first windows were opened */
	struct outbox **outbox;
	size_t outbox_count, network_count;
	size_t outgoing_bytes; /* of frames that wait for the end of a window */
};

struct turn {
	struct calendar_options calendar;
	struct inbox inbox;
	struct effects effects;
	struct journal journal;
	struct outcome outcome;
	struct clients clients;
	struct session_guests guests;
	struct partition **partition;
	size_t partition_count;
	struct session_program **program;
	size_t program_count;
	struct window window;
	size_t busy; /* partitions that are not done, see partition_is_done() */
	bool idle;   /* all clients sleep forever; some may be about to leave */
};

/*
 * An inbox_filter: refuses events that have to wait for a guest's reply, and those of a partition
 * that has failed.
 */
bool turn_may_take(const void *turn, const struct event *event);

void turn_take(struct turn *turn, const struct event *event);

/* Carry out the actions of the calendar of @partition. */
void turn_carry_out(struct turn *turn, struct partition *partition);

/* Continue @partition after it was changed by other code than turn_take(). */
void turn_touched(struct turn *turn, struct partition *partition);

/* The latest virtual time of any partition, ns. */
uint64_t turn_now(const struct turn *turn);

/* ---- Reasons for which a turn ends the recording (session_fault.c) --------------------------- */

/*
 * @client broke the protocol: @problem, or if NULL the calendar's diagnosis. No more events of its
 * partition are handled. A program is closed instead. With several partitions it is reported at the
 * end of the window, as a client of another partition may break it earlier in virtual time.
 */
void fault_found(struct turn *turn, struct client *client, const char *problem);

/*
 * End the recording for the earliest violation in virtual time, at equal times that of the lowest
 * id. False: there is none.
 */
bool fault_report(struct turn *turn);

void fault_report_deadlock(struct turn *turn);
void fault_report_limit(struct turn *turn);

#endif
