/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's end of a vhost-user connection, for tests: well-behaved or not. */
#ifndef TTREC_TEST_VHOST_PEER_H
#define TTREC_TEST_VHOST_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/vhost/vhost.h"
#include "tests/kernel/vhost/ring_builder.h"

struct peer_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

struct peer_region {
	uint64_t guest_address;
	uint64_t size;
	uint64_t user_address;
	uint64_t offset;
};

struct peer {
	int fd;
	int calls; /* its end of the connection for calls; -1 */
	struct vhost vhost;
	struct vhost_message message; /* as last received by the device */
};

void peer_open(struct peer *peer);
void peer_close(struct peer *peer);

/* One sendmsg: a header that says @size, @size bytes and descriptors. */
void peer_send(struct peer *peer, uint32_t request, uint32_t flags, const void *body, uint32_t size,
	       const int *fds, unsigned int fd_count);

/* Send, receive, apply, close: what applying or receiving says. */
int peer_request(struct peer *peer, uint32_t request, const void *body, uint32_t size,
		 const int *fds, unsigned int fd_count);
int peer_set_value(struct peer *peer, uint32_t request, uint64_t value);
int peer_set_state(struct peer *peer, uint32_t request, uint32_t index, uint32_t number);
int peer_set_ring(struct peer *peer, uint32_t index, uint64_t desc, uint64_t used, uint64_t avail);
int peer_set_memory(struct peer *peer, const struct builder_memory *memory);

/* SET_BACKEND_REQ_FD with a connection of which peer->calls is the other end. */
int peer_set_calls(struct peer *peer);

/* All that a guest says until vring 0 is ready. */
void peer_set_up(struct peer *peer, const struct builder_memory *memory,
		 const struct ring_builder *ring);

/* Descriptors that this process has open. */
unsigned int open_descriptors(void);

#endif
