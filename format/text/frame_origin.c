// SPDX-License-Identifier: BSD-3-Clause
/* The origin of a frame, its sender and time, as inferred by recorder and readers alike. */
#include "format/text/frame_origin.h"

#include <string.h>

#define ADDRESS_SIZE 6 /* the source's follows that of the destination */

/* Missing bytes of a short frame count as zeros. */
static uint64_t source_address(const uint8_t *data, size_t size)
{
	uint64_t address = 1;

	for (size_t i = ADDRESS_SIZE; i < 2ul * ADDRESS_SIZE; i++)
		address = address << 8 | (i < size ? data[i] : 0);
	return address;
}

/* The slot that has @address, or the free one where it would be. */
static size_t find_slot(const struct frame_origins *origins, uint64_t address)
{
	size_t slot = (size_t)((address * 0x9e3779b97f4a7c15) >> 32) % FRAME_ORIGINS_SLOTS;

	while (origins->slot[slot].address && origins->slot[slot].address != address)
		slot = (slot + 1) % FRAME_ORIGINS_SLOTS;
	return slot;
}

bool frame_origin_expect(const struct frame_origins *origins, const uint8_t *data, size_t size,
			 struct frame_origin *origin)
{
	size_t slot = find_slot(origins, source_address(data, size));

	*origin = origins->slot[slot].origin;
	return origins->slot[slot].address;
}

void frame_origin_learn(struct frame_origins *origins, const uint8_t *data, size_t size,
			const struct frame_origin *origin)
{
	uint64_t address = source_address(data, size);
	size_t slot = find_slot(origins, address);

	if (!origins->slot[slot].address) {
		if (origins->count == FRAME_ORIGINS_MAX) {
			memset(origins, 0, sizeof(*origins));
			slot = find_slot(origins, address);
		}
		origins->count++;
		origins->slot[slot].address = address;
	}
	origins->slot[slot].origin = *origin;
}
