/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network with receivers that take what is due and write it down, and random traffic for it.
 * Handing in one by one is what guests that run one after the other do; by windows, what guests do
 * that run ahead.
 */
#ifndef TTREC_TEST_NETWORK_STAGE_H
#define TTREC_TEST_NETWORK_STAGE_H

#include "recorder/network/network.h"
#include "tests/recorder/random.h"

#define STAGE_PORTS_MAX 8

struct stage_sending {
	uint64_t time;
	unsigned int from;
	unsigned int to; /* STAGE_EVERYBODY: a broadcast */
	size_t size;	 /* of the frame, at least STAGE_FRAME_MIN */
};
#define STAGE_EVERYBODY UINT32_MAX
#define STAGE_FRAME_MIN 22 /* header and the number of the sending */

struct stage_arrival {
	uint64_t time;	 /* at which it was taken */
	uint64_t number; /* of the sending */
};

struct stage_loss {
	uint64_t number;
	unsigned int reason;
	const struct device *receiver; /* who missed it; NULL: all did */
};

struct stage_port {
	struct device device; /* first: the network's callbacks find the port by it */
	struct network_port *port;
	struct network_stage *stage;
	uint64_t asleep_until; /* takes nothing before */
	struct stage_arrival *arrival;
	size_t arrival_count;
	struct stage_loss *loss;
	size_t loss_count;
};

struct network_stage {
	struct network *network;
	struct stage_port port[STAGE_PORTS_MAX];
	unsigned int ports;
	uint64_t now;
	uint64_t sent; /* frames so far: their numbers */
};

void stage_open(struct network_stage *stage, uint64_t seed, const struct network_link *link,
		unsigned int ports);
void stage_close(struct network_stage *stage);

/* Address of the station at @port. */
void stage_address(unsigned int port, uint8_t address[6]);

/* Hand one in, now. */
void stage_send(struct network_stage *stage, const struct stage_sending *sending);

/* Let time pass: everything that arrives before @time is taken. */
void stage_pass(struct network_stage *stage, uint64_t time);

/* All of it, in order; then let everything arrive. */
void stage_run(struct network_stage *stage, const struct stage_sending *sending, size_t count);
/* The same, but handed in at the end of windows that are as long as the network allows. */
void stage_run_windows(struct network_stage *stage, const struct stage_sending *sending,
		       size_t count);

void stage_assert_same(const struct network_stage *a, const struct network_stage *b);

#endif
