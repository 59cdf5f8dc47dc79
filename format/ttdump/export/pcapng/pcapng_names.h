/* SPDX-License-Identifier: BSD-3-Clause */
/* Internet addresses of guests, as learned from frames (ARP, neighbour discovery). */
#ifndef TTREC_PCAPNG_NAMES_H
#define TTREC_PCAPNG_NAMES_H

#include "format/text/frames.h"
#include "format/ttdump/export/pcapng/pcapng.h"

/* How many are remembered; others are left out. */
#define PCAPNG_NAMES_MAX 1024u

struct pcapng_names {
	struct {
		enum pcapng_address type;
		uint8_t address[16];
	} told[PCAPNG_NAMES_MAX];
	size_t count;
};

/* Add the name of a guest to @line if @frame has an address of it for the first time. */
void pcapng_names_learn(struct pcapng_names *names, const struct name_table *name_table,
			const struct frame *frame, struct line *line);

#endif
