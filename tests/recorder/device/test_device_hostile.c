// SPDX-License-Identifier: BSD-3-Clause
/*
 * Guests that do anything with their memory and vrings: a device is ended with a sentence that says
 * why, or goes on; nothing else happens.
 *
 * TTREC_TEST_SEED=N tries the guests from N on; a failure names the seed.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "recorder/network/network.h"
#include "recorder/share/tree.h"
#include "tests/recorder/device/device_stage.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define GUESTS 400
#define ACTS   150

static const struct console_step steps[] = { { NULL, 100, "some text to be typed" },
					     { "[a-f]", 10, "more" },
					     { ".*x", 0, "" },
					     { NULL, 0, "end" },
					     { NULL, 0, NULL } };

static struct network *network;
static struct device_stage stage;
static struct random chance;
static uint64_t seed;
static uint16_t next;		      /* descriptor to use */
static unsigned int ended, completed; /* of all guests: both were seen */

static struct device *make_net(void)
{
	const struct network_link link = { .delay = 50, .jitter = 20, .loss = 0.1 };
	struct network_port *port[2];
	struct device *device;

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(network_add_port(network, &link, &port[i]), 0);
	device = device_net_create(port[0], (const uint8_t[6]){ 2 }, 1500);
	network_port_connect(port[0], device, NULL);
	/* Somebody has sent it a lot. */
	for (unsigned int i = 0; i < 200; i++) {
		struct network_frame *frame = network_frame_create(14 + 9 * i);

		memset(frame->data, 0xff, frame->size);
		device->host = NULL;
		network_port_connect(port[0], NULL, NULL);
		assert_int_equal(network_port_send(port[1], 0, frame), 0);
	}
	network_port_connect(port[0], device, NULL);
	return device;
}

static struct device *make_disk(void)
{
	const struct device_disk_options options = { .size = 1 << 20,
						     .latency = random_below(&chance, 50),
						     .bandwidth = 1000000000 };
	struct device *device;

	assert_int_equal(device_disk_create(&options, &device), 0);
	return device;
}

static struct device *make_share(void)
{
	const struct tree_attr root = { .mode = S_IFDIR | 0755 };
	struct device_fs_options options = { .tag = "share",
					     .writable = true,
					     .latency = random_below(&chance, 50),
					     .bandwidth = 1000000000 };
	struct device *device;

	assert_int_equal(tree_create(&root, &options.tree), 0);
	assert_int_equal(device_fs_create(&options, &device), 0);
	return device;
}

static struct device *make_device(void)
{
	switch (random_below(&chance, 5)) {
	case 0:
		return make_net();
	case 3:
		return make_share();
	case 1:
		return make_disk();
	case 2:
		return device_rng_create(seed, 1);
	default:
		return device_console_create(steps);
	}
}

/* Mostly something that can be meant: the header of a request for the disk. */
static void write_something(uint64_t where, size_t size)
{
	static const uint32_t types[] = { 0, 1, 4, 8, 11, 13, 99, UINT32_MAX };
	uint8_t *data = builder_memory_at(&stage.memory, where);
	uint64_t sector =
		random_chance(&chance, 80) ? random_below(&chance, 2050) : random_next(&chance);

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)random_next(&chance);
	if (size >= 16) {
		memset(data, 0, 16);
		memcpy(data, &types[random_below(&chance, 8)], 4);
		memcpy(data + 8, &sector, 8);
	}
}

static uint32_t random_size(void)
{
	static const uint32_t sizes[] = { 0, 1, 10, 11, 12, 15, 16, 17, 512, 4096 };

	return random_chance(&chance, 95) ? sizes[random_below(&chance, 10)]
					  : (uint32_t)random_below(&chance, 300000);
}

/* How many of @count parts are readable, mostly as the device wants it. */
static unsigned int random_split(unsigned int queue, unsigned int count)
{
	if (random_chance(&chance, 5))
		return (unsigned int)random_below(&chance, count + 1);
	if (stage.device->class->queues == 2)
		return queue ? count : 0;
	return stage.device->class->virtio_id == 2 ? 1 : 0;
}

/* Descriptors are used again and again, whether the device is done with them or not. */
static void add_chain(unsigned int queue)
{
	struct ring_builder *ring = &stage.queue[queue];
	uint64_t where = BUILDER_GUEST_BASE + (1 << 20) + 16 * random_below(&chance, 10000);
	unsigned int count = (unsigned int)(2 + random_below(&chance, 5));
	unsigned int readable = random_split(queue, count);
	uint16_t head = next % ring->size;

	write_something(where, random_chance(&chance, 98) ? 600 : 0);
	for (unsigned int i = 0; i < count; i++) {
		/* Over each other, the first one where the header is. */
		uint64_t offset = i ? random_below(&chance, 90000) : 0;
		uint16_t index = next++ % ring->size;

		*ring_builder_descriptor(ring, index) = (struct builder_descriptor){
			where + offset,
			i || random_chance(&chance, 5) ? random_size() : 16,
			(i >= readable ? BUILDER_WRITE : 0) | (i + 1 < count ? BUILDER_NEXT : 0),
			next % ring->size,
		};
	}
	ring_builder_publish(ring, head);
}

static void break_ring(struct ring_builder *ring)
{
	uint16_t index = (uint16_t)random_below(&chance, ring->size);

	switch (random_below(&chance, 5)) {
	case 0:
		*ring_builder_avail_index(ring) = (uint16_t)random_next(&chance);
		break;
	case 1:
		*ring_builder_avail_entry(ring, index) = (uint16_t)random_next(&chance);
		break;
	case 2:
		ring_builder_descriptor(ring, index)->flags = (uint16_t)random_next(&chance);
		break;
	case 3:
		ring_builder_descriptor(ring, index)->length = (uint32_t)random_next(&chance);
		break;
	default:
		ring_builder_descriptor(ring, index)->next = (uint16_t)random_next(&chance);
	}
}

static void set_up_anew(unsigned int queue)
{
	struct vring *ring = &stage.vhost.ring[queue];

	switch (random_below(&chance, 4)) {
	case 0:
		ring->enabled = !ring->enabled;
		break;
	case 1:
		ring->next_avail = ring->next_used = 0;
		break;
	case 2:
		vring_memory_clear(&stage.vhost.memory);
		builder_memory_attach(&stage.memory, &stage.vhost.memory);
		break;
	default:
		stage.vhost.features ^= VIRTIO_F_VERSION_1;
	}
}

/* Returns whether the device goes on. */
static bool check(int err, unsigned int first, unsigned int last)
{
	if (err >= 0)
		return true;
	assert_int_equal(err, -EBADMSG);
	for (unsigned int i = first; i <= last; i++)
		if (stage.vhost.ring[i].problem[0])
			return false;
	fail_msg("seed %" PRIu64 ": ended without a word", seed);
	return false;
}

static bool act(void)
{
	unsigned int queues = stage.device->class->queues;
	unsigned int queue = (unsigned int)random_below(&chance, queues);

	stage.taken_size = 0;
	if (stage.used_count > DEVICE_STAGE_USED / 2) {
		completed += (unsigned int)stage.used_count;
		stage.used_count = 0;
	}
	switch (random_below(&chance, 20)) {
	case 0:
		if (random_chance(&chance, 10))
			break_ring(&stage.queue[queue]);
		return true;
	case 1:
		if (random_chance(&chance, 20))
			set_up_anew(queue);
		return true;
	case 2 ... 8:
		add_chain(queue);
		return true;
	case 9 ... 13:
		return check(device_stage_kick(&stage, queue), queue, queue);
	default:
		return check(device_stage_pass(&stage, stage.clock + random_below(&chance, 100)), 0,
			     queues - 1);
	}
}

static void try_guest(void)
{
	bool goes_on = true;

	chance = (struct random){ seed };
	next = 0;
	assert_int_equal(network_create(seed, &network), 0);
	device_stage_open(&stage, make_device(), NULL);
	for (unsigned int i = 0; i < ACTS && goes_on; i++)
		goes_on = act();
	ended += !goes_on;
	completed += (unsigned int)stage.used_count;
	device_stage_close(&stage);
	network_destroy(network);
}

static void no_guest_can_hurt(void **state)
{
	(void)state;
	seed = test_seed(1);
	for (unsigned int i = 0; i < GUESTS; i++, seed++)
		try_guest();
	assert_true(ended > GUESTS / 10);
	assert_true(completed > GUESTS);
}

static int print_seed(void **state)
{
	(void)state;
	print_message("the last seed was %" PRIu64 "; %u guests ended, %u chains completed\n", seed,
		      ended, completed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_guest_can_hurt) };

	return cmocka_run_group_tests(tests, NULL, print_seed);
}
