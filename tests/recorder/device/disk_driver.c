// SPDX-License-Identifier: BSD-3-Clause
/* The driver of a disk, for tests. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recorder/device/disk_driver.h"

#define SEGMENT	     4096u
#define SEGMENTS_MAX 60

void disk_driver_open(struct disk_driver *driver, struct device_stage *stage)
{
	driver->stage = stage;
	driver->allocated = stage->memory.allocated;
}

static bool reads(uint32_t type)
{
	return type == DISK_IN || type == DISK_GET_ID;
}

void disk_driver_ask(struct disk_driver *driver, uint32_t type, uint64_t sector, const void *data,
		     size_t size)
{
	struct builder_memory *memory = &driver->stage->memory;
	const struct disk_header header = { htole32(type), 0, htole64(sector) };
	struct builder_part part[SEGMENTS_MAX];
	uint64_t where = builder_memory_allocate(memory, sizeof(header) + size + 1);
	uint64_t from = where + sizeof(header);
	unsigned int count = 0;

	memcpy(builder_memory_at(memory, where), &header, sizeof(header));
	driver->data = builder_memory_at(memory, from);
	driver->status = driver->data + size;
	*driver->status = 0xff;
	if (data && !reads(type))
		memcpy(driver->data, data, size);
	part[count++] = (struct builder_part){ where, sizeof(header), false };
	while (size) {
		uint32_t piece = size < SEGMENT ? (uint32_t)size : SEGMENT;

		part[count++] = (struct builder_part){ from, piece, reads(type) };
		from += piece;
		size -= piece;
	}
	part[count++] = (struct builder_part){ from, 1, true };
	assert_true(ring_builder_add(&driver->stage->queue[0], part, count, BUILDER_INDIRECT) >= 0);
}

int disk_driver_request(struct disk_driver *driver, uint32_t type, uint64_t sector, void *data,
			size_t size)
{
	struct device_stage *stage = driver->stage;
	uint32_t written;
	uint16_t head;

	disk_driver_ask(driver, type, sector, data, size);
	assert_int_equal(device_stage_kick(stage, 0), 0);
	stage->used_count = 0;
	while (!stage->used_count)
		assert_int_equal(device_stage_pass(stage, stage->device->due), 0);
	assert_true(ring_builder_take_used(&stage->queue[0], &head, &written));
	assert_int_equal(written, reads(type) ? size + 1 : 1);
	if (data && reads(type) && *driver->status == DISK_OK)
		memcpy(data, driver->data, size);
	stage->memory.allocated = driver->allocated;
	return *driver->status;
}
