/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who sent the frame that a card gets, and when: what recorder and readers both expect of it.
 *
 * A frame stands in a trace where it is handed over. Its origin is expected to be that of the last
 * frame with the same source address at that card: the same sender, and as long before. Only when
 * that is wrong a `sent` record says so before the frame; so without a first one nothing is known,
 * and with a network that is always as slow there is one for each pair of cards.
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

/* What is known at one card; all zeros to start with. Half of the slots at least are free. */
struct frame_origins {
	unsigned int count;
	struct {
		uint64_t address; /* as a number, with a bit more so that 0 is none */
		struct frame_origin origin;
	} slot[FRAME_ORIGINS_SLOTS];
};

/* What is expected of the Ethernet frame @data; false: nothing. */
bool frame_origin_expect(const struct frame_origins *origins, const uint8_t *data, size_t size,
			 struct frame_origin *origin);

/* A `sent` record says it of the frame @data. */
void frame_origin_learn(struct frame_origins *origins, const uint8_t *data, size_t size,
			const struct frame_origin *origin);

#endif
