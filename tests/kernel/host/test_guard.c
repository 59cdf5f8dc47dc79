// SPDX-License-Identifier: BSD-3-Clause
/* A guest that shortens its memory file: whoever looks at it lives on, and knows. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/host/guard.h"
#include "kernel/memory/memory.h"
#include "tests/kernel/vhost/ring_builder.h"

#define PAGE 4096

struct file {
	int fd;
	uint8_t *data;
	size_t size;
};

static void file_open(struct file *file, size_t pages)
{
	file->size = pages * PAGE;
	file->fd = memfd_create("guarded", MFD_CLOEXEC);
	assert_true(file->fd >= 0);
	assert_int_equal(ftruncate(file->fd, (off_t)file->size), 0);
	file->data = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	assert_ptr_not_equal(file->data, MAP_FAILED);
	memset(file->data, 0xaa, file->size);
}

static void file_close(struct file *file)
{
	guard_remove(file->data);
	munmap(file->data, file->size);
	close(file->fd);
}

/* The first test: nothing is lost yet. */
static void test_nothing_is_lost_by_itself(void **state)
{
	struct file file;

	(void)state;
	file_open(&file, 2);
	assert_int_equal(guard_add(file.data, file.size), 0);
	assert_int_equal(file.data[PAGE], 0xaa);
	assert_false(guard_is_lost(file.data));
	assert_false(guard_any_lost());
	file_close(&file);
}

static void test_what_is_gone_reads_as_zero(void **state)
{
	struct file file, other;
	uint8_t byte;

	(void)state;
	file_open(&file, 8);
	file_open(&other, 1);
	assert_int_equal(guard_add(file.data, file.size), 0);
	assert_int_equal(guard_add(other.data, other.size), 0);
	assert_int_equal(ftruncate(file.fd, 2 * PAGE), 0);
	assert_false(guard_is_lost(file.data));
	assert_int_equal(file.data[2 * PAGE + 5], 0);
	assert_true(guard_is_lost(file.data));
	assert_true(guard_any_lost());
	assert_false(guard_is_lost(other.data));

	/* Writes stay here; the rest is the file still. */
	file.data[7 * PAGE] = 7;
	assert_int_equal(file.data[7 * PAGE], 7);
	file.data[0] = 1;
	assert_int_equal(pread(file.fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 1);
	assert_int_equal(file.data[2 * PAGE - 1], 0xaa);
	file_close(&other);
	file_close(&file);
}

static void test_a_mapping_is_lost_once(void **state)
{
	struct file file;

	(void)state;
	file_open(&file, 1);
	assert_int_equal(guard_add(file.data, file.size), 0);
	assert_int_equal(ftruncate(file.fd, 0), 0);
	assert_int_equal(file.data[0], 0);
	assert_true(guard_is_lost(file.data));
	guard_remove(file.data);
	assert_false(guard_is_lost(file.data));
	assert_int_equal(guard_add(file.data, file.size), 0);
	assert_false(guard_is_lost(file.data));
	file_close(&file);
	guard_remove(file.data);
}

static void test_too_many_mappings(void **state)
{
	struct file file;
	size_t count = 0;

	(void)state;
	file_open(&file, 1);
	/* The addresses are never touched. */
	while (guard_add((void *)(uintptr_t)((count + 1) << 20), PAGE) == 0)
		count++;
	assert_true(count >= 1000);
	assert_int_equal(guard_add(file.data, file.size), -ENOSPC);
	while (count)
		guard_remove((void *)(uintptr_t)(count-- << 20));
	assert_int_equal(guard_add(file.data, file.size), 0);
	file_close(&file);
}

/* ---- What is not guarded -------------------------------------------------------------------- */

static volatile bool is_other; /* not the guarded file */

static void handle_earlier(int number)
{
	(void)number;
	_exit(is_other ? 42 : 1);
}

static void handle_earlier_with_address(int number, siginfo_t *info, void *context)
{
	(void)context;
	_exit(is_other && number == SIGBUS && info->si_addr ? 43 : 1);
}

enum way { TOUCH, RAISE };

/* How a child ends that has @earlier as its handler, guards a file and meets SIGBUS elsewhere. */
static int child_status(const struct sigaction *earlier, enum way way)
{
	struct file file, naked;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		sigaction(SIGBUS, earlier, NULL);
		file_open(&file, 1);
		file_open(&naked, 1);
		if (guard_add(file.data, file.size) || ftruncate(file.fd, 0) || file.data[0])
			_exit(2);
		is_other = true;
		if (way == TOUCH && ftruncate(naked.fd, 0) == 0)
			*(volatile uint8_t *)naked.data = 1;
		else
			raise(SIGBUS);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_others_are_served_as_before(void **state)
{
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	const struct sigaction ignored = { .sa_handler = SIG_IGN };
	const struct sigaction plain = { .sa_handler = handle_earlier };
	const struct sigaction detailed = { .sa_sigaction = handle_earlier_with_address,
					    .sa_flags = SA_SIGINFO };
	int status;

	(void)state;
	status = child_status(&standard, TOUCH);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	status = child_status(&standard, RAISE);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	status = child_status(&ignored, TOUCH);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	status = child_status(&ignored, RAISE);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = child_status(&plain, TOUCH);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	status = child_status(&plain, RAISE);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	status = child_status(&detailed, TOUCH);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 43);
}

/* ---- Those who use it ----------------------------------------------------------------------- */

static void test_vring_in_memory_that_is_gone(void **state)
{
	static struct vring_chain chain;
	struct builder_memory memory, other;
	struct vring_memory mapped = {}, mapped_other = {};
	struct ring_builder driver;
	struct vring ring;
	uint8_t data[5];

	(void)state;
	builder_memory_create(&memory, 1 << 20);
	builder_memory_create(&other, 1 << 20);
	ring_builder_create(&driver, &memory, 16);
	builder_memory_attach(&memory, &mapped);
	builder_memory_attach(&other, &mapped_other);
	ring_builder_attach(&driver, &mapped, &ring);
	ring_builder_send(&driver, "hello", 5);
	ring_builder_send(&driver, "again", 5);
	assert_int_equal(vring_take(&ring, &chain), 1);
	assert_int_equal(ftruncate(memory.fd, 0), 0);
	assert_int_equal(vring_chain_read(&chain, 0, data, 5), 5);
	assert_memory_equal(data, "\0\0\0\0", 5);
	/* An index of zero is 65535 chains ahead of 1. */
	assert_int_equal(vring_take(&ring, &chain), -EBADMSG);
	assert_int_equal(vring_complete(&ring, 0, 0), 0);
	assert_true(vring_memory_lost());
	assert_true(vring_memory_is_lost(&mapped));
	assert_false(vring_memory_is_lost(&mapped_other));
	vring_memory_clear(&mapped);
	vring_memory_clear(&mapped_other);
	ring_builder_destroy(&driver);
	builder_memory_destroy(&memory);
	builder_memory_destroy(&other);
}

/* More often than there are places for. */
static void test_memory_that_is_not_used_any_more(void **state)
{
	struct builder_memory memory;
	struct vring_memory mapped = {};

	(void)state;
	builder_memory_create(&memory, PAGE);
	for (int i = 0; i < 5000; i++) {
		builder_memory_attach(&memory, &mapped);
		vring_memory_clear(&mapped);
	}
	builder_memory_destroy(&memory);
}

/* This process as the guest: its memory is a file without a name, mapped shared. */
static void test_digest_of_memory_that_is_gone(void **state)
{
	struct image_files files = {};
	struct memory *memory = NULL;
	struct diagnosis why = {};
	struct file ram;
	uint8_t byte = 1;

	(void)state;
	file_open(&ram, 64);
	assert_int_equal(image_files_load(&files, "kernel", "/proc/self/exe", "/linux", &why), 0);
	assert_int_equal(memory_open(getpid(), &files.file[0], &memory), 0);
	assert_int_equal(memory_size(memory, MEMORY_RAM), ram.size);
	assert_int_equal(memory_read(memory, MEMORY_RAM, PAGE, &byte, 1), 0);
	assert_int_equal(byte, 0xaa);
	assert_int_equal(ftruncate(ram.fd, 0), 0);
	assert_int_equal(memory_read(memory, MEMORY_RAM, PAGE, &byte, 1), 0);
	assert_int_equal(byte, 0);
	memory_close(memory);
	image_files_free(&files);
	file_close(&ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_lost_by_itself),
		cmocka_unit_test(test_what_is_gone_reads_as_zero),
		cmocka_unit_test(test_a_mapping_is_lost_once),
		cmocka_unit_test(test_others_are_served_as_before),
		cmocka_unit_test(test_too_many_mappings),
		cmocka_unit_test(test_vring_in_memory_that_is_gone),
		cmocka_unit_test(test_memory_that_is_not_used_any_more),
		cmocka_unit_test(test_digest_of_memory_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
