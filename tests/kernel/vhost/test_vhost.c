// SPDX-License-Identifier: BSD-3-Clause
/* vhost-user on the wire: messages that come whole, in pieces or wrong; replies and calls. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/kernel/vhost/vhost_peer.h"

static struct peer peer; /* too large for a stack */
static unsigned int descriptors;

static int stage_open(void **state)
{
	(void)state;
	descriptors = open_descriptors();
	peer_open(&peer);
	return 0;
}

/* Nobody leaks, in any test. */
static int stage_close(void **state)
{
	(void)state;
	peer_close(&peer);
	assert_int_equal(open_descriptors(), descriptors);
	return 0;
}

static int receive(void)
{
	return vhost_receive(&peer.vhost, &peer.message);
}

static void agree_on_replies(void)
{
	assert_int_equal(peer_set_value(&peer, VHOST_SET_PROTOCOL_FEATURES, VHOST_PROTOCOL_NEEDED),
			 0);
}

static void write_bytes(int fd, const void *data, size_t size)
{
	assert_int_equal(write(fd, data, size), size);
}

/* ---- Receiving ------------------------------------------------------------------------------ */

static void test_message_with_a_body(void **state)
{
	const uint64_t value = 0x1122334455667788;

	(void)state;
	assert_int_equal(receive(), -EAGAIN);
	peer_send(&peer, VHOST_SET_FEATURES, 9, &value, sizeof(value), NULL, 0);
	assert_int_equal(receive(), 1);
	assert_int_equal(peer.message.request, VHOST_SET_FEATURES);
	assert_int_equal(peer.message.flags, 9);
	assert_int_equal(peer.message.size, 8);
	assert_memory_equal(peer.message.body, &value, 8);
	assert_int_equal(peer.message.fd_count, 0);
	assert_int_equal(receive(), -EAGAIN);
}

/* As in virtio_uml: SET_OWNER, and GET_FEATURES without waiting. poll() must report it. */
static void test_messages_before_replies_are_agreed_on(void **state)
{
	struct pollfd ready = { .fd = peer.vhost.fd, .events = POLLIN };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	peer_send(&peer, VHOST_SET_OWNER, 1, NULL, 0, NULL, 0);
	peer_send(&peer, VHOST_SET_VRING_CALL, 1, "12345678", 8, &null, 1);
	peer_send(&peer, VHOST_GET_FEATURES, 1, NULL, 0, NULL, 0);
	close(null);
	assert_int_equal(receive(), 1);
	assert_int_equal(peer.message.request, VHOST_SET_OWNER);
	assert_int_equal(peer.message.fd_count, 0);
	assert_int_equal(poll(&ready, 1, 0), 1);
	assert_int_equal(receive(), 1);
	assert_int_equal(peer.message.request, VHOST_SET_VRING_CALL);
	assert_int_equal(peer.message.fd_count, 1);
	vhost_message_close(&peer.message);
	assert_int_equal(poll(&ready, 1, 0), 1);
	assert_int_equal(receive(), 1);
	assert_int_equal(peer.message.request, VHOST_GET_FEATURES);
	assert_int_equal(peer.message.fd_count, 0);
	assert_int_equal(poll(&ready, 1, 0), 0);
}

static void test_a_message_before_the_reply_to_the_last(void **state)
{
	const uint32_t kick[] = { 0, 0 };

	(void)state;
	agree_on_replies();
	peer_send(&peer, VHOST_VRING_KICK, 9, kick, sizeof(kick), NULL, 0);
	peer_send(&peer, VHOST_VRING_KICK, 9, kick, sizeof(kick), NULL, 0);
	assert_int_equal(receive(), -EBADMSG);
	assert_string_equal(peer.vhost.problem,
			    "VRING_KICK followed by another message before its reply");
}

static void test_longest_message(void **state)
{
	static uint8_t body[VHOST_BODY_MAX + 1];

	(void)state;
	memset(body, 0x5a, sizeof(body));
	for (int i = 0; i < 2; i++) {
		peer_send(&peer, VHOST_SET_CONFIG, 1, body, VHOST_BODY_MAX, NULL, 0);
		assert_int_equal(receive(), 1);
		assert_int_equal(peer.message.size, VHOST_BODY_MAX);
		assert_memory_equal(peer.message.body, body, VHOST_BODY_MAX);
		agree_on_replies();
	}
	peer_send(&peer, VHOST_SET_CONFIG, 1, body, VHOST_BODY_MAX + 1, NULL, 0);
	assert_int_equal(receive(), -EBADMSG);
	assert_string_equal(peer.vhost.problem, "SET_CONFIG of 4097 bytes");
}

static void test_flags_that_no_guest_sends(void **state)
{
	static const uint32_t bad[] = { 0, 2, 3, 5, 0xd, 0x11, 0x80000001, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		peer_send(&peer, VHOST_GET_FEATURES, bad[i], NULL, 0, NULL, 0);
		assert_int_equal(receive(), -EBADMSG);
		assert_non_null(strstr(peer.vhost.problem, "GET_FEATURES with flags 0x"));
	}
}

static void test_end_of_the_connection(void **state)
{
	(void)state;
	peer_send(&peer, VHOST_SET_OWNER, 1, NULL, 0, NULL, 0);
	close_fd(&peer.fd);
	assert_int_equal(receive(), 1);
	assert_int_equal(receive(), 0);
	assert_int_equal(vhost_reply_value(&peer.vhost, VHOST_SET_OWNER, 0), -EPIPE);
	assert_int_equal(receive(), 0);
}

/* A guest that dies with a reply unread: the socket says that its end was reset. */
static void test_end_with_a_reply_unread(void **state)
{
	(void)state;
	assert_int_equal(vhost_reply_value(&peer.vhost, VHOST_GET_FEATURES, 1), 0);
	close_fd(&peer.fd);
	assert_int_equal(receive(), 0);
}

/* ---- Pieces --------------------------------------------------------------------------------- */

struct pieces {
	const uint8_t *data;
	size_t size, piece;
};

static void *send_pieces(void *argument)
{
	const struct pieces *pieces = argument;
	const struct timespec pause = { .tv_nsec = 200000 };

	for (size_t i = 0; i < pieces->size; i += pieces->piece) {
		size_t left = pieces->size - i;

		if (write(peer.fd, pieces->data + i, left < pieces->piece ? left : pieces->piece) <
		    0)
			break;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void receive_in_pieces(size_t piece)
{
	struct {
		struct peer_header header;
		uint8_t body[24];
	} message = { { VHOST_SET_CONFIG, 1, 24 }, "abcdefghijklmnopqrstuvw" };
	struct pieces pieces = { (uint8_t *)&message, sizeof(message), piece };
	pthread_t thread;
	int got;

	assert_int_equal(pthread_create(&thread, NULL, send_pieces, &pieces), 0);
	do {
		got = receive();
	} while (got == -EAGAIN);
	pthread_join(thread, NULL);
	assert_int_equal(got, 1);
	assert_int_equal(peer.message.request, VHOST_SET_CONFIG);
	assert_int_equal(peer.message.size, 24);
	assert_memory_equal(peer.message.body, message.body, 24);
}

static void test_messages_in_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 36; piece += 5)
		receive_in_pieces(piece);
	agree_on_replies();
	for (size_t piece = 1; piece < 36; piece += 5)
		receive_in_pieces(piece);
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void test_message_without_its_end(void **state)
{
	const struct peer_header header = { VHOST_SET_FEATURES, 1, 8 };
	uint64_t begin = clock_ns();

	(void)state;
	write_bytes(peer.fd, &header, sizeof(header));
	assert_int_equal(receive(), -EBADMSG);
	assert_string_equal(peer.vhost.problem, "a truncated message, 8 bytes missing");
	assert_in_range(clock_ns() - begin, VHOST_PATIENCE_NS, 10 * VHOST_PATIENCE_NS);
}

static void test_end_within_a_message(void **state)
{
	const struct peer_header header = { VHOST_SET_FEATURES, 1, 8 };
	uint64_t begin = clock_ns();

	(void)state;
	write_bytes(peer.fd, &header, 7);
	close_fd(&peer.fd);
	assert_int_equal(receive(), -EBADMSG);
	assert_string_equal(peer.vhost.problem, "a truncated message, 5 bytes missing");
	assert_true(clock_ns() - begin < VHOST_PATIENCE_NS / 2);
}

/* ---- Descriptors ---------------------------------------------------------------------------- */

static void test_descriptors_arrive_and_are_closed(void **state)
{
	unsigned int before = open_descriptors();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[VHOST_FDS_MAX];

	(void)state;
	for (size_t i = 0; i < VHOST_FDS_MAX; i++)
		fds[i] = null;
	peer_send(&peer, VHOST_SET_MEM_TABLE, 1, "body", 4, fds, VHOST_FDS_MAX);
	close(null);
	assert_int_equal(receive(), 1);
	assert_int_equal(peer.message.fd_count, VHOST_FDS_MAX);
	for (size_t i = 0; i < VHOST_FDS_MAX; i++)
		assert_true(fcntl(peer.message.fd[i], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(open_descriptors(), before + VHOST_FDS_MAX);
	vhost_message_close(&peer.message);
	assert_int_equal(open_descriptors(), before);
	vhost_message_close(&peer.message);
}

static void test_too_many_descriptors(void **state)
{
	unsigned int before = open_descriptors();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[VHOST_FDS_MAX + 1];

	(void)state;
	for (size_t i = 0; i <= VHOST_FDS_MAX; i++)
		fds[i] = null;
	peer_send(&peer, VHOST_SET_MEM_TABLE, 1, "body", 4, fds, VHOST_FDS_MAX + 1);
	close(null);
	assert_int_equal(receive(), -EBADMSG);
	assert_string_equal(peer.vhost.problem, "more than 8 descriptors in a message");
	assert_int_equal(open_descriptors(), before);
}

/* Nor do they stay open when the message is wrong, or when they come with its second half. */
static void test_descriptors_of_wrong_messages(void **state)
{
	const struct peer_header header = { VHOST_SET_VRING_KICK, 1, 20 };
	unsigned int before = open_descriptors();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	peer_send(&peer, VHOST_SET_OWNER, 7, NULL, 0, &null, 1);
	assert_int_equal(receive(), -EBADMSG);
	write_bytes(peer.fd, &header, sizeof(header));
	peer_send(&peer, 1, 1, "12345678", 8, &null, 1);
	close(null);
	assert_int_equal(receive(), 1);
	assert_int_equal(peer.message.fd_count, 0);
	assert_int_equal(open_descriptors(), before);
}

/* ---- Replies -------------------------------------------------------------------------------- */

static void test_replies(void **state)
{
	struct {
		struct peer_header header;
		uint8_t body[16];
	} reply;
	const uint64_t value = 0xfedcba9876543210;

	(void)state;
	assert_int_equal(vhost_reply_value(&peer.vhost, VHOST_GET_FEATURES, value), 0);
	assert_int_equal(read(peer.fd, &reply, sizeof(reply)), 20);
	assert_int_equal(reply.header.request, VHOST_GET_FEATURES);
	assert_int_equal(reply.header.flags, 5);
	assert_int_equal(reply.header.size, 8);
	assert_memory_equal(reply.body, &value, 8);
	assert_int_equal(vhost_reply_body(&peer.vhost, VHOST_GET_CONFIG, "configuration", 13), 0);
	assert_int_equal(read(peer.fd, &reply, sizeof(reply)), 25);
	assert_int_equal(reply.header.size, 13);
	assert_memory_equal(reply.body, "configuration", 13);
	assert_int_equal(
		vhost_reply_body(&peer.vhost, VHOST_GET_CONFIG, reply.body, VHOST_BODY_MAX + 1),
		-EMSGSIZE);
}

static void test_who_expects_a_reply(void **state)
{
	static const uint32_t answered[] = { VHOST_GET_FEATURES, VHOST_GET_PROTOCOL_FEATURES,
					     VHOST_GET_QUEUE_NUM, VHOST_GET_CONFIG,
					     VHOST_GET_VRING_BASE };
	struct vhost_message message = { .flags = 1 };
	size_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		message.request = i;
		count += vhost_expects_reply(&message);
	}
	assert_int_equal(count, ARRAY_SIZE(answered));
	for (size_t i = 0; i < ARRAY_SIZE(answered); i++) {
		message.request = answered[i];
		assert_true(vhost_expects_reply(&message));
	}
	message = (struct vhost_message){ .request = 99, .flags = 9 };
	assert_true(vhost_expects_reply(&message));
}

static void test_guest_that_does_not_read(void **state)
{
	int err = 0;

	(void)state;
	while (!err)
		err = vhost_reply_value(&peer.vhost, VHOST_GET_FEATURES, 1);
	assert_int_equal(err, -EAGAIN);
}

static void test_requests_have_names(void **state)
{
	char text[VHOST_NAME_TEXT];

	(void)state;
	assert_string_equal(vhost_request_text(VHOST_SET_VRING_NUM, text), "SET_VRING_NUM");
	assert_string_equal(vhost_request_text(VHOST_VRING_KICK, text), "VRING_KICK");
	assert_string_equal(vhost_request_text(0, text), "request 0");
	assert_string_equal(vhost_request_text(4, text), "request 4");
	assert_string_equal(vhost_request_text(36, text), "request 36");
	assert_string_equal(vhost_request_text(UINT32_MAX, text), "request 4294967295");
}

/* ---- Calls ---------------------------------------------------------------------------------- */

struct called {
	struct peer_header header;
	uint64_t value;
} __attribute__((packed));

static void reply_called(uint32_t request, uint32_t flags, uint32_t size, uint64_t value)
{
	const struct called reply = { { request, flags, size }, value };

	write_bytes(peer.calls, &reply, sizeof(reply));
}

static void test_call_and_its_reply(void **state)
{
	struct called call;
	uint64_t value = 99;

	(void)state;
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 0), -ENOTCONN);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), -ENOTCONN);
	assert_int_equal(peer_set_calls(&peer), 0);
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 3), 0);
	assert_int_equal(read(peer.calls, &call, sizeof(call)), 20);
	assert_int_equal(call.header.request, 4);
	assert_int_equal(call.header.flags, 9);
	assert_int_equal(call.header.size, 8);
	assert_int_equal(call.value, 3);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), -EAGAIN);
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 3), -EBUSY);
	reply_called(4, 5, 8, 1);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), 1);
	assert_int_equal(value, 1);

	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_CONFIG_CHANGE, 0), 0);
	assert_int_equal(read(peer.calls, &call, sizeof(call)), 12);
	assert_int_equal(call.header.request, 2);
	assert_int_equal(call.header.size, 0);
	reply_called(2, 5, 8, 0);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), 1);
	assert_int_equal(value, 0);
}

static void test_replies_to_calls_that_are_wrong(void **state)
{
	static const uint32_t bad[][3] = { { 2, 5, 8 }, { 4, 1, 8 }, { 4, 13, 8 }, { 4, 5, 4 } };
	uint64_t value = 99;

	(void)state;
	assert_int_equal(peer_set_calls(&peer), 0);
	reply_called(4, 5, 8, 0);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), -EBADMSG);
	assert_string_equal(peer.vhost.problem,
			    "a reply on the connection for calls without a call");
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		reply_called(bad[i][0], bad[i][1], bad[i][2], 0);
		assert_int_equal(vhost_take_called(&peer.vhost, &value), -EBADMSG);
		assert_non_null(strstr(peer.vhost.problem, "call 4 replied to with request"));
	}
	assert_int_equal(value, 99);
	reply_called(4, 5, 8, 0);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), 1);
}

static void test_guest_gone_with_a_call(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(peer_set_calls(&peer), 0);
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 0), 0);
	close_fd(&peer.calls);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), 0);
	assert_int_equal(peer_set_calls(&peer), 0);
	close_fd(&peer.calls);
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 0), -EPIPE);
}

static void test_reply_to_a_call_that_is_cut_off(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(peer_set_calls(&peer), 0);
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 0), 0);
	write_bytes(peer.calls, &(struct peer_header){ 4, 5, 8 }, 12);
	shutdown(peer.calls, SHUT_WR);
	assert_int_equal(vhost_take_called(&peer.vhost, &value), -EBADMSG);
	assert_string_equal(peer.vhost.problem, "a truncated message, 8 bytes missing");
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGED(test_message_with_a_body),
		STAGED(test_messages_before_replies_are_agreed_on),
		STAGED(test_a_message_before_the_reply_to_the_last),
		STAGED(test_longest_message),
		STAGED(test_flags_that_no_guest_sends),
		STAGED(test_end_of_the_connection),
		STAGED(test_end_with_a_reply_unread),
		STAGED(test_messages_in_pieces),
		STAGED(test_message_without_its_end),
		STAGED(test_end_within_a_message),
		STAGED(test_descriptors_arrive_and_are_closed),
		STAGED(test_too_many_descriptors),
		STAGED(test_descriptors_of_wrong_messages),
		STAGED(test_replies),
		STAGED(test_who_expects_a_reply),
		STAGED(test_guest_that_does_not_read),
		STAGED(test_requests_have_names),
		STAGED(test_call_and_its_reply),
		STAGED(test_replies_to_calls_that_are_wrong),
		STAGED(test_guest_gone_with_a_call),
		STAGED(test_reply_to_a_call_that_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
