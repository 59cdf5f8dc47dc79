// SPDX-License-Identifier: BSD-3-Clause
/* Rooms with a small program in them: the doors it finds, and who is at the other side. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/cleanup.h"
#include "kernel/guest.h"

static const char *visitor;

struct stay {
	struct guest_spec spec;
	struct guest guest;
};

/* Open a room with the visitor in it, as far sealed as this machine allows. */
static void stay_begin(struct stay *stay, const char *const *arguments, size_t devices)
{
	struct diagnosis why = { 0 };

	*stay = (struct stay){ .spec = { .arguments = (char **)arguments,
					 .wanted = SEAL_NAMESPACES } };
	assert_int_equal(image_files_load(&stay->spec.files, "visitor", visitor, "/visitor", &why),
			 0);
	stay->spec.device = calloc(devices + 1, sizeof(*stay->spec.device));
	assert_non_null(stay->spec.device);
	stay->spec.device_count = devices;
	if (guest_open(&stay->spec, &stay->guest, &why))
		fail_msg("%s", why.what);
}

static void await_readable(int fd)
{
	struct pollfd door = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&door, 1, 10000), 1);
}

static void stay_end(struct stay *stay, int expected_status)
{
	int status, signal;

	await_readable(stay->guest.room.keeper_fd);
	assert_int_equal(room_wait(&stay->guest.room, &status, &signal), 0);
	assert_int_equal(signal, 0);
	assert_int_equal(status, expected_status);
	guest_close(&stay->guest);
	stay->spec.arguments = NULL; /* not ours */
	guest_spec_free(&stay->spec);
}

/* Whoever knocks says which door it thinks it is at. */
static int read_number(int fd)
{
	int number = -1;

	await_readable(fd);
	assert_int_equal(read(fd, &number, sizeof(number)), sizeof(number));
	return number;
}

static void test_each_device_has_its_door(void **state)
{
	const char *arguments[] = { "visitor",		"knock",
				    "{room}/run/tt",	"{room}/run/dev0",
				    "{room}/run/dev1",	"{room}/run/dev2",
				    "{room}/run/dev63", NULL };
	const int number[] = { 1, 2, 3, [63] = 4 };
	struct stay stay;

	(void)state;
	stay_begin(&stay, arguments, ROOM_DEVICES_MAX);
	await_readable(stay.guest.room.listen_fd);
	assert_int_equal(guest_accept(&stay.guest), 0);
	assert_int_equal(stay.guest.room.listen_fd, -1);
	assert_int_equal(read_number(stay.guest.time_fd), 0);
	for (unsigned int i = 0; i < ROOM_DEVICES_MAX; i++) {
		assert_true(stay.guest.room.device_fd[i] >= 0);
		assert_int_equal(stay.guest.device[i].fd, -1);
		if (!number[i])
			continue;
		await_readable(stay.guest.room.device_fd[i]);
		assert_int_equal(guest_accept_device(&stay.guest, i), 0);
		assert_int_equal(stay.guest.room.device_fd[i], -1);
		assert_int_equal(read_number(stay.guest.device[i].fd), number[i]);
	}
	stay_end(&stay, 0);
}

static void test_no_door_that_was_not_asked_for(void **state)
{
	const char *arguments[] = { "visitor", "knock", "{room}/run/dev0", "{room}/run/dev1",
				    NULL };
	struct stay stay;

	(void)state;
	stay_begin(&stay, arguments, 1);
	assert_int_equal(stay.guest.room.device_fd[1], -1);
	stay_end(&stay, 1);
}

/* ---- Asleep or not ----------------------------------------------------------------------------
 */

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
	await_readable(stay.guest.room.keeper_fd);
	assert_int_equal(guest_await_blocked(&stay.guest), -ESRCH);
	stay_end(&stay, 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_device_has_its_door),
		cmocka_unit_test(test_no_door_that_was_not_asked_for),
		cmocka_unit_test(test_a_guest_that_waits_is_blocked),
		cmocka_unit_test(test_a_guest_that_ended_is_gone),
	};

	if (argc < 2)
		return 2;
	visitor = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
