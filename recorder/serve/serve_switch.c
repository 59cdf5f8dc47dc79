// SPDX-License-Identifier: BSD-3-Clause
/* An Ethernet switch between guests, over vhost-user, in virtual time. */
#include "recorder/serve/serve_switch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "kernel/participant/participant.h"
#include "kernel/vhost/vhost.h"

/* struct virtio_net_hdr_v1 (VIRTIO 1.2, 5.1.6), and an Ethernet frame of 64 KiB. */
#define NET_HEADER	 12
#define NUM_BUFFERS_AT	 10
#define FRAME_MAX	 (NET_HEADER + 65550u)
#define VIRTIO_NET_F_MAC (1ULL << 5)
#define ADDRESS_SIZE	 6
/* In front of the configuration space in a message: offset, size, flags. */
#define CONFIG_HEAD 12

enum { QUEUE_RECEIVE, QUEUE_SEND, QUEUES };

struct ether_switch;

struct port {
	struct ether_switch *owner;
	struct vhost vhost; /* its fd is -1 once the guest has left */
	size_t number;
	bool known; /* it has sent something: from this address */
	uint8_t address[ADDRESS_SIZE];
	struct participant_source source;
	struct vhost_message message; /* which is handled; others' may be meanwhile */
};

struct frame {
	struct frame *next;
	const struct port *from;
	uint64_t time; /* ns, when it arrives; of a fresh one not known yet */
	size_t size;
	uint8_t data[]; /* with the header in front */
};

struct ether_switch {
	struct participant *participant;
	uint64_t delay;
	int listen_fd;
	struct participant_source listener;
	struct port *port[SWITCH_PORTS_MAX];
	size_t port_count;
	struct frame *first, **last;  /* that are under way, in the order of arrival */
	struct frame *fresh, **added; /* of kicks whose time is not known yet */
	size_t frame_count;
	struct participant_event kicked, due;
	struct vring_chain chain;
};

/* ---- To a guest ------------------------------------------------------------------------------ */

static void close_port(struct port *port)
{
	if (port->vhost.fd < 0)
		return;
	participant_source_remove(port->owner->participant, &port->source);
	vhost_close(&port->vhost);
}

/* Interrupt the guest and wait until it has taken that. */
static void call(struct port *port)
{
	struct participant *participant = port->owner->participant;
	uint64_t value;

	/* It may have run ahead in its window. */
	participant_propagate(participant);
	if (vhost_call(&port->vhost, VHOST_BACKEND_VRING_CALL, QUEUE_RECEIVE))
		return;
	participant_wait_readable(participant, port->vhost.call_fd);
	if (vhost_take_called(&port->vhost, &value) < 0)
		close_port(port);
}

/* A guest without a buffer does not get it. */
static void receive(struct port *port, const struct frame *frame)
{
	struct vring *ring = &port->vhost.ring[QUEUE_RECEIVE];
	struct vring_chain *chain = &port->owner->chain;
	size_t written;
	int got = vring_take(ring, chain);

	if (got == 1) {
		written = vring_chain_write(chain, 0, frame->data, frame->size);
		got = vring_complete(ring, chain->head, (uint32_t)written) ? -1 : 1;
	}
	if (got < 0)
		close_port(port);
	else if (got && vring_wants_call(ring))
		call(port);
}

static const uint8_t *destination(const struct frame *frame)
{
	return frame->data + NET_HEADER;
}

static bool is_to(const struct port *port, const uint8_t *address)
{
	return port->known && !memcmp(port->address, address, ADDRESS_SIZE);
}

/* To the one that has the address, or to all: a group address, or one not seen yet. */
static void deliver(struct ether_switch *ethernet, const struct frame *frame)
{
	bool all = destination(frame)[0] & 1, found = false;

	for (size_t i = 0; !all && i < ethernet->port_count; i++)
		found |= is_to(ethernet->port[i], destination(frame));
	for (size_t i = 0; i < ethernet->port_count; i++) {
		struct port *port = ethernet->port[i];

		if (port != frame->from && port->vhost.fd >= 0 &&
		    (!found || is_to(port, destination(frame))))
			receive(port, frame);
	}
}

/* ---- Time ------------------------------------------------------------------------------------ */

static void plan(struct ether_switch *ethernet)
{
	if (ethernet->first)
		participant_event_add(ethernet->participant, &ethernet->due, ethernet->first->time);
}

/* The time of the kicks is known now. */
static void run_kicked(struct participant *participant, struct participant_event *event)
{
	struct ether_switch *ethernet = event->context;

	for (struct frame *frame = ethernet->fresh; frame; frame = frame->next)
		frame->time = participant_now(participant) + ethernet->delay;
	if (ethernet->fresh) {
		*ethernet->last = ethernet->fresh;
		ethernet->last = ethernet->added;
	}
	ethernet->fresh = NULL;
	ethernet->added = &ethernet->fresh;
	plan(ethernet);
}

static struct frame *take_due(struct ether_switch *ethernet)
{
	struct frame *frame = ethernet->first;

	if (!frame || frame->time > participant_now(ethernet->participant))
		return NULL;
	ethernet->first = frame->next;
	if (!ethernet->first)
		ethernet->last = &ethernet->first;
	ethernet->frame_count--;
	return frame;
}

static void run_due(struct participant *participant, struct participant_event *event)
{
	struct ether_switch *ethernet = event->context;
	struct frame *frame;

	(void)participant;
	while ((frame = take_due(ethernet))) {
		deliver(ethernet, frame);
		free(frame);
	}
	plan(ethernet);
}

/* ---- From a guest ---------------------------------------------------------------------------- */

static void learn(struct port *port, const struct frame *frame)
{
	memcpy(port->address, destination(frame) + ADDRESS_SIZE, ADDRESS_SIZE);
	port->known = true;
}

static void take_frame(struct port *port, const struct vring_chain *chain)
{
	struct ether_switch *ethernet = port->owner;
	struct frame *frame;

	if (ethernet->frame_count == SWITCH_FRAMES_MAX || chain->read_size > FRAME_MAX ||
	    chain->read_size < NET_HEADER + 2 * ADDRESS_SIZE)
		return;
	frame = malloc(sizeof(*frame) + chain->read_size);
	if (!frame)
		return;
	*frame = (struct frame){ .from = port };
	frame->size = vring_chain_read(chain, 0, frame->data, chain->read_size);
	if (frame->size < chain->read_size) {
		free(frame);
		return;
	}
	memset(frame->data, 0, NET_HEADER);
	frame->data[NUM_BUFFERS_AT] = 1;
	learn(port, frame);
	*ethernet->added = frame;
	ethernet->added = &frame->next;
	ethernet->frame_count++;
}

/* 0, or -EBADMSG: its ring is invalid. */
static int send_frames(struct port *port)
{
	struct vring *ring = &port->vhost.ring[QUEUE_SEND];
	struct vring_chain *chain = &port->owner->chain;
	int got;

	while ((got = vring_take(ring, chain)) == 1) {
		take_frame(port, chain);
		got = vring_complete(ring, chain->head, 0);
		if (got)
			break;
	}
	return got;
}

static int handle_kick(struct port *port, const struct vhost_message *message)
{
	struct ether_switch *ethernet = port->owner;
	unsigned int queue;
	int err = vhost_kicked_queue(&port->vhost, message, &queue);

	if (!err && queue == QUEUE_SEND)
		err = send_frames(port);
	/* Before the reply: then the scheduler knows of it. */
	if (!err && ethernet->fresh)
		err = participant_interrupt(ethernet->participant, &ethernet->kicked);
	return err;
}

static void reply_config(struct port *port, const struct vhost_message *message)
{
	const uint8_t address[ADDRESS_SIZE] = {
		2, 0, 0, 0, (uint8_t)(1 + (port->number + 1) / 256), (uint8_t)(port->number + 1)
	};
	uint8_t body[VHOST_BODY_MAX] = { 0 };

	memcpy(body, message->body, message->size < CONFIG_HEAD ? message->size : CONFIG_HEAD);
	if (message->size >= CONFIG_HEAD + sizeof(address))
		memcpy(body + CONFIG_HEAD, address, sizeof(address));
	vhost_reply_body(&port->vhost, message->request, body, message->size);
}

static void reply(struct port *port, const struct vhost_message *message)
{
	uint64_t value = 0;

	if (message->request == VHOST_GET_CONFIG) {
		reply_config(port, message);
		return;
	}
	if (message->request == VHOST_GET_VRING_BASE) {
		vhost_reply_body(&port->vhost, message->request, message->body, message->size);
		return;
	}
	if (message->request == VHOST_GET_FEATURES)
		value = VHOST_F_PROTOCOL_FEATURES | VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC;
	else if (message->request == VHOST_GET_PROTOCOL_FEATURES)
		value = VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG;
	else if (message->request == VHOST_GET_QUEUE_NUM)
		value = QUEUES;
	if (vhost_expects_reply(message))
		vhost_reply_value(&port->vhost, message->request, value);
}

/* Returns false when the guest has left, or what it says makes no sense. */
static bool read_port(struct port *port)
{
	struct vhost_message *message = &port->message;
	int got = vhost_receive(&port->vhost, message), err;

	if (got != 1)
		return got == -EAGAIN;
	err = vhost_apply(&port->vhost, message);
	if (!err && message->request == VHOST_VRING_KICK)
		err = handle_kick(port, message);
	vhost_message_close(message);
	if (!err)
		reply(port, message);
	return !err;
}

static void handle_port(struct participant *participant, struct participant_source *source)
{
	(void)participant;
	if (!read_port(source->context))
		close_port(source->context);
}

static void handle_listener(struct participant *participant, struct participant_source *source)
{
	struct ether_switch *ethernet = source->context;
	int fd = accept4(ethernet->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct port *port;

	if (fd < 0)
		return;
	port = ethernet->port_count < SWITCH_PORTS_MAX ? calloc(1, sizeof(*port)) : NULL;
	if (!port) {
		close(fd);
		return;
	}
	port->owner = ethernet;
	port->number = ethernet->port_count;
	port->vhost = VHOST_NONE;
	vhost_open(&port->vhost, fd);
	port->source = (struct participant_source){ .fd = port->vhost.fd,
						    .handle = handle_port,
						    .context = port };
	ethernet->port[ethernet->port_count++] = port;
	participant_source_add(participant, &port->source);
}

/* ---- The switch ------------------------------------------------------------------------------ */

static void free_frames(struct frame *frame)
{
	while (frame) {
		struct frame *next = frame->next;

		free(frame);
		frame = next;
	}
}

static void release(struct ether_switch *ethernet)
{
	participant_destroy(ethernet->participant);
	for (size_t i = 0; i < ethernet->port_count; i++) {
		vhost_close(&ethernet->port[i]->vhost);
		free(ethernet->port[i]);
	}
	free_frames(ethernet->first);
	free_frames(ethernet->fresh);
	free(ethernet);
}

int serve_switch_run(int listen_fd, int clock_fd, uint64_t delay)
{
	struct ether_switch *ethernet = calloc(1, sizeof(*ethernet));
	int err;

	if (!ethernet) {
		close(clock_fd);
		return -ENOMEM;
	}
	ethernet->delay = delay;
	ethernet->listen_fd = listen_fd;
	ethernet->last = &ethernet->first;
	ethernet->added = &ethernet->fresh;
	ethernet->listener = (struct participant_source){ .fd = listen_fd,
							  .handle = handle_listener,
							  .context = ethernet };
	participant_event_init(&ethernet->kicked, run_kicked, ethernet);
	participant_event_init(&ethernet->due, run_due, ethernet);
	err = participant_create(NULL, &ethernet->participant);
	if (err)
		close(clock_fd);
	else
		err = participant_attach(ethernet->participant, clock_fd, PARTICIPANT_ID_NONE);
	if (!err)
		err = participant_start(ethernet->participant);
	if (!err)
		err = participant_source_add(ethernet->participant, &ethernet->listener);
	if (!err)
		err = participant_run(ethernet->participant);
	release(ethernet);
	return err == -EPIPE || err == -ECONNRESET ? 0 : err;
}
