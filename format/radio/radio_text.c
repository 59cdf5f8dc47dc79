// SPDX-License-Identifier: BSD-3-Clause
/*
 * An 802.11 frame in a few words. Every length in it is checked; a frame that is cut off is
 * described as such.
 *
 * Source: IEEE 802.11-2020, section 9 (frame formats) and 12.7.2 (EAPOL-Key frames); IEEE 802.1X.
 */
#include "format/radio/radio_text.h"

#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

#define HEADER_SIZE    24 /* of management and of most data frames */
#define SHORTEST       10 /* an ACK: control, duration, one address */
#define RECEIVER_AT    4
#define TRANSMITTER_AT 10

enum { TYPE_MANAGEMENT, TYPE_CONTROL, TYPE_DATA };
enum { SUBTYPE_BEACON = 8, SUBTYPE_PROBE_RESPONSE = 5 };
enum { FLAG_TO_DS = 0x01, FLAG_FROM_DS = 0x02, FLAG_RETRY = 0x08, FLAG_PROTECTED = 0x40 };
enum { DATA_NULL = 0x4, DATA_QOS = 0x8 };

#define ELEMENT_SSID 0

/* The rest of a frame. */
struct rest {
	const uint8_t *at;
	size_t size;
};

static unsigned int le16(const uint8_t *bytes)
{
	return (unsigned int)bytes[0] | (unsigned int)bytes[1] << 8;
}

static unsigned int be16(const uint8_t *bytes)
{
	return (unsigned int)bytes[0] << 8 | bytes[1];
}

static bool skip(struct rest *rest, size_t size)
{
	if (rest->size < size)
		return false;
	rest->at += size;
	rest->size -= size;
	return true;
}

static void add_address(struct line *line, const uint8_t *address)
{
	char text[MAC_TEXT];

	line_text(line, mac_text(address, text));
}

/* ---- Management ------------------------------------------------------------------------------ */

/* The name of the network, where it is among the elements. */
static void add_network(struct line *line, struct rest rest)
{
	while (rest.size >= 2 && rest.size - 2 >= rest.at[1]) {
		if (rest.at[0] == ELEMENT_SSID) {
			line_text(line, rest.at[1] ? " \"" : " any network");
			line_escaped(line, (const char *)rest.at + 2, rest.at[1], false);
			line_text(line, rest.at[1] ? "\"" : "");
			return;
		}
		skip(&rest, 2u + rest.at[1]);
	}
}

static void add_number(struct line *line, const char *name, unsigned int number)
{
	line_text(line, name);
	line_number(line, number);
}

static void add_authentication(struct line *line, const struct rest *rest)
{
	static const char *const algorithms[] = { " open", " shared key", " FT", " SAE" };
	unsigned int algorithm, step, status;

	if (rest->size < 6)
		return;
	algorithm = le16(rest->at);
	step = le16(rest->at + 2);
	status = le16(rest->at + 4);
	if (algorithm < ARRAY_SIZE(algorithms))
		line_text(line, algorithms[algorithm]);
	else
		add_number(line, " algorithm ", algorithm);
	if (algorithm == 3 && (step == 1 || step == 2))
		line_text(line, step == 1 ? " commit" : " confirm");
	else
		add_number(line, " ", step);
	/* 126: SAE with hash-to-element, no failure. */
	if (status && status != 126)
		add_number(line, ", refused with status ", status);
}

static void add_response(struct line *line, const struct rest *rest)
{
	if (rest->size >= 4 && le16(rest->at + 2))
		add_number(line, ", refused with status ", le16(rest->at + 2));
}

static void add_reason(struct line *line, const struct rest *rest)
{
	if (rest->size >= 2)
		add_number(line, ", reason ", le16(rest->at));
}

/* The offset of the elements, which have the name of the network; 0: without elements. */
static const struct management {
	const char *name;
	size_t elements;
	void (*add)(struct line *line, const struct rest *rest);
} managements[16] = {
	[0] = { "association request", 4, NULL },
	[1] = { "association response", 0, add_response },
	[2] = { "reassociation request", 10, NULL },
	[3] = { "reassociation response", 0, add_response },
	[4] = { "probe request for", 0, NULL },
	[SUBTYPE_PROBE_RESPONSE] = { "probe response", 12, NULL },
	[SUBTYPE_BEACON] = { "beacon", 12, NULL },
	[9] = { "ATIM", 0, NULL },
	[10] = { "disassociation", 0, add_reason },
	[11] = { "authentication", 0, add_authentication },
	[12] = { "deauthentication", 0, add_reason },
	[13] = { "action", 0, NULL },
	[14] = { "action without ACK", 0, NULL },
};

static void add_management(struct line *line, unsigned int subtype, bool protected,
			   struct rest rest)
{
	const struct management *management = &managements[subtype];

	if (!management->name) {
		add_number(line, "management frame ", subtype);
		return;
	}
	line_text(line, management->name);
	if (protected) {
		line_text(line, ", encrypted");
		return;
	}
	if (management->add)
		management->add(line, &rest);
	else if ((management->elements || subtype == 4) && skip(&rest, management->elements))
		add_network(line, rest);
}

/* ---- Data ------------------------------------------------------------------------------------ */

/* Which of the handshake it is follows from its flags: 12.7.2 and 12.7.6. */
static void add_key(struct line *line, unsigned int info)
{
	const bool pairwise = info & 0x0008, ack = info & 0x0080, mic = info & 0x0100,
		   secure = info & 0x0200;

	line_text(line, pairwise ? "EAPOL key " : "EAPOL group key ");
	if (!pairwise)
		line_text(line, ack ? "1 of 2" : "2 of 2");
	else if (ack)
		line_text(line, mic ? "3 of 4" : "1 of 4");
	else
		line_text(line, secure ? "4 of 4" : "2 of 4");
}

static void add_eapol(struct line *line, const struct rest *rest)
{
	static const char *const types[] = { "EAP", "EAPOL start", "EAPOL logoff" };

	if (rest->size >= 7 && rest->at[1] == 3)
		add_key(line, be16(rest->at + 5));
	else if (rest->size >= 2 && rest->at[1] < ARRAY_SIZE(types))
		line_text(line, types[rest->at[1]]);
	else
		line_text(line, "EAPOL");
}

static void add_data(struct line *line, unsigned int subtype, unsigned int flags, struct rest rest)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	size_t more = (flags & FLAG_TO_DS && flags & FLAG_FROM_DS ? 6u : 0u) +
		      (subtype & DATA_QOS ? 2u : 0u);

	if (subtype & DATA_NULL)
		line_text(line, "no data");
	else if (flags & FLAG_PROTECTED)
		line_text(line, "encrypted data");
	else if (!skip(&rest, more) || rest.size < 8 || memcmp(rest.at, snap, sizeof(snap)) != 0)
		line_text(line, "data");
	else if (be16(rest.at + 6) == 0x888e && skip(&rest, 8))
		add_eapol(line, &rest);
	else
		line_format(line, "data of type 0x%04x", be16(rest.at + 6));
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static void add_control(struct line *line, unsigned int subtype)
{
	static const char *const names[16] = {
		[7] = "control wrapper",
		[8] = "block ACK request",
		[9] = "block ACK",
		[10] = "PS-poll",
		[11] = "RTS",
		[12] = "CTS",
		[13] = "ACK",
	};

	if (names[subtype])
		line_text(line, names[subtype]);
	else
		add_number(line, "control frame ", subtype);
}

static void add_frame(struct line *line, const uint8_t *data, size_t size)
{
	struct rest rest = { data, size };
	unsigned int type, subtype, flags;

	if (size < SHORTEST) {
		line_text(line, "802.11 frame, cut off");
		return;
	}
	type = data[0] >> 2 & 3;
	subtype = data[0] >> 4;
	flags = data[1];
	if (size >= TRANSMITTER_AT + 6)
		add_address(line, data + TRANSMITTER_AT);
	line_text(line, size >= TRANSMITTER_AT + 6 ? " > " : "> ");
	add_address(line, data + RECEIVER_AT);
	line_char(line, ' ');
	if (type == TYPE_CONTROL)
		add_control(line, subtype);
	else if (!skip(&rest, HEADER_SIZE))
		line_text(line, "802.11 frame, cut off");
	else if (type == TYPE_MANAGEMENT)
		add_management(line, subtype, flags & FLAG_PROTECTED, rest);
	else if (type == TYPE_DATA)
		add_data(line, subtype, flags, rest);
	else
		add_number(line, "802.11 frame of type 3, subtype ", subtype);
	if (type != TYPE_CONTROL && flags & FLAG_RETRY)
		line_text(line, ", again");
}

void line_add_radio(struct line *line, const struct radio_message *message)
{
	if (!message->status) {
		add_frame(line, message->data, message->size);
		return;
	}
	line_text(line, "sent by ");
	add_address(line, message->transmitter);
	line_text(line, message->acknowledged	? ": acknowledged"
			: message->expects_none ? ": not to be acknowledged"
						: ": no acknowledgement");
}

void line_add_radio_link(struct line *line, const struct radio_message *message)
{
	const char *separator = " at ";

	if (message->frequency) {
		line_format(line, "%s%u MHz", separator, message->frequency);
		separator = ", ";
	}
	if (message->rate != RADIO_RATE_NONE) {
		line_format(line, "%s%u%s Mbit/s", separator, message->rate / 2,
			    message->rate % 2 ? ".5" : "");
		separator = ", ";
	}
	if (message->has_signal)
		line_format(line, "%s%d dBm", separator, message->signal);
}
