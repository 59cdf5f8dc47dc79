/* SPDX-License-Identifier: BSD-3-Clause */
/* Describes an 802.11 frame briefly. Nothing in it is trusted. */
#ifndef TTREC_RADIO_TEXT_H
#define TTREC_RADIO_TEXT_H

#include "format/base/line.h"
#include "format/radio/radio_message.h"

/*
 * Add what @message has.
 *
 *	02:00:00:00:00:00 > ff:ff:ff:ff:ff:ff beacon "lab"
 *	02:00:00:00:01:00 > 02:00:00:00:00:00 authentication SAE commit
 *	02:00:00:00:00:00 > 02:00:00:00:01:00 EAPOL key 1 of 4
 *	02:00:00:00:01:00 > 02:00:00:00:00:00 encrypted data
 *	sent by 02:00:00:00:01:00: no acknowledgement
 */
void line_add_radio(struct line *line, const struct radio_message *message);

/* " at 2412 MHz, 1 Mbit/s, -30 dBm", as far as it is known; nothing where it is not. */
void line_add_radio_link(struct line *line, const struct radio_message *message);

#endif
