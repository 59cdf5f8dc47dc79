// SPDX-License-Identifier: BSD-3-Clause
/* Common to all devices: when they are due, and how chains are completed. */
#include "recorder/device/device.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

uint64_t device_time_add(uint64_t time, uint64_t more)
{
	uint64_t sum;

	if (__builtin_add_overflow(time, more, &sum) || sum > WIRE_TIME_NEVER)
		return WIRE_TIME_NEVER;
	return sum;
}

static void set_due(struct device *device, uint64_t time)
{
	if (device->due == time)
		return;
	device->due = time;
	device->host->scheduled(device);
}

void device_schedule(struct device *device, uint64_t time)
{
	uint64_t now = device->host->now(device);

	if (time < now)
		time = now;
	if (time < device->due)
		set_due(device, time);
}

void device_unschedule(struct device *device)
{
	set_due(device, WIRE_TIME_NEVER);
}

static int give_back(struct device *device, unsigned int queue, uint16_t head, uint32_t written)
{
	struct vring *ring = &device->vhost->ring[queue];
	int err = vring_complete(ring, head, written);

	if (!err && vring_wants_call(ring))
		device->calls |= 1ull << queue;
	return err;
}

int device_complete(struct device *device, unsigned int queue, const struct vring_chain *chain,
		    uint32_t written)
{
	device->host->used(device, queue, chain, written);
	return give_back(device, queue, chain->head, written);
}

int device_finish(struct device *device, unsigned int queue, const struct vring_chain *chain)
{
	int err;

	if (device->class->taken & 1ull << queue)
		device->host->taken(device, queue, chain);
	err = give_back(device, queue, chain->head, 0);
	if (device->calls & 1ull << queue)
		device_schedule(device, device->host->now(device));
	return err;
}

uint64_t device_features(const struct device *device)
{
	return device->class->features | device->features | VIRTIO_F_VERSION_1 |
	       VIRTIO_F_INDIRECT_DESC | VHOST_F_PROTOCOL_FEATURES;
}

int device_take(struct device *device, unsigned int queue, unsigned int *budget,
		struct vring_chain *chain)
{
	struct vring *ring = &device->vhost->ring[queue];

	if (!*budget || !vring_ready(ring))
		return 0;
	(*budget)--;
	return vring_take(ring, chain);
}

int device_problem(struct device *device, unsigned int queue, const char *format, ...)
{
	struct vring *ring = &device->vhost->ring[queue];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ring->problem, sizeof(ring->problem), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}
