// SPDX-License-Identifier: BSD-3-Clause
/* Reads each kind of descriptor: parses the input and puts events into the inbox. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kernel/probe/probe.h"
#include "kernel/host/process.h"
#include "recorder/session/member/session_client.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"
#include "recorder/session/member/session_program.h"
#include "recorder/session/session_sources.h"

static void put(struct sources *sources, struct source *source, const struct partition *partition,
		struct event event)
{
	event.source = source;
	event.time = partition ? partition_now(partition) : 0;
	if (inbox_put(sources->inbox, &event))
		sources->error = -ENOMEM;
}

static void put_client(struct sources *sources, struct source *source, struct client *client,
		       struct event event)
{
	event.client = client;
	event.participant = client->index;
	put(sources, source, client->partition, event);
}

static void put_guest(struct sources *sources, struct source *source, struct session_guest *guest,
		      struct event event)
{
	event.guest = guest;
	event.participant = guest->index;
	put(sources, source, guest->partition, event);
}

static void put_device(struct sources *sources, struct source *source,
		       struct session_device *device, struct event event)
{
	event.device = device;
	event.participant = device->guest->index;
	put(sources, source, device->guest->partition, event);
}

/* ---- Time-travel connections ---------------------------------------------------------------- */

/*
 * Read acknowledgements, and then at most one message: what follows it may have been sent after the
 * round began, and what its sender did in between, such as printing, has not been read yet.
 */
static void read_messages(struct sources *sources, struct source *source, struct client *client)
{
	struct event event = { .kind = EVENT_MESSAGE };
	bool is_first = true;

	while (wire_input_peek(&client->input, &event.message)) {
		bool is_ack = event.message.op == TRACE_OP_ACK;

		if (!is_ack && !is_first) {
			source_requeue(sources, source);
			return;
		}
		wire_input_take(&client->input, &event.message);
		put_client(sources, source, client, event);
		is_first = false;
		if (!is_ack)
			break;
	}
	if (wire_input_peek(&client->input, &event.message))
		source_requeue(sources, source);
}

/* A read failed for a reason other than the end of the connection or the peer. */
static bool host_failed(struct sources *sources, long got)
{
	switch (got) {
	case -EPIPE:
	case -ECONNRESET:
	case -EBADMSG:
	case -ENOBUFS: /* more than a client that waits for answers sends */
		return false;
	}
	if (got < 0)
		sources->error = (int)got;
	return got < 0;
}

static void read_client(struct sources *sources, struct source *source)
{
	struct client *client = source->owner;
	struct wire_message next;
	long got;

	if (!wire_input_peek(&client->input, &next)) {
		got = wire_input_fill(&client->input, client->fd);
		if (got == -EAGAIN || host_failed(sources, got))
			return;
		if (got <= 0) {
			source_close(sources, source);
			put_client(sources, source, client,
				   (struct event){ .kind = EVENT_LEFT,
						   .value = wire_input_partial(&client->input) });
			return;
		}
	}
	read_messages(sources, source, client);
}

/* Read up to a RUN, which may have to wait for the reply to a call and must not be overtaken. */
static void read_upstream_messages(struct sources *sources, struct source *source,
				   struct client *client)
{
	struct event event = { .kind = EVENT_UPSTREAM };

	while (event.kind == EVENT_UPSTREAM &&
	       wire_input_take(&client->upstream_input, &event.message)) {
		if (event.message.op == TRACE_OP_RUN)
			event.kind = EVENT_UPSTREAM_RUN;
		put_client(sources, source, client, event);
	}
	if (wire_input_peek(&client->upstream_input, &event.message))
		source_requeue(sources, source);
}

/* Shared memory passed with the ACK of a START is not accepted; messages are used instead. */
static void read_upstream(struct sources *sources, struct source *source)
{
	struct client *client = source->owner;
	struct wire_message next;
	long got;

	if (!wire_input_peek(&client->upstream_input, &next)) {
		got = wire_input_fill(&client->upstream_input, client->upstream_fd);
		if (got == -EAGAIN || host_failed(sources, got))
			return;
		if (got <= 0) {
			source_close(sources, source);
			/* If a client has left as well, it left before that. */
			if (client->source.state == SOURCE_OPEN &&
			    client->source.round != sources->round)
				read_client(sources, &client->source);
			put_client(sources, source, client,
				   (struct event){ .kind = EVENT_UPSTREAM_LEFT });
			return;
		}
	}
	read_upstream_messages(sources, source, client);
}

/* ---- Connections ---------------------------------------------------------------------------- */

static int connect_upstream(const struct partition *partition, int *fd)
{
	return partition->upstream ? wire_connect(partition->upstream, fd) : 0;
}

/* The owner is the partition that accepted clients join. */
static void read_listen(struct sources *sources, struct source *source)
{
	const struct partition *partition = source->owner;
	struct event event = { .kind = EVENT_JOINED,
			       .member = JOINED_CLIENT,
			       .participant = EVENT_NO_PARTICIPANT,
			       .upstream_fd = -1 };

	event.fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);
	event.error = event.fd < 0 ? -errno : connect_upstream(partition, &event.upstream_fd);
	if (event.error != -ECONNABORTED && event.error != -EINTR)
		put(sources, source, partition, event);
}

static void read_guest_listen(struct sources *sources, struct source *source)
{
	struct session_guest *guest = source->owner;
	struct event event = { .kind = EVENT_JOINED, .member = JOINED_GUEST, .upstream_fd = -1 };

	source_close(sources, source);
	event.error = guest_accept(guest->guest);
	event.fd = guest->guest->time_fd;
	if (!event.error)
		event.error = connect_upstream(guest->partition, &event.upstream_fd);
	put_guest(sources, source, guest, event);
}

static void read_program_listen(struct sources *sources, struct source *source)
{
	struct session_program *program = source->owner;
	struct event event = { .kind = EVENT_JOINED,
			       .member = JOINED_PROGRAM,
			       .participant = EVENT_NO_PARTICIPANT,
			       .upstream_fd = -1,
			       .program = program };

	source_close(sources, source);
	event.fd = accept4(program->options.time_fd, NULL, NULL, SOCK_CLOEXEC);
	event.error = event.fd < 0 ? -errno : 0;
	put(sources, source, NULL, event);
}

static void read_device_listen(struct sources *sources, struct source *source)
{
	struct session_device *device = source->owner;
	struct event event = { .kind = EVENT_ATTACHED };

	source_close(sources, source);
	event.error = guest_accept_device(device->guest->guest, device->number);
	if (!event.error)
		event.error = source_open(sources, &device->connection, SOURCE_DEVICE,
					  device->vhost->fd, device);
	if (!event.error && device->link)
		event.problem = program_link_connect(device);
	if (!event.error && device->link && !event.problem)
		event.error = source_open(sources, &device->link->replies, SOURCE_PROGRAM_REPLY,
					  device->link->fd, device);
	put_device(sources, source, device, event);
}

/* ---- Guests --------------------------------------------------------------------------------- */

/*
 * Only buffer the output: how much a running guest has written at some moment depends on the host;
 * what it has written by its next message does not.
 */
static void read_console(struct sources *sources, struct source *source)
{
	struct session_guest *guest = source->owner;
	ssize_t got = guest_fill_console(guest->guest, &guest->console);

	if (got > 0)
		put_guest(sources, source, guest, (struct event){ .kind = EVENT_CONSOLE });
	if (got >= (ssize_t)GUEST_CONSOLE_LOOK)
		source_requeue(sources, source);
}

static void read_entropy(struct sources *sources, struct source *source)
{
	struct session_guest *guest = source->owner;
	int err = entropy_receive(&guest->guest->sandbox, &guest->entropy_request);

	if (err == 1)
		put_guest(sources, source, guest, (struct event){ .kind = EVENT_ENTROPY });
	/* The listener of a guest that has ended would report errors at each poll. */
	if (err == -EPIPE || (err < 0 && guest->state != GUEST_ALIVE))
		source_close(sources, source);
	else if (err == -ENOMEM)
		sources->error = err;
}

static void read_exit(struct sources *sources, struct source *source)
{
	struct session_guest *guest = source->owner;
	struct session_guest_result *result = &guest->result;
	int ended = sandbox_ended(&guest->guest->sandbox, &result->status, &result->signal);

	if (!ended || host_failed(sources, ended))
		return;
	source_close(sources, source);
	memcpy(result->exceeded, guest->guest->sandbox.exceeded, sizeof(result->exceeded));
	put_guest(sources, source, guest, (struct event){ .kind = EVENT_EXITED });
}

/* ---- Devices -------------------------------------------------------------------------------- */

/*
 * Read only one request: before the next one the guest may do other things, which must be reported
 * first.
 */
static void read_device(struct sources *sources, struct source *source)
{
	struct session_device *device = source->owner;
	struct event event = { .kind = EVENT_REQUEST };
	int got = vhost_receive(device->vhost, &device->request);

	if (got == -EAGAIN || host_failed(sources, got))
		return;
	if (got != 1) {
		source_close(sources, source);
		event.kind = got == -EBADMSG ? EVENT_REQUEST_BROKEN : EVENT_DEVICE_CLOSED;
	}
	put_device(sources, source, device, event);
}

static void read_called(struct sources *sources, struct source *source)
{
	struct session_device *device = source->owner;
	struct event event = { .kind = EVENT_CALLED };
	int got = vhost_take_called(device->vhost, &event.value);

	if (got == -EAGAIN || host_failed(sources, got))
		return;
	if (got == 1) {
		put_device(sources, source, device, event);
		return;
	}
	/* Its other end was closed with the device, or it sent an unexpected reply. */
	source_close(sources, source);
	event.kind = EVENT_CALLED_BROKEN;
	if (got == -EBADMSG)
		put_device(sources, source, device, event);
}

/* ---- Programs ------------------------------------------------------------------------------- */

static uint32_t participant_of(const struct session_device *device)
{
	const struct session_program *program = device->link->program;

	return (uint32_t)(device->guest->all->count + program->number);
}

static void put_link(struct sources *sources, struct source *source, struct session_device *device,
		     struct event event)
{
	event.device = device;
	event.participant = participant_of(device);
	put(sources, source, device->guest->partition, event);
}

static void read_program_reply(struct sources *sources, struct source *source)
{
	struct session_device *device = source->owner;
	struct program_link *link = device->link;
	struct event event = { .kind = EVENT_PROGRAM_REPLY };
	int got = vhost_take_reply(link->fd, link->pending, &link->reply, link->problem);

	if (got == -EAGAIN || host_failed(sources, got))
		return;
	if (got != 1) {
		source_close(sources, source);
		event.kind = EVENT_PROGRAM_BROKEN;
		event.problem = got == -EBADMSG ? link->problem : "it closed its connection";
	}
	put_link(sources, source, device, event);
}

static void read_program_call(struct sources *sources, struct source *source)
{
	struct session_device *device = source->owner;
	struct program_link *link = device->link;
	struct event event = { .kind = EVENT_PROGRAM_CALL };
	int got = vhost_receive(&link->backend, &link->incoming);

	if (got == -EAGAIN || host_failed(sources, got))
		return;
	if (got != 1)
		source_close(sources, source);
	else
		vhost_message_close(&link->incoming);
	if (got == -EBADMSG) {
		event.kind = EVENT_PROGRAM_BROKEN;
		event.problem = link->backend.problem;
	}
	if (got == 1 || got == -EBADMSG)
		put_link(sources, source, device, event);
}

static void read_program_exit(struct sources *sources, struct source *source)
{
	struct session_program *program = source->owner;
	siginfo_t info = { 0 };

	source_close(sources, source);
	waitid(P_PIDFD, (id_t)program->options.process, &info, WEXITED | WNOHANG | WNOWAIT);
	program->exit_code = info.si_code;
	program->exit_status = info.si_status;
	put(sources, source, NULL,
	    (struct event){ .kind = EVENT_PROGRAM_EXIT,
			    .participant = EVENT_NO_PARTICIPANT,
			    .program = program });
}

/* ---- All of them ---------------------------------------------------------------------------- */

static void read_stop(struct sources *sources, struct source *source)
{
	int signal = process_take_stop(source->fd);

	if (signal)
		put(sources, source, NULL,
		    (struct event){ .kind = EVENT_STOP, .value = (uint64_t)signal });
}

/* Buffer console output until the guest's next message. */
static void read_probe(struct sources *sources, struct source *source)
{
	(void)sources;
	probe_drain(source->owner);
}

typedef void reader(struct sources *sources, struct source *source);

static reader *const readers[] = {
	[SOURCE_STOP] = read_stop,
	[SOURCE_PROBE] = read_probe,
	[SOURCE_LISTEN] = read_listen,
	[SOURCE_GUEST_LISTEN] = read_guest_listen,
	[SOURCE_CONSOLE] = read_console,
	[SOURCE_ENTROPY] = read_entropy,
	[SOURCE_EXIT] = read_exit,
	[SOURCE_CLIENT] = read_client,
	[SOURCE_UPSTREAM] = read_upstream,
	[SOURCE_DEVICE_LISTEN] = read_device_listen,
	[SOURCE_DEVICE] = read_device,
	[SOURCE_CALLED] = read_called,
	[SOURCE_PROGRAM_REPLY] = read_program_reply,
	[SOURCE_PROGRAM_CALL] = read_program_call,
	[SOURCE_PROGRAM_LISTEN] = read_program_listen,
	[SOURCE_PROGRAM_EXIT] = read_program_exit,
};

void source_read(struct sources *sources, struct source *source)
{
	readers[source->kind](sources, source);
}
