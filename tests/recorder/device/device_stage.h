/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device with a driver that is the test: its host, its vhost connection without a socket, and
 * vrings in memory of the test. Two devices may share one clock.
 */
#ifndef TTREC_TEST_DEVICE_STAGE_H
#define TTREC_TEST_DEVICE_STAGE_H

#include "recorder/device/device.h"
#include "tests/kernel/vhost/ring_builder.h"

#define DEVICE_STAGE_QUEUES 2
#define DEVICE_STAGE_USED   1024
#define DEVICE_STAGE_TAKEN  (128u * 1024)

struct device_stage_used {
	uint64_t time;
	unsigned int queue;
	uint16_t head;
	uint32_t written;
};

struct device_stage {
	struct device *device;
	struct vhost vhost;
	struct builder_memory memory;
	struct ring_builder queue[DEVICE_STAGE_QUEUES];
	uint64_t *now;
	uint64_t clock; /* when it is not shared */
	/* What the host was told. */
	struct device_stage_used used[DEVICE_STAGE_USED];
	size_t used_count;
	uint8_t taken[DEVICE_STAGE_TAKEN];
	size_t taken_size;
	unsigned int lost, lost_reason;
	const struct device *arrived_from; /* of the frame that came or was lost last */
	uint64_t arrived_sent;
};

/* @clock: shared; NULL: one of its own. The device is destroyed by device_stage_close(). */
void device_stage_open(struct device_stage *stage, struct device *device, uint64_t *clock);
void device_stage_close(struct device_stage *stage);

/* What kick() returned; it may schedule but must not complete buffers it writes to. */
int device_stage_kick(struct device_stage *stage, unsigned int queue);

/* Have time pass to @time and fire() called whenever it is due. Returns 0 or its error. */
int device_stage_pass(struct device_stage *stage, uint64_t time);

/* The calls that were wanted since the last time, a bit a queue. */
uint64_t device_stage_calls(struct device_stage *stage);

/* The guest gives its memory away. */
void device_stage_lose_memory(struct device_stage *stage);

#endif
