// SPDX-License-Identifier: BSD-3-Clause
/*
 * Requests to device programs, their replies, and what they wrote to guest memory before replying.
 */
#include <errno.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"
#include "recorder/session/member/session_program.h"

/*
 * Features that are not offered to a guest: with them a program's changes are not in the used ring.
 */
#define VIRTIO_F_EVENT_IDX   (1ULL << 29)
#define VIRTIO_F_RING_PACKED (1ULL << 34)

/* ---- What it wrote to guest memory ------------------------------------------------------------
 */

/* From here on the trace lacks input of the guest. */
static void record_unreplayable(struct session_device *device, const char *why)
{
	struct trace_record record = session_device_record(device, TRACE_meta);
	char text[256];
	int size = snprintf(text, sizeof(text), "replayable=no the program %.64s %s",
			    device->link->program->options.name, why);

	record.payload = text;
	record.payload_size = (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1;
	session_device_append(device, &record);
}

/* Some programs report a length of 0 for what they wrote: record all of the buffer. */
static const char *take_used(struct session_device *device, unsigned int queue)
{
	struct vring *ring = &device->vhost->ring[queue];
	auto_free struct vring_chain *chain = NULL;
	uint32_t written;
	uint16_t head;
	int got = 0;

	for (unsigned int i = 0; i < ring->size; i++) {
		got = vring_next_used(ring, &head, &written);
		if (got != 1)
			break;
		if (!chain)
			chain = malloc(sizeof(*chain));
		if (!chain)
			return "out of memory";
		got = vring_chain_at(ring, head, chain);
		if (got)
			break;
		if (written > chain->write_size)
			return "it used more than the size of a buffer";
		session_device_record_used(device, queue, chain, written,
					   written ? written : (uint32_t)chain->write_size);
	}
	return got < 0 ? ring->problem : NULL;
}

void program_link_harvest(struct session_device *device)
{
	const char *problem = NULL;

	if (device->state == DEVICE_ENDED || device->link->state == LINK_FAILING)
		return;
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX && !problem; i++)
		if (device->vhost->ring[i].size && device->vhost->ring[i].used)
			problem = take_used(device, i);
	if (!problem)
		return;
	/* The guest may see the invalid ring, too. */
	record_unreplayable(device, "corrupted a vring");
	program_link_cut(device, problem);
}

/* ---- Requests of the guest --------------------------------------------------------------------
 */

/*
 * What the guest sends: a record for each buffer that this kick made available with something to
 * read in it. A program that polls a ring may be through with buffers whose kick it has suppressed;
 * the chains that are left of those may be invalid by then, which is no error: then there are no
 * more records of that queue.
 */
static void record_sent(struct session_device *device, unsigned int queue)
{
	struct trace_record record = session_device_record(device, TRACE_taken);
	struct program_link *link = device->link;
	auto_free struct vring_chain *chain = NULL;
	auto_free uint8_t *data = NULL;
	int taken;

	if (link->unread & 1ull << queue || !journal_is_kept(device->guest->partition->journal))
		return;
	chain = malloc(sizeof(*chain));
	data = malloc(TRACE_PAYLOAD_MAX);
	if (!chain || !data) {
		outcome_no_memory(device->guest->partition->outcome);
		return;
	}
	record.taken.queue = queue;
	record.payload = data;
	while ((taken = vring_take(&device->vhost->ring[queue], chain)) == 1) {
		if (!chain->read_size)
			continue;
		record.payload_size = vring_chain_read(chain, 0, data, TRACE_PAYLOAD_MAX);
		session_device_append(device, &record);
	}
	if (taken < 0)
		link->unread |= 1ull << queue;
}

static const char *record_kick(struct session_device *device, const struct vhost_message *message)
{
	struct trace_record record = session_device_record(device, TRACE_kick);
	unsigned int queue;

	if (vhost_kicked_queue(device->vhost, message, &queue))
		return device->vhost->problem;
	record.kick.queue = queue;
	record.kick.flags = message->flags;
	session_device_append(device, &record);
	record_sent(device, queue);
	return NULL;
}

const char *program_link_request(struct session_device *device)
{
	const struct vhost_message *message = &device->request;
	struct program_link *link = device->link;
	const char *problem = NULL;

	if (message->request == VHOST_VRING_KICK)
		problem = record_kick(device, message);
	if (problem || link->state != LINK_OPEN)
		return problem ? problem : link->problem;
	link->pending = vhost_expects_reply(message) ? message->request : 0;
	effects_add(device->guest->partition->effects,
		    &(struct effect){ .kind = EFFECT_FORWARD, .device = device });
	/* A program that waits for a guest to take its interrupt does not read this before. */
	if (link->pending)
		session_programs_release(device->guest->partition);
	return NULL;
}

/* ---- Its replies ------------------------------------------------------------------------------
 */

/* The guest's interrupts cannot be replayed. Returns false if that ends the recording. */
static bool accept_unreplayable(struct session_device *device)
{
	const struct session_program_options *options = &device->link->program->options;
	struct outcome *outcome = device->guest->partition->outcome;

	if (options->allowed) {
		record_unreplayable(device, "has no in-band notifications");
		return true;
	}
	diagnose(outcome_reason(outcome), EXIT_CANNOT, -EOPNOTSUPP,
		 "start it so that it has the protocol features REPLY_ACK, BACKEND_REQ and "
		 "INBAND_NOTIFICATIONS; or --allow program, and that guest cannot be replayed",
		 "the program %s has no in-band notifications: what it does to %s cannot be "
		 "replayed",
		 options->name, device->guest->guest->spec->name);
	outcome_finish(outcome, SESSION_FAULT);
	return false;
}

/* Filter the features that it offers. Returns whether to continue. */
static bool check_offer(struct session_device *device, struct vhost_message *reply)
{
	uint64_t offer;

	if ((reply->request != VHOST_GET_FEATURES &&
	     reply->request != VHOST_GET_PROTOCOL_FEATURES) ||
	    reply->size != sizeof(offer))
		return true;
	memcpy(&offer, reply->body, sizeof(offer));
	if (reply->request == VHOST_GET_PROTOCOL_FEATURES)
		return !(~offer & VHOST_PROTOCOL_NEEDED) || accept_unreplayable(device);
	if (!(offer & VHOST_F_PROTOCOL_FEATURES) && !accept_unreplayable(device))
		return false;
	offer &= ~(VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED);
	memcpy(reply->body, &offer, sizeof(offer));
	return true;
}

void program_link_reply(struct session_device *device)
{
	struct program_link *link = device->link;
	struct vhost_message *reply = &link->reply;
	uint64_t value;

	program_link_harvest(device);
	if (device->state == DEVICE_ENDED || !check_offer(device, reply))
		return;
	link->pending = 0;
	if (reply->size == sizeof(value)) {
		memcpy(&value, reply->body, sizeof(value));
		session_device_reply_value(device, reply->request, value);
	} else {
		session_device_reply_body(device, reply->request, reply->body, reply->size);
	}
}
