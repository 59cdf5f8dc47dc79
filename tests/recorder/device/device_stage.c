// SPDX-License-Identifier: BSD-3-Clause
/* A device with a driver that is the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/host/guard.h"
#include "recorder/network/network.h"
#include "tests/recorder/device/device_stage.h"

#define MEMORY_SIZE (8u << 20)
#define RING_SIZE   256

static struct device_stage *stage_of(const struct device *device)
{
	return device->owner;
}

static uint64_t stage_now(const struct device *device)
{
	return *stage_of(device)->now;
}

static void stage_scheduled(struct device *device)
{
	assert_true(device->due >= stage_now(device));
}

static void stage_used(struct device *device, unsigned int queue, const struct vring_chain *chain,
		       uint32_t written)
{
	struct device_stage *stage = stage_of(device);

	assert_true(written <= chain->write_size);
	assert_true(stage->used_count < DEVICE_STAGE_USED);
	stage->used[stage->used_count++] =
		(struct device_stage_used){ *stage->now, queue, chain->head, written };
}

static void stage_taken(struct device *device, unsigned int queue, const struct vring_chain *chain)
{
	struct device_stage *stage = stage_of(device);

	assert_true(device->class->taken & 1ull << queue);
	assert_true(stage->taken_size + chain->read_size <= DEVICE_STAGE_TAKEN);
	stage->taken_size +=
		vring_chain_read(chain, 0, stage->taken + stage->taken_size, chain->read_size);
}

static void stage_arrives(struct device *device, const struct network_frame *frame)
{
	stage_of(device)->arrived_sent = frame->sent;
	stage_of(device)->arrived_from = frame->from;
}

static void stage_lost(struct device *device, const struct network_frame *frame,
		       unsigned int reason, const struct device *receiver)
{
	(void)receiver;
	stage_of(device)->arrived_sent = frame->sent;
	stage_of(device)->arrived_from = frame->from;
	stage_of(device)->lost++;
	stage_of(device)->lost_reason = reason;
}

static const struct device_host stage_host = {
	.now = stage_now,
	.scheduled = stage_scheduled,
	.used = stage_used,
	.taken = stage_taken,
	.arrives = stage_arrives,
	.lost = stage_lost,
};

void device_stage_open(struct device_stage *stage, struct device *device, uint64_t *clock)
{
	assert_non_null(device);
	memset(stage, 0, sizeof(*stage));
	stage->device = device;
	stage->now = clock ? clock : &stage->clock;
	stage->vhost = VHOST_NONE;
	stage->vhost.features = VIRTIO_F_VERSION_1;
	device->host = &stage_host;
	device->owner = stage;
	device->vhost = &stage->vhost;
	builder_memory_create(&stage->memory, MEMORY_SIZE);
	builder_memory_attach(&stage->memory, &stage->vhost.memory);
	for (unsigned int i = 0; i < device->class->queues; i++) {
		ring_builder_create(&stage->queue[i], &stage->memory, RING_SIZE);
		ring_builder_attach(&stage->queue[i], &stage->vhost.memory, &stage->vhost.ring[i]);
	}
}

void device_stage_close(struct device_stage *stage)
{
	for (unsigned int i = 0; i < stage->device->class->queues; i++)
		ring_builder_destroy(&stage->queue[i]);
	stage->device->class->destroy(stage->device);
	vring_memory_clear(&stage->vhost.memory);
	builder_memory_destroy(&stage->memory);
}

int device_stage_kick(struct device_stage *stage, unsigned int queue)
{
	size_t used = stage->used_count;
	int done = stage->device->class->kick(stage->device, queue);

	/* The guest is awake: nothing may be written to it. */
	assert_int_equal(stage->used_count, used);
	return done;
}

int device_stage_pass(struct device_stage *stage, uint64_t time)
{
	struct device *device = stage->device;

	while (device->due <= time && device->due < WIRE_TIME_NEVER) {
		uint64_t due = device->due;
		int err;

		*stage->now = due;
		err = device->class->fire(device);
		if (err)
			return err;
		/* Nothing may be left over for this same time. */
		assert_true(device->due > due);
	}
	*stage->now = time;
	return 0;
}

uint64_t device_stage_calls(struct device_stage *stage)
{
	uint64_t calls = stage->device->calls;

	stage->device->calls = 0;
	return calls;
}

void device_stage_lose_memory(struct device_stage *stage)
{
	/* cmocka has put its own handlers of signals between the set-up and the test. */
	assert_int_equal(guard_add(stage, sizeof(*stage)), 0);
	guard_remove(stage);
	assert_int_equal(ftruncate(stage->memory.fd, 0), 0);
}
