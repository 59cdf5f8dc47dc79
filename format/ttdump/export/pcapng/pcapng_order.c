// SPDX-License-Identifier: BSD-3-Clause
/*
 * Packets in the order of time. Those of records come in order and are in a row; frames are in
 * a heap beside it, by the time at which they were sent, and in a table in which further receptions
 * of the same sending find them (pcapng_sending.h).
 */
#include "format/ttdump/export/pcapng/pcapng_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/array.h"
#include "format/ttdump/export/pcapng/pcapng_sending.h"

/* So many bytes wait at most; when there are more, half of them go. */
#define ORDER_BYTES (32u * 1024 * 1024)

/* In the row, in front of each block. */
struct entry {
	uint64_t time;
	size_t size;
};

struct pcapng_order {
	const struct name_table *name_table;
	FILE *out;
	struct line line; /* a packet that is written */
	struct line row;
	size_t row_begin;
	struct wire_frame **heap;
	size_t frame_count, heap_room;
	size_t frame_bytes;
	uint64_t frames; /* ever */
	struct sendings *sendings;
};

struct pcapng_order *pcapng_order_create(const struct name_table *name_table, FILE *out)
{
	struct pcapng_order *order = calloc(1, sizeof(*order));

	if (!order)
		return NULL;
	order->sendings = sendings_create();
	if (!order->sendings) {
		free(order);
		return NULL;
	}
	order->name_table = name_table;
	order->out = out;
	return order;
}

void pcapng_order_free(struct pcapng_order *order)
{
	if (!order)
		return;
	for (size_t i = 0; i < order->frame_count; i++)
		wire_frame_free(order->heap[i]);
	free(order->heap);
	sendings_free(order->sendings);
	line_free(&order->row);
	line_free(&order->line);
	free(order);
}

/* ---- Frames by time -------------------------------------------------------------------------- */

static bool is_before(struct wire_frame *const *a, struct wire_frame *const *b)
{
	return (*a)->time != (*b)->time ? (*a)->time < (*b)->time : (*a)->order < (*b)->order;
}

static int heap_add(struct pcapng_order *order, struct wire_frame *wire)
{
	if (array_room(order->heap, order->heap_room, order->frame_count + 1, 64))
		return -ENOMEM;
	heap_push(order->heap, order->frame_count, wire, is_before);
	return 0;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static size_t frame_space(const struct wire_frame *wire)
{
	return sizeof(*wire) + wire->size;
}

static int write_frame(struct pcapng_order *order)
{
	struct wire_frame *wire = heap_pop(order->heap, order->frame_count, is_before);

	sendings_remove(order->sendings, wire);
	order->frame_bytes -= frame_space(wire) + wire->reception_count * sizeof(struct reception);
	order->line.size = 0;
	wire_frame_add(wire, order->name_table, &order->line);
	wire_frame_free(wire);
	if (order->line.failed)
		return -ENOMEM;
	fwrite(order->line.text, 1, order->line.size, order->out);
	return 0;
}

static bool first_entry(const struct pcapng_order *order, struct entry *entry)
{
	if (order->row_begin == order->row.size)
		return false;
	memcpy(entry, order->row.text + order->row_begin, sizeof(*entry));
	return true;
}

/* What comes first: a frame only once all records of the time at which it was sent are through. */
static int write_first(struct pcapng_order *order)
{
	struct entry entry;

	if (!first_entry(order, &entry) ||
	    (order->frame_count && order->heap[0]->time < entry.time))
		return write_frame(order);
	fwrite(order->row.text + order->row_begin + sizeof(entry), 1, entry.size, order->out);
	order->row_begin += sizeof(entry) + entry.size;
	return 0;
}

static size_t waiting(const struct pcapng_order *order)
{
	return order->row.size - order->row_begin + order->frame_bytes;
}

/* Write until no more than @bytes wait. */
static int write_down_to(struct pcapng_order *order, size_t bytes)
{
	int err = 0;

	while (!err && waiting(order) > bytes)
		err = write_first(order);
	order->row.size -= order->row_begin;
	if (order->row.size)
		memmove(order->row.text, order->row.text + order->row_begin, order->row.size);
	order->row_begin = 0;
	return err;
}

static int bound(struct pcapng_order *order)
{
	return waiting(order) > ORDER_BYTES ? write_down_to(order, ORDER_BYTES / 2) : 0;
}

int pcapng_order_finish(struct pcapng_order *order)
{
	return write_down_to(order, 0);
}

int pcapng_order_add(struct pcapng_order *order, uint64_t time, const void *block, size_t size)
{
	const struct entry entry = { time, size };

	line_bytes(&order->row, &entry, sizeof(entry));
	line_bytes(&order->row, block, size);
	return order->row.failed ? -ENOMEM : bound(order);
}

static int add_sending(struct pcapng_order *order, uint32_t interface, const struct frame *frame,
		       const struct trace_record *record)
{
	struct wire_frame *wire = wire_frame_create(interface, frame, record);

	if (!wire)
		return -ENOMEM;
	wire->order = order->frames++;
	if (heap_add(order, wire)) {
		wire_frame_free(wire);
		return -ENOMEM;
	}
	if (sendings_add(order->sendings, wire))
		return -ENOMEM;
	order->frame_bytes += frame_space(wire);
	return 0;
}

int pcapng_order_add_frame(struct pcapng_order *order, uint32_t interface,
			   const struct frame *frame, const struct trace_record *record)
{
	struct wire_frame *wire = NULL;
	int err = frame->sending ? 0 : sendings_receive(order->sendings, frame, record, &wire);

	if (!err && !wire)
		err = add_sending(order, interface, frame, record);
	if (err)
		return err;
	if (!frame->sending)
		order->frame_bytes += sizeof(struct reception);
	return bound(order);
}
