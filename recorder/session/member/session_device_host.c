// SPDX-License-Identifier: BSD-3-Clause
/* Records of devices: used and taken buffers, lost frames. */

#include <assert.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"

struct trace_record session_device_record(const struct session_device *device, enum trace_kind kind)
{
	struct trace_record record = { .kind = kind,
				       .guest = device->guest->index,
				       .now = partition_now(device->guest->partition) };

	/* The first field of every kind of a device's record. */
	record.field[0] = device->number;
	return record;
}

void session_device_append(const struct session_device *device, const struct trace_record *record)
{
	partition_record(device->guest->partition, record);
}

void session_device_record_call(struct session_device *device, uint32_t request, unsigned int queue)
{
	struct trace_record record = session_device_record(device, TRACE_call);

	record.call.request = request;
	record.call.queue = queue;
	record.call.sequence = device->guest->calls++;
	device->guest->result.interrupts++;
	session_device_append(device, &record);
}

/* A part of the written bytes that does not fit into the used record. */
static void record_wrote(const struct session_device *device, unsigned int queue, uint16_t head,
			 const uint8_t *data, size_t offset, size_t size)
{
	struct trace_record part = session_device_record(device, TRACE_wrote);

	part.wrote.queue = queue;
	part.wrote.head = head;
	part.wrote.offset = offset;
	part.payload = data + offset;
	part.payload_size = size;
	session_device_append(device, &part);
}

/*
 * The written bytes without leading zeros; in parts if they do not fit into a record. Bytes beyond
 * the length in the used ring are in parts, too.
 */
void session_device_record_used(const struct session_device *device, unsigned int queue,
				const struct vring_chain *chain, uint32_t written, uint32_t extent)
{
	const struct partition *partition = device->guest->partition;
	struct trace_record record = session_device_record(device, TRACE_used);
	auto_free uint8_t *data = NULL;
	size_t skip = 0;

	if (!journal_is_kept(partition->journal))
		return;
	data = malloc(extent + 1u);
	if (!data) {
		outcome_no_memory(partition->outcome);
		return;
	}
	extent = (uint32_t)vring_chain_read_back(chain, 0, data, extent);
	written = written < extent ? written : extent;
	while (extent > written ? skip < extent : extent - skip > TRACE_PAYLOAD_MAX) {
		size_t left = extent - skip;
		size_t size = left < TRACE_PAYLOAD_MAX ? left : TRACE_PAYLOAD_MAX;

		record_wrote(device, queue, chain->head, data, skip, size);
		skip += size;
	}
	skip = skip < written ? skip : written;
	while (skip < written && !data[skip])
		skip++;
	record.used.queue = queue;
	record.used.head = chain->head;
	record.used.skip = skip;
	record.payload = data + skip;
	record.payload_size = written - skip;
	session_device_append(device, &record);
}

void session_device_record_taken(struct session_device *device, unsigned int queue)
{
	struct taken *taken = &device->taken;
	size_t done = 0;

	if (!(device->device->class->taken & 1ULL << queue))
		return;
	while (done < taken->size) {
		struct trace_record record = session_device_record(device, TRACE_taken);
		size_t left = taken->size - done;

		record.taken.queue = queue;
		record.payload = taken->data + done;
		record.payload_size = left < TRACE_PAYLOAD_MAX ? left : TRACE_PAYLOAD_MAX;
		session_device_append(device, &record);
		done += record.payload_size;
	}
	session_guest_said(device->guest, (const char *)taken->data, taken->size);
	taken->size = 0;
}

/* ---- Where frames are from ------------------------------------------------------------------ */

static struct frame_origins *origins_of(struct session_device *device)
{
	if (!device->origins)
		device->origins = calloc(1, sizeof(*device->origins));
	if (!device->origins)
		outcome_no_memory(device->guest->partition->outcome);
	return device->origins;
}

static bool is_expected(const struct frame_origins *origins, const struct network_frame *frame,
			const struct frame_origin *origin)
{
	struct frame_origin expected;

	return frame_origin_expect(origins, frame->data, frame->size, &expected) &&
	       expected.sender == origin->sender && expected.card == origin->card &&
	       expected.delay == origin->delay;
}

/* The next record of @device holds @frame: record its origin, unless a reader can infer it. */
static void record_origin(struct session_device *device, const struct network_frame *frame)
{
	struct trace_record record = session_device_record(device, TRACE_sent);
	const struct session_device *from = frame->from->owner;
	const struct frame_origin origin = { from->guest->index, from->number,
					     record.now - frame->sent };
	struct frame_origins *origins;

	if (!journal_is_kept(device->guest->partition->journal))
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

/* ---- What a device asks --------------------------------------------------------------------- */

static uint64_t host_now(const struct device *device)
{
	const struct session_device *owner = device->owner;

	return partition_now(owner->guest->partition);
}

static void host_scheduled(struct device *device)
{
	struct session_device *owner = device->owner;

	owner->guest->partition->due_changed = true;
}

static void host_used(struct device *device, unsigned int queue, const struct vring_chain *chain,
		      uint32_t written)
{
	session_device_record_used(device->owner, queue, chain, written, written);
}

static void host_taken(struct device *device, unsigned int queue, const struct vring_chain *chain)
{
	struct session_device *owner = device->owner;
	struct taken *taken = &owner->taken;
	size_t need = taken->size + chain->read_size;

	(void)queue;
	/* DEVICE_BUDGET chains, each bounded by the device. */
	assert(need <= GUEST_CONSOLE_MAX);
	if (array_room(taken->data, taken->space, need, 256)) {
		outcome_no_memory(owner->guest->partition->outcome);
		return;
	}
	taken->size += vring_chain_read(chain, 0, taken->data + taken->size, chain->read_size);
}

static void host_arrives(struct device *device, const struct network_frame *frame)
{
	record_origin(device->owner, frame);
}

static void host_lost(struct device *device, const struct network_frame *frame, unsigned int reason,
		      const struct device *receiver)
{
	struct session_device *owner = device->owner;
	const struct session_device *missing = receiver ? receiver->owner : NULL;
	struct trace_record record = session_device_record(owner, TRACE_lost);

	record.lost.reason = reason;
	if (missing) {
		record.lost.receiver = missing->guest->index + 1u;
		record.lost.card = missing->number;
	}
	record_origin(owner, frame);
	record.payload = frame->data;
	record.payload_size = frame->size;
	session_device_append(owner, &record);
}

const struct device_host session_device_host = {
	.now = host_now,
	.scheduled = host_scheduled,
	.used = host_used,
	.taken = host_taken,
	.arrives = host_arrives,
	.lost = host_lost,
};
