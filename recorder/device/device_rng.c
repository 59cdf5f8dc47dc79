// SPDX-License-Identifier: BSD-3-Clause
/*
 * A source of random bytes that come from a seed.
 *
 * Source: VIRTIO 1.2, section 5.4; drivers/char/hw_random/virtio-rng.c, Linux 5.10 to 7.2.
 */
#include <stdlib.h>

#include "kernel/sandbox/entropy.h"
#include "recorder/device/device.h"

/* For one buffer; a guest that wants more asks again. */
#define BYTES_MAX 4096u

struct device_rng {
	struct device device;
	struct entropy_stream *stream;
};

static int rng_kick(struct device *device, unsigned int queue)
{
	if (queue)
		return device_problem(device, queue, "a random number generator has no queue %u",
				      queue);
	device_schedule(device, device->host->now(device));
	return 0;
}

static int rng_fill(struct device_rng *rng, const struct vring_chain *chain)
{
	size_t size = chain->write_size < BYTES_MAX ? chain->write_size : BYTES_MAX;
	uint8_t data[BYTES_MAX];

	if (!size)
		return device_problem(&rng->device, 0, "a request for no random bytes");
	entropy_stream_take(rng->stream, data, size);
	vring_chain_write(chain, 0, data, size);
	return device_complete(&rng->device, 0, chain, (uint32_t)size);
}

static int rng_fire(struct device *device)
{
	struct device_rng *rng = (struct device_rng *)device;
	unsigned int budget = DEVICE_BUDGET;
	struct vring_chain chain;
	int err;

	device_unschedule(device);
	while ((err = device_take(device, 0, &budget, &chain)) > 0) {
		err = rng_fill(rng, &chain);
		if (err)
			return err;
	}
	return err;
}

static void rng_destroy(struct device *device)
{
	entropy_stream_destroy(((struct device_rng *)device)->stream);
	free(device);
}

static const struct device_class rng_class = {
	.name = "rng",
	.virtio_id = 4,
	.queues = 1,
	.kick = rng_kick,
	.fire = rng_fire,
	.destroy = rng_destroy,
};

struct device *device_rng_create(uint64_t seed, uint64_t id)
{
	struct device_rng *rng = calloc(1, sizeof(*rng));

	if (!rng)
		return NULL;
	if (entropy_stream_create(seed, id, &rng->stream)) {
		free(rng);
		return NULL;
	}
	rng->device = (struct device){ .class = &rng_class, .due = WIRE_TIME_NEVER };
	return &rng->device;
}
