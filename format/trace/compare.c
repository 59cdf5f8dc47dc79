// SPDX-License-Identifier: BSD-3-Clause
/*
 * Two traces side by side, guest by guest.
 *
 * The trace that is behind in virtual time is read next, so that few records wait for their
 * counterpart. If the queue of a guest is full anyway, the other trace is read first; if that does
 * not help, the guest is compared again alone, when only its records are read.
 */
#include "format/trace/compare.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>

#include "format/base/array.h"

/* How often it is asked whether an earlier difference can still come. */
#define SETTLED_STEPS 64

struct compare_guest *compare_guest(struct compare *compare, uint32_t index)
{
	return array_reach(compare->guest, compare->guest_count, index) ? NULL
									: &compare->guest[index];
}

static void free_queues(struct compare_guest *guest)
{
	for (int s = 0; s < 2; s++) {
		free(guest->queue[s].print);
		guest->queue[s] = (struct compare_queue){ 0 };
	}
}

void compare_release(struct compare *compare)
{
	for (uint32_t i = 0; i < compare->guest_count; i++)
		free_queues(&compare->guest[i]);
	free(compare->guest);
	compare->guest = NULL;
	compare->guest_count = 0;
}

static int queue_push(struct compare_queue *queue, const struct compare_print *print)
{
	if (queue->count == queue->room) {
		uint32_t room = queue->room ? 2 * queue->room : 16;
		struct compare_print *grown = malloc(room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		for (uint32_t i = 0; i < queue->count; i++)
			grown[i] = *compare_queue_at(queue, i);
		free(queue->print);
		*queue = (struct compare_queue){ grown, room, 0, queue->count };
	}
	*compare_queue_at(queue, queue->count++) = *print;
	return 0;
}

static bool fields_equal(uint8_t ignore, const uint64_t *a, const uint64_t *b)
{
	for (unsigned int i = 0; i < TRACE_FIELDS_MAX; i++)
		if (a[i] != b[i] && !(ignore >> i & 1))
			return false;
	return true;
}

bool compare_equal(const struct compare *compare, const struct compare_print *a,
		   const struct compare_print *b)
{
	uint8_t ignore = compare->options.ignore[a->kind];

	return a->kind == b->kind && fields_equal(ignore, a->field, b->field) &&
	       ((ignore & TRACE_IGNORE_PAYLOAD) ||
		(a->payload_size == b->payload_size && a->payload == b->payload));
}

bool compare_records(const struct compare *compare, const struct trace_record *a,
		     const struct trace_record *b)
{
	uint8_t ignore = compare->options.ignore[a->kind];

	return a->kind == b->kind && fields_equal(ignore, a->field, b->field) &&
	       ((ignore & TRACE_IGNORE_PAYLOAD) ||
		(a->payload_size == b->payload_size &&
		 (!a->payload_size || !memcmp(a->payload, b->payload, a->payload_size))));
}

static struct compare_print make_print(const struct trace_record *record)
{
	struct compare_print print = {
		.number = record->number,
		.now = record->now,
		.payload_size = (uint32_t)record->payload_size,
		.kind = record->kind,
	};

	memcpy(print.field, record->field, sizeof(print.field));
	if (record->payload_size)
		print.payload = XXH3_64bits(record->payload, record->payload_size);
	return print;
}

static bool counts(const struct compare *compare, const struct trace_record *record)
{
	return (compare->only == TRACE_GUEST_ALL || compare->only == record->guest) &&
	       !(compare->options.ignore[record->kind] & TRACE_IGNORE_RECORD);
}

/* Go on to the next record that counts. */
static int advance(struct compare *compare, int s)
{
	struct compare_side *side = &compare->side[s];
	struct compare_guest *guest;
	unsigned int field_count;
	bool chained;

	for (;;) {
		side->got = reader_next_any(side->reader, &side->record, &field_count, &chained);
		if (side->got <= 0)
			break;
		if (!chained || !counts(compare, &side->record))
			continue;
		guest = compare_guest(compare, side->record.guest);
		if (!guest)
			return -ENOMEM;
		guest->seen[s] = true;
		if (!guest->unwanted)
			return 0;
	}
	if (side->got < 0 && !compare->cut)
		compare->cut = side->got;
	return side->got == -ENOMEM ? side->got : 0;
}

/* The trace whose record comes first, by virtual time. */
static int first_side(const struct trace_difference *difference)
{
	if (!difference->there[0] || !difference->there[1])
		return !difference->there[0];
	return difference->now[1] < difference->now[0];
}

static bool earlier(const struct trace_difference *a, const struct trace_difference *b)
{
	int x = first_side(a), y = first_side(b);

	return a->now[x] != b->now[y] ? a->now[x] < b->now[y] : a->number[x] < b->number[y];
}

/* The history of guest @index parts here; NULL: that trace has no more of it. */
static void part(struct compare *compare, uint32_t index, const struct compare_print *a,
		 const struct compare_print *b)
{
	const struct compare_print *print[2] = { a, b };
	struct compare_guest *guest = &compare->guest[index];

	guest->diverged = true;
	for (int s = 0; s < 2; s++)
		compare->waiting[s] -= guest->queue[s].count;
	guest->first = (struct trace_difference){ .guest = index };
	for (int s = 0; s < 2; s++) {
		guest->first.there[s] = print[s];
		guest->first.number[s] = print[s] ? print[s]->number : compare->side[s].reader->at;
		if (print[s])
			guest->first.now[s] = print[s]->now;
	}
	if (!compare->diverged || earlier(&guest->first, &compare->first))
		compare->first = guest->first;
	compare->diverged = true;
}

static bool queue_full(const struct compare_queue *queue)
{
	return queue->count == COMPARE_QUEUE_MAX;
}

static bool side_full(const struct compare *compare, int s)
{
	const struct compare_side *side = &compare->side[s];

	return side->got > 0 && queue_full(&compare->guest[side->record.guest].queue[s]);
}

/* A guest that has diverged is continued when both queues have enough records, or are full. */
static int follow(struct compare *compare, uint32_t index, bool final)
{
	struct compare_guest *guest = &compare->guest[index];

	if (compare->follow)
		return compare->follow(compare->context, index, guest->queue, final, compare->cut);
	free_queues(guest);
	return 0;
}

/* What is first in the queue, or @otherwise. */
static const struct compare_print *queue_head(const struct compare_queue *queue,
					      const struct compare_print *otherwise)
{
	return queue->count ? compare_queue_at(queue, 0) : otherwise;
}

/* The record of side @s differs from the other's, or the other has none. */
static void part_from(struct compare *compare, int s, uint32_t index,
		      const struct compare_print *print)
{
	const struct compare_guest *guest = &compare->guest[index];
	const struct compare_print *mine = queue_head(&guest->queue[s], print);
	const struct compare_print *other = queue_head(&guest->queue[!s], NULL);

	part(compare, index, s ? other : mine, s ? mine : other);
}

/* A record of a guest that both have the same history of so far. */
static int feed_even(struct compare *compare, int s, uint32_t index,
		     const struct compare_print *print)
{
	struct compare_guest *guest = &compare->guest[index];
	const struct compare_print *waiting = queue_head(&guest->queue[!s], NULL);

	if (waiting && compare_equal(compare, print, waiting)) {
		compare_queue_drop(&guest->queue[!s], 1);
		compare->waiting[!s]--;
		return 0;
	}
	if (waiting || !compare->side[!s].got)
		part_from(compare, s, index, print);
	else if (compare->side[!s].got < 0)
		return 0; /* the other might have had it */
	else
		compare->waiting[s]++;
	return queue_push(&guest->queue[s], print);
}

static int feed(struct compare *compare, int s)
{
	uint32_t index = compare->side[s].record.guest;
	struct compare_guest *guest = &compare->guest[index];
	struct compare_print print = make_print(&compare->side[s].record);
	int err = 0;

	if (!guest->diverged)
		err = feed_even(compare, s, index, &print);
	else if (compare->follow && compare->side[!s].got >= 0)
		err = queue_push(&guest->queue[s], &print);
	if (!err && guest->diverged && guest->queue[s].count >= COMPARE_QUEUE_MAX / 2 &&
	    guest->queue[!s].count >= COMPARE_QUEUE_MAX / 2)
		err = follow(compare, index, false);
	return err ? err : advance(compare, s);
}

/* The queue of the record that comes next is full, and it does not help to read the other trace. */
static int make_room(struct compare *compare, int s)
{
	uint32_t index = compare->side[s].record.guest;
	struct compare_guest *guest = &compare->guest[index];

	if (!guest->diverged && !compare->side[!s].got)
		part_from(compare, s, index, NULL);
	if (guest->diverged)
		return follow(compare, index, false);
	compare->waiting[s] -= guest->queue[s].count;
	guest->lagging = compare->side[!s].got > 0;
	guest->unwanted = true;
	free_queues(guest);
	return advance(compare, s);
}

/* The trace that is behind and has room in its queues. */
static int choose_side(const struct compare *compare)
{
	const struct compare_side *side = compare->side;
	int s = side[0].got <= 0 || (side[1].got > 0 && side[1].record.now < side[0].record.now);

	if (side[!s].got > 0 && side_full(compare, s) && !side_full(compare, !s))
		return !s;
	return s;
}

/* Both traces come to a record of a guest that is even: the usual case. */
static bool is_pair(const struct compare *compare)
{
	const struct compare_side *side = compare->side;
	const struct compare_guest *guest;

	if (side[0].got <= 0 || side[1].got <= 0 || side[0].record.guest != side[1].record.guest)
		return false;
	guest = &compare->guest[side[0].record.guest];
	return !guest->diverged && !guest->queue[0].count && !guest->queue[1].count;
}

static int step(struct compare *compare)
{
	int s, err;

	if (is_pair(compare) &&
	    compare_records(compare, &compare->side[0].record, &compare->side[1].record)) {
		err = advance(compare, 0);
		return err ? err : advance(compare, 1);
	}
	s = choose_side(compare);
	if (side_full(compare, s))
		return make_room(compare, s);
	return feed(compare, s);
}

/* After the end of what is left of a trace only what waits from it is looked for in the other. */
static bool walks(const struct compare *compare)
{
	const struct compare_side *side = compare->side;

	for (int s = 0; s < 2; s++)
		if (side[s].got < 0 && (side[!s].got <= 0 || !compare->waiting[s]))
			return false;
	return side[0].got > 0 || side[1].got > 0;
}

/* Whether no earlier difference can follow than the one that was found. */
static bool settled(const struct compare *compare)
{
	uint64_t now = compare->first.now[first_side(&compare->first)];

	if (!compare->diverged)
		return false;
	for (int s = 0; s < 2; s++)
		if (compare->side[s].got > 0 && compare->side[s].record.now <= now)
			return false;
	for (uint32_t i = 0; i < compare->guest_count; i++)
		for (int s = 0; s < 2; s++) {
			const struct compare_queue *queue = &compare->guest[i].queue[s];

			if (!compare->guest[i].diverged && queue->count &&
			    compare_queue_at(queue, 0)->now <= now)
				return false;
		}
	return true;
}

/* What still waits has no counterpart. */
static int finish(struct compare *compare)
{
	int err = 0;

	for (uint32_t i = 0; i < compare->guest_count && !err; i++) {
		struct compare_guest *guest = &compare->guest[i];

		if (guest->unwanted)
			continue;
		for (int s = 0; s < 2; s++)
			if (!guest->diverged && guest->queue[s].count && !compare->side[!s].got)
				part_from(compare, s, i, NULL);
		if (guest->diverged)
			err = follow(compare, i, true);
	}
	return err;
}

static int walk(struct compare *compare, const struct index_item start[2], uint32_t guest)
{
	int err = 0;

	compare->only = guest;
	for (int s = 0; s < 2 && !err; s++) {
		err = reader_go(compare->side[s].reader, &start[s], guest);
		if (!err)
			err = advance(compare, s);
	}
	for (uint64_t steps = 1; !err && walks(compare); steps++) {
		if (!compare->follow && steps % SETTLED_STEPS == 0 && settled(compare))
			return 0;
		err = step(compare);
	}
	return err ? err : finish(compare);
}

/* Compare guests whose records are too far apart, one after the other. */
static int walk_lagging(struct compare *compare, const struct index_item start[2])
{
	int err = 0;

	for (uint32_t i = 0; i < compare->guest_count; i++)
		compare->guest[i].unwanted = true;
	for (uint32_t i = 0; i < compare->guest_count && !err; i++) {
		struct compare_guest *guest = &compare->guest[i];

		if (!guest->lagging)
			continue;
		guest->unwanted = false;
		err = walk(compare, start, i);
		compare->guest[i].unwanted = true;
	}
	return err;
}

int compare_run(struct compare *compare, struct trace_reader *a, struct trace_reader *b,
		const struct trace_compare_options *options, compare_follow *follower,
		void *context)
{
	struct index_item start[2] = { 0 };
	int err;

	*compare = (struct compare){ .options.guest = TRACE_GUEST_ALL, .only = TRACE_GUEST_ALL };
	if (options)
		memcpy(&compare->options, options,
		       options->size < sizeof(*options) ? options->size : sizeof(*options));
	compare->follow = follower;
	compare->context = context;
	compare->side[0].reader = a;
	compare->side[1].reader = b;
	err = compare_skip(compare, start);
	if (!err && !compare->equal)
		err = walk(compare, start, compare->options.guest);
	return err || compare->equal ? err : walk_lagging(compare, start);
}

int trace_compare(struct trace_reader *a, struct trace_reader *b,
		  const struct trace_compare_options *options, struct trace_difference *first)
{
	struct compare compare;
	int err = compare_run(&compare, a, b, options, NULL, NULL);

	*first = compare.first;
	if (!err)
		err = compare.diverged ? 1 : compare.cut;
	compare_release(&compare);
	return err;
}
