// SPDX-License-Identifier: BSD-3-Clause
/* Sendings in a hash table, those that are alike in one entry. */
#include "format/ttdump/export/pcapng/pcapng_sending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "format/base/array.h"

#define SENDINGS_BUCKETS 65536u /* there are 32 MiB of frames at most */

/* A card that has got some of the sendings that are alike. */
struct receiver {
	uint32_t guest, device;
	struct wire_frame *next; /* the first that it has not got; NULL: it has got all */
};

/* Sendings of the same bytes by the same card at the same time, in their order. */
struct wire_class {
	struct wire_class *next; /* in its bucket */
	uint64_t hash;
	struct wire_frame *first, *last;
	struct receiver *receiver;
	size_t receiver_count;
};

struct sendings {
	struct wire_class *bucket[SENDINGS_BUCKETS];
	uint64_t seed; /* so that a trace cannot be made to cause collisions */
};

struct sendings *sendings_create(void)
{
	struct sendings *sendings = calloc(1, sizeof(*sendings));

	if (sendings)
		sendings->seed = (uintptr_t)sendings ^ (uintptr_t)&sendings;
	return sendings;
}

static void free_class(struct wire_class *class)
{
	free(class->receiver);
	free(class);
}

void sendings_free(struct sendings *sendings)
{
	for (size_t i = 0; sendings && i < SENDINGS_BUCKETS; i++)
		while (sendings->bucket[i]) {
			struct wire_class *class = sendings->bucket[i];

			sendings->bucket[i] = class->next;
			free_class(class);
		}
	free(sendings);
}

/* ---- Equal frames -------------------------------------------------------------------------- */

static uint64_t hash_of(const struct sendings *sendings, const struct frame *frame)
{
	const uint64_t from[] = { frame->from_guest, frame->from_device, frame->sent };

	return XXH3_64bits_withSeed(frame->size ? frame->data : NULL, frame->size,
				    XXH3_64bits_withSeed(from, sizeof(from), sendings->seed));
}

static bool is_alike(const struct wire_frame *wire, const struct frame *frame)
{
	return wire->from_guest == frame->from_guest && wire->from_device == frame->from_device &&
	       wire->time == frame->sent && wire->size == frame->size &&
	       (!frame->size || !memcmp(wire->data, frame->data, frame->size));
}

static struct wire_class **find_place(struct sendings *sendings, const struct frame *frame,
				      uint64_t hash)
{
	struct wire_class **place = &sendings->bucket[hash % SENDINGS_BUCKETS];

	while (*place && ((*place)->hash != hash || !is_alike((*place)->first, frame)))
		place = &(*place)->next;
	return place;
}

/* ---- Receivers ----------------------------------------------------------------------------- */

static struct receiver *find_receiver(const struct wire_class *class, uint32_t guest,
				      uint32_t device)
{
	for (size_t i = 0; i < class->receiver_count; i++)
		if (class->receiver[i].guest == guest && class->receiver[i].device == device)
			return &class->receiver[i];
	return NULL;
}

int sendings_receive(struct sendings *sendings, const struct frame *frame,
		     const struct trace_record *record, struct wire_frame **wire)
{
	struct receiver new = { 0 }, *receiver;
	struct wire_class *class = NULL;
	int err;

	*wire = NULL;
	if (frame->known)
		class = *find_place(sendings, frame, hash_of(sendings, frame));
	if (!class)
		return 0;
	wire_frame_receiver(frame, record, &new.guest, &new.device);
	receiver = find_receiver(class, new.guest, new.device);
	new.next = receiver ? receiver->next : class->first;
	if (!new.next)
		return 0;
	err = wire_frame_receive(new.next, frame, record);
	if (err)
		return err;
	*wire = new.next;
	new.next = new.next->next;
	if (!receiver)
		return array_push(class->receiver, class->receiver_count, new);
	receiver->next = new.next;
	return 0;
}

/* ---- Interface ----------------------------------------------------------------------------- */

static struct wire_class *add_class(struct wire_class **place, uint64_t hash)
{
	struct wire_class *class = calloc(1, sizeof(*class));

	if (!class)
		return NULL;
	class->hash = hash;
	class->next = *place;
	*place = class;
	return class;
}

/* For all but the one that has it already it is the next. */
static int append(struct wire_class *class, struct wire_frame *wire)
{
	/* A frame that is only sent has none. */
	const struct receiver first = {
		wire->reception_count ? wire->reception[0].guest : UINT32_MAX,
		wire->reception_count ? wire->reception[0].device : UINT32_MAX,
		NULL,
	};
	const struct receiver *known = find_receiver(class, first.guest, first.device);
	int err = known ? 0 : array_push(class->receiver, class->receiver_count, first);

	if (err)
		return err;
	for (size_t i = 0; i < class->receiver_count; i++) {
		struct receiver *receiver = &class->receiver[i];

		if (!receiver->next &&
		    (receiver->guest != first.guest || receiver->device != first.device))
			receiver->next = wire;
	}
	if (class->last)
		class->last->next = wire;
	else
		class->first = wire;
	class->last = wire;
	wire->class = class;
	return 0;
}

int sendings_add(struct sendings *sendings, struct wire_frame *wire)
{
	const struct frame frame = { .from_guest = wire->from_guest,
				     .from_device = wire->from_device,
				     .sent = wire->time,
				     .data = wire->data,
				     .size = wire->size };
	struct wire_class **place, *class;
	uint64_t hash;

	if (!wire->known)
		return 0;
	hash = hash_of(sendings, &frame);
	place = find_place(sendings, &frame, hash);
	class = *place ? *place : add_class(place, hash);
	if (!class)
		return -ENOMEM;
	if (!append(class, wire))
		return 0;
	if (!class->first) {
		*place = class->next;
		free_class(class);
	}
	return -ENOMEM;
}

void sendings_remove(struct sendings *sendings, struct wire_frame *wire)
{
	struct wire_class *class = wire->class, **place;

	if (!class)
		return;
	for (size_t i = 0; i < class->receiver_count; i++)
		if (class->receiver[i].next == wire)
			class->receiver[i].next = wire->next;
	class->first = wire->next;
	if (class->first)
		return;
	place = &sendings->bucket[class->hash % SENDINGS_BUCKETS];
	while (*place != class)
		place = &(*place)->next;
	*place = class->next;
	free_class(class);
}
