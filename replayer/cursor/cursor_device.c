// SPDX-License-Identifier: BSD-3-Clause
/* The cursor's device records: the guest's messages to devices, and their answers. */
#include <inttypes.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "replayer/cursor/cursor_internal.h"

/* Zeros at a time. */
#define ZEROS 4096u
/* What a console may print more than it did and be shown. */
#define TEXT_MORE 256u

/* The connection and the vring that a record is about. */
static int find_vhost(struct cursor *cursor, const struct trace_record *record, uint64_t device,
		      struct vhost **vhost)
{
	struct guest *guest = cursor->guest;

	*vhost = NULL;
	if (device >= guest->spec->device_count)
		return cursor_doubt(cursor, record, "the device");
	*vhost = &guest->device[device];
	return 0;
}

static int find_ring(struct cursor *cursor, const struct trace_record *record, uint64_t device,
		     uint64_t queue, struct vring **ring)
{
	struct vhost *vhost;
	int err = find_vhost(cursor, record, device, &vhost);

	*ring = NULL;
	if (err)
		return err;
	if (queue >= VHOST_QUEUES_MAX)
		return cursor_doubt(cursor, record, "the queue");
	*ring = &vhost->ring[queue];
	/* The guest never connected: a recording has that first. */
	return (*ring)->memory ? 0 : cursor_doubt(cursor, record, "the device");
}

static int check_sent(struct cursor *cursor, const struct trace_record *record, int err)
{
	char expected[CURSOR_TEXT];

	/* On its time socket it may be late; here it waits for what it is sent. */
	if (err != -EAGAIN)
		return cursor_sent(cursor, err);
	snprintf(expected, sizeof(expected), "a guest that receives from device %" PRIu64,
		 record->field[0]);
	return cursor_diverge(cursor, record, false, expected, strerror(-err));
}

/* A vring or buffer differs from the recording. */
static int diverge_ring(struct cursor *cursor, const struct trace_record *record, uint64_t queue,
			const char *got)
{
	char expected[CURSOR_TEXT];

	snprintf(expected, sizeof(expected), "queue %" PRIu64 " of device %" PRIu64 " as it was",
		 queue, record->field[0]);
	return cursor_diverge(cursor, record, false, expected, got);
}

/* ---- Connections ---------------------------------------------------------------------------- */

static int await_of_device(struct cursor *cursor, const struct trace_record *record,
			   const struct interface_event *expected)
{
	char wanted[CURSOR_TEXT], got[CURSOR_TEXT];
	struct interface_event event;
	int stop = cursor_await(cursor, record, expected, &event);

	if (stop || (event.device == expected->device && event.value == expected->value))
		return stop;
	cursor_describe(expected, wanted);
	cursor_describe(&event, got);
	return cursor_diverge(cursor, record, event.device == expected->device, wanted, got);
}

/* The guest does not wait for it to be accepted: its console is for the next record. */
int cursor_replay_attach(struct cursor *cursor, const struct trace_record *record)
{
	struct interface_event expected = { .kind = INTERFACE_ATTACH,
					    .device = (unsigned int)record->attach.device };

	return await_of_device(cursor, record, &expected);
}

int cursor_replay_cut(struct cursor *cursor, const struct trace_record *record)
{
	struct vhost *vhost;
	int err = find_vhost(cursor, record, record->cut.device, &vhost);

	if (err)
		return err;
	err = interfaces_cut(&cursor->interfaces, (unsigned int)record->cut.device);
	return check_sent(cursor, record, err);
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* What is different in two requests that read alike. */
static void add_detail(const struct vhost_message *expected, const struct vhost_message *request,
		       char got[CURSOR_TEXT])
{
	size_t length = strlen(got), same = 0;

	if (expected->flags != request->flags) {
		snprintf(got + length, CURSOR_TEXT - length, " (flags %#x, not %#x)",
			 request->flags, expected->flags);
	} else if (expected->size != request->size) {
		snprintf(got + length, CURSOR_TEXT - length, " (%u bytes, not %u)", request->size,
			 expected->size);
	} else {
		while (same < request->size && request->body[same] == expected->body[same])
			same++;
		snprintf(got + length, CURSOR_TEXT - length, " (%#x at byte %zu, not %#x)",
			 request->body[same], same, expected->body[same]);
	}
}

static int compare_request(struct cursor *cursor, const struct trace_record *record,
			   const struct interface_event *expected,
			   const struct interface_event *event)
{
	const struct vhost_message *wanted = expected->request, *request = event->request;
	char text[CURSOR_TEXT], got[CURSOR_TEXT];
	bool same_kind = expected->device == event->device && wanted->request == request->request;

	if (same_kind && cursor->options->replaced && vhost_names_addresses(request->request))
		return 0;
	if (same_kind && wanted->flags == request->flags && wanted->size == request->size &&
	    !memcmp(wanted->body, request->body, wanted->size))
		return 0;
	cursor_describe(expected, text);
	cursor_describe(event, got);
	if (!strcmp(text, got))
		add_detail(wanted, request, got);
	return cursor_diverge(cursor, record, same_kind, text, got);
}

/*
 * Await @message to @device. If the guest waits for a reply to it, it has printed all that it has
 * to.
 */
static int await_request(struct cursor *cursor, const struct trace_record *record, uint64_t device,
			 const struct vhost_message *message)
{
	struct interface_event expected = { .kind = INTERFACE_REQUEST,
					    .device = (unsigned int)device,
					    .request = message };
	struct interface_event event;
	int stop = cursor_await(cursor, record, &expected, &event);

	if (stop)
		return stop;
	if (vhost_expects_reply(event.request))
		stop = cursor_compare_past(cursor, record);
	return stop ? stop : compare_request(cursor, record, &expected, &event);
}

int cursor_replay_request(struct cursor *cursor, const struct trace_record *record)
{
	struct vhost_message *message = &cursor->message;

	if (record->payload_size > sizeof(message->body))
		return cursor_doubt(cursor, record, "the message");
	message->request = (uint32_t)record->request.request;
	message->flags = (uint32_t)record->request.flags;
	message->size = (uint32_t)record->payload_size;
	if (record->payload_size)
		memcpy(message->body, record->payload, record->payload_size);
	return await_request(cursor, record, record->request.device, message);
}

int cursor_replay_reply(struct cursor *cursor, const struct trace_record *record)
{
	uint32_t request = (uint32_t)record->reply.request;
	struct vhost *vhost;
	int err = find_vhost(cursor, record, record->reply.device, &vhost);

	if (err)
		return err;
	err = record->payload_size
		      ? vhost_reply_body(vhost, request, record->payload, record->payload_size)
		      : vhost_reply_value(vhost, request, record->reply.value);
	return check_sent(cursor, record, err);
}

/* ---- Kicks ---------------------------------------------------------------------------------- */

/* The buffers that the recording was done with at once, the next ones in the ring. */
static int take_buffers(struct cursor *cursor, const struct trace_record *record,
			struct vring *ring)
{
	struct cursor_kick *kick = &cursor->kick;
	char got[CURSOR_TEXT], expected[CURSOR_TEXT];
	int taken = 1;

	while (kick->count < record->kick.done) {
		if (kick->count == VRING_SIZE_MAX)
			return cursor_doubt(cursor, record, "the number of buffers");
		taken = vring_take(ring, &cursor->chain);
		if (taken != 1)
			break;
		kick->head[kick->count++] = cursor->chain.head;
	}
	if (taken < 0)
		return diverge_ring(cursor, record, record->kick.queue, ring->problem);
	if (taken)
		return 0;
	snprintf(expected, sizeof(expected), "%" PRIu64 " buffers in queue %" PRIu64,
		 record->kick.done, record->kick.queue);
	snprintf(got, sizeof(got), "%zu", kick->count);
	return cursor_diverge(cursor, record, false, expected, got);
}

int cursor_replay_kick(struct cursor *cursor, const struct trace_record *record)
{
	struct vhost_message *message = &cursor->message;
	uint32_t state[2] = { (uint32_t)record->kick.queue, 0 };
	struct vring *ring;
	int stop;

	message->request = VHOST_VRING_KICK;
	message->flags = (uint32_t)record->kick.flags;
	message->size = sizeof(state);
	memcpy(message->body, state, sizeof(state));
	stop = await_request(cursor, record, record->kick.device, message);
	if (stop)
		return stop;
	stop = find_ring(cursor, record, record->kick.device, record->kick.queue, &ring);
	if (stop)
		return stop;
	cursor->kick.device = (unsigned int)record->kick.device;
	cursor->kick.queue = (unsigned int)record->kick.queue;
	cursor->kick.offers = !record->kick.done;
	return take_buffers(cursor, record, ring);
}

static struct vring *kicked_ring(struct cursor *cursor)
{
	return &cursor->guest->device[cursor->kick.device].ring[cursor->kick.queue];
}

/*
 * Read on in what the buffers of the kick contain, at most @size bytes. Returns how many there
 * were, or -EBADMSG.
 */
static long read_kicked(struct cursor *cursor, uint8_t *data, size_t size)
{
	struct cursor_kick *kick = &cursor->kick;
	size_t done = 0;

	for (; kick->at < kick->count && done < size; kick->at++, kick->offset = 0) {
		int err = vring_chain_at(kicked_ring(cursor), kick->head[kick->at], &cursor->chain);
		size_t got;

		if (err)
			return err;
		got = vring_chain_read(&cursor->chain, kick->offset, data + done, size - done);
		done += got;
		kick->offset += got;
		if (kick->offset < cursor->chain.read_size)
			break;
	}
	return (long)done;
}

static int diverge_content(struct cursor *cursor, const struct trace_record *record, size_t place,
			   const char *what)
{
	char got[CURSOR_TEXT];

	snprintf(got, sizeof(got), "%s at byte %zu", what, place);
	return cursor_diverge(cursor, record, true, "what was sent", got);
}

/* What the guest kicked for is what it prints on a console, and may be something else. */
static bool is_text(const struct cursor *cursor)
{
	return cursor->options->replaced && cursor->kick.count &&
	       cursor->guest->spec->device[cursor->kick.device].virtio_id == VIRTIO_CONSOLE;
}

static size_t common(const uint8_t *a, const uint8_t *b, size_t size)
{
	size_t same = 0;

	while (same < size && a[same] == b[same])
		same++;
	return same;
}

/* The next buffer in the ring with something to read in it. */
static int compare_offered(struct cursor *cursor, const struct trace_record *record)
{
	size_t size = record->payload_size, got, same;
	auto_free uint8_t *data = NULL;
	int taken;

	do
		taken = vring_take(kicked_ring(cursor), &cursor->chain);
	while (taken == 1 && !cursor->chain.read_size);
	if (taken < 0)
		return diverge_ring(cursor, record, record->taken.queue,
				    kicked_ring(cursor)->problem);
	if (!taken)
		return diverge_content(cursor, record, 0, "an end");
	data = malloc(TRACE_PAYLOAD_MAX);
	if (!data)
		return -ENOMEM;
	got = vring_chain_read(&cursor->chain, 0, data, TRACE_PAYLOAD_MAX);
	same = common(data, record->payload, got < size ? got : size);
	if (same == got && same == size)
		return 0;
	return diverge_content(cursor, record, same,
			       same == got    ? "an end"
			       : same == size ? "more than was sent"
					      : "other bytes");
}

int cursor_replay_taken(struct cursor *cursor, const struct trace_record *record)
{
	size_t size = record->payload_size + (is_text(cursor) ? TEXT_MORE : 0);
	auto_free uint8_t *data = malloc(size + 1);
	const uint8_t *expected = record->payload;
	size_t same;
	long got;

	if (!data)
		return -ENOMEM;
	if (record->taken.device != cursor->kick.device ||
	    record->taken.queue != cursor->kick.queue ||
	    (!cursor->kick.count && !cursor->kick.offers))
		return cursor_doubt(cursor, record, "what was taken");
	if (cursor->kick.offers)
		return compare_offered(cursor, record);
	got = read_kicked(cursor, data, size);
	if (got < 0)
		return diverge_ring(cursor, record, record->taken.queue,
				    kicked_ring(cursor)->problem);
	cursor->kick.compared = true;
	if (is_text(cursor)) {
		cursor_compare_text(cursor, record, record->payload, record->payload_size,
				    (const char *)data, (size_t)got);
		return 0;
	}
	same = common(data, expected, (size_t)got);
	if (same < (size_t)got)
		return diverge_content(cursor, record, same, "other bytes");
	return same < record->payload_size ? diverge_content(cursor, record, same, "an end") : 0;
}

int cursor_finish_kick(struct cursor *cursor, const struct trace_record *record)
{
	struct cursor_kick *kick = &cursor->kick;
	uint8_t more;
	int err = 0;

	if (kick->compared && !is_text(cursor) && read_kicked(cursor, &more, 1) == 1)
		err = diverge_content(cursor, record, 0, "more than was sent");
	for (size_t i = 0; !err && i < kick->count; i++)
		err = vring_complete(kicked_ring(cursor), kick->head[i], 0);
	if (err == -EBADMSG)
		err = diverge_ring(cursor, record, kick->queue, kicked_ring(cursor)->problem);
	kick->count = kick->at = kick->offset = 0;
	kick->compared = kick->offers = false;
	return err;
}

/* ---- Buffers that a device wrote to --------------------------------------------------------- */

/*
 * Find the buffer of a wrote or a used record, which name it by the same fields, and check that
 * what the record holds fits into it at @offset.
 */
static int find_buffer(struct cursor *cursor, const struct trace_record *record, uint64_t offset,
		       struct vring **ring)
{
	uint64_t queue = record->used.queue;
	char expected[CURSOR_TEXT], got[CURSOR_TEXT];
	int err = find_ring(cursor, record, record->used.device, queue, ring);

	if (err)
		return err;
	if (record->used.head > UINT16_MAX)
		return cursor_doubt(cursor, record, "the buffer");
	if (vring_chain_at(*ring, (uint16_t)record->used.head, &cursor->chain))
		return diverge_ring(cursor, record, queue, (*ring)->problem);
	if (offset <= cursor->chain.write_size &&
	    record->payload_size <= cursor->chain.write_size - offset)
		return 0;
	snprintf(expected, sizeof(expected),
		 "a buffer of %" PRIu64 " bytes in queue %" PRIu64 " of device %" PRIu64,
		 offset + record->payload_size, queue, record->used.device);
	snprintf(got, sizeof(got), "one of %zu bytes", cursor->chain.write_size);
	return cursor_diverge(cursor, record, false, expected, got);
}

/*
 * Write the record's payload at @offset of the buffer that was found, and zeros to where nothing
 * was written before it: parts come in the order of their offsets.
 */
static void write_part(struct cursor *cursor, const struct trace_record *record, uint64_t offset)
{
	static const uint8_t zeros[ZEROS];
	struct cursor_written *written = &cursor->written;

	if (written->device != record->used.device || written->queue != record->used.queue ||
	    written->head != record->used.head)
		*written = (struct cursor_written){ .device = record->used.device,
						    .queue = record->used.queue,
						    .head = record->used.head };
	while (written->end < offset) {
		uint64_t gap = offset - written->end;
		size_t part = gap < ZEROS ? (size_t)gap : ZEROS;

		vring_chain_write(&cursor->chain, (size_t)written->end, zeros, part);
		written->end += part;
	}
	vring_chain_write(&cursor->chain, (size_t)offset, record->payload, record->payload_size);
	written->end = offset + record->payload_size;
}

int cursor_replay_wrote(struct cursor *cursor, const struct trace_record *record)
{
	struct vring *ring;
	int stop = find_buffer(cursor, record, record->wrote.offset, &ring);

	if (!stop)
		write_part(cursor, record, record->wrote.offset);
	return stop;
}

int cursor_replay_used(struct cursor *cursor, const struct trace_record *record)
{
	struct vring *ring;
	int stop = find_buffer(cursor, record, record->used.skip, &ring);

	if (stop)
		return stop;
	write_part(cursor, record, record->used.skip);
	cursor->written.end = 0;
	if (vring_complete(ring, (uint16_t)record->used.head,
			   (uint32_t)(record->used.skip + record->payload_size)))
		return diverge_ring(cursor, record, record->used.queue, ring->problem);
	return 0;
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

/* Only a guest that sleeps takes it where it took it when it was recorded. */
int cursor_replay_call(struct cursor *cursor, const struct trace_record *record)
{
	struct vhost *vhost;
	int err = find_vhost(cursor, record, record->call.device, &vhost);

	if (err)
		return err;
	cursor->report->interrupts++;
	err = guest_await_blocked(cursor->guest);
	if (!err)
		err = vhost_call(vhost, (enum vhost_backend_request)record->call.request,
				 (unsigned int)record->call.queue);
	return check_sent(cursor, record, err);
}

int cursor_replay_called(struct cursor *cursor, const struct trace_record *record)
{
	struct interface_event expected = { .kind = INTERFACE_CALLED,
					    .device = (unsigned int)record->called.device,
					    .value = record->called.value };

	return await_of_device(cursor, record, &expected);
}
