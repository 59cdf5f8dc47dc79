// SPDX-License-Identifier: BSD-3-Clause
/*
 * Internet addresses of guests, as learned from frames.
 *
 * Source: RFC 826 (ARP), RFC 4861 (neighbour discovery), RFC 8200 (IPv6).
 */
#include "format/ttdump/export/pcapng/pcapng_names.h"

#include <string.h>

#define ETHERNET_SIZE 14
#define ARP_SIZE      (ETHERNET_SIZE + 28)
#define NDP_SIZE      (ETHERNET_SIZE + 40 + 8)

enum { MAC_SIZE = 6, IPV4_SIZE = 4, IPV6_SIZE = 16 };
enum { SOURCE_MAC = 6, ARP_MAC = 22, ARP_ADDRESS = 28, IPV6_NEXT = 20, IPV6_SOURCE = 22 };
enum { IPV6_TYPE = 54, NEXT_ICMPV6 = 58, SOLICITATION = 135, ADVERTISEMENT = 136 };

/* Which kind of address of its sender @frame has, and where; NULL: none. */
static const uint8_t *find_address(const struct frame *frame, enum pcapng_address *type)
{
	/* An address of Ethernet for one of IPv4, with their sizes. */
	static const uint8_t arp[] = { 0x08, 0x06, 0, 1, 8, 0, MAC_SIZE, IPV4_SIZE };
	static const uint8_t ipv6[] = { 0x86, 0xdd };
	static const uint8_t none[IPV6_SIZE];
	const uint8_t *data = frame->data;
	const uint8_t *address = NULL;

	if (frame->size >= ARP_SIZE && !memcmp(data + 2 * MAC_SIZE, arp, sizeof(arp)) &&
	    !memcmp(data + SOURCE_MAC, data + ARP_MAC, MAC_SIZE)) {
		*type = PCAPNG_IPV4;
		address = data + ARP_ADDRESS;
	} else if (frame->size >= NDP_SIZE && !memcmp(data + 2 * MAC_SIZE, ipv6, sizeof(ipv6)) &&
		   data[IPV6_NEXT] == NEXT_ICMPV6 &&
		   (data[IPV6_TYPE] == SOLICITATION || data[IPV6_TYPE] == ADVERTISEMENT)) {
		*type = PCAPNG_IPV6;
		address = data + IPV6_SOURCE;
	}
	/* A sender that looks for a free address has none yet. */
	if (address && !memcmp(address, none, *type == PCAPNG_IPV4 ? IPV4_SIZE : IPV6_SIZE))
		return NULL;
	return address;
}

/* False: it was written before, or there is no space to remember it. */
static bool is_new(struct pcapng_names *names, enum pcapng_address type, const uint8_t *address)
{
	size_t size = type == PCAPNG_IPV4 ? IPV4_SIZE : IPV6_SIZE;

	for (size_t i = 0; i < names->count; i++)
		if (names->told[i].type == type && !memcmp(names->told[i].address, address, size))
			return false;
	if (names->count == PCAPNG_NAMES_MAX)
		return false;
	names->told[names->count].type = type;
	memcpy(names->told[names->count++].address, address, size);
	return true;
}

static bool has_mac(const struct named_guest *guest, const uint8_t *mac)
{
	for (size_t i = 0; i < guest->device_count; i++)
		if (guest->device[i].wired && !memcmp(guest->device[i].mac, mac, MAC_SIZE))
			return true;
	return false;
}

/* Whose card has sent @frame, by its address: what others pass on is not theirs. */
static const char *find_sender(const struct name_table *name_table, const struct frame *frame)
{
	for (size_t i = 0; i < name_table->count; i++)
		if (has_mac(&name_table->guest[i], frame->data + SOURCE_MAC))
			return name_table->guest[i].name;
	return NULL;
}

void pcapng_names_learn(struct pcapng_names *names, const struct name_table *name_table,
			const struct frame *frame, struct line *line)
{
	enum pcapng_address type;
	const uint8_t *address = find_address(frame, &type);
	const char *name;

	if (!address || !is_new(names, type, address))
		return;
	name = find_sender(name_table, frame);
	if (name)
		pcapng_add_name(line, type, address, name);
}
