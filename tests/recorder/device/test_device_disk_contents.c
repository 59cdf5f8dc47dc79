// SPDX-License-Identifier: BSD-3-Clause
/*
 * What is on a disk: any requests in any order against a plain array, over images of any size; and
 * that only what was written takes memory.
 *
 * TTREC_TEST_SEED=N tries the disks from N on; a failure names the seed.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/recorder/device/disk_driver.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define DISKS	      40
#define REQUESTS      400
#define DISK_SIZE_MAX (96u * 4096)
#define IMAGE_NAME    "/tmp/test_device_disk_contents.XXXXXX"

static uint64_t seed;
static uint8_t model[DISK_SIZE_MAX], image[DISK_SIZE_MAX];

static void random_bytes(struct random *random, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)random_next(random);
}

static void write_file(int fd, const uint8_t *data, size_t size)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, data, size, 0), size);
}

static void assert_file(int fd, const uint8_t *data, size_t size)
{
	static uint8_t now[DISK_SIZE_MAX];
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_size, size);
	assert_int_equal(pread(fd, now, size, 0), size);
	assert_memory_equal(now, data, size);
}

/* Where requests go: mostly near each other, mostly not at the borders of blocks. */
static void random_place(struct random *random, uint64_t sectors, uint64_t *sector, size_t *count)
{
	*sector = random_below(random, sectors);
	*count = 1 + random_below(random, random_chance(random, 80) ? 24 : 300);
	if (*count > sectors - *sector)
		*count = sectors - *sector;
}

static void random_request(struct disk_driver *driver, struct random *random, uint64_t sectors)
{
	static uint8_t data[300 * 512];
	struct disk_range range;
	uint64_t sector;
	size_t count;

	random_place(random, sectors, &sector, &count);
	range = (struct disk_range){ htole64(sector), htole32((uint32_t)count), 0 };
	switch (random_below(random, 8)) {
	case 0:
		assert_int_equal(disk_driver_request(driver,
						     random_chance(random, 50) ? DISK_DISCARD
									       : DISK_WRITE_ZEROES,
						     0, &range, sizeof(range)),
				 DISK_OK);
		memset(model + sector * 512, 0, count * 512);
		break;
	case 1 ... 3:
		random_bytes(random, data, count * 512);
		assert_int_equal(disk_driver_request(driver, DISK_OUT, sector, data, count * 512),
				 DISK_OK);
		memcpy(model + sector * 512, data, count * 512);
		break;
	default:
		assert_int_equal(disk_driver_request(driver, DISK_IN, sector, data, count * 512),
				 DISK_OK);
		assert_memory_equal(data, model + sector * 512, count * 512);
	}
}

static void try_disk(void)
{
	struct random random = { seed };
	char path[] = IMAGE_NAME;
	int fd = mkstemp(path);
	size_t image_size = 1 + random_below(&random, DISK_SIZE_MAX);
	/* Smaller and larger than the image, and as large. */
	uint64_t size =
		random_chance(&random, 50) ? 512 + random_below(&random, DISK_SIZE_MAX - 512) : 0;
	const struct device_disk_options options = { .image = path, .size = size };
	uint64_t sectors = ((size ? size : image_size) + 511) / 512;
	struct device_stage stage;
	struct disk_driver driver;
	struct device *device;

	assert_true(fd >= 0);
	random_bytes(&random, image, image_size);
	write_file(fd, image, image_size);
	memset(model, 0, sizeof(model));
	memcpy(model, image, image_size < sectors * 512 ? image_size : sectors * 512);
	assert_int_equal(device_disk_create(&options, &device), 0);
	unlink(path);
	device_stage_open(&stage, device, NULL);
	disk_driver_open(&driver, &stage);
	assert_int_equal(le64toh(*(const uint64_t *)device->config), sectors);
	for (unsigned int i = 0; i < REQUESTS; i++)
		random_request(&driver, &random, sectors);
	assert_file(fd, image, image_size);
	device_stage_close(&stage);
	close(fd);
}

static void any_requests(void **state)
{
	(void)state;
	seed = test_seed(1);
	for (unsigned int i = 0; i < DISKS; i++, seed++)
		try_disk();
}

static int print_seed(void **state)
{
	(void)state;
	print_message("the last seed was %" PRIu64 "\n", seed);
	return 0;
}

/* What the overlay takes, in blocks of 512 bytes: it is the only such file of this process. */
static long overlay_blocks(void)
{
	DIR *directory = opendir("/proc/self/fd");
	long blocks = -1;
	struct dirent *entry;

	while ((entry = readdir(directory))) {
		char target[64] = "";
		struct stat status;

		if (readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1) > 0 &&
		    !strncmp(target, "/memfd:disk", 11) &&
		    !fstatat(dirfd(directory), entry->d_name, &status, 0))
			blocks = status.st_blocks;
	}
	closedir(directory);
	return blocks;
}

static void only_what_is_written_takes_memory(void **state)
{
	const struct device_disk_options options = { .size = 1ull << 40 };
	const struct disk_range range = { htole64(1000000 * 8), htole32(8), 0 };
	static uint8_t data[4096];
	struct device_stage stage;
	struct disk_driver driver;
	struct device *device;

	(void)state;
	assert_int_equal(device_disk_create(&options, &device), 0);
	device_stage_open(&stage, device, NULL);
	disk_driver_open(&driver, &stage);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(disk_driver_request(&driver, DISK_IN, i << 20, data, 4096),
				 DISK_OK);
	assert_int_equal(overlay_blocks(), 0);
	memset(data, 1, sizeof(data));
	assert_int_equal(disk_driver_request(&driver, DISK_OUT, 1000000 * 8, data, 4096), DISK_OK);
	assert_int_equal(overlay_blocks(), 8);
	assert_int_equal(
		disk_driver_request(&driver, DISK_WRITE_ZEROES, 0, (void *)&range, sizeof(range)),
		DISK_OK);
	assert_int_equal(overlay_blocks(), 0);
	device_stage_close(&stage);
}

/* What a request returns that this machine cannot serve: the guest gets no answer. */
static int fails(struct disk_driver *driver, uint32_t type, uint64_t sector, const void *data,
		 size_t size)
{
	struct device_stage *stage = driver->stage;
	size_t used = stage->used_count;
	int err;

	disk_driver_ask(driver, type, sector, data, size);
	assert_int_equal(device_stage_kick(stage, 0), 0);
	err = device_stage_pass(stage, stage->device->due);
	assert_int_equal(stage->used_count, used);
	return err;
}

/* Another process shortens the image in the middle of a recording. */
static void image_is_cut_short(void **state)
{
	char path[] = IMAGE_NAME;
	int fd = mkstemp(path);
	const struct device_disk_options options = { .image = path };
	static uint8_t data[8192];
	struct device_stage stage;
	struct disk_driver driver;
	struct device *device;

	(void)state;
	assert_int_equal(ftruncate(fd, 65536), 0);
	assert_int_equal(device_disk_create(&options, &device), 0);
	device_stage_open(&stage, device, NULL);
	disk_driver_open(&driver, &stage);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(disk_driver_request(&driver, DISK_IN, 0, data, 4096), DISK_OK);
	assert_int_equal(disk_driver_request(&driver, DISK_OUT, 16, data, 4096), DISK_OK);
	assert_int_equal(fails(&driver, DISK_IN, 0, data, 8192), -EIO);
	assert_int_equal(fails(&driver, DISK_OUT, 25, data, 512), -EIO);
	device_stage_close(&stage);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_requests),
		cmocka_unit_test(only_what_is_written_takes_memory),
		cmocka_unit_test(image_is_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, print_seed);
}
