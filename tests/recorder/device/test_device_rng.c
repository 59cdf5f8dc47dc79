// SPDX-License-Identifier: BSD-3-Clause
/* Random bytes: the same for a seed, at the time they are asked for, as many as there is room. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/sandbox/entropy.h"
#include "tests/recorder/device/device_stage.h"

static struct device_stage stage;

static int setup(void **state)
{
	(void)state;
	device_stage_open(&stage, device_rng_create(7, 8), NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	device_stage_close(&stage);
	return 0;
}

static void bytes_of_the_stream(void **state)
{
	struct entropy_stream *stream;
	uint8_t expected[164];
	uint64_t where[2];

	(void)state;
	assert_int_equal(entropy_stream_create(7, 8, &stream), 0);
	entropy_stream_take(stream, expected, sizeof(expected));
	entropy_stream_destroy(stream);
	ring_builder_receive(&stage.queue[0], 64, &where[0]);
	ring_builder_receive(&stage.queue[0], 100, &where[1]);
	stage.clock = 1000;
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(stage.device->due, 1000);
	assert_int_equal(device_stage_pass(&stage, 1000), 0);
	assert_int_equal(stage.used_count, 2);
	assert_int_equal(stage.used[0].written, 64);
	assert_memory_equal(builder_memory_at(&stage.memory, where[0]), expected, 64);
	assert_memory_equal(builder_memory_at(&stage.memory, where[1]), expected + 64, 100);
	assert_int_equal(device_stage_calls(&stage), 1);
	assert_int_equal(stage.device->class->virtio_id, 4);
}

static void large_buffers_are_filled_in_part(void **state)
{
	(void)state;
	ring_builder_receive(&stage.queue[0], 1 << 20, NULL);
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(device_stage_pass(&stage, 0), 0);
	assert_int_equal(stage.used[0].written, 4096);
}

static void fired_for_nothing(void **state)
{
	(void)state;
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(device_stage_pass(&stage, 0), 0);
	assert_int_equal(stage.used_count, 0);
	assert_int_equal(device_stage_calls(&stage), 0);
}

static void requests_for_nothing_end_it(void **state)
{
	(void)state;
	ring_builder_send(&stage.queue[0], "hello", 5);
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(device_stage_pass(&stage, 0), -EBADMSG);
	assert_string_equal(stage.vhost.ring[0].problem, "a request for no random bytes");
	assert_int_equal(device_stage_kick(&stage, 1), -EBADMSG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_of_the_stream),
		TEST(large_buffers_are_filled_in_part),
		TEST(fired_for_nothing),
		TEST(requests_for_nothing_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
