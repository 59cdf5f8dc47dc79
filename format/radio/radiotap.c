// SPDX-License-Identifier: BSD-3-Clause
/* The radiotap header. Fields are little-endian, in the order of their bits, each aligned to its
 * size. */
#include "format/radio/radiotap.h"

#include "format/base/cleanup.h"
#include "format/radio/radio_message.h"

enum { HAS_RATE = 1u << 2, HAS_CHANNEL = 1u << 3, HAS_SIGNAL = 1u << 5, HAS_TX_FLAGS = 1u << 15 };
enum { CHANNEL_CCK = 0x20, CHANNEL_OFDM = 0x40, CHANNEL_2_GHZ = 0x80, CHANNEL_5_GHZ = 0x100 };

#define TX_FAILED 0x1

struct header {
	uint8_t bytes[32];
	size_t size;
};

static void add(struct header *header, uint32_t value, size_t size)
{
	while (header->size % size)
		header->bytes[header->size++] = 0;
	for (size_t i = 0; i < size; i++)
		header->bytes[header->size++] = (uint8_t)(value >> 8 * i);
}

static uint32_t channel_flags(const struct radiotap *radiotap)
{
	/* 1, 2, 5.5 and 11 Mbit/s */
	bool cck = radiotap->rate == 2 || radiotap->rate == 4 || radiotap->rate == 11 ||
		   radiotap->rate == 22;

	return (radiotap->frequency < 4000 ? CHANNEL_2_GHZ : CHANNEL_5_GHZ) |
	       (cck ? CHANNEL_CCK : CHANNEL_OFDM);
}

static int8_t clamp(int value)
{
	return (int8_t)(value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value);
}

void line_add_radiotap(struct line *line, const struct radiotap *radiotap)
{
	struct header header = { .size = 8 };

	if (radiotap->rate != RADIO_RATE_NONE) {
		header.bytes[4] |= HAS_RATE;
		add(&header, radiotap->rate, 1);
	}
	if (radiotap->frequency) {
		header.bytes[4] |= HAS_CHANNEL;
		add(&header, radiotap->frequency, 2);
		add(&header, channel_flags(radiotap), 2);
	}
	if (radiotap->has_signal) {
		header.bytes[4] |= HAS_SIGNAL;
		add(&header, (uint8_t)clamp(radiotap->signal), 1);
	}
	if (radiotap->lost) {
		header.bytes[5] |= HAS_TX_FLAGS >> 8;
		add(&header, TX_FAILED, 2);
	}
	header.bytes[2] = (uint8_t)header.size;
	line_bytes(line, header.bytes, header.size);
}
