// SPDX-License-Identifier: BSD-3-Clause
/* The hash of a disk image: of what a guest would read from it, not of how it is stored. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/device/disk_hash.h"

#define SIZE (300u * 1024 + 512)

static int make_image(const uint8_t *data, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	for (size_t i = 0; data && i < size; i++)
		if (data[i])
			assert_int_equal(pwrite(fd, data + i, 1, (off_t)i), 1);
	return fd;
}

static void hash(int fd, uint8_t result[DISK_HASH_SIZE])
{
	assert_int_equal(disk_hash(fd, NULL, result), 0);
}

static void test_holes_are_zeros(void **state)
{
	static uint8_t data[SIZE];
	uint8_t one[DISK_HASH_SIZE], other[DISK_HASH_SIZE];
	int sparse, full = memfd_create("full", MFD_CLOEXEC);

	(void)state;
	data[70000] = 1;
	data[SIZE - 1] = 2;
	sparse = make_image(data, SIZE);
	assert_int_equal(write(full, data, SIZE), SIZE);
	hash(sparse, one);
	hash(full, other);
	assert_memory_equal(one, other, DISK_HASH_SIZE);
	close(sparse);
	close(full);
}

static void test_everything_counts(void **state)
{
	static const size_t places[] = { 0, 65535, 65536, 131072, SIZE - 1 };
	uint8_t seen[sizeof(places) / sizeof(places[0]) + 3][DISK_HASH_SIZE];
	size_t count = 0;

	(void)state;
	for (size_t size = SIZE; size <= SIZE + 512; size += 512) {
		int fd = make_image(NULL, size);

		hash(fd, seen[count++]);
		close(fd);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		static uint8_t data[SIZE];
		int fd;

		memset(data, 0, SIZE);
		data[places[i]] = 1;
		fd = make_image(data, SIZE);
		hash(fd, seen[count++]);
		close(fd);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], DISK_HASH_SIZE);
}

static void test_it_can_be_stopped(void **state)
{
	static const uint8_t data[1] = { 1 };
	const atomic_bool stop = true;
	uint8_t result[DISK_HASH_SIZE];
	int fd = make_image(data, 1);

	(void)state;
	assert_int_equal(disk_hash(fd, &stop, result), -ECANCELED);
	close(fd);
}

/* A petabyte of holes is not read. */
static void test_holes_are_not_read(void **state)
{
	uint8_t result[DISK_HASH_SIZE];
	int fd = make_image(NULL, 0);

	(void)state;
	assert_int_equal(ftruncate(fd, 1ll << 50), 0);
	alarm(20);
	hash(fd, result);
	alarm(0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holes_are_zeros),
		cmocka_unit_test(test_everything_counts),
		cmocka_unit_test(test_it_can_be_stopped),
		cmocka_unit_test(test_holes_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
