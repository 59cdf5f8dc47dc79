/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The origin of a frame, its sender and time, as inferred by recorder and readers alike.
 *
 * A frame is in a trace where it is delivered. Its origin is inferred to be that of the last frame
 * with the same source address at that card: the same sender and delay. Only if that is wrong a
 * `sent` record precedes the frame; so before the first one nothing is known, and with a constant
 * delay there is one for each pair of cards.
 */
#ifndef TTREC_FRAME_ORIGIN_H
#define TTREC_FRAME_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame_origin {
	uint64_t sender; /* index of the guest */
	uint64_t card;	 /* its device */
	uint64_t delay;	 /* ns from sending it to the record that has it */
};

/* So many source addresses are remembered; with one more all are forgotten before it. */
#define FRAME_ORIGINS_MAX   256u
#define FRAME_ORIGINS_SLOTS (2 * FRAME_ORIGINS_MAX)

/* The state at one card; starts zeroed. At least half of the slots are free. */
struct frame_origins {
	unsigned int count;
	struct {
		uint64_t address; /* as a number, with an additional bit so that 0 means none */
		struct frame_origin origin;
	} slot[FRAME_ORIGINS_SLOTS];
};

/* The expected origin of the Ethernet frame @data; false: unknown. */
bool frame_origin_expect(const struct frame_origins *origins, const uint8_t *data, size_t size,
			 struct frame_origin *origin);

/* A `sent` record gives it for the frame @data. */
void frame_origin_learn(struct frame_origins *origins, const uint8_t *data, size_t size,
			const struct frame_origin *origin);

#endif
