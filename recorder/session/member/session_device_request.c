// SPDX-License-Identifier: BSD-3-Clause
/* Requests of guests to their devices other than kicks, and the replies. */
#include <string.h>

#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"

static void reply(struct session_device *device, struct effect effect, const void *body,
		  size_t size)
{
	effect.device = device;
	effects_add_data(device->guest->partition->effects, effect, body, size);
}

void session_device_reply_value(struct session_device *device, uint32_t request, uint64_t value)
{
	struct trace_record record = session_device_record(device, TRACE_reply);

	record.reply.request = request;
	record.reply.value = value;
	session_device_append(device, &record);
	reply(device,
	      (struct effect){ .kind = EFFECT_REPLY_VALUE, .request = request, .value = value },
	      NULL, 0);
}

void session_device_reply_body(struct session_device *device, uint32_t request, const void *body,
			       size_t size)
{
	struct trace_record record = session_device_record(device, TRACE_reply);

	record.reply.request = request;
	record.payload = body;
	record.payload_size = size;
	session_device_append(device, &record);
	reply(device, (struct effect){ .kind = EFFECT_REPLY_BODY, .request = request }, body, size);
}

/* The head of a message about the configuration space: offset, size, flags. */
struct config_head {
	uint32_t offset, size, flags;
};

static const char *answer_get_config(struct session_device *device,
				     const struct vhost_message *message)
{
	uint8_t body[VHOST_BODY_MAX] = { 0 };
	struct config_head head;

	if (message->size < sizeof(head))
		return "GET_CONFIG is too short";
	memcpy(&head, message->body, sizeof(head));
	if (head.size > sizeof(body) - sizeof(head) || head.offset > head.size)
		return "GET_CONFIG beyond the configuration space";
	memcpy(body, &head, sizeof(head));
	/* virtio_uml requests from 0 and uses the part after the offset (vhost_user_get_config). */
	for (size_t i = head.offset < device->device->config_size ? 0 : head.size; i < head.size;
	     i++)
		if (i < device->device->config_size)
			body[sizeof(head) + i] = ((const uint8_t *)device->device->config)[i];
	session_device_reply_body(device, message->request, body, sizeof(head) + head.size);
	return NULL;
}

static const char *answer_set_config(struct session_device *device,
				     const struct vhost_message *message)
{
	struct device *target = device->device;
	struct config_head head;
	bool fits;

	if (message->size < sizeof(head))
		return "SET_CONFIG is too short";
	memcpy(&head, message->body, sizeof(head));
	fits = head.size <= message->size - sizeof(head) && head.offset <= target->config_size &&
	       head.size <= target->config_size - head.offset;
	if (fits && target->class->configure)
		target->class->configure(target, head.offset, message->body + sizeof(head),
					 head.size);
	if (vhost_expects_reply(message))
		session_device_reply_value(device, message->request,
					   !(fits && target->class->configure));
	return NULL;
}

static const char *answer_protocol_features(struct session_device *device,
					    const struct vhost_message *message)
{
	if (~device->vhost->protocol_features & VHOST_PROTOCOL_NEEDED)
		return "the guest declines in-band notifications, which make its interrupts exact";
	if (vhost_expects_reply(message))
		session_device_reply_value(device, message->request, 0);
	return NULL;
}

const char *session_device_answer(struct session_device *device)
{
	const struct vhost_message *message = &device->request;
	uint32_t vring[2] = { 0 };

	switch (message->request) {
	case VHOST_GET_FEATURES:
		session_device_reply_value(device, message->request,
					   device_features(device->device));
		return NULL;
	case VHOST_GET_PROTOCOL_FEATURES:
		session_device_reply_value(device, message->request,
					   VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG);
		return NULL;
	case VHOST_SET_PROTOCOL_FEATURES:
		return answer_protocol_features(device, message);
	case VHOST_GET_QUEUE_NUM:
		session_device_reply_value(device, message->request, device->device->class->queues);
		return NULL;
	case VHOST_GET_CONFIG:
		return answer_get_config(device, message);
	case VHOST_SET_CONFIG:
		return answer_set_config(device, message);
	case VHOST_GET_VRING_BASE:
		memcpy(vring, message->body, sizeof(vring));
		vring[1] = device->vhost->ring[vring[0] % VHOST_QUEUES_MAX].next_avail;
		session_device_reply_body(device, message->request, vring, sizeof(vring));
		return NULL;
	default:
		if (vhost_expects_reply(message))
			session_device_reply_value(device, message->request, 0);
		return NULL;
	}
}
