/* SPDX-License-Identifier: BSD-3-Clause */
/* The medium of mac80211_hwsim's radios: what it makes of a message of one of them. */
#ifndef TTREC_TEST_RADIO_MEDIUM_H
#define TTREC_TEST_RADIO_MEDIUM_H

#include <stddef.h>
#include <stdint.h>

#define MEDIUM_RADIOS_MAX 16
#define MEDIUM_TEXT	  4096

struct medium {
	struct {
		uint8_t address[6];
		unsigned int port;
	} radio[MEDIUM_RADIOS_MAX];
	size_t radio_count;
	uint64_t random;   /* its state */
	unsigned int loss; /* percent */
};

/*
 * A message from @port: @put is called with what goes to which port, in order: the frame to each
 * radio that receives it, then its fate to the sender.
 */
void medium_take(struct medium *medium, unsigned int port, const uint8_t *message, size_t size,
		 void (*put)(unsigned int port, const uint8_t *message, size_t size));

#endif
