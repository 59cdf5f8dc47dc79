// SPDX-License-Identifier: BSD-3-Clause
/* What panics the kernel ends the participant, says so in its words, and stays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/kernel/participant/participant_script.h"

/* It failed with this, and fails with it again whatever is asked of it. */
static void assert_panicked(struct participant *p, enum participant_panic panic, int error,
			    const char *text)
{
	uint64_t time;

	assert_int_equal(participant_panic(p), panic);
	assert_non_null(strstr(participant_error(p), text));
	assert_int_equal(participant_connect(p, "/nowhere"), error);
	assert_int_equal(participant_start(p), error);
	assert_int_equal(participant_run(p), error);
	assert_int_equal(participant_sleep(p, 1), error);
	assert_int_equal(participant_delay(p, 1), error);
	assert_int_equal(participant_read_clock(p, &time), error);
	assert_int_equal(participant_time_of_day(p, &time), error);
	assert_int_equal(participant_propagate(p), error);
	assert_int_equal(participant_broadcast(p, 1), error);
	assert_int_equal(participant_wait_readable(p, 0), error);
}

static void broken_link(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT, CLOSE);
	assert_int_equal(participant_delay(s.participant, 10), -EPIPE);
	assert_panicked(s.participant, PARTICIPANT_PANIC_LINK, -EPIPE,
			"time-travel external link is broken");
	script_end(&s);
}

static void link_broken_before_it_writes(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, CLOSE);
	pthread_join(s.thread, NULL);
	assert_int_equal(participant_delay(s.participant, 10), -EPIPE);
	assert_panicked(s.participant, PARTICIPANT_PANIC_LINK, -EPIPE,
			"time-travel external link is broken");
	participant_destroy(s.participant);
	close(s.fd);
	close(s.pipe[0]);
	close(s.pipe[1]);
}

static void half_a_message(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT, HALF(7));
	assert_int_equal(participant_delay(s.participant, 10), -EBADMSG);
	assert_panicked(s.participant, PARTICIPANT_PANIC_MESSAGE, -EBADMSG,
			"invalid time-travel message - 7 bytes");
	script_end(&s);
}

/* A controller that closes with something unread resets the connection. */
static void reset_connection(void **state)
{
	struct participant *p;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(participant_create(NULL, &p), 0);
	assert_int_equal(participant_attach(p, pair[0], 1), 0);
	assert_int_equal(write(pair[0], "unread", 6), 6);
	close(pair[1]);
	assert_int_equal(participant_start(p), -ECONNRESET);
	assert_panicked(p, PARTICIPANT_PANIC_MESSAGE, -ECONNRESET,
			"invalid time-travel message - -104 bytes");
	participant_destroy(p);
}

static void ack_of_another_message(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, EXPECT(REQUEST, 10), MISANSWER);
	assert_int_equal(participant_delay(s.participant, 10), -EPROTO);
	assert_panicked(s.participant, PARTICIPANT_PANIC_SEQUENCE, -EPROTO,
			"ACK message has different seqno! op=2, seq=3 != 2");
	script_end(&s);
}

static void run_backwards(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT_RUN(10), REQUEST(20), WAIT, SEND(RUN, 9));
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_int_equal(participant_delay(s.participant, 10), -EPROTO);
	assert_panicked(s.participant, PARTICIPANT_PANIC_BACKWARDS, -EPROTO,
			"time goes backwards 10 -> 9");
	assert_int_equal(participant_now(s.participant), 10);
	script_end(&s);
}

static void get_backwards(void **state)
{
	struct participant_event event;

	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT_RUN(10), GET(9));
	participant_event_init(&event, NULL, NULL);
	assert_int_equal(participant_delay(s.participant, 10), 0);
	assert_int_equal(participant_interrupt(s.participant, &event), -EPROTO);
	assert_panicked(s.participant, PARTICIPANT_PANIC_BACKWARDS, -EPROTO,
			"time goes backwards 10 -> 9");
	script_end(&s);
}

static void sleep_forever(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(NEVER), WAIT, SEND(RUN, NEVER));
	assert_int_equal(participant_run(s.participant), -EDEADLK);
	assert_panicked(s.participant, PARTICIPANT_PANIC_FOREVER, -EDEADLK,
			"going to sleep forever");
	script_end(&s);
}

static void run_before_its_time(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT_RUN(9));
	assert_int_equal(participant_delay(s.participant, 10), -EPROTO);
	assert_panicked(s.participant, PARTICIPANT_PANIC_TIME, -EPROTO,
			"run at 9, but the event is at 10");
	script_end(&s);
}

static void run_after_its_time(void **state)
{
	(void)state;
	SCRIPT(s, V6_12, START, REQUEST(10), WAIT_RUN(11));
	assert_int_equal(participant_delay(s.participant, 10), -EPROTO);
	assert_panicked(s.participant, PARTICIPANT_PANIC_TIME, -EPROTO,
			"run at 11, but the event is at 10");
	script_end(&s);
}

static void delay_too_long(struct participant *p, struct participant_event *event)
{
	(void)event;
	assert_int_equal(participant_delay(p, 61), -EPROTO);
}

static void delay_beyond_the_interrupted_one(void **state)
{
	struct participant_event event;

	(void)state;
	SCRIPT(s, V5_10, START, REQUEST(40), WAIT_RUN(40), REQUEST(100), WAIT_RUN(100));
	participant_event_init(&event, delay_too_long, NULL);
	participant_event_add(s.participant, &event, 40);
	assert_int_equal(participant_delay(s.participant, 100), -EPROTO);
	assert_panicked(s.participant, PARTICIPANT_PANIC_STACK, -EPROTO,
			"on-stack event dequeued outside of the stack! time=100");
	script_end(&s);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static void parses_addresses_like_the_kernel(void **state)
{
	static const struct {
		const char *address;
		int error;
		uint64_t id;
		const char *path;
	} cases[] = {
		{ "/run/x", 0, PARTICIPANT_ID_NONE, "/run/x" },
		{ "12:/run/x", 0, 12, "/run/x" },
		{ "0:/run/x", 0, 0, "/run/x" },
		{ "017:/x", 0, 15, "/x" },
		{ "0x1F:/x", 0, 31, "/x" },
		{ "0X1f:/x", 0, 31, "/x" },
		{ "+5:/x", 0, 5, "/x" },
		{ "5\n:/x", 0, 5, "/x" },
		{ "18446744073709551615:/x", 0, UINT64_MAX, "/x" },
		{ "0xffffffffffffffff:/x", 0, UINT64_MAX, "/x" },
		{ "000000000000000000000001:/x", 0, 1, "/x" }, /* 24 characters */
		{ "7:/x:y", 0, 7, "/x:y" },
		{ "7:", 0, 7, "" },
		{ "0000000000000000000000001:/x", -EINVAL, 0, NULL }, /* 25 */
		{ "18446744073709551616:/x", -EINVAL, 0, NULL },
		{ "0x10000000000000000:/x", -EINVAL, 0, NULL },
		{ ":/x", -EINVAL, 0, NULL },
		{ "-1:/x", -EINVAL, 0, NULL },
		{ "+:/x", -EINVAL, 0, NULL },
		{ "++1:/x", -EINVAL, 0, NULL },
		{ " 1:/x", -EINVAL, 0, NULL },
		{ "1 :/x", -EINVAL, 0, NULL },
		{ "08:/x", -EINVAL, 0, NULL },
		{ "0x:/x", -EINVAL, 0, NULL },
		{ "0xg:/x", -EINVAL, 0, NULL },
		{ "1f:/x", -EINVAL, 0, NULL },
		{ "5\n\n:/x", -EINVAL, 0, NULL },
		{ "/run/with:colon", -EINVAL, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *path = NULL;
		uint64_t id = 0;

		if (participant_parse_address(cases[i].address, &id, &path) != cases[i].error ||
		    id != cases[i].id)
			fail_msg("address '%s'", cases[i].address);
		if (!cases[i].error)
			assert_string_equal(path, cases[i].path);
	}
}

static void invalid_id(void **state)
{
	struct participant *p;

	(void)state;
	assert_int_equal(participant_create(NULL, &p), 0);
	assert_int_equal(participant_connect(p, "x:/run/clock"), -EINVAL);
	assert_panicked(p, PARTICIPANT_PANIC_ADDRESS, -EINVAL,
			"invalid external ID in string 'x:/run/clock'");
	participant_destroy(p);
}

static void nobody_listens(void **state)
{
	struct participant *p;

	(void)state;
	assert_int_equal(participant_create(NULL, &p), 0);
	assert_int_equal(participant_connect(p, "3:/nowhere/clock"), -ENOENT);
	assert_panicked(p, PARTICIPANT_PANIC_CONNECT, -ENOENT,
			"failed to connect to external socket /nowhere/clock");
	participant_destroy(p);
}

static void connects_to_a_path(void **state)
{
	char directory[] = "/tmp/participant.XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd listener = socket(AF_UNIX, SOCK_STREAM, 0);
	char text[sizeof(address.sun_path) + 8];
	struct participant *p;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/clock", directory);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	snprintf(text, sizeof(text), "3:%s", address.sun_path);
	assert_int_equal(participant_create(NULL, &p), 0);
	assert_int_equal(participant_connect(p, text), 0);
	assert_int_equal(participant_connect(p, text), -EALREADY);
	assert_int_equal(participant_attach(p, dup(listener), 1), -EALREADY);
	participant_destroy(p);
	unlink(address.sun_path);
	rmdir(directory);
}

static void unknown_kernel(void **state)
{
	struct participant_options options = { .size = sizeof(options), .kernel = 99 };
	struct participant *p;

	(void)state;
	assert_int_equal(participant_create(&options, &p), -EINVAL);
	options.size = sizeof(size_t);
	assert_int_equal(participant_create(&options, &p), 0);
	participant_destroy(p);
	participant_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_link),
		cmocka_unit_test(link_broken_before_it_writes),
		cmocka_unit_test(half_a_message),
		cmocka_unit_test(reset_connection),
		cmocka_unit_test(ack_of_another_message),
		cmocka_unit_test(run_backwards),
		cmocka_unit_test(get_backwards),
		cmocka_unit_test(sleep_forever),
		cmocka_unit_test(run_before_its_time),
		cmocka_unit_test(run_after_its_time),
		cmocka_unit_test(delay_beyond_the_interrupted_one),
		cmocka_unit_test(parses_addresses_like_the_kernel),
		cmocka_unit_test(invalid_id),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(connects_to_a_path),
		cmocka_unit_test(unknown_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
