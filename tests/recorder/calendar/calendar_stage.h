/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stage for scripted tests of the calendar: each line of a test says what one client sends or
 * what the calendar must answer next. It keeps the sequence numbers; a failure names the test's
 * line.
 */
#ifndef TTREC_CALENDAR_STAGE_H
#define TTREC_CALENDAR_STAGE_H

#include "recorder/calendar/calendar.h"

#define STAGE_CLIENTS 16

struct stage_client {
	uint32_t said;	  /* seq of its last message */
	uint32_t sent;	  /* seq of the calendar's last message to it, ACKs aside */
	uint32_t unacked; /* how many of those it has not acknowledged */
};

struct stage {
	struct calendar *calendar;
	struct stage_client clients[STAGE_CLIENTS]; /* by handle */
};

void stage_open(struct stage *stage, struct calendar_options options);
void stage_close(struct stage *stage);

/* A client connects; returns its handle. */
uint32_t stage_connect(struct stage *stage);
void stage_leave(struct stage *stage, uint32_t client);

/* @client sends a message, which the calendar accepts / refuses with @text in its words. */
#define says(stage, client, op, time) stage_says(__LINE__, stage, client, TRACE_OP_##op, time)
#define refused(stage, client, op, time, text) \
	stage_refused(__LINE__, stage, client, TRACE_OP_##op, time, text)

/* @client acknowledges the oldest message it has not acknowledged. */
#define acks(stage, client) stage_acks(__LINE__, stage, client)

/* The calendar's next action. */
#define sends(stage, client, op, time)	     stage_sends(__LINE__, stage, client, TRACE_OP_##op, time)
#define admits(stage, client, index, offset) stage_admits(__LINE__, stage, client, index, offset)
#define ends(stage, kind)		     announces(stage, kind)
#define announces(stage, kind)		     stage_announces(__LINE__, stage, kind)
#define is_quiet(stage)			     stage_is_quiet(__LINE__, stage)

/* What often comes together. */
#define starts_alone(stage, id) stage_starts_alone(__LINE__, stage, id)
#define is_admitted(stage, client, index, offset) \
	stage_is_admitted(__LINE__, stage, client, index, offset)
#define asks(stage, client, time)   stage_asks(__LINE__, stage, client, time)
#define waits(stage, client)	    stage_waits(__LINE__, stage, client)
#define is_run(stage, client, time) stage_is_run(__LINE__, stage, client, time)

void stage_says(int line, struct stage *stage, uint32_t client, uint32_t op, uint64_t time);
void stage_refused(int line, struct stage *stage, uint32_t client, uint32_t op, uint64_t time,
		   const char *text);
void stage_message_refused(int line, struct stage *stage, uint32_t client,
			   struct wire_message message, const char *text);
void stage_acks(int line, struct stage *stage, uint32_t client);
void stage_sends(int line, struct stage *stage, uint32_t client, uint32_t op, uint64_t time);
void stage_admits(int line, struct stage *stage, uint32_t client, uint32_t index, uint64_t offset);
void stage_announces(int line, struct stage *stage, enum calendar_action_kind kind);
void stage_is_quiet(int line, struct stage *stage);

/* Connects and sends START. */
uint32_t stage_starts_alone(int line, struct stage *stage, uint64_t id);
/* ADMIT and the ACK of its START. */
void stage_is_admitted(int line, struct stage *stage, uint32_t client, uint32_t index,
		       uint64_t offset);
/* REQUEST and its ACK. */
void stage_asks(int line, struct stage *stage, uint32_t client, uint64_t time);
/* WAIT and its ACK. */
void stage_waits(int line, struct stage *stage, uint32_t client);
/* RUN and its ACK. */
void stage_is_run(int line, struct stage *stage, uint32_t client, uint64_t time);

/*
 * Clients with the ids 1 to @count are admitted and wait, client i with an event at times[i - 1];
 * the RUN of the first has not been looked at. handles[i] is the client with id i + 1.
 */
void stage_clients(struct stage *stage, struct calendar_options options, uint32_t count,
		   const uint64_t *times, uint32_t *handles);

#endif
