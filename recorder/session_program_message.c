// SPDX-License-Identifier: BSD-3-Clause
/* Requests to device programs, their replies, and what they wrote to guest memory before these. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "kernel/host/process.h"
#include "recorder/session_program.h"

/* Not to be had by a guest: what a program does with them is not in the used ring. */
#define VIRTIO_F_EVENT_IDX   (1ULL << 29)
#define VIRTIO_F_RING_PACKED (1ULL << 34)

/* ---- What it wrote to guest memory ------------------------------------------------------------
 */

/* From here on the trace does not have all that the guest was told. */
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

/* Some give no length for what they wrote: then all of the buffer is recorded. */
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
			return "it used more of a buffer than there is";
		session_device_used(device, queue, chain, written,
				    written ? written : (uint32_t)chain->write_size);
	}
	return got < 0 ? ring->problem : NULL;
}

void program_link_harvest(struct session_device *device)
{
	const char *problem = NULL;

	if (device->ended || device->link->failing)
		return;
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX && !problem; i++)
		if (device->vhost->ring[i].size && device->vhost->ring[i].used)
			problem = take_used(device, i);
	if (!problem)
		return;
	/* The guest may see what makes no sense, too. */
	record_unreplayable(device, "made nonsense of a vring");
	program_link_cut(device, problem);
}

void session_program_harvest(struct session_guest *guest)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++)
		if (guest->device[i].link && guest->device[i].attached)
			program_link_harvest(&guest->device[i]);
}

/* ---- Requests of the guest --------------------------------------------------------------------
 */

static const char *record_kick(struct session_device *device, const struct vhost_message *message)
{
	struct trace_record record = session_device_record(device, TRACE_kick);
	unsigned int queue;

	if (vhost_kicked_queue(device->vhost, message, &queue))
		return device->vhost->problem;
	record.kick.queue = queue;
	record.kick.flags = message->flags;
	session_device_append(device, &record);
	return NULL;
}

/* The program calls us: what the guest gave for it is ours to call on. */
static int offer_backend(struct session_device *device, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	program_link_watch(device, false);
	vhost_close(&device->link->backend);
	vhost_open(&device->link->backend, pair[0]);
	*theirs = pair[1];
	program_link_watch(device, true);
	return 0;
}

const char *session_program_request(struct session_device *device, struct vhost_message *message)
{
	struct program_link *link = device->link;
	const char *problem = NULL;
	auto_fd backend = -1;
	int err = 0;

	if (message->request == VHOST_VRING_KICK)
		problem = record_kick(device, message);
	if (problem || link->failing)
		return problem ? problem : link->problem;
	if (message->request == VHOST_SET_BACKEND_REQ_FD)
		err = offer_backend(device, &backend);
	if (!err)
		err = vhost_forward(link->fd, message, backend);
	if (err) {
		snprintf(link->problem, sizeof(link->problem), "it does not take requests: %s",
			 strerror(-err));
		return link->problem;
	}
	link->pending = vhost_expects_reply(message) ? message->request : 0;
	return NULL;
}

/* ---- Its replies ------------------------------------------------------------------------------
 */

/* The guest's interrupts cannot be replayed. Returns false when that ends the recording. */
static bool accept_unreplayable(struct session_device *device)
{
	const struct session_program_options *options = &device->link->program->options;
	struct diagnosis *why = &device->session->result->diagnosis;

	if (options->allowed) {
		record_unreplayable(device, "has no in-band notifications");
		return true;
	}
	diagnose(why, EXIT_CANNOT, -EOPNOTSUPP,
		 "start it so that it has the protocol features REPLY_ACK, BACKEND_REQ and "
		 "INBAND_NOTIFICATIONS; or --allow program, and that guest cannot be replayed",
		 "the program %s has no in-band notifications: what it does to %s cannot be "
		 "replayed",
		 options->name, device->guest->guest->spec->name);
	session_finish(device->session, SESSION_FAULT);
	return false;
}

/* Look at what it offers, and leave out what it may not. Returns whether to go on. */
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

void program_link_deliver(struct session_device *device)
{
	struct program_link *link = device->link;
	struct vhost_message *reply = &link->reply;
	uint64_t value;

	link->reply_held = false;
	program_link_harvest(device);
	if (device->ended || !check_offer(device, reply))
		return;
	link->pending = 0;
	if (reply->size == sizeof(value)) {
		memcpy(&value, reply->body, sizeof(value));
		session_device_reply_value(device, reply->request, value);
	} else {
		session_device_reply_body(device, reply->request, reply->body, reply->size);
	}
}

void session_program_reply(struct session *session, size_t index)
{
	struct session_device *device = session->device[index];
	struct program_link *link = device->link;
	struct client *client = link->program->client;
	int got;

	if (client)
		session_client_readable(session, client);
	session_upstream_readable(session, device->guest->client);
	session_program_drain(link->program);
	if (device->ended || link->fd < 0 || link->reply_held || session->over)
		return;
	got = vhost_take_reply(link->fd, link->pending, &link->reply, link->problem);
	if (got == -EAGAIN)
		return;
	session->last_message_wall = process_wall_ns();
	if (got == -EBADMSG) {
		program_link_cut(device, link->problem);
	} else if (got <= 0) {
		program_link_cut(device, "it closed its connection");
	} else if (!link->pending) {
		program_link_cut(device, "it replied to nothing");
	} else if (link->program->calling) {
		link->reply_held = true;
	} else {
		program_link_deliver(device);
	}
}
