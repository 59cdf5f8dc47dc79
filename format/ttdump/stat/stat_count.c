// SPDX-License-Identifier: BSD-3-Clause
/* ttdump stat: what each record adds to its kind, its guest, its device and its network. */
#include <errno.h>
#include <string.h>

#include "format/ttdump/stat/stat.h"
#include "format/base/array.h"

/* The guest's entry, made if need be; NULL: out of memory. */
static struct stat_guest *find_guest(struct stat_data *stat, uint32_t guest)
{
	return array_reach(stat->guest, stat->guest_count, guest) ? NULL : &stat->guest[guest];
}

static struct stat_device *find_device(struct stat_guest *guest, uint64_t device)
{
	uint32_t index = device < STAT_DEVICES ? (uint32_t)device : STAT_DEVICES - 1;

	return array_reach(guest->device, guest->device_count, index) ? NULL
								      : &guest->device[index];
}

static struct stat_network *find_network(struct stat_data *stat, const char *name)
{
	struct stat_network *added;

	for (size_t i = 0; i < stat->network_count; i++)
		if (!strcmp(stat->network[i].name, name))
			return &stat->network[i];
	added = array_add(stat->network, stat->network_count);
	if (added)
		snprintf(added->name, sizeof(added->name), "%s", name);
	return added;
}

static void count_irq(struct stat_guest *guest, const struct trace_record *record)
{
	guest->probed++;
	if (record->irq.source == TRACE_IRQ_ENTRY)
		guest->irqs[record->irq.irq < STAT_IRQS ? record->irq.irq : STAT_IRQS - 1]++;
	else if (record->irq.source == TRACE_IRQ_PANIC)
		guest->panics++;
	else if (record->irq.source == TRACE_IRQ_WARN)
		guest->warnings++;
}

/* The device is the first field of all that has to do with one. */
static int count_device(struct stat_guest *guest, const struct trace_record *record)
{
	struct stat_device *device = find_device(guest, record->field[0]);

	if (!device)
		return -ENOMEM;
	device->requests += record->kind == TRACE_request;
	device->kicks += record->kind == TRACE_kick;
	if (record->kind == TRACE_call) {
		device->calls++;
		device->changes += record->call.request == 2; /* CONFIG_CHANGE_MSG */
	}
	if (trace_kind_info(record->kind)->direction == TRACE_OUT)
		device->to_bytes += record->payload_size;
	else if (trace_kind_info(record->kind)->direction == TRACE_IN)
		device->from_bytes += record->payload_size;
	return 0;
}

static void count_digest(struct stat_guest *guest, const struct trace_record *record)
{
	if (!record->digest.block_size)
		return; /* more of the block hashes */
	guest->digests++;
	guest->low = record->digest.low;
	guest->high = record->digest.high;
}

static int count_guest(struct stat_guest *guest, const struct trace_record *record)
{
	switch (record->kind) {
	case TRACE_from:
	case TRACE_to:
		guest->messages[record->kind == TRACE_to ? STAT_TO : STAT_FROM]
			       [record->from.op < TRACE_OP_LIMIT ? record->from.op
								 : TRACE_OP_LIMIT]++;
		return 0;
	case TRACE_console:
		guest->console += record->payload_size;
		return 0;
	case TRACE_input:
		guest->input += record->payload_size;
		return 0;
	case TRACE_entropy:
		guest->entropy += record->payload_size;
		return 0;
	case TRACE_digest:
		count_digest(guest, record);
		return 0;
	case TRACE_irq:
		count_irq(guest, record);
		return 0;
	case TRACE_attach:
	case TRACE_request:
	case TRACE_reply:
	case TRACE_kick:
	case TRACE_taken:
	case TRACE_wrote:
	case TRACE_used:
	case TRACE_call:
	case TRACE_called:
		return count_device(guest, record);
	}
	return 0;
}

/* At the device @index of @guest, if it is one that can be counted. */
static int count_at_card(struct stat_data *stat, uint32_t guest, uint32_t index, int received,
			 const struct frame *frame)
{
	struct stat_guest *owner;
	struct stat_device *device;

	if (guest == UINT32_MAX)
		return 0;
	owner = find_guest(stat, guest);
	device = owner ? find_device(owner, index) : NULL;
	if (!device)
		return -ENOMEM;
	if (frame->lost) {
		device->lost += !received;
		return 0;
	}
	device->frames[received]++;
	device->frame_bytes[received] += frame->size;
	return 0;
}

static int count_frame(struct stat_data *stat, const struct frame *frame)
{
	struct stat_network *network = find_network(stat, frame->network);
	uint64_t reason = frame->reason < STAT_LOSSES ? frame->reason : STAT_LOSSES - 1;
	int err;

	if (!network)
		return -ENOMEM;
	if (frame->lost) {
		network->lost[reason]++;
	} else {
		network->frames++;
		network->bytes += frame->size;
	}
	err = count_at_card(stat, frame->from_guest, frame->from_device, 0, frame);
	/* What a card did not get is counted where it was sent, and of its network. */
	return err || frame->lost
		       ? err
		       : count_at_card(stat, frame->to_guest, frame->to_device, 1, frame);
}

static void count_kind(struct stat_data *stat, const struct trace_record *record)
{
	struct stat_kind *kind = &stat->kind[record->kind];

	kind->records++;
	kind->payload += record->payload_size;
	kind->raw += 8 + 8 * trace_kind_info(record->kind)->field_count + record->payload_size;
}

static void count_time(struct stat_data *stat, struct stat_guest *guest,
		       const struct trace_record *record)
{
	if (record->now > stat->virtual_ns)
		stat->virtual_ns = record->now;
	if (record->kind == TRACE_wall)
		stat->wall_ns = record->wall.elapsed;
	if (trace_kind_info(record->kind)->direction == TRACE_SIDE && record->kind != TRACE_join)
		return;
	if (!guest->seen)
		guest->first = record->now;
	guest->seen = true;
	guest->last = record->now;
	guest->records++;
}

int stat_count(struct stat_data *stat, const struct trace_record *record)
{
	struct stat_guest *guest = find_guest(stat, record->guest);
	struct frame frame;
	int err, got;

	if (!guest)
		return -ENOMEM;
	stat->records++;
	count_kind(stat, record);
	count_time(stat, guest, record);
	err = count_guest(guest, record);
	if (!err)
		err = name_table_learn(&stat->names, record);
	if (err)
		return err;
	got = frames_feed(stat->frames, record, &frame);
	stat_busiest_add(stat, record, got > 0);
	return got > 0 ? count_frame(stat, &frame) : got;
}
