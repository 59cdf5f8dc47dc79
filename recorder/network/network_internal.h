/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of the network: random streams, links, queues, and learned addresses. */
#ifndef TTREC_NETWORK_INTERNAL_H
#define TTREC_NETWORK_INTERNAL_H

#include "recorder/network/network_fault.h"

#define NETWORK_ADDRESS_SIZE 6
#define NETWORK_HEADER_SIZE  14

/* ---- Random streams
 * ---------------------------------------------------------------------------------- */

/* A stream of random numbers: splitmix64, public domain, by Sebastiano Vigna. */
struct network_random {
	uint64_t state;
};

uint64_t network_random_next(struct network_random *random);

/* A separate stream for each @number, independent of draws from this one. */
struct network_random network_random_derive(uint64_t seed, uint64_t number);

/* True in a share of all cases. */
bool network_random_happens(struct network_random *random, double share);
/* 0 to @most, each as likely. */
uint64_t network_random_up_to(struct network_random *random, uint64_t most);

/* What happens to one frame on one link. */
struct network_link_outcome {
	bool lost, overtakes;
	uint64_t jitter, delay; /* ns, in addition to the link's; delay: by faults */
};

/* Always draws the same number of random numbers, whatever the link and the outcome. */
struct network_link_outcome network_link_draw(const struct network_link *link,
					      struct network_random *random);

/* ---- One direction of a cable -------------------------------------------------------------- */

struct network_line {
	uint64_t busy; /* the link is busy with earlier frames until then */
	uint64_t last; /* arrival of the last one that keeps order */
};

/* The arrival time at the other end of a frame that is sent at @time and keeps order. */
uint64_t network_line_arrival(const struct network_line *line, const struct network_link *link,
			      uint64_t time, size_t size, uint64_t jitter);
/* The same, and it has gone. */
uint64_t network_line_pass(struct network_line *line, const struct network_link *link,
			   uint64_t time, size_t size, uint64_t jitter);
/* The arrival time of a frame that overtakes others. */
uint64_t network_line_overtake(const struct network_link *link, uint64_t time, size_t size);

/* ---- Frames in order ----------------------------------------------------------------------- */

struct network_entry {
	uint64_t time;
	uint64_t sequence; /* of the sending port */
	uint64_t jitter;
	unsigned int from; /* number of the sending port */
	struct network_frame *frame;
};

/* Ordered by (time, from, sequence): a binary heap. */
struct network_queue {
	struct network_entry *entry; /* [0] comes first */
	size_t count, capacity;
};

bool network_entry_before(const struct network_entry *a, const struct network_entry *b);
int network_queue_add(struct network_queue *queue, const struct network_entry *entry);
/* Only when it is not empty. */
struct network_entry network_queue_take(struct network_queue *queue);
/* Releases the frames too. */
void network_queue_clear(struct network_queue *queue);

/* ---- Where stations are -------------------------------------------------------------------- */

/* Open addressing, never more than half full: what has no place is not learned, but flooded. */
#define NETWORK_TABLE_SLOTS 4096
#define NETWORK_TABLE_MAX   (NETWORK_TABLE_SLOTS / 2)

struct network_table {
	struct {
		uint64_t address; /* as a number, with a bit more so that 0 is no address */
		unsigned int port;
	} slot[NETWORK_TABLE_SLOTS];
	unsigned int count;
};

void network_table_learn(struct network_table *table, const uint8_t *address, unsigned int port);
/* Returns whether @address was ever a sender's. */
bool network_table_find(const struct network_table *table, const uint8_t *address,
			unsigned int *port);

/* ---- The network --------------------------------------------------------------------------- */

struct network_port {
	struct network *network;
	unsigned int number;
	struct network_link link;
	struct device *device;
	struct network_outbox *outbox;
	struct network_random random; /* one number for each frame it sends */
	uint64_t sequence;
	struct network_line to_switch, to_guest;
	struct network_queue waiting;	 /* by the time at which they are at the switch */
	struct network_queue overtaking; /* by arrival */
	/*
	 * When the frames that are gone were taken, the latest of them, in order: a ring. Of two
	 * guests in one window one may have taken a frame before the other one's earlier frame is
	 * handed in, which must find as many on the way as if it had been handed in in time.
	 */
	uint64_t taken[NETWORK_BACKLOG_MAX];
	size_t taken_begin, taken_count;
};

struct network {
	uint64_t seed;
	uint64_t now; /* when the last frame was sent */
	struct network_port **port;
	unsigned int port_count;
	struct network_table table;
	struct network_fault *fault;
	size_t fault_count;
};

/* ---- Faults --------------------------------------------------------------------------------- */

/* What faults do to one frame on its way to one receiver. */
struct network_fault_outcome {
	bool cut, lost;
	uint64_t delay; /* ns, in addition */
};

/* Of a frame that is @sent by the port with the number @from; @frame is its random stream. */
struct network_fault_outcome network_faults_draw(const struct network *network, unsigned int from,
						 unsigned int to, uint64_t sent,
						 const struct network_random *frame);
void network_faults_release(struct network *network);

#endif
