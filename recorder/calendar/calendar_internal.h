/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the calendar share.
 *
 *   calendar.c           clients come and go, questions from outside
 *   calendar_receive.c   a client's message: is it legal now, what does it change
 *   calendar_schedule.c  who runs next and how far
 *   calendar_relay.c     BROADCAST to all clients
 *   calendar_device_turn.c  the session's devices, and windows
 *   calendar_queue.c     what the session is to do
 *   calendar_heap.c      the order of clients
 *
 * Inside, a client is its handle: the table of clients moves when it grows. All times are the
 * controller's; calendar_send() and the handlers in calendar_receive.c translate, no other code
 * does.
 */
#ifndef TTREC_CALENDAR_INTERNAL_H
#define TTREC_CALENDAR_INTERNAL_H

#include "recorder/calendar/calendar.h"
#include "recorder/calendar/calendar_heap.h"

/*
 * With GRANT_WINDOW no client runs further than this without asking, even if there is no other
 * event: a client that joins late gets its turn, one that never sleeps is detected, and the time at
 * which a client ended is known this precisely. Ten exchanges per second of virtual time cost
 * almost nothing.
 */
#define CALENDAR_HORIZON_NS 100000000ULL

/* What was sent to a client and has to be acknowledged, oldest first. */
enum calendar_sent {
	CALENDAR_SENT_GRANT, /* FREE_UNTIL in front of RUN */
	CALENDAR_SENT_RUN,
	CALENDAR_SENT_SHRINK, /* FREE_UNTIL to a running client, because of another one's REQUEST */
	CALENDAR_SENT_BROADCAST,
};

/* GRANT and RUN in one burst, and a BROADCAST when the client sends one before it acknowledges. */
#define CALENDAR_SENT_MAX 3

struct calendar_client {
	enum calendar_client_state state;
	bool awaits_ack; /* @question waits for its ACK: START, REQUEST or BROADCAST */
	uint8_t sent_count;
	uint8_t sent[CALENDAR_SENT_MAX]; /* enum calendar_sent; their seqs end with @seq */
	uint32_t seq;			 /* of the last message sent */
	uint32_t index;
	uint64_t id;
	uint64_t offset;
	uint64_t request; /* next event, kept here while the client runs; WIRE_TIME_NEVER: none */
	uint64_t bound;	  /* while it runs: exclusive; its own time can be anything before it */
	struct wire_message question;
	uint64_t connection;	 /* counts connections, breaks ties between equal ids */
	uint32_t previous, next; /* in the list it is in, if any */
};

/* Clients in order of arrival. A client is in one list at most. */
struct calendar_list {
	uint32_t first, last;
};

/* The BROADCAST that is being delivered. */
struct calendar_relay {
	bool active;
	uint64_t value;
	uint32_t sender;     /* CALENDAR_NO_CLIENT once it has its ACK or is gone */
	uint32_t from;	     /* CALENDAR_NO_CLIENT once it is gone; never gets its own message */
	uint32_t next_index; /* admission index from which clients have not got it yet */
	uint32_t awaited;    /* has got it and not acknowledged it */
	uint32_t owed;	     /* runs, and gets it as soon as it can read */
	struct calendar_list waiting; /* senders whose BROADCAST comes after this one */
};

struct calendar_queue {
	struct calendar_action *actions;
	size_t head, tail, capacity;
};

struct calendar {
	struct calendar_options options;
	struct calendar_client *clients;
	uint32_t count, capacity; /* of the table, free places included */
	uint32_t free_places;	  /* first of a list through @next */
	uint32_t present;	  /* clients that are not gone */
	uint32_t unannounced;	  /* of those, the ones that have not sent START */
	uint64_t connections;

	uint32_t *admitted; /* handles by admission index, ascending */
	uint32_t admitted_count;
	uint32_t admissions;

	uint64_t now;
	uint32_t running;
	bool open;		       /* all expected clients have sent START once */
	bool ended;		       /* IDLE_END or LIMIT was returned */
	bool idle;		       /* it was IDLE_END */
	uint64_t device_turn;	       /* time of the devices' event; WIRE_TIME_NEVER: none */
	bool devices_run;	       /* they have the token */
	bool devices_wait;	       /* for the running client to acknowledge a bound */
	uint64_t window;	       /* end of the window */
	uint64_t reach;		       /* how soon after an UPDATE others can be heard of */
	bool window_done;	       /* WINDOW was returned */
	struct calendar_heap starting; /* by (late or not, id, connection) */
	struct calendar_heap
		waiting;	   /* by (time, id, admission index); only clients with an event */
	struct calendar_list held; /* REQUESTs to be acknowledged after a SHRINK */
	struct calendar_relay relay;
	struct calendar_queue queue;
	struct calendar_fault fault;
};

/* The client does something with its socket other than reading it. */
static inline bool calendar_client_busy(const struct calendar_client *client)
{
	return client->state == CALENDAR_RUNNING && !client->awaits_ack;
}

/* The oldest message the client has not acknowledged; only when there is one. */
static inline uint32_t calendar_client_awaited_seq(const struct calendar_client *client)
{
	return client->seq - client->sent_count + 1;
}

/* calendar.c */
void calendar_list_append(struct calendar *calendar, struct calendar_list *list, uint32_t handle);
void calendar_list_remove(struct calendar *calendar, struct calendar_list *list, uint32_t handle);

/* calendar_queue.c */

/*
 * Make room for all actions that can follow from one more message, and from every client leaving
 * after it. Returns 0 or -ENOMEM.
 */
int calendar_queue_reserve(struct calendar *calendar, uint32_t clients);

/* Drop pending actions for a client that has left. */
void calendar_queue_forget(struct calendar *calendar, uint32_t handle);

void calendar_announce(struct calendar *calendar, enum calendar_action_kind kind, uint32_t handle);
void calendar_send(struct calendar *calendar, uint32_t handle, enum calendar_sent what,
		   uint64_t time);

/* ACK of the client's message @seq; @time is the field as it goes out. */
void calendar_answer(struct calendar *calendar, uint32_t handle, uint32_t seq, uint64_t time);

/* ACK of the message that was kept waiting. */
void calendar_answer_question(struct calendar *calendar, uint32_t handle);

/* calendar_schedule.c */

/* Give the token to the next client, if it is free and that client can take it. */
void calendar_schedule(struct calendar *calendar);

/* A waiting client has requested an event while another one runs: answer, now or later. */
void calendar_answer_request(struct calendar *calendar, uint32_t handle,
			     const struct wire_message *request);

/* The client has acknowledged something: a SHRINK, or what kept one back. */
void calendar_acknowledged(struct calendar *calendar, uint32_t handle);

/* There is an earlier event than the running client's bound: lower the bound. */
void calendar_take_back(struct calendar *calendar);

/* End the window at @end, if that is earlier. */
void calendar_narrow(struct calendar *calendar, uint64_t end);

/* Whether the running client's bound is still after the first event of the waiting clients. */
bool calendar_overrun_possible(const struct calendar *calendar);

/* The running client gives the token back. */
void calendar_wait(struct calendar *calendar, uint32_t handle);

/* The running client is gone. */
void calendar_token_drop(struct calendar *calendar);

/* Set or remove a waiting client's event. */
void calendar_enter(struct calendar *calendar, uint32_t handle, uint64_t time);

/* calendar_relay.c */
void calendar_relay_start(struct calendar *calendar, uint32_t handle);
void calendar_relay_acknowledged(struct calendar *calendar, uint32_t handle);
void calendar_relay_forget(struct calendar *calendar, uint32_t handle);

/* Deliver what can be delivered now. */
void calendar_relay_advance(struct calendar *calendar);

#endif
