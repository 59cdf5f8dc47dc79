/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A simulated Ethernet: a learning switch, and a link with delay, jitter, loss, bandwidth and
 * reordering between it and each port.
 *
 * Pure: no descriptors, no clock; all randomness comes from the seed, with a random stream for each
 * port, so one guest's activity never changes another one's link outcomes. The outcome of a frame
 * is decided when it is sent: frames must be handed in in the order of (time, port), and each
 * arrives at least network_lookahead() later. Guests may run that far ahead of each other.
 *
 * Both links of the way count: that of the sender and that of the receiver; a network's delay is
 * that of the whole way, a port's own setting replaces half of it on its side.
 */
#ifndef TTREC_NETWORK_H
#define TTREC_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/device/device.h"

/* One direction of a port's cable is like the other. */
struct network_link {
	uint64_t delay;	    /* ns */
	uint64_t jitter;    /* ns: 0 to this much is added, each value as likely */
	double loss;	    /* 0 to 1: share of frames that are lost; they take no bandwidth */
	uint64_t bandwidth; /* bits per second; 0: any. A frame takes its time after the one before
			     */
	double reorder;	    /* 0 to 1: share of frames that overtake: they come without jitter
			     * and without waiting for those before them; the others keep order */
};

/* A frame on its way to one or more ports. */
struct network_frame {
	unsigned int references;
	const struct device *from; /* that sent it, and when, once it was switched */
	uint64_t sent;		   /* ns */
	size_t size;
	uint8_t data[];
};

/* Frames larger than this are not Ethernet's: 64 KiB and a header. */
#define NETWORK_FRAME_MAX 65550u

/*
 * The number of frames that can be in flight to a port or wait there for a buffer of the guest;
 * further ones are lost.
 */
#define NETWORK_BACKLOG_MAX 4096u

struct network;
struct network_port;

int network_create(uint64_t seed, struct network **network);
/* Devices are destroyed before the network they are at. */
void network_destroy(struct network *network);

/*
 * A port with its link (delay: from the port to the switch). Ports are numbered from 0 in the order
 * in which they are made. -EINVAL when loss or reorder is no share. A port stays a port when its
 * device has gone: frames go there, until too many are waiting.
 */
int network_add_port(struct network *network, const struct network_link *link,
		     struct network_port **port);

/*
 * The shortest time from sending to arrival between two different ports, ns; WIRE_TIME_NEVER with
 * less than two.
 */
uint64_t network_lookahead(const struct network *network);

/*
 * Where a port's frames go when they leave the guest, and where arrivals are reported. The outbox
 * lets the session hold frames back until all guests have reached their time; without one they are
 * switched at once.
 */
struct network_outbox {
	void (*put)(struct network_outbox *outbox, struct network_port *port, uint64_t time,
		    struct network_frame *frame); /* takes the reference */
};
void network_port_connect(struct network_port *port, struct device *device,
			  struct network_outbox *outbox);
unsigned int network_port_number(const struct network_port *port);

/* A frame of @size bytes leaves the guest at @time. 0 or -ENOMEM. */
int network_port_send(struct network_port *port, uint64_t time, struct network_frame *frame);

/*
 * Decide the outcome of a frame: it is entered in the queue of each port that will get it, and
 * their devices are scheduled. The sender's device is notified of each that does not get it, or
 * when it comes to nothing. Takes the reference. 0 or -ENOMEM. @time must not be less than the last
 * frame's, independent of its sender.
 *
 * This touches every port and must be alone; sending, next and pop touch their own port only.
 */
int network_switch(struct network_port *from, uint64_t time, struct network_frame *frame);

/* The frame that arrives next at @port, with its time; NULL: none. It stays queued. */
const struct network_frame *network_port_next(const struct network_port *port, uint64_t *time);
/* Take it off. */
void network_port_pop(struct network_port *port);

struct network_frame *network_frame_create(size_t size);
void network_frame_release(struct network_frame *frame);

#endif
