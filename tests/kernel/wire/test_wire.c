// SPDX-License-Identifier: BSD-3-Clause
/* The wire: whole messages out of a stream, whole messages into it, and the ACK of a START. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/wire/wire.h"

static const struct wire_message sample = { TRACE_OP_REQUEST, 7, 0x0123456789abcdef };

struct pair {
	int here, there;
};

static void pair_open(struct pair *pair)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*pair = (struct pair){ fds[0], fds[1] };
}

static void pair_close(struct pair *pair)
{
	close_fd(&pair->here);
	close_fd(&pair->there);
}

static void write_bytes(int fd, const void *data, size_t size)
{
	assert_int_equal(write(fd, data, size), size);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static void test_partial_messages_are_put_together(void **state)
{
	const uint8_t *bytes = (const uint8_t *)&sample;
	struct wire_input input = {};
	struct wire_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (size_t i = 0; i < sizeof(sample); i++) {
		assert_int_equal(wire_input_take(&input, &message), 0);
		assert_int_equal(wire_input_partial(&input), i);
		write_bytes(pair.there, bytes + i, 1);
		assert_int_equal(wire_input_fill(&input, pair.here), 1);
	}
	assert_int_equal(wire_input_partial(&input), 0);
	assert_int_equal(wire_input_take(&input, &message), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
	assert_int_equal(wire_input_take(&input, &message), 0);
	pair_close(&pair);
}

static void test_several_messages_in_one_read(void **state)
{
	struct wire_message messages[3] = { { 2, 1, 10 }, { 3, 2, UINT64_MAX }, { 0, 9, 0 } };
	struct wire_input input = {};
	struct wire_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	write_bytes(pair.there, messages, sizeof(messages));
	write_bytes(pair.there, &sample, 5);
	assert_int_equal(wire_input_fill(&input, pair.here), sizeof(messages) + 5);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		assert_int_equal(wire_input_take(&input, &message), 1);
		assert_memory_equal(&message, &messages[i], sizeof(message));
	}
	assert_int_equal(wire_input_take(&input, &message), 0);
	assert_int_equal(wire_input_partial(&input), 5);

	write_bytes(pair.there, (const uint8_t *)&sample + 5, sizeof(sample) - 5);
	assert_int_equal(wire_input_fill(&input, pair.here), sizeof(sample) - 5);
	assert_int_equal(wire_input_take(&input, &message), 1);
	assert_memory_equal(&message, &sample, sizeof(sample));
	pair_close(&pair);
}

/* Thousands of messages through a buffer of 64, taken at any moment. */
static void test_a_long_stream_keeps_its_order(void **state)
{
	struct wire_input input = {};
	uint32_t written = 0, taken = 0;
	struct wire_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	while (taken < 5000) {
		for (uint32_t i = 0; i < 1 + written % 7; i++) {
			message = (struct wire_message){ TRACE_OP_GET, written++, 0 };
			write_bytes(pair.there, &message, sizeof(message));
		}
		assert_true(wire_input_fill(&input, pair.here) > 0);
		while (wire_input_take(&input, &message))
			assert_int_equal(message.seq, taken++);
	}
	pair_close(&pair);
}

static void test_full_buffer_is_not_end_of_file(void **state)
{
	struct wire_input input = {};
	struct wire_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (size_t i = 0; i < sizeof(input.data) / sizeof(sample) + 1; i++)
		write_bytes(pair.there, &sample, sizeof(sample));
	assert_int_equal(wire_input_fill(&input, pair.here), sizeof(input.data));
	assert_int_equal(wire_input_fill(&input, pair.here), -ENOBUFS);
	assert_int_equal(wire_input_take(&input, &message), 1);
	assert_int_equal(wire_input_fill(&input, pair.here), sizeof(sample));
	pair_close(&pair);
}

static void test_nothing_there_and_end_of_file(void **state)
{
	struct wire_input input = {};
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(wire_input_fill(&input, pair.here), -EAGAIN);
	write_bytes(pair.there, &sample, 3);
	close_fd(&pair.there);
	assert_int_equal(wire_input_fill(&input, pair.here), 3);
	assert_int_equal(wire_input_fill(&input, pair.here), 0);
	assert_int_equal(wire_input_partial(&input), 3);
	pair_close(&pair);
}

static void test_reading_errors_are_reported(void **state)
{
	struct wire_input input = {};

	(void)state;
	assert_int_equal(wire_input_fill(&input, -1), -EBADF);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void test_messages_are_sent_at_once(void **state)
{
	const struct wire_message messages[2] = { { TRACE_OP_ACK, 3, 0 }, { TRACE_OP_RUN, 4, 99 } };
	struct wire_message got[2];
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(wire_send(pair.here, messages, 2), 0);
	assert_int_equal(read(pair.there, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, messages, sizeof(got));
	assert_int_equal(wire_send(pair.here, messages, 0), 0);
	pair_close(&pair);
}

static void test_full_socket_is_an_error_not_a_hang(void **state)
{
	struct wire_message message;
	size_t sent = 0, got = 0;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	while (wire_send(pair.here, &sample, 1) == 0)
		sent++;
	assert_true(sent > 100);
	assert_int_equal(wire_send(pair.here, &sample, 1), -EAGAIN);
	close_fd(&pair.here);
	while (read(pair.there, &message, sizeof(message)) == sizeof(message)) {
		assert_memory_equal(&message, &sample, sizeof(sample));
		got++;
	}
	assert_int_equal(got, sent);
	pair_close(&pair);
}

static void test_gone_client_is_an_error_not_a_signal(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	close_fd(&pair.there);
	assert_int_equal(wire_send(pair.here, &sample, 1), -EPIPE);
	assert_int_equal(wire_send_start_ack(pair.here, &sample), -EPIPE);
	pair_close(&pair);
}

/* ---- The ACK of a START --------------------------------------------------------------------- */

static const struct wire_message start_ack = { TRACE_OP_ACK, 1, 0 };

/* Reads like a kernel since 6.11: os_rcv_fd_msg() with room for two descriptors. */
static void receive_descriptors(int fd, struct wire_message *message, int fds[2])
{
	union {
		struct cmsghdr header;
		uint8_t data[CMSG_SPACE(2 * sizeof(int))];
	} control = {};
	struct iovec vector = { message, sizeof(*message) };
	struct msghdr header = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	const struct cmsghdr *rights;

	assert_int_equal(recvmsg(fd, &header, 0), sizeof(*message));
	assert_int_equal(header.msg_flags & MSG_CTRUNC, 0);
	rights = CMSG_FIRSTHDR(&header);
	assert_non_null(rights);
	assert_int_equal(rights->cmsg_type, SCM_RIGHTS);
	assert_int_equal(rights->cmsg_len, CMSG_LEN(2 * sizeof(int)));
	memcpy(fds, CMSG_DATA(rights), 2 * sizeof(int));
}

static void test_start_ack_brings_descriptors(void **state)
{
	struct wire_message message;
	uint32_t shared[2];
	struct pair pair;
	struct stat info;
	int fds[2];

	(void)state;
	pair_open(&pair);
	assert_int_equal(wire_send_start_ack(pair.here, &start_ack), 0);
	receive_descriptors(pair.there, &message, fds);
	assert_memory_equal(&message, &start_ack, sizeof(message));

	/* The memory: version 0, which nobody shares, and a length that can be mapped. */
	assert_int_equal(fstat(fds[0], &info), 0);
	assert_int_equal(info.st_size, 4096);
	assert_int_equal(pread(fds[0], shared, sizeof(shared), 0), sizeof(shared));
	assert_int_equal(shared[0], 0);
	assert_int_equal(shared[1], 4096);

	assert_int_equal(fstat(fds[1], &info), 0);
	assert_true(S_ISCHR(info.st_mode));
	assert_true(info.st_rdev == makedev(1, 3));
	close_fd(&fds[0]);
	close_fd(&fds[1]);
	pair_close(&pair);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Kernels up to 6.10 just read(); the descriptors vanish, on both sides. */
static void test_start_ack_is_readable_without_descriptors(void **state)
{
	struct wire_message messages[2];
	struct pair pair;
	int before;

	(void)state;
	pair_open(&pair);
	before = open_descriptors();
	assert_int_equal(wire_send_start_ack(pair.here, &start_ack), 0);
	assert_int_equal(wire_send(pair.here, &sample, 1), 0);
	assert_int_equal(read(pair.there, &messages[0], sizeof(messages[0])), 16);
	assert_int_equal(read(pair.there, &messages[1], sizeof(messages[1])), 16);
	assert_memory_equal(&messages[0], &start_ack, sizeof(start_ack));
	assert_memory_equal(&messages[1], &sample, sizeof(sample));
	assert_int_equal(open_descriptors(), before);
	pair_close(&pair);
}

static void test_start_ack_on_a_full_socket(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	while (wire_send(pair.here, &sample, 1) == 0)
		;
	assert_int_equal(wire_send_start_ack(pair.here, &start_ack), -EAGAIN);
	pair_close(&pair);
}

/* ---- Sockets -------------------------------------------------------------------------------- */

struct directory {
	char name[32];
	char socket[64];
};

static void directory_make(struct directory *directory)
{
	strcpy(directory->name, "/tmp/test-wire-XXXXXX");
	assert_non_null(mkdtemp(directory->name));
	snprintf(directory->socket, sizeof(directory->socket), "%s/socket", directory->name);
}

static void directory_remove(struct directory *directory)
{
	unlink(directory->socket);
	assert_int_equal(rmdir(directory->name), 0);
}

static void test_listen_and_connect(void **state)
{
	auto_fd listener = -1, client = -1, accepted = -1;
	struct directory directory;
	struct wire_message message;

	(void)state;
	directory_make(&directory);
	assert_int_equal(wire_listen(directory.socket, &listener), 0);
	assert_int_equal(wire_connect(directory.socket, &client), 0);
	accepted = accept(listener, NULL, NULL);
	assert_true(accepted >= 0);
	assert_int_equal(wire_send(client, &sample, 1), 0);
	assert_int_equal(read(accepted, &message, sizeof(message)), sizeof(message));
	assert_memory_equal(&message, &sample, sizeof(sample));
	assert_true(fcntl(listener, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
	directory_remove(&directory);
}

static void test_path_in_use(void **state)
{
	auto_fd listener = -1;
	struct directory directory;
	int second = -7;

	(void)state;
	directory_make(&directory);
	assert_int_equal(wire_listen(directory.socket, &listener), 0);
	assert_int_equal(wire_listen(directory.socket, &second), -EADDRINUSE);
	assert_int_equal(second, -7);
	directory_remove(&directory);
}

static void test_path_too_long(void **state)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	int fd = -1;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(wire_listen(path, &fd), -ENAMETOOLONG);
	assert_int_equal(wire_connect(path, &fd), -ENAMETOOLONG);
	assert_int_equal(fd, -1);
}

static void test_nobody_listens(void **state)
{
	struct directory directory;
	int fd = -1;

	(void)state;
	directory_make(&directory);
	assert_int_equal(wire_connect(directory.socket, &fd), -ENOENT);
	assert_int_equal(wire_listen(directory.socket, &fd), 0);
	close_fd(&fd);
	assert_int_equal(wire_connect(directory.socket, &fd), -ECONNREFUSED);
	assert_int_equal(fd, -1);
	directory_remove(&directory);
}

static void test_operations_have_names(void **state)
{
	char text[WIRE_NAME_TEXT];

	(void)state;
	assert_string_equal(wire_operation_text(TRACE_OP_FREE_UNTIL, text), "FREE_UNTIL");
	assert_string_equal(wire_operation_text(TRACE_OP_LIMIT, text), "operation 10");
	assert_string_equal(wire_operation_text(UINT32_MAX, text), "operation 4294967295");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partial_messages_are_put_together),
		cmocka_unit_test(test_several_messages_in_one_read),
		cmocka_unit_test(test_a_long_stream_keeps_its_order),
		cmocka_unit_test(test_full_buffer_is_not_end_of_file),
		cmocka_unit_test(test_nothing_there_and_end_of_file),
		cmocka_unit_test(test_reading_errors_are_reported),
		cmocka_unit_test(test_messages_are_sent_at_once),
		cmocka_unit_test(test_full_socket_is_an_error_not_a_hang),
		cmocka_unit_test(test_gone_client_is_an_error_not_a_signal),
		cmocka_unit_test(test_start_ack_brings_descriptors),
		cmocka_unit_test(test_start_ack_is_readable_without_descriptors),
		cmocka_unit_test(test_start_ack_on_a_full_socket),
		cmocka_unit_test(test_listen_and_connect),
		cmocka_unit_test(test_path_in_use),
		cmocka_unit_test(test_path_too_long),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_operations_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
