// SPDX-License-Identifier: BSD-3-Clause
/* The time-travel protocol on the wire: reading and writing messages, and the sockets they use. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "format/base/transfer.h"
#include "format/base/units.h"
#include "kernel/host/process.h"
#include "kernel/host/unix_socket.h"
#include "format/base/cleanup.h"
#include "kernel/wire/wire.h"

static long input_fill(struct wire_input *input, int fd, int flags)
{
	size_t unread = input->end - input->begin;
	ssize_t got;

	if (unread == sizeof(input->data))
		return -ENOBUFS;
	memmove(input->data, input->data + input->begin, unread);
	input->begin = 0;
	input->end = unread;

	do {
		got = recv(fd, input->data + input->end, sizeof(input->data) - input->end, flags);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	input->end += (size_t)got;
	return got;
}

long wire_input_fill(struct wire_input *input, int fd)
{
	return input_fill(input, fd, MSG_DONTWAIT);
}

int wire_set_patience(int fd, unsigned int ms)
{
	struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ? -errno : 0;
}

long wire_input_await(struct wire_input *input, int fd)
{
	return input_fill(input, fd, 0);
}

int wire_input_peek(const struct wire_input *input, struct wire_message *message)
{
	if (input->end - input->begin < sizeof(*message))
		return 0;
	memcpy(message, input->data + input->begin, sizeof(*message));
	return 1;
}

int wire_input_take(struct wire_input *input, struct wire_message *message)
{
	if (input->end - input->begin < sizeof(*message))
		return 0;
	memcpy(message, input->data + input->begin, sizeof(*message));
	input->begin += sizeof(*message);
	return 1;
}

size_t wire_input_partial(const struct wire_input *input)
{
	return (input->end - input->begin) % sizeof(struct wire_message);
}

int wire_send(int fd, const struct wire_message *messages, size_t count)
{
	return transfer_all(messages, count * sizeof(*messages),
			    send(fd, place, left, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/*
 * The first fields of struct um_timetravel_schedshm. The length must be mappable: usfstl's clients
 * map that much before they check the version.
 */
struct shared_header {
	uint32_t version;
	uint32_t size;
};

#define SHARED_SIZE 4096

/* Shared memory that every client declines, because version 0 is unknown to all. */
static int declined_memory(int *fd)
{
	const struct shared_header header = { .version = 0, .size = SHARED_SIZE };
	auto_fd memory = memfd_create("ttrec-no-shared-memory", MFD_CLOEXEC);

	if (memory < 0 || ftruncate(memory, SHARED_SIZE) < 0)
		return -errno;
	if (pwrite(memory, &header, sizeof(header), 0) != sizeof(header))
		return -errno;
	*fd = take_fd(&memory);
	return 0;
}

static int send_with_descriptors(int fd, const struct wire_message *message, const int fds[2])
{
	DESCRIPTORS_CONTROL(2) control;
	struct iovec vector = { .iov_base = (void *)message, .iov_len = sizeof(*message) };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
	ssize_t sent;

	descriptors_attach(&header, &control, fds, 2);
	do {
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	/* The descriptors went with the first byte; what may be left is plain. */
	if ((size_t)sent < sizeof(*message))
		return -EAGAIN;
	return 0;
}

int wire_send_start_ack(int fd, const struct wire_message *ack)
{
	auto_fd memory = -1;
	auto_fd log = open("/dev/null", O_RDWR | O_CLOEXEC);
	int err;

	if (log < 0)
		return -errno;
	err = declined_memory(&memory);
	if (err)
		return err;
	/* The order is the protocol's: UM_TIMETRAVEL_SHARED_MEMFD, UM_TIMETRAVEL_SHARED_LOGFD. */
	return send_with_descriptors(fd, ack, (const int[]){ memory, log });
}

int wire_listen(const char *path, int *fd)
{
	struct sockaddr_un address;
	auto_fd listener = -1;
	int err = unix_address(path, &address);

	if (err)
		return err;
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return -errno;
	if (bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (listen(listener, SOMAXCONN) < 0) {
		err = -errno;
		unlink(path);
		return err;
	}
	*fd = take_fd(&listener);
	return 0;
}

int wire_connect(const char *path, int *fd)
{
	struct sockaddr_un address;
	auto_fd client = -1;
	int err = unix_address(path, &address);

	if (err)
		return err;
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client < 0)
		return -errno;
	do {
		err = connect(client, (const struct sockaddr *)&address, sizeof(address));
	} while (err < 0 && errno == EINTR);
	if (err < 0)
		return -errno;
	*fd = take_fd(&client);
	return 0;
}

int wire_connect_within(const char *path, uint64_t patience, int *fd)
{
	const struct timespec pause = { .tv_nsec = 5 * NS_PER_MS };
	uint64_t deadline = process_wall_ns() + patience;
	int err;

	for (;;) {
		err = wire_connect(path, fd);
		if ((err != -ECONNREFUSED && err != -ENOENT) || process_wall_ns() > deadline)
			return err;
		nanosleep(&pause, NULL);
	}
}

const char *wire_operation_text(uint32_t op, char text[WIRE_NAME_TEXT])
{
	const char *name = trace_operation_name(op);

	if (name)
		snprintf(text, WIRE_NAME_TEXT, "%s", name);
	else
		snprintf(text, WIRE_NAME_TEXT, "operation %" PRIu32, op);
	return text;
}
