// SPDX-License-Identifier: BSD-3-Clause
/* Frames in the order in which they come: a binary heap. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "format/base/array.h"
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
	if (array_room(queue->entry, queue->capacity, queue->count + 1, 16))
		return -ENOMEM;
	heap_push(queue->entry, queue->count, *entry, network_entry_before);
	return 0;
}

struct network_entry network_queue_take(struct network_queue *queue)
{
	assert(queue->count);
	return heap_pop(queue->entry, queue->count, network_entry_before);
}

void network_queue_clear(struct network_queue *queue)
{
	for (size_t i = 0; i < queue->count; i++)
		network_frame_release(queue->entry[i].frame);
	free(queue->entry);
	*queue = (struct network_queue){};
}
