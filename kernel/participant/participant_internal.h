/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the participant library share: its state and the steps of an exchange. */
#ifndef TTREC_PARTICIPANT_INTERNAL_H
#define TTREC_PARTICIPANT_INTERNAL_H

#include <poll.h>

#include "kernel/participant/participant.h"
#include "kernel/wire/wire.h"

/* How one kernel differs from the others; see enum participant_kernel. */
struct participant_behaviour {
	bool request_in_window;	 /* REQUESTs also what it may do without asking */
	bool window_survives;	 /* FREE_UNTIL still holds after a WAIT */
	bool update_always;	 /* sends UPDATE for a time that was already sent */
	bool idle_second;	 /* idle for a second at most, and no panic at TIME_NEVER */
	bool delay_interrupted;	 /* interrupts run inside of a delay */
	bool time_of_day_always; /* asks each time, and takes the answer as it is */
	bool broadcast;		 /* knows BROADCAST */
	bool no_sleep_in_past;	 /* does not set a timer to sleep until what is past */
};

struct participant {
	const struct participant_behaviour *behaviour;
	int fd; /* -1 until connected */
	uint64_t id;
	bool started, stopped;

	uint64_t now;
	struct participant_link events; /* by time */

	/* Events that came due while interrupts were off, in the order they will run. */
	struct participant_link deferred_events;
	struct participant_link deferred_timers;
	unsigned int interrupts_off; /* depth: delays, idle, callbacks */
	unsigned int in_interrupt;   /* depth: callbacks */

	uint32_t seq; /* of the last message sent */
	unsigned int waiting;
	bool request_valid; /* the controller knows of @request */
	uint64_t request;
	bool free_until_valid;
	uint64_t free_until; /* exclusive */
	uint64_t propagated;

	bool time_of_day_known;
	uint64_t time_of_day; /* at time 0; may wrap below 0 like the kernel's */
	bool broadcast_new;
	uint64_t broadcast;

	struct participant_link sources;
	struct pollfd *poll; /* one a source, then two more */
	size_t source_count, poll_size;
	unsigned int exchanging; /* depth: sources are not served while an ACK is waited for */
	bool serving;		 /* the sources are being served */

	struct participant_stat stat;
	enum participant_panic panic;
	int error;	   /* the one that stays */
	char problem[512]; /* description of the error; empty while there is none */
	char advice[256];
};

/* Fail for good: every later call returns @error. */
int participant_fail(struct participant *p, enum participant_panic panic, int error,
		     const char *advice, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* 0 when the participant has started and not failed. */
int participant_usable(const struct participant *p);

/* participant_exchange.c: messages. */
int participant_set_time(struct participant *p, uint64_t ns);
int participant_exchange(struct participant *p, enum trace_operation op, uint64_t time,
			 uint64_t *answer);
int participant_update_request(struct participant *p, uint64_t time);
int participant_request(struct participant *p, uint64_t time, bool *must_wait);
int participant_wait(struct participant *p);

/* participant_event.c: the list of events, and what runs when interrupts are on again. */
int participant_add(struct participant *p, struct participant_event *event, uint64_t time);
void participant_interrupts_disable(struct participant *p);
void participant_interrupts_enable(struct participant *p);
void participant_deliver_deferred(struct participant *p);
int participant_pass_time(struct participant *p, uint64_t until, bool idle);

/* A list is a ring through its head. */
static inline void link_init(struct participant_link *link)
{
	link->next = link->previous = link;
}

static inline bool link_empty(const struct participant_link *head)
{
	return head->next == head;
}

static inline void link_insert_before(struct participant_link *position,
				      struct participant_link *link)
{
	link->next = position;
	link->previous = position->previous;
	position->previous->next = link;
	position->previous = link;
}

static inline void link_remove(struct participant_link *link)
{
	link->previous->next = link->next;
	link->next->previous = link->previous;
	link_init(link);
}

#define link_entry(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

static inline struct participant_event *link_event(struct participant_link *link)
{
	return link_entry(link, struct participant_event, link);
}

#endif
