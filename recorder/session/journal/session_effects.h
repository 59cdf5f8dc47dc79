/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The effects of a turn, in order: the loop carries them out (session_delivery.c) once the event
 * has been handled. Results come back as events.
 *
 * Records are not among them: they are appended to the journal at once, so they are in the trace in
 * the order in which they were decided. Only a call is recorded when it is carried out, since it is
 * not known before whether the guest can still be interrupted.
 */
#ifndef TTREC_SESSION_EFFECTS_H
#define TTREC_SESSION_EFFECTS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/wire/wire.h"
#include "recorder/session/journal/session_outcome.h"

struct client;
struct session_device;
struct session_guest;

enum effect_kind {
	EFFECT_OPEN_CLIENT,   /* client: start reading its messages */
	EFFECT_CLOSE_CLIENT,  /* client */
	EFFECT_SEND,	      /* client; @message */
	EFFECT_SEND_START,    /* client; @message, the ACK of its START */
	EFFECT_SEND_UPSTREAM, /* client; @message, to the other scheduler */
	EFFECT_REPLY_VALUE,   /* device; @request, @value */
	EFFECT_REPLY_BODY,    /* device; @request, @data */
	EFFECT_CALL,	      /* device; @request, @queue: interrupt its guest */
	EFFECT_OPEN_CALLED,   /* device: its guest passed a socket for calls */
	EFFECT_CUT,	      /* device: end the connection while the guest is blocked */
	EFFECT_CLOSE,	      /* device: the guest has closed it or left */
	EFFECT_ENTROPY,	      /* guest; @data for its entropy_request */
	EFFECT_FORWARD,	      /* device: its request to its program */
	EFFECT_ANSWER_CALL,   /* device; @request, @value: to its program */
	EFFECT_DISCONNECT,    /* device: from its program */
};

struct effect {
	enum effect_kind kind;
	union {
		struct client *client;
		struct session_device *device;
		struct session_guest *guest;
	};
	struct wire_message message;
	uint32_t request;
	unsigned int queue;
	uint64_t value;
	size_t data, size; /* where in the list's bytes */
};

struct effects {
	struct effect *effect;
	size_t count, space;
	uint8_t *bytes;
	size_t byte_count, byte_space;
	struct outcome *outcome; /* ended when memory runs out */
};

void effects_add(struct effects *effects, const struct effect *effect);

/* Copies @size bytes of data for it. */
void effects_add_data(struct effects *effects, struct effect effect, const void *data, size_t size);

const void *effects_data(const struct effects *effects, const struct effect *effect);

/* Remove all: they have been carried out. */
void effects_clear(struct effects *effects);
void effects_release(struct effects *effects);

#endif
