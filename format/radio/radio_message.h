/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest's radios and the medium exchange in the buffers of their device: netlink messages
 * with an 802.11 frame, or with what became of one. Nothing in them is trusted.
 *
 * Source: drivers/net/wireless/virtual/mac80211_hwsim.h, Linux 5.10 to 7.2; include/uapi/linux/
 * netlink.h, genetlink.h.
 */
#ifndef TTREC_RADIO_MESSAGE_H
#define TTREC_RADIO_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The device of the radios, and its queues. */
#define RADIO_VIRTIO_ID 29u
enum radio_queue { RADIO_SENDS, RADIO_RECEIVES };

#define RADIO_RATE_NONE UINT32_MAX

struct radio_message {
	bool status;	     /* what became of a frame: HWSIM_CMD_TX_INFO_FRAME; else a frame */
	bool acknowledged;   /* with @status: the receiver has got it */
	bool expects_none;   /* with @status: such a frame is not acknowledged */
	const uint8_t *data; /* the 802.11 frame, without its checksum; in the message */
	size_t size;
	const uint8_t *transmitter, *receiver; /* 6 bytes of the radio, in the message; NULL */
	uint32_t frequency;		       /* MHz; 0: not in it */
	bool has_signal;
	int signal;    /* dBm */
	uint32_t rate; /* in units of 500 kbit/s, RADIO_RATE_NONE: an HT rate, or not in it */
};

/* False: it is neither of the two. */
bool radio_message_parse(const void *data, size_t size, struct radio_message *message);

#endif
