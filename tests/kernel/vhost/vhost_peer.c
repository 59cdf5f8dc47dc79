// SPDX-License-Identifier: BSD-3-Clause
/* The guest's end of a vhost-user connection, for tests. */
#include "tests/kernel/vhost/vhost_peer.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "format/base/cleanup.h"

void peer_open(struct peer *peer)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	peer->fd = ends[0];
	peer->calls = -1;
	peer->vhost = VHOST_NONE;
	vhost_open(&peer->vhost, ends[1]);
}

void peer_close(struct peer *peer)
{
	close_fd(&peer->fd);
	close_fd(&peer->calls);
	vhost_close(&peer->vhost);
}

static void attach_descriptors(struct msghdr *envelope, const int *fds, unsigned int count)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(envelope);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
	envelope->msg_controllen = CMSG_SPACE(count * sizeof(int));
}

void peer_send(struct peer *peer, uint32_t request, uint32_t flags, const void *body, uint32_t size,
	       const int *fds, unsigned int fd_count)
{
	struct peer_header header = { request, flags, size };
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)body, size } };
	union {
		struct cmsghdr header; /* for its alignment */
		uint8_t data[CMSG_SPACE(64 * sizeof(int))];
	} control = {};
	struct msghdr envelope = { .msg_iov = parts, .msg_iovlen = 2 };

	if (fd_count) {
		envelope.msg_control = &control;
		envelope.msg_controllen = sizeof(control);
		attach_descriptors(&envelope, fds, fd_count);
	}
	assert_int_equal(sendmsg(peer->fd, &envelope, 0), sizeof(header) + size);
}

int peer_request(struct peer *peer, uint32_t request, const void *body, uint32_t size,
		 const int *fds, unsigned int fd_count)
{
	int got;

	peer_send(peer, request, VHOST_FLAG_VERSION, body, size, fds, fd_count);
	got = vhost_receive(&peer->vhost, &peer->message);
	if (got != 1)
		return got;
	got = vhost_apply(&peer->vhost, &peer->message);
	vhost_message_close(&peer->message);
	return got;
}

int peer_set_value(struct peer *peer, uint32_t request, uint64_t value)
{
	return peer_request(peer, request, &value, sizeof(value), NULL, 0);
}

int peer_set_state(struct peer *peer, uint32_t request, uint32_t index, uint32_t number)
{
	const uint32_t state[] = { index, number };

	return peer_request(peer, request, state, sizeof(state), NULL, 0);
}

int peer_set_ring(struct peer *peer, uint32_t index, uint64_t desc, uint64_t used, uint64_t avail)
{
	const struct {
		uint32_t index, flags;
		uint64_t desc, used, avail, log;
	} body = { index, 0, desc, used, avail, UINT64_MAX };

	return peer_request(peer, VHOST_SET_VRING_ADDR, &body, sizeof(body), NULL, 0);
}

/* With room for two regions, as kernels up to 6.12 do. */
int peer_set_memory(struct peer *peer, const struct builder_memory *memory)
{
	const struct {
		uint32_t count, padding;
		struct peer_region region[2];
	} body = { 1, 0, { { BUILDER_GUEST_BASE, memory->size, BUILDER_USER_BASE, 0 } } };

	return peer_request(peer, VHOST_SET_MEM_TABLE, &body, sizeof(body), &memory->fd, 1);
}

int peer_set_calls(struct peer *peer)
{
	int ends[2], err;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close_fd(&peer->calls);
	peer->calls = ends[0];
	err = peer_request(peer, VHOST_SET_BACKEND_REQ_FD, NULL, 0, &ends[1], 1);
	close(ends[1]);
	return err;
}

void peer_set_up(struct peer *peer, const struct builder_memory *memory,
		 const struct ring_builder *ring)
{
	const uint64_t moved = BUILDER_USER_BASE - BUILDER_GUEST_BASE;

	assert_int_equal(peer_request(peer, VHOST_SET_OWNER, NULL, 0, NULL, 0), 0);
	assert_int_equal(peer_request(peer, VHOST_GET_FEATURES, NULL, 0, NULL, 0), 0);
	assert_int_equal(peer_request(peer, VHOST_GET_PROTOCOL_FEATURES, NULL, 0, NULL, 0), 0);
	assert_int_equal(peer_set_value(peer, VHOST_SET_PROTOCOL_FEATURES,
					VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG),
			 0);
	assert_int_equal(peer_set_calls(peer), 0);
	assert_int_equal(peer_set_value(peer, VHOST_SET_FEATURES,
					VIRTIO_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES),
			 0);
	assert_int_equal(peer_set_memory(peer, memory), 0);
	assert_int_equal(peer_set_state(peer, VHOST_SET_VRING_NUM, 0, ring->size), 0);
	assert_int_equal(peer_set_state(peer, VHOST_SET_VRING_BASE, 0, 0), 0);
	assert_int_equal(
		peer_set_ring(peer, 0, ring->desc + moved, ring->used + moved, ring->avail + moved),
		0);
	assert_false(vring_ready(&peer->vhost.ring[0]));
	assert_int_equal(peer_set_state(peer, VHOST_SET_VRING_ENABLE, 0, 1), 0);
	assert_true(vring_ready(&peer->vhost.ring[0]));
}

unsigned int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}
