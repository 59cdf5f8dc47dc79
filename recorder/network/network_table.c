// SPDX-License-Identifier: BSD-3-Clause
/* The switch's table: the port at which each address was seen last. */
#include "recorder/network/network_internal.h"

static uint64_t address_number(const uint8_t *address)
{
	uint64_t number = 1;

	for (unsigned int i = 0; i < NETWORK_ADDRESS_SIZE; i++)
		number = number << 8 | address[i];
	return number;
}

/* The slot that has @address, or the free one where it would be: half of them are free. */
static unsigned int table_slot(const struct network_table *table, uint64_t address)
{
	unsigned int slot = (unsigned int)((address * 0x9e3779b97f4a7c15) >> 52);

	while (table->slot[slot].address && table->slot[slot].address != address)
		slot = (slot + 1) % NETWORK_TABLE_SLOTS;
	return slot;
}

_Static_assert(NETWORK_TABLE_SLOTS == 1u << (64 - 52), "the hash has as many values");

void network_table_learn(struct network_table *table, const uint8_t *address, unsigned int port)
{
	uint64_t number = address_number(address);
	unsigned int slot = table_slot(table, number);

	if (!table->slot[slot].address) {
		if (table->count == NETWORK_TABLE_MAX)
			return;
		table->count++;
		table->slot[slot].address = number;
	}
	table->slot[slot].port = port;
}

bool network_table_find(const struct network_table *table, const uint8_t *address,
			unsigned int *port)
{
	unsigned int slot = table_slot(table, address_number(address));

	if (!table->slot[slot].address)
		return false;
	*port = table->slot[slot].port;
	return true;
}
