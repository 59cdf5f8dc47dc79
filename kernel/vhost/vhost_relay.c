// SPDX-License-Identifier: BSD-3-Clause
/* vhost-user messages between a guest and a device program: passed on, and answers read. */
#include "kernel/vhost/vhost_relay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "kernel/host/unix_socket.h"
#include "format/base/cleanup.h"

struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

static int send_all(int fd, const struct msghdr *envelope, size_t size)
{
	ssize_t sent;

	do {
		sent = sendmsg(fd, envelope, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return (size_t)sent == size ? 0 : -EAGAIN;
}

int vhost_forward(int fd, const struct vhost_message *message, int call_fd)
{
	struct header header = { message->request, message->flags, message->size };
	struct iovec parts[] = { { &header, sizeof(header) },
				 { (void *)message->body, message->size } };
	struct msghdr envelope = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
	DESCRIPTORS_CONTROL(VHOST_FDS_MAX) control;

	if (call_fd >= 0)
		descriptors_attach(&envelope, &control, &call_fd, 1);
	else
		descriptors_attach(&envelope, &control, message->fd, message->fd_count);
	return send_all(fd, &envelope, sizeof(header) + message->size);
}

int vhost_answer_call(int fd, uint32_t request, uint64_t value)
{
	struct header header = { request, VHOST_FLAG_VERSION | VHOST_FLAG_REPLY, sizeof(value) };
	struct iovec parts[] = { { &header, sizeof(header) }, { &value, sizeof(value) } };
	struct msghdr envelope = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };

	return send_all(fd, &envelope, sizeof(header) + sizeof(value));
}

/* Descriptors that are passed with it are closed. Returns like vhost_take_reply(). */
static int read_part(int fd, void *data, size_t size, int flags)
{
	ssize_t got;

	do {
		got = recv(fd, data, size, flags);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? 0 : -errno;
	return (int)got;
}

/* Once it has begun it comes soon, or never. */
static int read_rest(int fd, void *data, size_t size)
{
	static const struct timeval patience = { .tv_sec = VHOST_PATIENCE_NS / 1000000000 };
	static const struct timeval forever = {};
	int got;

	if (!size)
		return 1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	got = read_part(fd, data, size, MSG_WAITALL);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	return got >= 0 && (size_t)got == size;
}

int vhost_take_reply(int fd, uint32_t request, struct vhost_message *reply,
		     char problem[VHOST_PROBLEM_TEXT])
{
	char name[VHOST_NAME_TEXT], other[VHOST_NAME_TEXT];
	struct header header;
	int got = read_part(fd, &header, sizeof(header), MSG_DONTWAIT);

	if (got <= 0)
		return got;
	vhost_request_text(request, name);
	if (!read_rest(fd, (uint8_t *)&header + got, sizeof(header) - (size_t)got)) {
		snprintf(problem, VHOST_PROBLEM_TEXT, "truncated reply to %s", name);
		return -EBADMSG;
	}
	if (header.request != request || header.flags != (VHOST_FLAG_VERSION | VHOST_FLAG_REPLY) ||
	    header.size > sizeof(reply->body)) {
		snprintf(problem, VHOST_PROBLEM_TEXT,
			 "expected a reply to %s, got %s with flags 0x%" PRIx32 " and %" PRIu32
			 " bytes",
			 name, vhost_request_text(header.request, other), header.flags,
			 header.size);
		return -EBADMSG;
	}
	reply->request = header.request;
	reply->flags = header.flags;
	reply->size = header.size;
	reply->fd_count = 0;
	if (read_rest(fd, reply->body, header.size))
		return 1;
	snprintf(problem, VHOST_PROBLEM_TEXT, "truncated reply to %s", name);
	return -EBADMSG;
}
