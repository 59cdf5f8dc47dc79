// SPDX-License-Identifier: BSD-3-Clause
/* The netlink messages of mac80211_hwsim that carry frames. */
#include "format/radio/radio_message.h"

#include "format/base/cleanup.h"

#define NETLINK_HEADER 16
#define GENERIC_HEADER 4
#define COMMAND_AT     NETLINK_HEADER
#define ADDRESS_SIZE   6

enum { COMMAND_FRAME = 2, COMMAND_STATUS = 3 };

enum {
	ATTRIBUTE_RECEIVER = 1,
	ATTRIBUTE_TRANSMITTER = 2,
	ATTRIBUTE_FRAME = 3,
	ATTRIBUTE_FLAGS = 4,
	ATTRIBUTE_RX_RATE = 5,
	ATTRIBUTE_SIGNAL = 6,
	ATTRIBUTE_TX_INFO = 7,
	ATTRIBUTE_FREQUENCY = 19,
	ATTRIBUTE_TX_INFO_FLAGS = 21,
	ATTRIBUTE_TYPE = 0x3fff,
};

/* HWSIM_TX_CTL_NO_ACK, HWSIM_TX_STAT_ACK */
#define FLAG_NO_ACK	  0x2u
#define FLAG_ACKNOWLEDGED 0x4u
/* MAC80211_HWSIM_TX_RC_MCS, _VHT_MCS */
#define RATE_IS_MCS 0x108u

#define LOWEST_5_GHZ 5000u
/* Rates of the 5 GHz band begin with OFDM. */
#define FIRST_OFDM 4u

/* hwsim_rates, in units of 500 kbit/s. */
static const uint8_t rates[] = { 2, 4, 11, 22, 12, 18, 24, 36, 48, 72, 96, 108 };

static uint32_t le16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t le32(const uint8_t *bytes)
{
	return le16(bytes) | le16(bytes + 2) << 16;
}

/* The rate is an index until the band is known. */
static void read_attribute(struct radio_message *message, unsigned int type, const uint8_t *data,
			   size_t size)
{
	switch (type) {
	case ATTRIBUTE_RECEIVER:
		message->receiver = size >= ADDRESS_SIZE ? data : NULL;
		break;
	case ATTRIBUTE_TRANSMITTER:
		message->transmitter = size >= ADDRESS_SIZE ? data : NULL;
		break;
	case ATTRIBUTE_FRAME:
		message->data = data;
		message->size = size;
		break;
	case ATTRIBUTE_FLAGS:
		if (size < 4)
			break;
		message->acknowledged = le32(data) & FLAG_ACKNOWLEDGED;
		message->expects_none = le32(data) & FLAG_NO_ACK;
		break;
	case ATTRIBUTE_RX_RATE:
		if (size >= 4)
			message->rate = le32(data);
		break;
	case ATTRIBUTE_SIGNAL:
		message->has_signal = size >= 4;
		if (size >= 4)
			message->signal = (int)le32(data);
		break;
	case ATTRIBUTE_TX_INFO:
		if (size >= 1)
			message->rate = data[0];
		break;
	case ATTRIBUTE_FREQUENCY:
		if (size >= 4)
			message->frequency = le32(data);
		break;
	}
}

/* Whether the first rate is an index into another table than ours: {s8 index, u16 flags}, packed.
 */
static bool is_mcs(unsigned int type, const uint8_t *data, size_t size)
{
	return type == ATTRIBUTE_TX_INFO_FLAGS && size >= 3 && le16(data + 1) & RATE_IS_MCS;
}

static void settle_rate(struct radio_message *message, bool mcs)
{
	uint32_t index = message->rate;

	if (message->frequency >= LOWEST_5_GHZ && index < sizeof(rates))
		index += FIRST_OFDM;
	message->rate = mcs || index >= sizeof(rates) ? RADIO_RATE_NONE : rates[index];
}

bool radio_message_parse(const void *data, size_t size, struct radio_message *message)
{
	const uint8_t *bytes = data;
	size_t at = NETLINK_HEADER + GENERIC_HEADER;
	bool mcs = false;

	*message = (struct radio_message){ .rate = RADIO_RATE_NONE };
	if (!bytes || size < at || le32(bytes) < at)
		return false;
	if (le32(bytes) < size)
		size = le32(bytes);
	if (bytes[COMMAND_AT] != COMMAND_FRAME && bytes[COMMAND_AT] != COMMAND_STATUS)
		return false;
	message->status = bytes[COMMAND_AT] == COMMAND_STATUS;
	while (size - at >= 4) {
		size_t length = le16(bytes + at), padded = (length + 3) & ~(size_t)3;
		unsigned int type = le16(bytes + at + 2) & ATTRIBUTE_TYPE;

		if (length < 4 || length > size - at)
			break;
		read_attribute(message, type, bytes + at + 4, length - 4);
		mcs |= is_mcs(type, bytes + at + 4, length - 4);
		at = padded > size - at ? size : at + padded;
	}
	settle_rate(message, mcs);
	return message->status ? message->transmitter : message->data;
}
