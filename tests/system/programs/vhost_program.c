// SPDX-License-Identifier: BSD-3-Clause
/*
 * A device program of somebody else, as `ttrec` finds it: a source of random bytes that are other
 * ones each time, a hub of network cards, or the medium of radios (air), over vhost-user; in
 *virtual time with --time.
 *
 *	vhost_program rng|net|air SOCKET [--time SOCKET] [--delay NS] [--wall NS]
 *		[--fault KIND [--at KICK]] [--seed N] [--loss PERCENT]
 *
 * --wall: it answers after that much of the host's time. KIND: eventfd (has no in-band
 * notifications), die, mute (does not reply), lie (about a length).
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "kernel/participant/participant.h"
#include "kernel/vhost/vhost.h"
#include "kernel/wire/wire.h"
#include "tests/system/programs/radio_medium.h"

#define PORTS_MAX	 16
#define FRAMES_MAX	 256
#define FRAME_SIZE	 4096
#define NET_HEADER	 12
#define VIRTIO_NET_F_MAC (1ULL << 5)

enum fault { FAULT_NONE, FAULT_EVENTFD, FAULT_DIE, FAULT_MUTE, FAULT_LIE };

struct port {
	struct vhost vhost;
	unsigned int number;
	struct participant_source source;
};

/* On its way to all ports but one; without data: that one's requests are due. */
struct frame {
	unsigned int port;
	uint64_t time;
	size_t size;
	uint8_t data[FRAME_SIZE];
};

static struct {
	bool net, air;
	struct medium medium;
	uint64_t delay, wall, deadline;
	enum fault fault;
	unsigned long fault_at, kicks;
	int listen_fd;
	struct port port[PORTS_MAX];
	unsigned int port_count;
	struct frame frame[FRAMES_MAX];
	size_t frame_count, fresh; /* those from @fresh on have no time yet */
	struct participant *participant;
	struct participant_event kicked, due;
} program;

static void die(const char *what)
{
	fprintf(stderr, "vhost_program: %s\n", what);
	exit(3);
}

/* ---- Buffers ------------------------------------------------------------------------------- */

/* Interrupt the guest, and wait until it has taken that. */
static void call(struct port *port, unsigned int queue)
{
	struct pollfd reply = { .fd = port->vhost.call_fd, .events = POLLIN };
	uint64_t value;

	/* It may have run ahead in its window. */
	if (program.participant)
		participant_propagate(program.participant);
	if (vhost_call(&port->vhost, VHOST_BACKEND_VRING_CALL, queue))
		return;
	if (program.participant)
		participant_wait_readable(program.participant, port->vhost.call_fd);
	else
		poll(&reply, 1, -1);
	if (vhost_take_called(&port->vhost, &value) == 1 && value)
		fprintf(stderr, "vhost_program: the guest did not take the interrupt\n");
}

static void complete(struct port *port, unsigned int queue, const struct vring_chain *chain,
		     size_t written)
{
	if (program.fault == FAULT_LIE && program.kicks >= program.fault_at)
		written = chain->write_size + 1;
	vring_complete(&port->vhost.ring[queue], chain->head, (uint32_t)written);
}

static void give_random(struct port *port)
{
	static struct vring_chain chain;
	uint8_t bytes[256];
	bool given = false;

	while (vring_take(&port->vhost.ring[0], &chain) == 1) {
		size_t size = chain.write_size < sizeof(bytes) ? chain.write_size : sizeof(bytes);

		if (getrandom(bytes, size, 0) != (ssize_t)size)
			die("no random bytes");
		complete(port, 0, &chain, vring_chain_write(&chain, 0, bytes, size));
		given = true;
	}
	if (given)
		call(port, 0);
}

static void receive_frame(struct port *port, const struct frame *frame)
{
	static struct vring_chain chain;

	if (vring_take(&port->vhost.ring[0], &chain) != 1)
		return;
	complete(port, 0, &chain, vring_chain_write(&chain, 0, frame->data, frame->size));
	if (vring_wants_call(&port->vhost.ring[0]))
		call(port, 0);
}

/* What the medium gives to a radio's guest. */
static void put_to_radio(unsigned int number, const uint8_t *message, size_t size)
{
	static struct vring_chain chain;
	struct port *port = &program.port[number];

	if (port->vhost.fd < 0 || vring_take(&port->vhost.ring[1], &chain) != 1)
		return;
	complete(port, 1, &chain, vring_chain_write(&chain, 0, message, size));
	if (vring_wants_call(&port->vhost.ring[1]))
		call(port, 1);
}

static void deliver(const struct frame *frame)
{
	if (program.air) {
		medium_take(&program.medium, frame->port, frame->data, frame->size, put_to_radio);
		return;
	}
	if (!program.net) {
		give_random(&program.port[frame->port]);
		return;
	}
	for (unsigned int i = 0; i < program.port_count; i++)
		if (i != frame->port && program.port[i].vhost.fd >= 0)
			receive_frame(&program.port[i], frame);
}

static struct frame *add_frame(const struct port *port)
{
	struct frame *frame = &program.frame[program.frame_count];

	if (program.frame_count == FRAMES_MAX)
		die("too many frames");
	program.frame_count++;
	frame->port = port->number;
	frame->size = 0;
	return frame;
}

static void send_frames(struct port *port, unsigned int queue)
{
	static struct vring_chain chain;

	while (vring_take(&port->vhost.ring[queue], &chain) == 1) {
		struct frame *frame = add_frame(port);

		frame->size = vring_chain_read(&chain, 0, frame->data, sizeof(frame->data));
		if (program.net) {
			memset(frame->data, 0, NET_HEADER);
			frame->data[10] = 1; /* num_buffers */
		}
		vring_complete(&port->vhost.ring[queue], chain.head, 0);
	}
}

/* ---- In virtual time ------------------------------------------------------------------------- */

static void plan(struct participant *participant)
{
	if (program.frame_count)
		participant_event_add(participant, &program.due, program.frame[0].time);
}

/* The time of the kick is known now. */
static void run_kicked(struct participant *participant, struct participant_event *event)
{
	(void)event;
	for (; program.fresh < program.frame_count; program.fresh++)
		program.frame[program.fresh].time = participant_now(participant) + program.delay;
	plan(participant);
}

static void run_due(struct participant *participant, struct participant_event *event)
{
	(void)event;
	while (program.fresh && program.frame[0].time <= participant_now(participant)) {
		struct frame frame = program.frame[0];

		program.frame_count--;
		program.fresh--;
		memmove(program.frame, program.frame + 1, program.frame_count * sizeof(frame));
		deliver(&frame);
	}
	plan(participant);
}

/* ---- Messages -------------------------------------------------------------------------------- */

static uint64_t wall_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void deliver_all(void)
{
	for (size_t i = 0; i < program.frame_count; i++)
		deliver(&program.frame[i]);
	program.frame_count = 0;
}

static void handle_kick(struct port *port, const struct vhost_message *message)
{
	unsigned int queue;

	if (vhost_kicked_queue(&port->vhost, message, &queue))
		return;
	if (++program.kicks == program.fault_at && program.fault == FAULT_DIE)
		die("dies, as it was told to");
	if (program.air ? queue == 0 : program.net && queue == 1)
		send_frames(port, queue);
	else if (!program.net && !program.air)
		add_frame(port);
	if (program.participant) {
		participant_interrupt(program.participant, &program.kicked);
		return;
	}
	program.deadline = wall_now() + program.wall;
	if (!program.wall)
		deliver_all();
}

static void reply_config(struct port *port, const struct vhost_message *message)
{
	uint8_t body[VHOST_BODY_MAX] = { 0 };
	const uint8_t mac[6] = { 2, 0, 0, 0, 1, (uint8_t)(port->number + 1) };

	memcpy(body, message->body, 12);
	if (message->size >= 12 + sizeof(mac))
		memcpy(body + 12, mac, sizeof(mac));
	vhost_reply_body(&port->vhost, message->request, body, message->size);
}

static uint64_t answer_value(const struct vhost_message *message)
{
	switch (message->request) {
	case VHOST_GET_FEATURES:
		return VHOST_F_PROTOCOL_FEATURES | VIRTIO_F_VERSION_1 |
		       (program.net ? VIRTIO_NET_F_MAC : 0);
	case VHOST_GET_PROTOCOL_FEATURES:
		if (program.fault == FAULT_EVENTFD)
			return (VHOST_PROTOCOL_NEEDED & ~VHOST_PROTOCOL_INBAND) |
			       VHOST_PROTOCOL_CONFIG;
		return VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG;
	case VHOST_GET_QUEUE_NUM:
		return program.net || program.air ? 2 : 1;
	default:
		return 0;
	}
}

static void handle_message(struct port *port, struct vhost_message *message)
{
	if (vhost_apply(&port->vhost, message))
		die(port->vhost.problem);
	if (message->request == VHOST_VRING_KICK)
		handle_kick(port, message);
	vhost_message_close(message);
	if (program.fault == FAULT_MUTE && program.kicks >= program.fault_at)
		return;
	if (message->request == VHOST_GET_CONFIG)
		reply_config(port, message);
	else if (message->request == VHOST_GET_VRING_BASE)
		vhost_reply_body(&port->vhost, message->request, message->body, message->size);
	else if (vhost_expects_reply(message))
		vhost_reply_value(&port->vhost, message->request, answer_value(message));
}

/* Returns false when the guest has closed it. */
static bool read_port(struct port *port)
{
	static struct vhost_message message;
	int got = vhost_receive(&port->vhost, &message);

	if (got == 1)
		handle_message(port, &message);
	return got == 1 || got == -EAGAIN;
}

static void handle_source(struct participant *participant, struct participant_source *source)
{
	struct port *port = source->context;

	if (read_port(port))
		return;
	participant_source_remove(participant, source);
	vhost_close(&port->vhost);
}

static struct port *accept_port(void)
{
	struct port *port = &program.port[program.port_count];
	int fd = accept4(program.listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || program.port_count == PORTS_MAX)
		die("cannot accept");
	port->vhost = VHOST_NONE;
	vhost_open(&port->vhost, fd);
	port->number = program.port_count++;
	return port;
}

static void handle_listener(struct participant *participant, struct participant_source *source)
{
	struct port *port = accept_port();

	(void)source;
	port->source = (struct participant_source){ .fd = port->vhost.fd,
						    .handle = handle_source,
						    .context = port };
	participant_source_add(participant, &port->source);
}

/* ---- The loops ---------------------------------------------------------------------------------
 */

static int run_timed(const char *path)
{
	struct participant_source listener = { .fd = program.listen_fd, .handle = handle_listener };
	int err = participant_create(NULL, &program.participant);

	participant_event_init(&program.kicked, run_kicked, NULL);
	participant_event_init(&program.due, run_due, NULL);
	if (!err)
		err = participant_connect(program.participant, path);
	if (!err)
		err = participant_start(program.participant);
	if (!err)
		err = participant_source_add(program.participant, &listener);
	if (!err)
		err = participant_run(program.participant);
	if (err && err != -ECONNRESET && err != -EPIPE)
		fprintf(stderr, "vhost_program: %s\n", participant_error(program.participant));
	return err ? 1 : 0;
}

static int run_untimed(void)
{
	struct pollfd fds[PORTS_MAX + 1];

	for (;;) {
		fds[0] = (struct pollfd){ .fd = program.listen_fd, .events = POLLIN };
		for (unsigned int i = 0; i < program.port_count; i++)
			fds[i + 1] =
				(struct pollfd){ .fd = program.port[i].vhost.fd, .events = POLLIN };
		if (poll(fds, program.port_count + 1, program.frame_count ? 1 : -1) < 0)
			return 1;
		if (program.frame_count && wall_now() >= program.deadline)
			deliver_all();
		for (unsigned int i = program.port_count; i; i--)
			if (fds[i].revents && !read_port(&program.port[i - 1]))
				vhost_close(&program.port[i - 1].vhost);
		if (fds[0].revents)
			accept_port();
	}
}

static enum fault parse_fault(const char *name)
{
	static const char *const names[] = { "none", "eventfd", "die", "mute", "lie" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return (enum fault)i;
	die("no such fault");
	return FAULT_NONE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "time", required_argument, NULL, 't' }, { "delay", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 's' }, { "loss", required_argument, NULL, 'l' },
		{ "wall", required_argument, NULL, 'w' }, { "fault", required_argument, NULL, 'f' },
		{ "at", required_argument, NULL, 'a' },	  { 0 }
	};
	const char *time = NULL;
	int option;

	program.fault_at = 1;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 't')
			time = optarg;
		else if (option == 'd')
			program.delay = strtoull(optarg, NULL, 0);
		else if (option == 's')
			program.medium.random = strtoull(optarg, NULL, 0);
		else if (option == 'l')
			program.medium.loss = (unsigned int)strtoul(optarg, NULL, 0);
		else if (option == 'w')
			program.wall = strtoull(optarg, NULL, 0);
		else if (option == 'f')
			program.fault = parse_fault(optarg);
		else if (option == 'a')
			program.fault_at = strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (argc - optind != 2)
		die("usage: vhost_program rng|net|air SOCKET [OPTION]...");
	program.net = !strcmp(argv[optind], "net");
	program.air = !strcmp(argv[optind], "air");
	if (wire_listen(argv[optind + 1], &program.listen_fd))
		die("cannot listen");
	return time ? run_timed(time) : run_untimed();
}
