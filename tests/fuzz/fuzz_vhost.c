// SPDX-License-Identifier: BSD-3-Clause
/*
 * vhost-user messages of a guest that says anything, and works with what it has set up.
 *
 * The input is a list of messages. The first byte says whether the device is set up already.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kernel/vhost/vhost_peer.h"

#define MEMORY_SIZE  (1u << 16)
#define RING_SIZE    8
#define MESSAGES_MAX 64

struct stage {
	struct peer peer;
	struct builder_memory memory;
	struct ring_builder driver;
	struct vring_chain chain;
};

static const uint32_t requests[] = {
	VHOST_GET_FEATURES,	VHOST_SET_FEATURES,
	VHOST_SET_OWNER,	VHOST_SET_MEM_TABLE,
	VHOST_SET_VRING_NUM,	VHOST_SET_VRING_ADDR,
	VHOST_SET_VRING_BASE,	VHOST_GET_VRING_BASE,
	VHOST_SET_VRING_KICK,	VHOST_SET_VRING_CALL,
	VHOST_SET_VRING_ERR,	VHOST_GET_PROTOCOL_FEATURES,
	VHOST_GET_QUEUE_NUM,	VHOST_SET_PROTOCOL_FEATURES,
	VHOST_SET_VRING_ENABLE, VHOST_SET_BACKEND_REQ_FD,
	VHOST_GET_CONFIG,	VHOST_SET_CONFIG,
	VHOST_VRING_KICK,
};

/* A body in the form of the request, so that not only its size is looked at. */
static uint32_t shape_body(const struct stage *stage, struct fuzz_input *input, uint32_t request,
			   uint8_t *body)
{
	const uint64_t moved = BUILDER_USER_BASE - BUILDER_GUEST_BASE;
	uint32_t index = fuzz_byte(input), near = fuzz_byte(input);
	const uint32_t state[] = { index % 4, index & 0x80 ? fuzz_u32(input) : near };
	const struct {
		uint32_t index, flags;
		uint64_t desc, used, avail, log;
	} address = { index % 4,
		      0,
		      stage->driver.desc + moved + near,
		      stage->driver.used + moved,
		      stage->driver.avail + moved,
		      0 };
	const struct {
		uint32_t count, padding;
		struct peer_region region[2];
	} table = { 1 + index % 2,
		    0,
		    { { BUILDER_GUEST_BASE, MEMORY_SIZE, BUILDER_USER_BASE, 0 },
		      { BUILDER_GUEST_BASE + MEMORY_SIZE, near * 4096ull, 4096ull * index, 0 } } };

	switch (request) {
	case VHOST_SET_MEM_TABLE:
		memcpy(body, &table, sizeof(table));
		return sizeof(table);
	case VHOST_SET_VRING_ADDR:
		memcpy(body, &address, sizeof(address));
		return sizeof(address);
	default:
		memcpy(body, state, sizeof(state));
		return sizeof(state);
	}
}

/* Descriptors of every sort that a guest may have. */
static unsigned int open_some(const struct stage *stage, struct fuzz_input *input, int *fd)
{
	unsigned int count = fuzz_below(input, 4);

	for (unsigned int i = 0; i < count; i++) {
		switch (fuzz_below(input, 4)) {
		case 0:
			fd[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
			break;
		case 1:
			fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			break;
		default:
			fd[i] = fcntl(stage->memory.fd, F_DUPFD_CLOEXEC, 0);
		}
		fuzz_expect(fd[i] >= 0);
	}
	return count;
}

static void send_message(struct stage *stage, struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input), body[VHOST_BODY_MAX];
	uint32_t request = requests[fuzz_below(input, ARRAY_SIZE(requests))];
	uint32_t flags = VHOST_FLAG_VERSION | (how & 1 ? VHOST_FLAG_NEED_REPLY : 0), size;
	unsigned int count;
	int fd[4] = { -1, -1, -1, -1 };

	if (how & 2) {
		size_t bytes;
		const uint8_t *data = fuzz_bytes(input, fuzz_byte(input), &bytes);

		if (bytes)
			memcpy(body, data, bytes);
		size = (uint32_t)bytes;
	} else {
		size = shape_body(stage, input, request, body);
	}
	if (how & 4)
		request = fuzz_u32(input);
	if (how & 8)
		flags = fuzz_u32(input);
	count = open_some(stage, input, fd);
	peer_send(&stage->peer, request, flags, body, size, fd, count);
	for (unsigned int i = 0; i < count; i++)
		close(fd[i]);
}

static void use_rings(struct stage *stage)
{
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++) {
		struct vring *ring = &stage->peer.vhost.ring[i];
		uint8_t data[64] = { 0 };

		if (!vring_ready(ring) || vring_take(ring, &stage->chain) != 1)
			continue;
		vring_chain_read(&stage->chain, 0, data, sizeof(data));
		vring_chain_write(&stage->chain, 0, data, sizeof(data));
		vring_complete(ring, stage->chain.head, 8);
		if (vring_wants_call(ring))
			vhost_call(&stage->peer.vhost, VHOST_BACKEND_VRING_CALL, i);
	}
}

static bool receive_message(struct stage *stage)
{
	struct vhost *vhost = &stage->peer.vhost;
	struct vhost_message *message = &stage->peer.message;
	unsigned int queue;
	bool good;
	int got = vhost_receive(vhost, message);

	fuzz_expect(got == 1 || got == -EBADMSG);
	if (got != 1) {
		fuzz_expect(vhost->problem[0]);
		return false;
	}
	got = vhost_apply(vhost, message);
	fuzz_expect(!got || (got == -EBADMSG && vhost->problem[0]) || got == -ENODEV ||
		    got == -EACCES);
	good = !got;
	if (good && message->request == VHOST_VRING_KICK &&
	    !vhost_kicked_queue(vhost, message, &queue))
		fuzz_expect(queue < VHOST_QUEUES_MAX);
	if (good && vhost_expects_reply(message))
		vhost_reply_value(vhost, message->request, 0);
	vhost_message_close(message);
	return good;
}

/* What it replied to, or not. */
static void drain(struct stage *stage)
{
	uint8_t data[4096];
	uint64_t value;

	while (recv(stage->peer.fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	vhost_take_called(&stage->peer.vhost, &value);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	static struct stage stage;
	struct fuzz_input input = { data, size };
	unsigned int before = open_descriptors();
	uint64_t address;

	builder_memory_create(&stage.memory, MEMORY_SIZE);
	ring_builder_create(&stage.driver, &stage.memory, RING_SIZE);
	peer_open(&stage.peer);
	if (!(fuzz_byte(&input) & 1))
		peer_set_up(&stage.peer, &stage.memory, &stage.driver);
	ring_builder_send(&stage.driver, "hello", 5);
	ring_builder_receive(&stage.driver, 100, &address);
	for (int i = 0; input.left && i < MESSAGES_MAX; i++) {
		send_message(&stage, &input);
		if (!receive_message(&stage))
			break;
		use_rings(&stage);
		drain(&stage);
	}
	peer_close(&stage.peer);
	ring_builder_destroy(&stage.driver);
	builder_memory_destroy(&stage.memory);
	fuzz_expect(open_descriptors() == before);
	return 0;
}
