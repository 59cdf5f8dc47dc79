// SPDX-License-Identifier: BSD-3-Clause
/*
 * A medium in which every radio hears every other, but for frames that are lost by chance. Source:
 * drivers/net/wireless/virtual/mac80211_hwsim.h, Linux 6.12.
 */
#include "tests/system/programs/radio_medium.h"

#include <stdbool.h>
#include <string.h>

enum { COMMAND_FRAME = 2, COMMAND_STATUS = 3 };
enum {
	RECEIVER = 1,
	TRANSMITTER = 2,
	FRAME = 3,
	FLAGS = 4,
	RX_RATE = 5,
	SIGNAL = 6,
	TX_INFO = 7,
	COOKIE = 8,
	FREQUENCY = 19,
	ATTRIBUTES = 64,
};

#define HEADERS	     20 /* struct nlmsghdr and struct genlmsghdr */
#define ACKNOWLEDGED 0x4u
#define STRENGTH     -40 /* dBm; each further radio is 5 dB weaker */

struct attribute {
	const uint8_t *data;
	size_t size;
};

struct text {
	uint8_t bytes[MEDIUM_TEXT];
	size_t size;
};

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static void parse(const uint8_t *message, size_t size, struct attribute all[ATTRIBUTES])
{
	size_t at = HEADERS;

	while (at + 4 <= size && get16(message + at) >= 4 && get16(message + at) <= size - at) {
		unsigned int type = get16(message + at + 2) & 0x3fff;

		if (type < ATTRIBUTES)
			all[type] =
				(struct attribute){ message + at + 4, get16(message + at) - 4u };
		at += (get16(message + at) + 3u) & ~3u;
	}
}

static void begin(struct text *text, const uint8_t *message, uint8_t command)
{
	memcpy(text->bytes, message, HEADERS);
	text->bytes[16] = command;
	text->size = HEADERS;
}

static void add(struct text *text, uint16_t type, const void *data, size_t size)
{
	const uint16_t head[2] = { (uint16_t)(size + 4), type };

	if (text->size + 4 + size + 3 > sizeof(text->bytes))
		return;
	memcpy(text->bytes + text->size, head, sizeof(head));
	memcpy(text->bytes + text->size + 4, data, size);
	memset(text->bytes + text->size + 4 + size, 0, 3);
	text->size += (4 + size + 3) & ~(size_t)3;
}

static void add_u32(struct text *text, uint16_t type, uint32_t value)
{
	add(text, type, &value, sizeof(value));
}

static void finish(struct text *text)
{
	uint32_t size = (uint32_t)text->size;

	memcpy(text->bytes, &size, sizeof(size));
}

static bool is_lost(struct medium *medium)
{
	medium->random = medium->random * 6364136223846793005u + 1442695040888963407u;
	return (medium->random >> 33) % 100 < medium->loss;
}

static void learn(struct medium *medium, unsigned int port, const uint8_t *address)
{
	for (size_t i = 0; i < medium->radio_count; i++)
		if (!memcmp(medium->radio[i].address, address, 6))
			return;
	if (medium->radio_count == MEDIUM_RADIOS_MAX)
		return;
	memcpy(medium->radio[medium->radio_count].address, address, 6);
	medium->radio[medium->radio_count++].port = port;
}

/* Radios send to each other's first address; they are known by the second, with this bit. */
static bool is_for(const uint8_t *radio, const uint8_t *address)
{
	return radio[0] == (address[0] | 0x40) && !memcmp(radio + 1, address + 1, 5);
}

/* Returns whether the radio that it is for has got it. */
static bool deliver(struct medium *medium, const uint8_t *message,
		    const struct attribute all[ATTRIBUTES],
		    void (*put)(unsigned int port, const uint8_t *message, size_t size))
{
	static struct text text;
	bool got = false;

	for (size_t i = 0; i < medium->radio_count; i++) {
		const uint8_t *address = medium->radio[i].address;

		if (!memcmp(address, all[TRANSMITTER].data, 6) || is_lost(medium))
			continue;
		begin(&text, message, COMMAND_FRAME);
		add(&text, RECEIVER, address, 6);
		add(&text, FRAME, all[FRAME].data, all[FRAME].size);
		add_u32(&text, RX_RATE, 0);
		add_u32(&text, SIGNAL, (uint32_t)(STRENGTH - 5 * (int)i));
		if (all[FREQUENCY].size == 4)
			add(&text, FREQUENCY, all[FREQUENCY].data, 4);
		finish(&text);
		put(medium->radio[i].port, text.bytes, text.size);
		got |= is_for(address, all[FRAME].data + 4);
	}
	return got;
}

static void report(unsigned int port, const uint8_t *message,
		   const struct attribute all[ATTRIBUTES], bool got,
		   void (*put)(unsigned int port, const uint8_t *message, size_t size))
{
	static struct text text;
	uint32_t flags;

	memcpy(&flags, all[FLAGS].data, sizeof(flags));
	begin(&text, message, COMMAND_STATUS);
	add(&text, TRANSMITTER, all[TRANSMITTER].data, 6);
	add_u32(&text, FLAGS, got ? flags | ACKNOWLEDGED : flags);
	add(&text, COOKIE, all[COOKIE].data, all[COOKIE].size);
	add_u32(&text, SIGNAL, (uint32_t)STRENGTH);
	add(&text, TX_INFO, all[TX_INFO].data, all[TX_INFO].size);
	finish(&text);
	put(port, text.bytes, text.size);
}

void medium_take(struct medium *medium, unsigned int port, const uint8_t *message, size_t size,
		 void (*put)(unsigned int port, const uint8_t *message, size_t size))
{
	struct attribute all[ATTRIBUTES] = { 0 };
	bool got;

	uint32_t length;

	if (size < HEADERS)
		return;
	/* The guest gives the whole buffer. */
	memcpy(&length, message, sizeof(length));
	if (length < HEADERS || length > size)
		return;
	size = length;
	parse(message, size, all);
	if (all[TRANSMITTER].size != 6)
		return;
	learn(medium, port, all[TRANSMITTER].data);
	if (message[16] != COMMAND_FRAME || all[FRAME].size < 10 || all[FLAGS].size != 4 ||
	    all[COOKIE].size != 8 || !all[TX_INFO].size)
		return;
	got = deliver(medium, message, all, put);
	report(port, message, all, got, put);
}
