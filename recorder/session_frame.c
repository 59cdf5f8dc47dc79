// SPDX-License-Identifier: BSD-3-Clause
/* Where the frames are from that cards get: recorded where a reader would not expect it. */
#include <errno.h>
#include <stdlib.h>

#include "recorder/session_internal.h"

static struct frame_origins *origins_of(struct session_device *device)
{
	if (!device->origins)
		device->origins = calloc(1, sizeof(*device->origins));
	if (device->origins)
		return device->origins;
	diagnose(&device->session->result->diagnosis, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	session_finish(device->session, SESSION_FAULT);
	return NULL;
}

static bool is_expected(const struct frame_origins *origins, const struct network_frame *frame,
			const struct frame_origin *origin)
{
	struct frame_origin expected;

	return frame_origin_expect(origins, frame->data, frame->size, &expected) &&
	       expected.sender == origin->sender && expected.card == origin->card &&
	       expected.delay == origin->delay;
}

void session_frame_origin(struct session_device *device, const struct network_frame *frame)
{
	struct trace_record record = session_device_record(device, TRACE_sent);
	const struct session_device *from = frame->from->owner;
	const struct frame_origin origin = { from->guest->index, from->number,
					     record.now - frame->sent };
	struct frame_origins *origins;

	if (!device->session->writer)
		return;
	origins = origins_of(device);
	if (!origins || is_expected(origins, frame, &origin))
		return;
	frame_origin_learn(origins, frame->data, frame->size, &origin);
	record.sent.sender = origin.sender;
	record.sent.card = origin.card;
	record.sent.delay = origin.delay;
	session_device_append(device, &record);
}
