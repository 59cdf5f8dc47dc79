// SPDX-License-Identifier: BSD-3-Clause
/* Carries out the effects of a turn: sends, calls, replies, and closes. */
#include "recorder/session/session_loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "recorder/session/member/session_client.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"
#include "recorder/session/member/session_program.h"

/* Messages to one client go out in one write. */
#define SEND_MAX 16

/* The result of an effect is handled before any other event. */
static void put(struct sources *sources, struct event event)
{
	if (inbox_put(sources->inbox, &event))
		sources->error = -ENOMEM;
}

/* Stop reading it, and drop its events. */
static void forget(struct sources *sources, struct source *source)
{
	if (source->waiting)
		inbox_forget(sources->inbox, source);
	source_close(sources, source);
}

/* ---- Clients -------------------------------------------------------------------------------- */

static void check_sent(struct sources *sources, struct client *client, int err)
{
	/* If the client has left, end of file on its socket reports that in order. */
	if (err && err != -EPIPE && err != -ECONNRESET)
		put(sources, (struct event){ .kind = EVENT_SEND_FAILED,
					     .client = client,
					     .participant = client->index,
					     .error = err });
}

/* Send the effect at @first and those after it that go to the same client. Returns their number. */
static size_t send_burst(struct sources *sources, const struct effects *effects, size_t first)
{
	struct client *client = effects->effect[first].client;
	struct wire_message message[SEND_MAX];
	size_t count = 0;

	while (count < SEND_MAX && first + count < effects->count) {
		const struct effect *effect = &effects->effect[first + count];

		if (effect->kind != EFFECT_SEND || effect->client != client)
			break;
		message[count++] = effect->message;
	}
	check_sent(sources, client, wire_send(client->fd, message, count));
	return count;
}

static int open_client(struct sources *sources, struct client *client)
{
	int err = source_open(sources, &client->source, SOURCE_CLIENT, client->fd, client);

	if (!err && client->upstream_fd >= 0)
		err = source_open(sources, &client->upstream_source, SOURCE_UPSTREAM,
				  client->upstream_fd, client);
	return err;
}

static void close_client(struct sources *sources, struct client *client)
{
	forget(sources, &client->source);
	forget(sources, &client->upstream_source);
	close_fd(&client->upstream_fd);
	close_fd(&client->fd);
}

static void send_upstream(struct sources *sources, const struct effect *effect)
{
	int err = wire_send(effect->client->upstream_fd, &effect->message, 1);

	/* If it has left, end of file reports that. */
	if (err && err != -EPIPE && err != -ECONNRESET)
		put(sources, (struct event){ .kind = EVENT_UPSTREAM_REFUSED,
					     .client = effect->client,
					     .participant = effect->client->index });
}

/* ---- Devices -------------------------------------------------------------------------------- */

static void call(struct sources *sources, const struct effect *effect)
{
	struct session_device *device = effect->device;
	struct event refused = { .kind = EVENT_CALL_REFUSED,
				 .device = device,
				 .participant = device->guest->index };

	/* -ESRCH: it is dying; its exit event follows. */
	if (guest_await_blocked(device->guest->guest)) {
		put(sources, refused);
		return;
	}
	session_device_record_call(device, effect->request, effect->queue);
	if (vhost_call(device->vhost, effect->request, effect->queue))
		put(sources, refused);
}

static void disconnect(struct sources *sources, struct program_link *link)
{
	forget(sources, &link->calls);
	forget(sources, &link->replies);
	vhost_close(&link->backend);
	close_fd(&link->fd);
}

static void close_device(struct sources *sources, struct session_device *device, bool cut)
{
	forget(sources, &device->listen);
	forget(sources, &device->connection);
	forget(sources, &device->called);
	vhost_message_close(&device->request);
	if (device->link)
		disconnect(sources, device->link);
	if (cut)
		guest_cut_device(device->guest->guest, device->number);
	vhost_close(device->vhost);
}

static int open_called(struct sources *sources, struct session_device *device)
{
	forget(sources, &device->called);
	return source_open(sources, &device->called, SOURCE_CALLED, device->vhost->call_fd, device);
}

/* ---- Programs ------------------------------------------------------------------------------- */

/* The program calls us, and we call the guest on the descriptor that the guest passed. */
static int offer_backend(struct sources *sources, struct session_device *device, int *theirs)
{
	struct program_link *link = device->link;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	forget(sources, &link->calls);
	vhost_close(&link->backend);
	vhost_open(&link->backend, pair[0]);
	*theirs = pair[1];
	return source_open(sources, &link->calls, SOURCE_PROGRAM_CALL, pair[0], device);
}

static void forward(struct sources *sources, struct session_device *device)
{
	struct program_link *link = device->link;
	auto_fd backend = -1;
	int err = 0;

	if (device->request.request == VHOST_SET_BACKEND_REQ_FD)
		err = offer_backend(sources, device, &backend);
	if (!err)
		err = vhost_forward(link->fd, &device->request, backend);
	vhost_message_close(&device->request);
	if (!err)
		return;
	snprintf(link->problem, sizeof(link->problem), "it does not accept requests: %s",
		 strerror(-err));
	put(sources, (struct event){ .kind = EVENT_FORWARD_FAILED,
				     .device = device,
				     .participant = device->guest->index,
				     .problem = link->problem });
}

static void answer_call(const struct effect *effect)
{
	const struct vhost *backend = &effect->device->link->backend;

	if (backend->fd >= 0)
		vhost_answer_call(backend->fd, effect->request, effect->value);
}

/* ---- All of them ---------------------------------------------------------------------------- */

static void answer_entropy(struct sources *sources, const struct effects *effects,
			   const struct effect *effect)
{
	struct session_guest *guest = effect->guest;
	int err = guest_answer_entropy(guest->guest, &guest->entropy_request,
				       effects_data(effects, effect), effect->size);

	if (err == -EPIPE || (err < 0 && guest->state != GUEST_ALIVE))
		forget(sources, &guest->entropy_source);
	else if (err < 0)
		outcome_host_failed(effects->outcome, err, "answer a guest's system call");
}

static void report_unheard(struct effects *effects, int err)
{
	diagnose(outcome_reason(effects->outcome), EXIT_CANNOT, err, NULL,
		 "cannot listen to a connection: %s", strerror(-err));
	outcome_finish(effects->outcome, SESSION_FAULT);
}

static void carry_out(struct effects *effects, struct sources *sources, const struct effect *effect)
{
	int err = 0;

	switch (effect->kind) {
	case EFFECT_SEND: /* delivery_carry_out() */
		break;
	case EFFECT_OPEN_CLIENT:
		err = open_client(sources, effect->client);
		break;
	case EFFECT_CLOSE_CLIENT:
		close_client(sources, effect->client);
		break;
	case EFFECT_SEND_START:
		check_sent(sources, effect->client,
			   wire_send_start_ack(effect->client->fd, &effect->message));
		break;
	case EFFECT_SEND_UPSTREAM:
		send_upstream(sources, effect);
		break;
	case EFFECT_REPLY_VALUE:
		vhost_reply_value(effect->device->vhost, effect->request, effect->value);
		break;
	case EFFECT_REPLY_BODY:
		vhost_reply_body(effect->device->vhost, effect->request,
				 effects_data(effects, effect), effect->size);
		break;
	case EFFECT_CALL:
		call(sources, effect);
		break;
	case EFFECT_OPEN_CALLED:
		err = open_called(sources, effect->device);
		break;
	case EFFECT_CUT:
		close_device(sources, effect->device, true);
		break;
	case EFFECT_CLOSE:
		close_device(sources, effect->device, false);
		break;
	case EFFECT_ENTROPY:
		answer_entropy(sources, effects, effect);
		break;
	case EFFECT_FORWARD:
		forward(sources, effect->device);
		break;
	case EFFECT_ANSWER_CALL:
		answer_call(effect);
		break;
	case EFFECT_DISCONNECT:
		disconnect(sources, effect->device->link);
		break;
	}
	if (err)
		report_unheard(effects, err);
}

void delivery_carry_out(struct effects *effects, struct sources *sources)
{
	for (size_t i = 0; i < effects->count;) {
		if (effects->effect[i].kind == EFFECT_SEND) {
			i += send_burst(sources, effects, i);
			continue;
		}
		carry_out(effects, sources, &effects->effect[i]);
		i++;
	}
	effects_clear(effects);
}
