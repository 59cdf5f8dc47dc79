/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's side of a vhost-user connection to a guest: messages with descriptors, the state
 * they set up, calls.
 *
 * Replies of devices are not decided here. Recorder and replayer both pass every message of the
 * guest to vhost_apply(), so that both know its memory and vrings; the answers come from a device
 * or a trace.
 *
 * Source: docs/interop/vhost-user.rst of QEMU 9; arch/um/drivers/vhost_user.h and virtio_uml.c,
 * Linux 5.10 to 7.2: message set, 1 or 2 memory regions, in-band notifications, requests of the
 * device on a socket pair with NEED_REPLY.
 */
#ifndef TTREC_VHOST_H
#define TTREC_VHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/vhost_user.h"
#include "kernel/vhost/vring.h"

#define VHOST_QUEUES_MAX   64
#define VHOST_BODY_MAX	   4096 /* bytes; the longest of virtio_uml is a configuration space */
#define VHOST_FDS_MAX	   VRING_REGIONS_MAX
#define VHOST_PROBLEM_TEXT 192

#define VHOST_FLAG_VERSION    0x1u
#define VHOST_FLAG_REPLY      0x4u
#define VHOST_FLAG_NEED_REPLY 0x8u

#define VHOST_F_PROTOCOL_FEATURES  (1ULL << 30)
#define VHOST_PROTOCOL_REPLY_ACK   (1ULL << 3)
#define VHOST_PROTOCOL_BACKEND_REQ (1ULL << 5)
#define VHOST_PROTOCOL_CONFIG	   (1ULL << 9)
#define VHOST_PROTOCOL_INBAND	   (1ULL << 14)
/* Features that a device needs for a deterministic guest (PROTOCOL: in-band notifications). */
#define VHOST_PROTOCOL_NEEDED \
	(VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_BACKEND_REQ | VHOST_PROTOCOL_INBAND)

#define VIRTIO_F_INDIRECT_DESC (1ULL << 28)
#define VIRTIO_F_VERSION_1     (1ULL << 32)

struct vhost_message {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* of @body, bytes */
	uint8_t body[VHOST_BODY_MAX];
	int fd[VHOST_FDS_MAX]; /* owned by the message: vhost_message_close() */
	unsigned int fd_count;
};

/* Must not be moved: its vrings point to its memory. */
struct vhost {
	int fd;		       /* the guest's connection; -1: none */
	int call_fd;	       /* for calls and their replies; -1 until the guest has passed it */
	uint32_t call_request; /* the call without a reply yet; 0: none */
	uint64_t features, protocol_features; /* as the guest has set them */
	struct vring_memory memory;
	struct vring ring[VHOST_QUEUES_MAX];
	char problem[VHOST_PROBLEM_TEXT]; /* of the last -EBADMSG */
};

/* Before the first vhost_open(). vhost_close() does nothing to it. */
#define VHOST_NONE ((struct vhost){ .fd = -1, .call_fd = -1 })

/* @fd: a connection that was accepted; owned from now on. @vhost is VHOST_NONE or closed. */
void vhost_open(struct vhost *vhost, int fd);

/*
 * Close the connections and unmap the memory. Idempotent; @problem stays readable, also of its
 * vrings.
 */
void vhost_close(struct vhost *vhost);

/*
 * Read one message. Does not wait for its beginning, and at most VHOST_PATIENCE_NS for its end.
 * Returns 1 with @message filled, 0 at the end of the connection, -EAGAIN without a message,
 * -EBADMSG with vhost->problem for an invalid one: wrong version, too long, truncated, or, once
 * replies are negotiated, sent before the reply to the last. Nothing is read ahead, so that poll()
 * reports the next message. Another errno is that of the socket.
 */
#define VHOST_PATIENCE_NS 1000000000ull
int vhost_receive(struct vhost *vhost, struct vhost_message *message);

/* After 1 of vhost_receive() only; twice does no harm. */
void vhost_message_close(struct vhost_message *message);

/*
 * Apply the message to the state: features, memory, vrings, the socket for calls. Takes ownership
 * of the descriptor for calls (SET_BACKEND_REQ_FD); all others stay in @message. Requests that
 * change nothing are ignored. -EBADMSG with vhost->problem: the message is invalid and may have
 * been partly applied; the device must be closed.
 */
int vhost_apply(struct vhost *vhost, struct vhost_message *message);

/* Whether the guest waits for a reply to it. */
bool vhost_expects_reply(const struct vhost_message *message);

/* Whether the body of this request has guest memory addresses. */
bool vhost_names_addresses(uint32_t request);

/*
 * The vring of a VHOST_VRING_KICK; -EBADMSG if the guest has not set it up. It may be disabled:
 * then nothing can be taken.
 */
int vhost_kicked_queue(struct vhost *vhost, const struct vhost_message *message,
		       unsigned int *queue);

/*
 * Reply to request number @request: one u64, or a body of at most VHOST_BODY_MAX bytes. 0 or -errno
 * (-EPIPE: the guest has left; -EAGAIN: its socket is full).
 */
int vhost_reply_value(struct vhost *vhost, uint32_t request, uint64_t value);
int vhost_reply_body(struct vhost *vhost, uint32_t request, const void *body, size_t size);

/*
 * Interrupt the guest, with NEED_REPLY; only while it is blocked, and only one at a time:
 * vhost_take_called() gives the reply. -ENOTCONN when the guest gave no socket for it, -EBUSY when
 * it has not replied to the last; else as for replies. @queue is for VHOST_BACKEND_VRING_CALL.
 */
int vhost_call(struct vhost *vhost, enum vhost_backend_request request, unsigned int queue);

/*
 * The guest's reply to a call, on call_fd; @value is 0 when it has taken it. Returns 1, 0 at the
 * end of the connection, -EAGAIN, -EBADMSG with vhost->problem.
 */
int vhost_take_called(struct vhost *vhost, uint64_t *value);

/* "SET_VRING_NUM", or "request 99" in @text for an unknown one. */
#define VHOST_NAME_TEXT 32
const char *vhost_request_text(uint32_t request, char text[VHOST_NAME_TEXT]);

#endif
