// SPDX-License-Identifier: BSD-3-Clause
/* Frames in the order in which they come: a binary heap. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "recorder/network/network_internal.h"

bool network_entry_before(const struct network_entry *a, const struct network_entry *b)
{
	if (a->time != b->time)
		return a->time < b->time;
	if (a->from != b->from)
		return a->from < b->from;
	return a->sequence < b->sequence;
}

int network_queue_add(struct network_queue *queue, const struct network_entry *entry)
{
	size_t hole = queue->count;

	if (array_room(queue->entry, queue->capacity, queue->count + 1, 16))
		return -ENOMEM;
	queue->count++;
	while (hole && network_entry_before(entry, &queue->entry[(hole - 1) / 2])) {
		queue->entry[hole] = queue->entry[(hole - 1) / 2];
		hole = (hole - 1) / 2;
	}
	queue->entry[hole] = *entry;
	return 0;
}

/* The last entry goes where the first one was, and down until it fits. */
static void queue_sink_last(struct network_queue *queue)
{
	const struct network_entry last = queue->entry[queue->count];
	size_t hole = 0, child;

	while ((child = 2 * hole + 1) < queue->count) {
		if (child + 1 < queue->count &&
		    network_entry_before(&queue->entry[child + 1], &queue->entry[child]))
			child++;
		if (!network_entry_before(&queue->entry[child], &last))
			break;
		queue->entry[hole] = queue->entry[child];
		hole = child;
	}
	queue->entry[hole] = last;
}

struct network_entry network_queue_take(struct network_queue *queue)
{
	struct network_entry first;

	assert(queue->count);
	first = queue->entry[0];
	queue->count--;
	queue_sink_last(queue);
	return first;
}

void network_queue_clear(struct network_queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		network_frame_release(queue->entry[i].frame);
	free(queue->entry);
	*queue = (struct network_queue){};
}
