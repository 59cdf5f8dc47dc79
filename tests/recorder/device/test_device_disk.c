// SPDX-License-Identifier: BSD-3-Clause
/* The disk, one case at a time: requests, their time, and guests that mean no good. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/recorder/device/disk_driver.h"

#define US 1000ull

static struct device_stage stage;
static struct disk_driver driver;

static void open_disk(const struct device_disk_options *options)
{
	struct device *device;

	assert_int_equal(device_disk_create(options, &device), 0);
	device_stage_open(&stage, device, NULL);
	disk_driver_open(&driver, &stage);
}

static int open_plain(void **state)
{
	(void)state;
	open_disk(&(struct device_disk_options){ .size = 1 << 20, .serial = "serial" });
	return 0;
}

static int close_disk(void **state)
{
	(void)state;
	device_stage_close(&stage);
	return 0;
}

static uint32_t config32(size_t offset)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)stage.device->config + offset, sizeof(value));
	return le32toh(value);
}

static void configuration(void **state)
{
	const uint64_t *capacity = stage.device->config;

	(void)state;
	assert_int_equal(stage.device->class->virtio_id, 2);
	assert_int_equal(le64toh(*capacity), 2048);
	assert_true(config32(8) >= 4096); /* size_max: a page, or Linux refuses the disk */
	assert_true((uint64_t)config32(8) * config32(12) <= 224 * 1024);
	assert_int_equal(config32(20), 512);
	assert_int_equal(device_features(stage.device),
			 1 << 1 | 1 << 2 | 1 << 6 | 1 << 9 | 1 << 13 | 1 << 14 |
				 VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC |
				 VHOST_F_PROTOCOL_FEATURES);
}

static void identity(void **state)
{
	char expected[20] = "serial", id[20];

	(void)state;
	assert_int_equal(disk_driver_request(&driver, DISK_GET_ID, 0, id, sizeof(id)), DISK_OK);
	assert_memory_equal(id, expected, sizeof(id));
	assert_int_equal(disk_driver_request(&driver, DISK_GET_ID, 0, id, 3), DISK_OK);
	assert_memory_equal(id, "ser", 3);
}

static void flush(void **state)
{
	(void)state;
	assert_int_equal(disk_driver_request(&driver, DISK_FLUSH, 0, NULL, 0), DISK_OK);
	assert_int_equal(device_stage_calls(&stage), 1);
}

static void requests_that_cannot_be(void **state)
{
	static uint8_t data[4096];
	struct disk_range range = { htole64(0), htole32(8), htole32(1) };

	(void)state;
	/* Beyond the end, around it, around the end of all numbers. */
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 2047, data, 512), DISK_OK);
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 2047, data, 1024), DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_OUT, 2047, data, 1024), DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 2049, data, 0), DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_IN, UINT64_MAX, data, 512), DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_OUT, UINT64_MAX / 512, data, 512),
			 DISK_IOERR);
	/* Not whole sectors. */
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 0, data, 511), DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_OUT, 0, data, 513), DISK_IOERR);
	/* Nobody knows it. */
	assert_int_equal(disk_driver_request(&driver, 99, 0, NULL, 0), DISK_UNSUPP);
	/* A range that is not one, one that is too many, a flag that DISCARD does not have. */
	assert_int_equal(disk_driver_request(&driver, DISK_DISCARD, 0, &range, 15), DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_DISCARD, 0, &range, 16), DISK_UNSUPP);
	assert_int_equal(disk_driver_request(&driver, DISK_WRITE_ZEROES, 0, &range, 16), DISK_OK);
	range.sector = htole64(2047);
	assert_int_equal(disk_driver_request(&driver, DISK_WRITE_ZEROES, 0, &range, 16),
			 DISK_IOERR);
	range.sector = htole64(0);
	range.sectors = htole32(UINT32_MAX);
	assert_int_equal(disk_driver_request(&driver, DISK_WRITE_ZEROES, 0, &range, 16),
			 DISK_IOERR);
}

static void read_only_disk(void **state)
{
	struct disk_range range = { 0, htole32(8), 0 };
	static uint8_t data[512];

	(void)state;
	open_disk(&(struct device_disk_options){ .size = 1 << 20, .read_only = true });
	assert_true(device_features(stage.device) & 1 << 5);
	assert_false(device_features(stage.device) & 1 << 14);
	assert_int_equal(disk_driver_request(&driver, DISK_OUT, 0, data, 512), DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_WRITE_ZEROES, 0, &range, 16),
			 DISK_IOERR);
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 0, data, 512), DISK_OK);
	close_disk(NULL);
}

/* One after the other, each in its own time, whenever they were asked for. */
static void service_takes_its_time(void **state)
{
	(void)state;
	open_disk(&(struct device_disk_options){ .size = 1 << 20,
						 .latency = 100 * US,
						 .flush_latency = 500 * US,
						 .bandwidth = 100000000 });
	disk_driver_ask(&driver, DISK_IN, 0, NULL, 4096);  /* 100 + 40.96 us */
	disk_driver_ask(&driver, DISK_OUT, 0, NULL, 8192); /* 100 + 81.92 us */
	stage.clock = 7 * US;
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	disk_driver_ask(&driver, DISK_FLUSH, 0, NULL, 0);
	stage.clock = 50 * US;
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(device_stage_pass(&stage, 1000 * US), 0);
	assert_int_equal(stage.used_count, 3);
	assert_int_equal(stage.used[0].time, 7 * US + 140960);
	assert_int_equal(stage.used[0].written, 4097);
	assert_int_equal(stage.used[1].time, 7 * US + 140960 + 181920);
	assert_int_equal(stage.used[1].written, 1);
	assert_int_equal(stage.used[2].time, 7 * US + 140960 + 181920 + 500 * US);
	/* After a rest the next one starts when it is asked for. */
	disk_driver_ask(&driver, DISK_FLUSH, 0, NULL, 0);
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(device_stage_pass(&stage, 2000 * US), 0);
	assert_int_equal(stage.used[3].time, 1500 * US);
	close_disk(NULL);
}

static void infinite_service_does_not_wrap(void **state)
{
	(void)state;
	open_disk(&(struct device_disk_options){ .size = 1 << 20, .flush_latency = UINT64_MAX });
	disk_driver_ask(&driver, DISK_FLUSH, 0, NULL, 0);
	stage.clock = 5;
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(stage.device->due, WIRE_TIME_NEVER);
	close_disk(NULL);
}

static void assert_ended(const char *why)
{
	assert_int_equal(device_stage_kick(&stage, 0), -EBADMSG);
	assert_non_null(strstr(stage.vhost.ring[0].problem, why));
	assert_int_equal(stage.used_count, 0);
}

static void no_room_for_the_status(void **state)
{
	const struct disk_header header = { 0 };

	(void)state;
	ring_builder_send(&stage.queue[0], &header, sizeof(header));
	assert_ended("without a status byte");
}

static void half_a_header(void **state)
{
	uint64_t where = builder_memory_allocate(&stage.memory, 64);
	const struct builder_part part[] = { { where, 15, false }, { where + 16, 16, true } };

	(void)state;
	ring_builder_add(&stage.queue[0], part, 2, BUILDER_DIRECT);
	assert_ended("a request of 15 bytes");
}

static void more_than_it_said_it_takes(void **state)
{
	(void)state;
	disk_driver_ask(&driver, DISK_IN, 0, NULL, 224 * 1024 + 1);
	assert_ended("the maximum is 229376");
}

static void largest_request(void **state)
{
	static uint8_t data[224 * 1024], back[224 * 1024];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(disk_driver_request(&driver, DISK_OUT, 3, data, sizeof(data)), DISK_OK);
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 3, back, sizeof(back)), DISK_OK);
	assert_memory_equal(data, back, sizeof(data));
}

/* The driver may put header, data and status into buffers as it likes. */
static void scattered_request(void **state)
{
	const struct disk_header header = { htole32(DISK_OUT), 0, htole64(1) };
	uint64_t where = builder_memory_allocate(&stage.memory, 2048);
	uint8_t *bytes = builder_memory_at(&stage.memory, where), back[512];
	uint32_t written;
	uint16_t head;
	const struct builder_part part[] = {
		{ where, 7, false },	     { where + 7, 0, false },	{ where + 7, 109, false },
		{ where + 116, 412, false }, { where + 1024, 0, true }, { where + 1024, 1, true },
	};

	(void)state;
	memcpy(bytes, &header, sizeof(header));
	memset(bytes + sizeof(header), 'x', 512);
	bytes[1024] = 0xff;
	ring_builder_add(&stage.queue[0], part, 6, BUILDER_DIRECT);
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(device_stage_pass(&stage, 0), 0);
	assert_true(ring_builder_take_used(&stage.queue[0], &head, &written));
	assert_int_equal(written, 1);
	assert_int_equal(bytes[1024], DISK_OK);
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 1, back, 512), DISK_OK);
	assert_memory_equal(back, bytes + sizeof(header), 512);
}

/* A guest that gives its memory away while a request is under way has errors, no more. */
static void memory_disappears(void **state)
{
	(void)state;
	for (unsigned int type = DISK_IN; type <= DISK_OUT; type++) {
		open_plain(NULL);
		disk_driver_ask(&driver, type, 0, NULL, 128 * 1024);
		assert_int_equal(device_stage_kick(&stage, 0), 0);
		device_stage_lose_memory(&stage);
		assert_true(device_stage_pass(&stage, 0) <= 0);
		close_disk(NULL);
	}
}

/* The request of a driver that has gone is not answered to the next one. */
static void vring_is_set_up_anew(void **state)
{
	struct vring *ring = &stage.vhost.ring[0];

	(void)state;
	disk_driver_ask(&driver, DISK_FLUSH, 0, NULL, 0);
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	ring->next_avail = ring->next_used = 0;
	*ring_builder_avail_index(&stage.queue[0]) = 0;
	assert_int_equal(device_stage_pass(&stage, 10), 0);
	assert_int_equal(stage.used_count, 0);
	stage.queue[0].avail_index = 0;
	disk_driver_ask(&driver, DISK_FLUSH, 0, NULL, 0);
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	assert_int_equal(device_stage_pass(&stage, 10), 0);
	assert_int_equal(stage.used_count, 1);
}

static void memory_is_set_up_anew(void **state)
{
	(void)state;
	disk_driver_ask(&driver, DISK_IN, 0, NULL, 4096);
	assert_int_equal(device_stage_kick(&stage, 0), 0);
	vring_memory_clear(&stage.vhost.memory);
	builder_memory_attach(&stage.memory, &stage.vhost.memory);
	assert_int_equal(device_stage_pass(&stage, 10), 0);
	assert_int_equal(stage.used_count, 0);
}

static void images_that_are_none(void **state)
{
	char directory[] = "/tmp/test_device_disk.XXXXXX", path[64];
	struct device *device;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/image", directory);
	assert_int_equal(
		device_disk_create(&(struct device_disk_options){ .image = path }, &device),
		-ENOENT);
	assert_int_equal(
		device_disk_create(&(struct device_disk_options){ .image = directory }, &device),
		-EISDIR);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(
		device_disk_create(&(struct device_disk_options){ .image = path }, &device),
		-EINVAL);
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(
		device_disk_create(&(struct device_disk_options){ .image = path }, &device),
		-EINVAL);
	assert_int_equal(
		device_disk_create(&(struct device_disk_options){ .image = NULL }, &device),
		-EINVAL);
	assert_int_equal(
		device_disk_create(&(struct device_disk_options){ .size = UINT64_MAX }, &device),
		-EINVAL);
	unlink(path);
	rmdir(directory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plain, close_disk)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(configuration),
		TEST(identity),
		TEST(flush),
		TEST(requests_that_cannot_be),
		cmocka_unit_test(read_only_disk),
		cmocka_unit_test(service_takes_its_time),
		cmocka_unit_test(infinite_service_does_not_wrap),
		TEST(no_room_for_the_status),
		TEST(half_a_header),
		TEST(more_than_it_said_it_takes),
		TEST(largest_request),
		TEST(scattered_request),
		cmocka_unit_test(memory_disappears),
		TEST(vring_is_set_up_anew),
		TEST(memory_is_set_up_anew),
		cmocka_unit_test(images_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
