/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver of a disk: requests as Linux makes them, in segments of a page. */
#ifndef TTREC_TEST_DISK_DRIVER_H
#define TTREC_TEST_DISK_DRIVER_H

#include "tests/recorder/device/device_stage.h"

enum {
	DISK_IN = 0,
	DISK_OUT = 1,
	DISK_FLUSH = 4,
	DISK_GET_ID = 8,
	DISK_DISCARD = 11,
	DISK_WRITE_ZEROES = 13,
};

enum { DISK_OK, DISK_IOERR, DISK_UNSUPP };

struct disk_header {
	uint32_t type, priority;
	uint64_t sector;
};

struct disk_range {
	uint64_t sector;
	uint32_t sectors, flags;
};

struct disk_driver {
	struct device_stage *stage;
	size_t allocated; /* of the memory, before any request: given back after each */
	uint8_t *data, *status;
};

void disk_driver_open(struct disk_driver *driver, struct device_stage *stage);

/*
 * Make a request available. @data of @size bytes goes to the disk, or for DISK_IN and DISK_GET_ID
 * room for as much; NULL: whatever. No kick.
 */
void disk_driver_ask(struct disk_driver *driver, uint32_t type, uint64_t sector, const void *data,
		     size_t size);

/* Ask, kick, wait: returns the status; what was read is in @data. */
int disk_driver_request(struct disk_driver *driver, uint32_t type, uint64_t sector, void *data,
			size_t size);

#endif
