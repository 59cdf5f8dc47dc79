/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device of a guest: a vhost-user connection, and what answers it (a struct device of the
 * recorder, or a program, see session_program.h).
 *
 *   AWAITED -- the guest connects --> OPEN
 *   OPEN -- a call goes out --> CALLED -- the guest's reply, or it could not be sent --> OPEN
 *   OPEN, CALLED -- the guest closes it, or is about to end --> CLOSING
 *   CLOSING -- the guest says something, so it lives, or leaves --> ENDED
 *   any -- what the guest says makes no sense, its program fails, its process ends --> ENDED
 */
#ifndef TTREC_SESSION_DEVICE_H
#define TTREC_SESSION_DEVICE_H

#include "format/text/frame_origin.h"
#include "recorder/device/device.h"
#include "recorder/session/member/session_partition.h"
#include "recorder/session/journal/session_source.h"

enum session_device_state {
	DEVICE_AWAITED,
	DEVICE_OPEN,
	DEVICE_CALLED,
	DEVICE_CLOSING,
	DEVICE_ENDED,
};

/* What a kick handed over, for its record. */
struct taken {
	uint8_t *data;
	size_t size, space;
};

struct session_device {
	enum session_device_state state;
	struct session_guest *guest;
	unsigned int number; /* among the guest's */
	struct device *device;
	struct program_link *link; /* of a program's device; else NULL */
	struct vhost *vhost;
	struct vhost_message request; /* the guest's, while it is handled */
	struct taken taken;
	struct frame_origins *origins; /* of frames in its records; NULL: none so far */
	struct source listen, connection, called;
};

/* @device is taken over. 0 or -ENOMEM. */
int session_device_init(struct session_device *added, struct session_guest *guest,
			unsigned int number, struct device *device);
void session_device_release(struct session_device *device);

/* Messages can be sent to its guest. */
bool session_device_is_open(const struct session_device *device);

/* ---- Records -------------------------------------------------------------------------------- */

struct trace_record session_device_record(const struct session_device *device,
					  enum trace_kind kind);
void session_device_append(const struct session_device *device, const struct trace_record *record);

/* A buffer was used: @written bytes are in it, and @extent bytes of it may have been changed. */
void session_device_record_used(const struct session_device *device, unsigned int queue,
				const struct vring_chain *chain, uint32_t written, uint32_t extent);

/* The bytes that the last kick of @queue handed over are judged as console output. */
void session_device_record_taken(struct session_device *device, unsigned int queue);

/* Its guest is about to be interrupted. */
void session_device_record_call(struct session_device *device, uint32_t request,
				unsigned int queue);

/* ---- Requests of the guest (session_device_request.c) --------------------------------------- */

/* Answer the guest's request, which is not a kick. Returns NULL or the error. */
const char *session_device_answer(struct session_device *device);

void session_device_reply_value(struct session_device *device, uint32_t request, uint64_t value);
void session_device_reply_body(struct session_device *device, uint32_t request, const void *body,
			       size_t size);

/* ---- Interrupts and the end ----------------------------------------------------------------- */

/*
 * Interrupt the guest, which is or will be blocked. Returns true if a reply, or EVENT_CALL_REFUSED,
 * will follow.
 */
bool session_device_call(struct session_device *device, enum vhost_backend_request request,
			 unsigned int queue);

/* Whether its guest has to reply to a call. */
bool session_device_is_called(const struct session_device *device);

/* The reply has arrived, or the call could not be sent. */
void session_device_called(struct session_device *device);

/*
 * Close a faulty device while its guest is or will be blocked. The guest loses only this device: it
 * sees the connection close, as if the device had crashed.
 */
void session_device_end(struct session_device *device, const char *problem);

/* The guest has closed it, or is about to end: decided by what it sends next. */
void session_device_closing(struct session_device *device);

/* The guest is alive: record which of its devices it has closed. */
void session_devices_detach(struct session_guest *guest);

/* The guest has left: close its devices. */
void session_devices_leave(struct session_guest *guest);

/* Its process has ended: close also those that it never connected to. */
void session_devices_end(struct session_guest *guest);

/* The owner of a device with this host is a struct session_device. */
extern const struct device_host session_device_host;

#endif
