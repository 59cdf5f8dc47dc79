/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scripted controller at the other end of a participant's socket: what it has to hear, in order,
 * and what it says. It runs in a thread, so that the participant can block as it does in life.
 */
#ifndef TTREC_PARTICIPANT_SCRIPT_H
#define TTREC_PARTICIPANT_SCRIPT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/participant/participant.h"
#include "kernel/wire/wire.h"

#define NONE  UINT64_MAX /* the time of messages whose time says nothing */
#define NEVER PARTICIPANT_TIME_NEVER

enum script_action {
	SCRIPT_EXPECT,	  /* this message has to come next */
	SCRIPT_ANSWER,	  /* ACK what was heard last */
	SCRIPT_MISANSWER, /* ACK something else */
	SCRIPT_SEND,	  /* send this message */
	SCRIPT_ACKED,	  /* the ACK of what was said last has to come next */
	SCRIPT_POKE,	  /* make the script's pipe readable */
	SCRIPT_FDS,	  /* ACK what was heard last, with two descriptors */
	SCRIPT_HALF,	  /* send some bytes */
	SCRIPT_CLOSE,	  /* close the connection */
};

struct script_step {
	enum script_action action;
	uint32_t op;
	uint64_t time;
};

/* clang-format off */
#define EXPECT(op, time)	{ SCRIPT_EXPECT, TRACE_OP_##op, time }
#define ANSWER(time)	{ SCRIPT_ANSWER, 0, time }
#define MISANSWER	{ SCRIPT_MISANSWER, 0, 0 }
#define SEND(op, time)	{ SCRIPT_SEND, TRACE_OP_##op, time }
#define SEND_NUMBER(op)	{ SCRIPT_SEND, op, 0 }
#define ACKED		{ SCRIPT_ACKED, 0, 0 }
#define POKE		{ SCRIPT_POKE, 0, 0 }
#define ANSWER_WITH_FDS	{ SCRIPT_FDS, 0, 0 }
#define HALF(bytes)	{ SCRIPT_HALF, 0, bytes }
#define CLOSE		{ SCRIPT_CLOSE, 0, 0 }
/* clang-format on */

/* Whole exchanges. */
#define START	       EXPECT(START, 7), ANSWER(0)
#define REQUEST(time)  EXPECT(REQUEST, time), ANSWER(0)
#define UPDATE(time)   EXPECT(UPDATE, time), ANSWER(0)
#define WAIT	       EXPECT(WAIT, NONE), ANSWER(0)
#define GET(time)      EXPECT(GET, NONE), ANSWER(time)
#define GET_TOD(time)  EXPECT(GET_TOD, NONE), ANSWER(time)
#define RUN(time)      SEND(RUN, time), ACKED
#define WAIT_RUN(time) WAIT, RUN(time)
#define FREE(time)     SEND(FREE_UNTIL, time), ACKED

struct script {
	struct participant *participant; /* connected with ID 7, not started */
	int pipe[2];			 /* POKE writes into [1] */

	const struct script_step *steps;
	size_t count;
	int fd;
	uint32_t heard_seq, said_seq;
	pthread_t thread;
	char wrong[256]; /* how the participant left the script; empty while it did not */
};

void script_begin(struct script *script, enum participant_kernel kernel,
		  const struct script_step *steps, size_t count);

/* Destroys the participant; fails the test if it left the script or said more. */
void script_end(struct script *script);

/* Begin, with the steps as arguments; the participant has started if the first is START. */
#define SCRIPT(name, kernel, ...)                                         \
	static const struct script_step name##_steps[] = { __VA_ARGS__ }; \
	struct script name;                                               \
	script_begin(&name, kernel, name##_steps, sizeof(name##_steps) / sizeof(name##_steps[0]))

#define V5_10 PARTICIPANT_KERNEL_5_10
#define V6_1  PARTICIPANT_KERNEL_6_1
#define V6_12 PARTICIPANT_KERNEL_6_12

/* What ran, in order: each callback adds its letter. Emptied by the set-up of TEST. */
extern char order[32];
void order_note(char letter);
int order_begin(void **state);

#define TEST(function) cmocka_unit_test_setup(function, order_begin)

/* An event that notes its letter, and then passes @delay ns in its callback. */
struct named_event {
	struct participant_event event;
	char letter;
	uint64_t ran_at;
	uint64_t delay;
};

void named_init(struct named_event *named, char letter, uint64_t delay);

/* A timer's callback: notes 't' and the time, in the uint64_t its context points to. */
void tick(struct participant *p, struct participant_timer *timer);

/* A source's handler: notes '!', and a byte is an interrupt of the event in its context. */
void take_interrupt(struct participant *p, struct participant_source *source);

#endif
