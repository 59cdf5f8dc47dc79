// SPDX-License-Identifier: BSD-3-Clause
/*
 * Describes an Ethernet frame briefly. Every length in it is checked; a truncated frame is reported
 * as cut off, and unknown protocols by number.
 *
 * Source: RFC 826 (ARP), 791 (IPv4), 8200 (IPv6), 792 (ICMP), 4443 (ICMPv6), 4861 (neighbour
 * discovery), 768 (UDP), 9293 (TCP); IEEE 802.3 and 802.1Q.
 */
#include "format/text/frame_text.h"

#include <arpa/inet.h>
#include <string.h>

#include "format/base/cleanup.h"

#define TAGS_MAX       4 /* VLAN tags, one in the other */
#define EXTENSIONS_MAX 8 /* headers of IPv6 before the one with the protocol */

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd };
enum { TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_LEAST = 0x0600 };

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ICMP = 1,
	NEXT_IGMP = 2,
	NEXT_TCP = 6,
	NEXT_UDP = 17,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_ICMPV6 = 58,
	NEXT_NONE = 59,
	NEXT_DESTINATION = 60,
};

/* The remaining bytes. */
struct bytes {
	const uint8_t *at;
	size_t size;
};

struct number_name {
	unsigned int number;
	const char *name;
};

/* Take @size bytes from the front; NULL: so many are not there. */
static const uint8_t *take(struct bytes *bytes, size_t size)
{
	const uint8_t *taken = bytes->at;

	if (bytes->size < size)
		return NULL;
	bytes->at += size;
	bytes->size -= size;
	return taken;
}

static unsigned int be16(const uint8_t *bytes)
{
	return (unsigned int)bytes[0] << 8 | bytes[1];
}

static uint32_t be32(const uint8_t *bytes)
{
	return (uint32_t)be16(bytes) << 16 | be16(bytes + 2);
}

static void add_cut(struct line *line, const char *what)
{
	line_text(line, what);
	line_text(line, ", cut off");
}

static void add_number(struct line *line, const char *what, uint64_t number)
{
	line_text(line, what);
	line_number(line, number);
}

static const char *find_name(const struct number_name *names, size_t count, unsigned int number)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

static void add_mac(struct line *line, const uint8_t *mac)
{
	for (unsigned int i = 0; i < 6; i++) {
		if (i)
			line_char(line, ':');
		line_digits(line, &mac[i], 1);
	}
}

static void add_address(struct line *line, int family, const uint8_t *address)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, address, text, sizeof(text)))
		line_text(line, text);
}

static void add_pair(struct line *line, int family, const uint8_t *from, const uint8_t *to)
{
	add_address(line, family, from);
	line_text(line, " > ");
	add_address(line, family, to);
}

/* ---- What is carried by IP ------------------------------------------------------------------- */

static void add_ports(struct line *line, const char *name, const uint8_t *ports)
{
	line_text(line, name);
	line_number(line, be16(ports));
	line_text(line, " > ");
	line_number(line, be16(ports + 2));
}

static void add_udp(struct line *line, struct bytes rest)
{
	const uint8_t *header = take(&rest, 8);
	unsigned int length;

	if (!header) {
		add_cut(line, " UDP");
		return;
	}
	add_ports(line, " UDP ", header);
	length = be16(header + 4);
	line_format(line, ", %u bytes", length < 8 ? 0 : length - 8);
}

static void add_tcp_flags(struct line *line, uint8_t flags)
{
	static const char letters[] = "FSRPAUEC";

	line_text(line, " [");
	for (unsigned int i = 0; letters[i]; i++)
		if (flags >> i & 1)
			line_char(line, letters[i]);
	line_char(line, ']');
}

static void add_tcp(struct line *line, struct bytes rest)
{
	size_t whole = rest.size, header_size;
	const uint8_t *header = take(&rest, 20);

	if (!header) {
		add_cut(line, " TCP");
		return;
	}
	add_ports(line, " TCP ", header);
	add_tcp_flags(line, header[13]);
	line_format(line, " seq %u", be32(header + 4));
	if (header[13] & 0x10)
		line_format(line, " ack %u", be32(header + 8));
	line_format(line, " win %u", be16(header + 14));
	header_size = (size_t)(header[12] >> 4) * 4;
	if (header_size < 20)
		line_text(line, ", truncated header");
	else if (whole >= header_size)
		line_format(line, ", %zu bytes", whole - header_size);
}

static void add_echo(struct line *line, struct bytes rest)
{
	const uint8_t *echo = take(&rest, 4);

	if (echo)
		line_format(line, " id %u seq %u", be16(echo), be16(echo + 2));
}

static void add_icmp(struct line *line, struct bytes rest)
{
	static const struct number_name types[] = {
		{ 0, "echo reply" },	 { 3, "unreachable" },	{ 4, "source quench" },
		{ 5, "redirect" },	 { 8, "echo request" }, { 11, "time exceeded" },
		{ 12, "bad parameter" }, { 13, "timestamp" },	{ 14, "timestamp reply" },
	};
	static const struct number_name unreachable[] = {
		{ 0, "network" }, { 1, "host" }, { 2, "protocol" }, { 3, "port" }, { 4, "too big" },
	};
	const uint8_t *header = take(&rest, 4);
	const char *name, *what;

	if (!header) {
		add_cut(line, " ICMP");
		return;
	}
	name = find_name(types, ARRAY_SIZE(types), header[0]);
	what = header[0] == 3 ? find_name(unreachable, ARRAY_SIZE(unreachable), header[1]) : NULL;
	if (what)
		line_format(line, " ICMP %s %s", what, name);
	else if (name)
		line_format(line, " ICMP %s", name);
	else
		line_format(line, " ICMP type %u code %u", header[0], header[1]);
	if (header[0] == 0 || header[0] == 8)
		add_echo(line, rest);
}

static void add_target(struct line *line, struct bytes rest)
{
	const uint8_t *target = take(&rest, 20);

	if (!target)
		return;
	line_text(line, " for ");
	add_address(line, AF_INET6, target + 4);
}

static void add_icmpv6(struct line *line, struct bytes rest)
{
	static const struct number_name types[] = {
		{ 1, "unreachable" },
		{ 2, "too big" },
		{ 3, "time exceeded" },
		{ 4, "bad parameter" },
		{ 128, "echo request" },
		{ 129, "echo reply" },
		{ 130, "listener query" },
		{ 131, "listener report" },
		{ 132, "listener done" },
		{ 133, "router solicitation" },
		{ 134, "router advertisement" },
		{ 135, "neighbour solicitation" },
		{ 136, "neighbour advertisement" },
		{ 137, "redirect" },
		{ 143, "listener report v2" },
	};
	const uint8_t *header = take(&rest, 4);
	const char *name;

	if (!header) {
		add_cut(line, " ICMPv6");
		return;
	}
	name = find_name(types, ARRAY_SIZE(types), header[0]);
	if (name)
		line_format(line, " ICMPv6 %s", name);
	else
		line_format(line, " ICMPv6 type %u code %u", header[0], header[1]);
	if (header[0] == 128 || header[0] == 129)
		add_echo(line, rest);
	else if (header[0] == 135 || header[0] == 136)
		add_target(line, rest);
}

static void add_carried(struct line *line, unsigned int protocol, struct bytes rest)
{
	switch (protocol) {
	case NEXT_ICMP:
		add_icmp(line, rest);
		return;
	case NEXT_ICMPV6:
		add_icmpv6(line, rest);
		return;
	case NEXT_UDP:
		add_udp(line, rest);
		return;
	case NEXT_TCP:
		add_tcp(line, rest);
		return;
	case NEXT_IGMP:
		line_text(line, " IGMP");
		return;
	case NEXT_NONE:
		return;
	}
	add_number(line, " protocol ", protocol);
	add_number(line, ", ", rest.size);
	line_text(line, " bytes");
}

/* ---- What is carried by Ethernet ------------------------------------------------------------- */

/* After the length in the IP header there may be padding. */
static void bound(struct bytes *bytes, size_t size)
{
	if (bytes->size > size)
		bytes->size = size;
}

static void add_ipv4(struct line *line, struct bytes rest)
{
	struct bytes packet = rest;
	const uint8_t *header = take(&rest, 20);
	size_t header_size = header ? (size_t)(header[0] & 15) * 4 : 0;
	unsigned int fragment;

	if (!header) {
		add_cut(line, "IPv4");
		return;
	}
	add_pair(line, AF_INET, header + 12, header + 16);
	bound(&packet, be16(header + 2));
	if (header[0] >> 4 != 4 || header_size < 20 || !take(&packet, header_size)) {
		line_text(line, " IPv4 with an invalid header");
		return;
	}
	fragment = be16(header + 6) & 0x1fff;
	if (fragment) {
		line_format(line, " fragment of protocol %u at %u, %zu bytes", header[9],
			    8 * fragment, packet.size);
		return;
	}
	add_carried(line, header[9], packet);
	if (header[6] & 0x20)
		line_text(line, ", first fragment");
}

/* Whether @next is a header of IPv6 that has a length and gives the type of the next one. */
static bool is_extension(unsigned int next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DESTINATION;
}

static void add_ipv6(struct line *line, struct bytes rest)
{
	const uint8_t *header = take(&rest, 40), *extension;
	unsigned int next;

	if (!header) {
		add_cut(line, "IPv6");
		return;
	}
	add_pair(line, AF_INET6, header + 8, header + 24);
	bound(&rest, be16(header + 4));
	next = header[6];
	for (int i = 0; i < EXTENSIONS_MAX && is_extension(next); i++) {
		if (rest.size < 8 || !(extension = take(&rest, 8 * (rest.at[1] + (size_t)1)))) {
			add_cut(line, " IPv6 header");
			return;
		}
		next = extension[0];
	}
	extension = next == NEXT_FRAGMENT ? take(&rest, 8) : NULL;
	if (!extension)
		add_carried(line, next, rest);
	else if (be16(extension + 2) & ~7u)
		line_format(line, " fragment of protocol %u at %u, %zu bytes", extension[0],
			    be16(extension + 2) & ~7u, rest.size);
	else
		add_carried(line, extension[0], rest);
}

static void add_arp(struct line *line, struct bytes rest)
{
	static const uint8_t ethernet_ipv4[] = { 0, 1, 8, 0, 6, 4 };
	const uint8_t *arp = take(&rest, 28);
	unsigned int operation;

	if (!arp || memcmp(arp, ethernet_ipv4, sizeof(ethernet_ipv4))) {
		line_text(line, arp ? "ARP of unknown type" : "ARP, truncated");
		return;
	}
	operation = be16(arp + 6);
	if (operation == 1) {
		line_text(line, "ARP who has ");
		add_address(line, AF_INET, arp + 24);
		line_text(line, "? tell ");
		add_address(line, AF_INET, arp + 14);
	} else if (operation == 2) {
		line_text(line, "ARP ");
		add_address(line, AF_INET, arp + 14);
		line_text(line, " is at ");
		add_mac(line, arp + 8);
	} else {
		line_format(line, "ARP operation %u", operation);
	}
}

static void add_other(struct line *line, const uint8_t *macs, unsigned int type, size_t size)
{
	add_mac(line, macs + 6);
	line_text(line, " > ");
	add_mac(line, macs);
	if (type < TYPE_LEAST)
		line_format(line, " 802.3, %zu bytes", size);
	else
		line_format(line, " type 0x%04x, %zu bytes", type, size);
}

/* The type after all VLAN tags, which are printed; false: cut off within them. */
static bool take_type(struct line *line, struct bytes *rest, unsigned int *type)
{
	const uint8_t *tag;

	for (int i = 0; i <= TAGS_MAX; i++) {
		tag = take(rest, 2);
		if (!tag)
			return false;
		*type = be16(tag);
		if ((*type != TYPE_VLAN && *type != TYPE_QINQ) || i == TAGS_MAX)
			return true;
		tag = take(rest, 2);
		if (!tag)
			return false;
		line_format(line, "VLAN %u ", be16(tag) & 0xfff);
	}
	return true;
}

void line_add_frame(struct line *line, const uint8_t *data, size_t size)
{
	struct bytes rest = { data, size };
	const uint8_t *macs = take(&rest, 12);
	unsigned int type;

	if (!macs || !take_type(line, &rest, &type)) {
		line_format(line, "a frame of %zu bytes", size);
		return;
	}
	switch (type) {
	case TYPE_IPV4:
		add_ipv4(line, rest);
		return;
	case TYPE_IPV6:
		add_ipv6(line, rest);
		return;
	case TYPE_ARP:
		add_arp(line, rest);
		return;
	}
	add_other(line, macs, type, rest.size);
}
