/* SPDX-License-Identifier: BSD-3-Clause */
/* The header that packets of link type 127 have in front of an 802.11 frame (radiotap.org). */
#ifndef TTREC_RADIOTAP_H
#define TTREC_RADIOTAP_H

#include "format/base/line.h"

struct radiotap {
	uint32_t frequency; /* MHz; 0: unknown */
	uint32_t rate;	    /* in units of 500 kbit/s, or RADIO_RATE_NONE */
	bool has_signal;
	int signal; /* dBm */
	bool lost;  /* no radio received it */
};

void line_add_radiotap(struct line *line, const struct radiotap *radiotap);

#endif
