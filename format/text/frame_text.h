/* SPDX-License-Identifier: BSD-3-Clause */
/* Describes an Ethernet frame briefly. Nothing in it is trusted. */
#ifndef TTREC_FRAME_TEXT_H
#define TTREC_FRAME_TEXT_H

#include "format/base/line.h"

/*
 * Add what the frame at @data is, of which @size bytes are there; it may be longer.
 *
 *	10.0.0.1 > 10.0.0.2 ICMP echo request id 1 seq 0
 *	10.0.0.1 > 10.0.0.2 TCP 80 > 41000 [SA] seq 0 ack 1 win 64240, 0 bytes
 *	ARP who has 10.0.0.2? tell 10.0.0.1
 *	02:79:64:8d:73:06 > ff:ff:ff:ff:ff:ff type 0x88b5
 */
void line_add_frame(struct line *line, const uint8_t *data, size_t size);

#endif
