// SPDX-License-Identifier: BSD-3-Clause
/* The driver's side of vhost-user, with one buffer that stands in the ring as often as it likes. */
#include "tests/system/programs/rogue_device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kernel/vhost/vhost.h"

#define RING_SIZE   VRING_SIZE_MAX
#define QUEUE	    1u
#define QUEUES	    2u
#define BUFFER_SIZE (1u << 20)
#define ADDRESS	    0x10000000ull /* of the memory, for the device */

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

/* All of the memory that the device is given. */
static struct memory {
	struct {
		struct descriptor descriptor[RING_SIZE];
		uint16_t flags, index, entry[RING_SIZE]; /* the avail ring */
		_Alignas(8) uint8_t used[8 * RING_SIZE + 8];
	} ring[QUEUES];
	_Alignas(4096) uint8_t buffer[BUFFER_SIZE];
} *memory;

static int device_fd = -1;

static void need(bool given)
{
	if (!given)
		_exit(120);
}

static uint64_t address_of(size_t offset)
{
	return ADDRESS + offset;
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void send_message(uint32_t request, uint32_t flags, const void *body, uint32_t size, int fd)
{
	uint32_t header[3] = { request, VHOST_FLAG_VERSION | flags, size };
	struct iovec parts[] = { { header, sizeof(header) }, { (void *)body, size } };
	union {
		struct cmsghdr header;
		uint8_t data[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS,
						   .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	need(sendmsg(device_fd, &message, MSG_NOSIGNAL) == (ssize_t)(sizeof(header) + size));
}

static void take_reply(void)
{
	uint32_t header[3];
	uint8_t body[VHOST_BODY_MAX];

	need(recv(device_fd, header, sizeof(header), MSG_WAITALL) == sizeof(header));
	need(header[2] <= sizeof(body));
	need(recv(device_fd, body, header[2], MSG_WAITALL) == (ssize_t)header[2]);
}

static void request(uint32_t number, const void *body, uint32_t size, int fd)
{
	send_message(number, VHOST_FLAG_NEED_REPLY, body, size, fd);
	take_reply();
}

static void request_state(uint32_t number, uint32_t queue, uint32_t value)
{
	const uint32_t state[2] = { queue, value };

	request(number, state, sizeof(state), -1);
}

/* ---- Set-up --------------------------------------------------------------------------------- */

static void set_up_memory(void)
{
	int fd = memfd_create("rogue", 0);
	const struct {
		uint32_t count, padding;
		uint64_t guest_address, size, user_address, offset;
	} table = { 1, 0, ADDRESS, sizeof(*memory), ADDRESS, 0 };

	need(fd >= 0 && !ftruncate(fd, sizeof(*memory)));
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(memory != MAP_FAILED);
	request(VHOST_SET_MEM_TABLE, &table, sizeof(table), fd);
}

static void set_up_ring(uint32_t queue)
{
	const size_t base = offsetof(struct memory, ring) + queue * sizeof(memory->ring[0]);
	const struct {
		uint32_t queue, flags;
		uint64_t desc, used, avail, log;
	} address = { queue,
		      0,
		      address_of(base),
		      address_of(base + offsetof(struct memory, ring[0].used)),
		      address_of(base + offsetof(struct memory, ring[0].flags)),
		      0 };

	memory->ring[queue].flags = 1; /* VRING_AVAIL_F_NO_INTERRUPT */
	request_state(VHOST_SET_VRING_NUM, queue, RING_SIZE);
	request_state(VHOST_SET_VRING_BASE, queue, 0);
	request(VHOST_SET_VRING_ADDR, &address, sizeof(address), -1);
	request_state(VHOST_SET_VRING_ENABLE, queue, 1);
}

static void set_up_calls(void)
{
	int ends[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	request(VHOST_SET_BACKEND_REQ_FD, NULL, 0, ends[1]);
}

void rogue_device_attach(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	need(path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.*s", (int)strcspn(path, ":"), path);
	device_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	need(!connect(device_fd, (struct sockaddr *)&address, sizeof(address)));
	send_message(VHOST_SET_OWNER, 0, NULL, 0, -1);
	send_message(VHOST_GET_FEATURES, 0, NULL, 0, -1);
	take_reply();
	request(VHOST_SET_PROTOCOL_FEATURES, &(uint64_t){ VHOST_PROTOCOL_NEEDED }, sizeof(uint64_t),
		-1);
	set_up_calls();
	set_up_memory();
	for (uint32_t queue = 0; queue < QUEUES; queue++)
		set_up_ring(queue);
}

/* ---- Use ------------------------------------------------------------------------------------ */

void rogue_device_kick(long kicks, unsigned int buffers, unsigned int size)
{
	const uint64_t buffer = address_of(offsetof(struct memory, buffer));
	uint16_t index = memory->ring[QUEUE].index;

	need(size <= BUFFER_SIZE && buffers <= RING_SIZE);
	for (unsigned int i = 0; i < RING_SIZE; i++) {
		memory->ring[QUEUE].descriptor[i] = (struct descriptor){ buffer, size, 0, 0 };
		memory->ring[QUEUE].entry[i] = (uint16_t)i;
	}
	for (long done = 0; !kicks || done < kicks; done++) {
		index = (uint16_t)(index + buffers);
		__atomic_store_n(&memory->ring[QUEUE].index, index, __ATOMIC_RELEASE);
		request_state(VHOST_VRING_KICK, QUEUE, 0);
	}
}
