// SPDX-License-Identifier: BSD-3-Clause
/* vhost-user messages on the wire: whole ones in with their descriptors, replies and calls out. */
#include "kernel/vhost/vhost.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "kernel/host/process.h"
#include "kernel/host/unix_socket.h"
#include "format/base/cleanup.h"
#include "kernel/vhost/vhost_internal.h"

struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

#define VERSION_MASK 0x3u

int vhost_refuse(struct vhost *vhost, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(vhost->problem, sizeof(vhost->problem), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

void vhost_open(struct vhost *vhost, int fd)
{
	uint64_t generation = vhost->memory.generation;

	*vhost = VHOST_NONE;
	vhost->fd = fd;
	/* Not reset: chains of an earlier connection stay invalid. */
	vhost->memory.generation = generation;
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++)
		vhost->ring[i].memory = &vhost->memory;
}

void vhost_close(struct vhost *vhost)
{
	close_fd(&vhost->fd);
	close_fd(&vhost->call_fd);
	vring_memory_clear(&vhost->memory);
	vhost->call_request = 0;
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++) {
		vhost->ring[i].size = 0;
		vhost->ring[i].enabled = false;
	}
}

void vhost_message_close(struct vhost_message *message)
{
	for (unsigned int i = 0; i < message->fd_count; i++)
		close_fd(&message->fd[i]);
	message->fd_count = 0;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static bool await_more(int fd, uint64_t deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint64_t now = process_wall_ns();
	struct timespec left;
	int ready;

	if (now >= deadline)
		return false;
	left = (struct timespec){ (time_t)((deadline - now) / 1000000000),
				  (long)((deadline - now) % 1000000000) };
	ready = ppoll(&poll_fd, 1, &left, NULL);
	return ready > 0 || (ready < 0 && errno == EINTR);
}

/*
 * One read of a header and up to @body_size bytes after it. Returns the number of bytes, 0 at the
 * end of the connection, or -errno.
 */
static ssize_t read_start(struct vhost *vhost, struct header *header, struct vhost_message *message,
			  size_t body_size)
{
	DESCRIPTORS_CONTROL(VHOST_FDS_MAX) control;
	struct iovec parts[] = { { header, sizeof(*header) }, { message->body, body_size } };
	struct msghdr envelope = {
		.msg_iov = parts,
		.msg_iovlen = ARRAY_SIZE(parts),
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;

	message->fd_count = 0;
	do {
		got = recvmsg(vhost->fd, &envelope, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? 0 : -errno;
	message->fd_count = descriptors_take(&envelope, message->fd, VHOST_FDS_MAX);
	if (envelope.msg_flags & MSG_CTRUNC)
		return vhost_refuse(vhost, "more than %d descriptors in a message", VHOST_FDS_MAX);
	return got;
}

/* The rest of something that has begun. */
static int read_rest(struct vhost *vhost, int fd, void *data, size_t size)
{
	uint64_t deadline = 0;
	uint8_t *place = data;

	while (size) {
		ssize_t got = recv(fd, place, size, MSG_DONTWAIT);

		if (got > 0) {
			place += got;
			size -= (size_t)got;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno != EAGAIN && errno != ECONNRESET)
			return -errno;
		if (!deadline)
			deadline = process_wall_ns() + VHOST_PATIENCE_NS;
		if (!got || errno != EAGAIN || !await_more(fd, deadline))
			return vhost_refuse(vhost, "a truncated message, %zu bytes missing", size);
	}
	return 0;
}

static int check_header(struct vhost *vhost, const struct header *header)
{
	char text[VHOST_NAME_TEXT];

	if ((header->flags & VERSION_MASK) != VHOST_FLAG_VERSION ||
	    header->flags & ~(VERSION_MASK | VHOST_FLAG_NEED_REPLY))
		return vhost_refuse(vhost, "%s with flags 0x%" PRIx32,
				    vhost_request_text(header->request, text), header->flags);
	if (header->size > VHOST_BODY_MAX)
		return vhost_refuse(vhost, "%s of %" PRIu32 " bytes",
				    vhost_request_text(header->request, text), header->size);
	return 0;
}

/* What has arrived with the first read was @got bytes: check and complete it. */
static int read_message(struct vhost *vhost, struct header *header, struct vhost_message *message,
			size_t got)
{
	char text[VHOST_NAME_TEXT];
	size_t body;
	int err;

	if (got < sizeof(*header)) {
		err = read_rest(vhost, vhost->fd, (uint8_t *)header + got, sizeof(*header) - got);
		if (err)
			return err;
		got = sizeof(*header);
	}
	err = check_header(vhost, header);
	if (err)
		return err;
	body = got - sizeof(*header);
	message->request = header->request;
	message->flags = header->flags;
	message->size = header->size;
	if (body > header->size)
		return vhost_refuse(vhost, "%s followed by another message before its reply",
				    vhost_request_text(header->request, text));
	return read_rest(vhost, vhost->fd, message->body + body, header->size - body);
}

int vhost_receive(struct vhost *vhost, struct vhost_message *message)
{
	/* Without replies, messages can follow each other: read only the header first. */
	bool one_by_one = vhost->protocol_features & VHOST_PROTOCOL_REPLY_ACK;
	struct header header;
	ssize_t got = read_start(vhost, &header, message, one_by_one ? VHOST_BODY_MAX : 0);
	int err = (int)got;

	if (got > 0)
		err = read_message(vhost, &header, message, (size_t)got);
	if (err < 0)
		vhost_message_close(message);
	return err < 0 || !got ? err : 1;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* The peer waits for this message, so its socket has room. */
static int send_message(int fd, const struct header *header, const void *body)
{
	struct iovec parts[] = { { (void *)header, sizeof(*header) },
				 { (void *)body, header->size } };
	struct msghdr envelope = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
	ssize_t sent;

	do {
		sent = sendmsg(fd, &envelope, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return (size_t)sent == sizeof(*header) + header->size ? 0 : -EAGAIN;
}

int vhost_reply_body(struct vhost *vhost, uint32_t request, const void *body, size_t size)
{
	const struct header header = { request, VHOST_FLAG_VERSION | VHOST_FLAG_REPLY,
				       (uint32_t)size };

	if (size > VHOST_BODY_MAX)
		return -EMSGSIZE;
	return send_message(vhost->fd, &header, body);
}

int vhost_reply_value(struct vhost *vhost, uint32_t request, uint64_t value)
{
	return vhost_reply_body(vhost, request, &value, sizeof(value));
}

int vhost_call(struct vhost *vhost, enum vhost_backend_request request, unsigned int queue)
{
	const struct vhost_vring_state state = { .index = queue };
	const struct header header = {
		.request = request,
		.flags = VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY,
		.size = request == VHOST_BACKEND_VRING_CALL ? sizeof(state) : 0,
	};
	int err;

	if (vhost->call_fd < 0)
		return -ENOTCONN;
	if (vhost->call_request)
		return -EBUSY;
	err = send_message(vhost->call_fd, &header, &state);
	if (!err)
		vhost->call_request = request;
	return err;
}

int vhost_take_called(struct vhost *vhost, uint64_t *value)
{
	struct {
		struct header header;
		uint64_t value;
	} __attribute__((packed)) reply;
	ssize_t got;
	int err;

	if (vhost->call_fd < 0)
		return -ENOTCONN;
	do {
		got = recv(vhost->call_fd, &reply, sizeof(reply), MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (!got || (got < 0 && errno == ECONNRESET))
		return 0;
	if (got < 0)
		return -errno;
	err = read_rest(vhost, vhost->call_fd, (uint8_t *)&reply + got,
			sizeof(reply) - (size_t)got);
	if (err)
		return err;
	if (!vhost->call_request)
		return vhost_refuse(vhost, "a reply on the connection for calls without a call");
	if (reply.header.request != vhost->call_request ||
	    reply.header.flags != (VHOST_FLAG_VERSION | VHOST_FLAG_REPLY) ||
	    reply.header.size != sizeof(reply.value))
		return vhost_refuse(vhost,
				    "call %" PRIu32 " replied to with request %" PRIu32
				    ", flags 0x%" PRIx32 ", %" PRIu32 " bytes",
				    vhost->call_request, reply.header.request, reply.header.flags,
				    reply.header.size);
	vhost->call_request = 0;
	*value = reply.value;
	return 1;
}
