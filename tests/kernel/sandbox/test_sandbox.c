// SPDX-License-Identifier: BSD-3-Clause
/* Sandboxes with a small program in them: the sockets it finds, and what is at the other side. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/guest/guest.h"
#include "kernel/loader/loader.h"

static const char *visitor, *dynamic_visitor;
static unsigned int wanted = ISOLATION_NAMESPACES | ISOLATION_ASLR;

struct stay {
	struct guest_spec spec;
	struct guest guest;
};

/* Open a sandbox with @program in it, as far isolated as this machine allows. */
static void stay_begin_with(struct stay *stay, const char *program, const char *const *arguments,
			    size_t devices)
{
	struct diagnosis why = { 0 };

	*stay = (struct stay){ .spec = { .arguments = (char **)arguments, .wanted = wanted } };
	assert_int_equal(image_files_load(&stay->spec.files, "visitor", program, "/visitor", &why),
			 0);
	assert_int_equal(
		image_load_libraries(&stay->spec.files, &stay->spec.files.file[0], program, &why),
		0);
	stay->spec.device = calloc(devices + 1, sizeof(*stay->spec.device));
	assert_non_null(stay->spec.device);
	stay->spec.device_count = devices;
	if (guest_open(&stay->spec, &stay->guest, &why))
		fail_msg("%s", why.what);
}

static void stay_begin(struct stay *stay, const char *const *arguments, size_t devices)
{
	stay_begin_with(stay, visitor, arguments, devices);
}

static void await_readable(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&readable, 1, 10000), 1);
}

static void stay_end(struct stay *stay, int expected_status)
{
	int status, signal;

	await_readable(stay->guest.sandbox.supervisor_fd);
	assert_int_equal(sandbox_ended(&stay->guest.sandbox, &status, &signal), 1);
	assert_int_equal(signal, 0);
	assert_int_equal(status, expected_status);
	guest_close(&stay->guest);
	stay->spec.arguments = NULL; /* not ours */
	guest_spec_free(&stay->spec);
}

/* What connects sends the number of the socket that it was meant for. */
static int read_number(int fd)
{
	int number = -1;

	await_readable(fd);
	assert_int_equal(read(fd, &number, sizeof(number)), sizeof(number));
	return number;
}

static void test_each_device_has_its_socket(void **state)
{
	const char *arguments[] = { "visitor",		"connect",
				    "{room}/run/tt",	"{room}/run/dev0",
				    "{room}/run/dev1",	"{room}/run/dev2",
				    "{room}/run/dev63", NULL };
	const int number[] = { 1, 2, 3, [63] = 4 };
	struct stay stay;

	(void)state;
	stay_begin(&stay, arguments, SANDBOX_DEVICES_MAX);
	await_readable(stay.guest.sandbox.listen_fd);
	assert_int_equal(guest_accept(&stay.guest), 0);
	assert_int_equal(stay.guest.sandbox.listen_fd, -1);
	assert_int_equal(read_number(stay.guest.time_fd), 0);
	for (unsigned int i = 0; i < SANDBOX_DEVICES_MAX; i++) {
		assert_true(stay.guest.sandbox.device_fd[i] >= 0);
		assert_int_equal(stay.guest.device[i].fd, -1);
		if (!number[i])
			continue;
		await_readable(stay.guest.sandbox.device_fd[i]);
		assert_int_equal(guest_accept_device(&stay.guest, i), 0);
		assert_int_equal(stay.guest.sandbox.device_fd[i], -1);
		assert_int_equal(read_number(stay.guest.device[i].fd), number[i]);
	}
	stay_end(&stay, 0);
}

static void test_no_socket_that_was_not_asked_for(void **state)
{
	const char *arguments[] = { "visitor", "connect", "{room}/run/dev0", "{room}/run/dev1",
				    NULL };
	struct stay stay;

	(void)state;
	stay_begin(&stay, arguments, 1);
	assert_int_equal(stay.guest.sandbox.device_fd[1], -1);
	stay_end(&stay, 1);
}

/* ---- Asleep or not -------------------------------------------------------------------------- */

static void test_a_guest_that_waits_is_blocked(void **state)
{
	const char *arguments[] = { "visitor", "sleep", NULL };
	struct stay stay;

	(void)state;
	stay_begin(&stay, arguments, 0);
	assert_int_equal(guest_await_blocked(&stay.guest), 0);
	assert_int_equal(guest_await_blocked(&stay.guest), 0);
	guest_close(&stay.guest);
	stay.spec.arguments = NULL;
	guest_spec_free(&stay.spec);
}

static void test_a_guest_that_ended_is_gone(void **state)
{
	const char *arguments[] = { "visitor", NULL };
	struct stay stay;

	(void)state;
	stay_begin(&stay, arguments, 0);
	await_readable(stay.guest.sandbox.supervisor_fd);
	assert_int_equal(guest_await_blocked(&stay.guest), -ESRCH);
	stay_end(&stay, 2);
}

/* ---- Limits --------------------------------------------------------------------------------- */

/* What a visitor that tries to have more than there is says it got. */
static uint64_t visit_greedily(const char *what, const char *most, unsigned int *isolation)
{
	const char *arguments[] = { "visitor", what, most, "mem=65M", NULL };
	unsigned long long got;
	char said[256], word[32];
	struct stay stay;
	size_t length;

	stay_begin(&stay, arguments, 0);
	*isolation = stay.guest.sandbox.isolation;
	await_readable(stay.guest.sandbox.supervisor_fd);
	length = guest_read_console(&stay.guest, said, sizeof(said) - 1);
	said[length] = '\0';
	if (sscanf(said, "%31s %llu", word, &got) != 2)
		fail_msg("the visitor said: %s", said);
	stay_end(&stay, 0);
	return got;
}

#define MIB (1ull << 20)

static void test_files_grow_as_far_as_a_guest_needs(void **state)
{
	unsigned int isolation;
	uint64_t written = visit_greedily("fill", "3", &isolation);

	(void)state;
	if (!(isolation & ISOLATION_MOUNT))
		skip();
	assert_in_range(written, 65 * MIB, (65 + 64) * MIB);
}

/* The last number that a visitor said who was killed for what it did; @why: what for. */
static uint64_t visit_until_killed(const char *what, const char *most, const char *memory,
				   char why[SANDBOX_EXCEEDED_TEXT])
{
	const char *arguments[] = { "visitor", what, most, memory, NULL };
	static char said[1 << 20];
	struct stay stay;
	size_t length = 0, got;
	int status, signal;
	const char *last;

	stay_begin(&stay, arguments, 0);
	/* Its supervisor says first why it kills it. */
	do
		await_readable(stay.guest.sandbox.supervisor_fd);
	while (!sandbox_ended(&stay.guest.sandbox, &status, &signal));
	while (length < sizeof(said) - 1 &&
	       (got = guest_read_console(&stay.guest, said + length, sizeof(said) - 1 - length)))
		length += got;
	said[length] = '\0';
	if (signal != SIGKILL)
		fail_msg("%s: it ended by itself, with status %d, signal %d", what, status, signal);
	memcpy(why, stay.guest.sandbox.exceeded, SANDBOX_EXCEEDED_TEXT);
	guest_close(&stay.guest);
	stay.spec.arguments = NULL; /* not ours */
	guest_spec_free(&stay.spec);
	last = strrchr(said, ' ');
	return last ? strtoull(last, NULL, 10) : 0;
}

/* A kernel with KASAN does this before anything else. */
static void test_addresses_are_not_memory(void **state)
{
	unsigned int isolation;

	(void)state;
	assert_int_equal(visit_greedily("reserve", "0x100000000000", &isolation), 1ull << 44);
}

/* Files and as much again, and what is taken until somebody looks: in vain for 16 GiB. */
static void test_memory_grows_as_far_as_a_guest_needs(void **state)
{
	static const char *const ways[] = { "take", "take-by-many", "take-in-files" };
	char why[SANDBOX_EXCEEDED_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		uint64_t taken = visit_until_killed(ways[i], "0x400000000", "mem=65M", why);

		print_message("%s: %llu MiB: %s\n", ways[i], (unsigned long long)(taken / MIB),
			      why);
		assert_in_range(taken, 2 * 65 * MIB, 4096 * MIB);
		assert_non_null(strstr(why, " of memory; the limit is "));
	}
}

/* By the host, in a user namespace. */
static void test_processes_are_counted(void **state)
{
	unsigned int isolation;
	uint64_t forked = visit_greedily("fork", "100000", &isolation);

	(void)state;
	if (!(isolation & ISOLATION_MOUNT))
		skip();
	assert_in_range(forked, 65 * MIB / (16 << 10), 65 * MIB / (16 << 10) + 64);
}

/* By who watches them, without one. Of little memory, so that there is enough for all of them. */
static void test_processes_are_watched(void **state)
{
	char why[SANDBOX_EXCEEDED_TEXT];

	(void)state;
	if (geteuid())
		skip();
	wanted &= ~ISOLATION_USER;
	visit_until_killed("fork-and-stay", "5000", "mem=16M", why);
	wanted |= ISOLATION_USER;
	assert_string_equal(why, "it had more than 1088 processes");
}

static void test_no_namespaces_without_these_limits(void **state)
{
	unsigned int isolation;
	uint64_t made = visit_greedily("namespace", "1", &isolation);
	struct statvfs proc;

	(void)state;
	/* Where /proc/sys is read-only nobody can say so. */
	if (statvfs("/proc/sys/user", &proc) || (proc.f_flag & ST_RDONLY) ||
	    !(isolation & ISOLATION_USER))
		skip();
	assert_int_equal(made, 0);
}

/* ---- Addresses ------------------------------------------------------------------------------ */

/* What a visitor says of its addresses. */
static void print_addresses(const char *program, char said[1024], unsigned int *isolation)
{
	const char *arguments[] = { "visitor", "addresses", NULL };
	struct diagnosis why = { 0 };
	struct stay stay = { .spec = { .arguments = (char **)arguments,
				       .wanted = ISOLATION_NAMESPACES | ISOLATION_ASLR |
						 ISOLATION_AUXV } };
	struct image_files *files = &stay.spec.files;

	memset(stay.spec.auxv_random, 0x5a, sizeof(stay.spec.auxv_random));
	assert_int_equal(image_files_load(files, "visitor", program, "/visitor", &why), 0);
	assert_int_equal(image_load_libraries(files, &files->file[0], program, &why), 0);
	if (guest_open(&stay.spec, &stay.guest, &why))
		fail_msg("%s", why.what);
	*isolation = stay.guest.sandbox.isolation;
	await_readable(stay.guest.sandbox.supervisor_fd);
	said[guest_read_console(&stay.guest, said, 1023)] = '\0';
	stay_end(&stay, 0);
}

static uint64_t address_of(const char *said, const char *what)
{
	const char *line = strstr(said, what);

	if (!line)
		fail_msg("no %s in: %s", what, said);
	return strtoull(line + strlen(what), NULL, 16);
}

static void assert_layout(const char *said)
{
	uint64_t mapped = address_of(said, "mapped "), stack = address_of(said, "stack ");

	assert_true(mapped < LOADER_CEILING && mapped > LOADER_CEILING - (64 * MIB));
	assert_true(stack < LOADER_ADDRESS_END && stack > LOADER_ADDRESS_END - MIB);
	/* User-Mode Linux takes the page after its environment for the end of all addresses. */
	assert_true(address_of(said, "environment ") >= LOADER_ADDRESS_END - LOADER_PAGE);
	assert_int_equal(address_of(said, "vdso "), 0);
	assert_true(address_of(said, "heap ") - address_of(said, "program ") < 16 * MIB);
	assert_non_null(strstr(said, "\nname visitor\n"));
	assert_non_null(strstr(said, "\nrandom 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n"));
	assert_non_null(strstr(said, "\nexecuted as ./visitor\n"));
}

static void assert_same_addresses(const char *program, uint64_t loader)
{
	char first[1024], again[1024];
	unsigned int isolation;

	print_addresses(program, first, &isolation);
	if (!(isolation & ISOLATION_ASLR))
		skip();
	assert_true(isolation & ISOLATION_AUXV);
	assert_layout(first);
	assert_int_equal(address_of(first, "loader "), loader);
	for (int i = 0; i < 3; i++) {
		print_addresses(program, again, &isolation);
		assert_string_equal(first, again);
	}
}

static void test_a_static_program_has_the_same_addresses(void **state)
{
	(void)state;
	assert_same_addresses(visitor, 0);
}

static void test_a_dynamic_program_has_the_same_addresses(void **state)
{
	(void)state;
	assert_same_addresses(dynamic_visitor, LOADER_INTERPRETER);
}

/* ---- Libraries ------------------------------------------------------------------------------ */

/* Linux 7.2 with a thread for its disks does it at power-off. */
static void test_a_thread_can_be_cancelled(void **state)
{
	const char *arguments[] = { "visitor", "cancel", NULL };
	struct stay stay;

	(void)state;
	stay_begin_with(&stay, dynamic_visitor, arguments, 0);
	stay_end(&stay, 7);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_device_has_its_socket),
		cmocka_unit_test(test_no_socket_that_was_not_asked_for),
		cmocka_unit_test(test_a_guest_that_waits_is_blocked),
		cmocka_unit_test(test_a_guest_that_ended_is_gone),
		cmocka_unit_test(test_files_grow_as_far_as_a_guest_needs),
		cmocka_unit_test(test_addresses_are_not_memory),
		cmocka_unit_test(test_memory_grows_as_far_as_a_guest_needs),
		cmocka_unit_test(test_processes_are_counted),
		cmocka_unit_test(test_processes_are_watched),
		cmocka_unit_test(test_no_namespaces_without_these_limits),
		cmocka_unit_test(test_a_static_program_has_the_same_addresses),
		cmocka_unit_test(test_a_dynamic_program_has_the_same_addresses),
		cmocka_unit_test(test_a_thread_can_be_cancelled),
	};

	if (argc < 3)
		return 2;
	visitor = argv[1];
	dynamic_visitor = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
