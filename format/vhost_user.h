/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and numbers of vhost-user and virtio, as records have them. */
#ifndef TTREC_VHOST_USER_H
#define TTREC_VHOST_USER_H

/*
 * Requests of the guest, without VHOST_USER_. Source: docs/interop/vhost-user.rst of QEMU 9,
 * "Front-end message types".
 */
#define VHOST_REQUESTS(X)            \
	X(GET_FEATURES, 1)           \
	X(SET_FEATURES, 2)           \
	X(SET_OWNER, 3)              \
	X(RESET_OWNER, 4)            \
	X(SET_MEM_TABLE, 5)          \
	X(SET_LOG_BASE, 6)           \
	X(SET_LOG_FD, 7)             \
	X(SET_VRING_NUM, 8)          \
	X(SET_VRING_ADDR, 9)         \
	X(SET_VRING_BASE, 10)        \
	X(GET_VRING_BASE, 11)        \
	X(SET_VRING_KICK, 12)        \
	X(SET_VRING_CALL, 13)        \
	X(SET_VRING_ERR, 14)         \
	X(GET_PROTOCOL_FEATURES, 15) \
	X(SET_PROTOCOL_FEATURES, 16) \
	X(GET_QUEUE_NUM, 17)         \
	X(SET_VRING_ENABLE, 18)      \
	X(SEND_RARP, 19)             \
	X(NET_SET_MTU, 20)           \
	X(SET_BACKEND_REQ_FD, 21)    \
	X(GET_CONFIG, 24)            \
	X(SET_CONFIG, 25)            \
	X(RESET_DEVICE, 34)          \
	X(VRING_KICK, 35)            \
	X(GET_MAX_MEM_SLOTS, 36)     \
	X(ADD_MEM_REG, 37)           \
	X(REM_MEM_REG, 38)           \
	X(SET_STATUS, 39)            \
	X(GET_STATUS, 40)

enum vhost_request {
#define VHOST_REQUEST(name, number) VHOST_##name = (number),
	VHOST_REQUESTS(VHOST_REQUEST)
#undef VHOST_REQUEST
};

/* Requests of the device: "Back-end message types". */
enum vhost_backend_request {
	VHOST_BACKEND_CONFIG_CHANGE = 2,
	VHOST_BACKEND_VRING_CALL = 4,
};

/* Kinds of devices (VIRTIO 1.2, section 5) that are treated in a way of their own. */
enum virtio_id { VIRTIO_NET = 1, VIRTIO_CONSOLE = 3, VIRTIO_FS = 26 };

#endif
