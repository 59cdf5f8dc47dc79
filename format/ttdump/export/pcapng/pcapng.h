/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The blocks of a pcapng file, each added to a line that grows: little-endian on every machine,
 * times in nanoseconds. Interfaces are counted from 0 in the order in which they are added.
 *
 * Source: draft-ietf-opsawg-pcapng; link types: https://www.tcpdump.org/linktypes.html.
 */
#ifndef TTREC_PCAPNG_H
#define TTREC_PCAPNG_H

#include <stdint.h>

#include "format/base/line.h"

enum pcapng_link { PCAPNG_ETHERNET = 1, PCAPNG_RADIOTAP = 127, PCAPNG_USER0 = 147 };

enum pcapng_address { PCAPNG_IPV4 = 1, PCAPNG_IPV6 = 2, PCAPNG_MAC = 3 };

struct pcapng_packet {
	uint32_t interface;
	uint64_t time; /* ns */
	const void *data;
	size_t captured;     /* bytes of @data */
	size_t size;	     /* of the whole packet */
	const char *comment; /* NULL: none */
	size_t comment_size;
};

/* The first block of all. */
void pcapng_add_section(struct line *line, const char *application, const char *comment);

void pcapng_add_interface(struct line *line, enum pcapng_link link, const char *name,
			  const char *description);

/* Who has an address: 4, 16 or 6 bytes of it. */
void pcapng_add_name(struct line *line, enum pcapng_address type, const uint8_t *address,
		     const char *name);

void pcapng_add_packet(struct line *line, const struct pcapng_packet *packet);

/* For the content of packets, too. */
void pcapng_add_u32(struct line *line, uint32_t value);
void pcapng_add_u64(struct line *line, uint64_t value);

#endif
