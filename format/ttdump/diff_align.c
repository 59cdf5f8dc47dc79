// SPDX-License-Identifier: BSD-3-Clause
/*
 * How a guest goes on after its histories have parted.
 *
 * Both are laid side by side: where four records in a row are the same in both, they are level
 * again. What lies before that is paired as far as it is of the same sort (an operation, a device,
 * a vring); the rest only one of them has. Memory is that of the queues: places that are farther
 * apart than a queue is long are not found.
 */
#include "format/ttdump/diff.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#define LEVEL_RECORDS 4	  /* the same in a row: both are level again */
#define SEARCH_MAX    256 /* so far ahead that is looked for */
#define SEARCH_SLOTS  1024
#define SORT_MAX      16 /* so far ahead a record of the same sort is looked for */
#define KEEP	      64 /* a queue is not used up further than this before its end */

/* Both queues, from their fronts. */
struct pair {
	const struct compare *compare;
	struct diff_tail *tail;
	struct compare_queue *queue[2];
	bool final;
};

/* Fields that only count: one record more, and all later ones differ. Bit i is field i. */
static uint8_t counters(uint32_t kind)
{
	if (kind == TRACE_from || kind == TRACE_to)
		return 1 << 1;
	return kind == TRACE_call ? 1 << 3 : 0;
}

/* Fields that say what sort of record it is: the operation, the device, the vring, the request. */
static unsigned int sort_fields(uint32_t kind)
{
	switch (kind) {
	case TRACE_from:
	case TRACE_to:
	case TRACE_attach:
	case TRACE_detach:
	case TRACE_cut:
	case TRACE_called:
	case TRACE_digest:
	case TRACE_entropy:
	case TRACE_lost:
		return 1;
	case TRACE_request:
	case TRACE_reply:
	case TRACE_kick:
	case TRACE_used:
	case TRACE_wrote:
	case TRACE_taken:
	case TRACE_irq:
		return 2;
	case TRACE_call:
		return 3;
	}
	return 0;
}

static bool same_sort(const struct compare_print *a, const struct compare_print *b)
{
	return a->kind == b->kind &&
	       !memcmp(a->field, b->field, sort_fields(a->kind) * sizeof(a->field[0]));
}

/* The same, but for what counts and what is ignored. */
static uint64_t print_key(const struct pair *pair, const struct compare_print *print)
{
	uint8_t ignore = pair->compare->options.ignore[print->kind] | counters(print->kind);
	bool payload = !(ignore & TRACE_IGNORE_PAYLOAD);
	uint64_t form[2 + TRACE_FIELDS_MAX] = {
		print->kind | (payload ? (uint64_t)print->payload_size << 32 : 0),
		payload ? print->payload : 0,
	};

	for (unsigned int i = 0; i < TRACE_FIELDS_MAX; i++)
		form[2 + i] = ignore >> i & 1 ? 0 : print->field[i];
	return XXH3_64bits(form, sizeof(form));
}

static const struct compare_print *front(const struct pair *pair, int s, uint32_t i)
{
	return compare_queue_at(pair->queue[s], i);
}

static void drop(struct pair *pair, uint32_t a, uint32_t b)
{
	compare_queue_drop(pair->queue[0], a);
	compare_queue_drop(pair->queue[1], b);
}

static bool is_check(uint32_t kind)
{
	const struct trace_kind_info *info = trace_kind_info(kind);

	return info && info->direction == TRACE_CHECK;
}

static void streak_add(const struct pair *pair, struct diff_streak *streak, bool equal)
{
	for (int s = 0; s < 2 && !streak->count; s++) {
		streak->number[s] = front(pair, s, 0)->number;
		streak->now[s] = front(pair, s, 0)->now;
	}
	streak->count++;
	streak->shifted += !equal;
}

/* A record is not the same in both: what was in a row ends. */
static void streak_break(struct diff_tail *tail, uint32_t kind)
{
	tail->streak = (struct diff_streak){ 0 };
	if (is_check(kind)) {
		tail->unlike_checks++;
		return;
	}
	tail->crossings = (struct diff_streak){ 0 };
	tail->unlike_checks = 0;
}

static void take_same(struct pair *pair)
{
	const struct compare_print *a = front(pair, 0, 0), *b = front(pair, 1, 0);
	bool equal = compare_equal(pair->compare, a, b);
	struct diff_tail *tail = pair->tail;

	tail->equal += equal;
	tail->shifted += !equal;
	streak_add(pair, &tail->streak, equal);
	if (!is_check(a->kind))
		streak_add(pair, &tail->crossings, equal);
	drop(pair, 1, 1);
}

static void take_changed(struct pair *pair)
{
	const struct compare_print *a = front(pair, 0, 0), *b = front(pair, 1, 0);
	struct diff_kind *kind = &pair->tail->kind[a->kind];
	uint8_t ignore = pair->compare->options.ignore[a->kind];

	pair->tail->changed++;
	kind->changed++;
	for (unsigned int i = 0; i < TRACE_FIELDS_MAX; i++)
		kind->field[i] += a->field[i] != b->field[i] && !(ignore >> i & 1);
	kind->payload += (a->payload_size != b->payload_size || a->payload != b->payload) &&
			 !(ignore & TRACE_IGNORE_PAYLOAD);
	streak_break(pair->tail, a->kind);
	drop(pair, 1, 1);
}

static void take_only(struct pair *pair, int s)
{
	uint32_t kind = front(pair, s, 0)->kind;

	pair->tail->only[s]++;
	pair->tail->kind[kind].only[s]++;
	streak_break(pair->tail, kind);
	drop(pair, !s, s);
}

/* Which of both has to pass over records until both are of the same sort; -1: neither helps. */
static int find_sort(const struct pair *pair, uint32_t a, uint32_t b)
{
	for (uint32_t i = 1; i < SORT_MAX; i++) {
		if (i < a && same_sort(front(pair, 0, i), front(pair, 1, 0)))
			return 0;
		if (i < b && same_sort(front(pair, 0, 0), front(pair, 1, i)))
			return 1;
	}
	return -1;
}

/* The next @a and @b records are not level. */
static void take_gap(struct pair *pair, uint32_t a, uint32_t b)
{
	uint32_t left[2] = { a, b };

	while (left[0] && left[1]) {
		int s;

		if (print_key(pair, front(pair, 0, 0)) == print_key(pair, front(pair, 1, 0))) {
			take_same(pair);
		} else if (same_sort(front(pair, 0, 0), front(pair, 1, 0))) {
			take_changed(pair);
		} else {
			s = find_sort(pair, left[0], left[1]);
			if (s != 1)
				take_only(pair, 0);
			if (s != 0)
				take_only(pair, 1);
			left[0] -= s != 1;
			left[1] -= s != 0;
			continue;
		}
		left[0]--;
		left[1]--;
	}
	for (int s = 0; s < 2; s++)
		for (; left[s]; left[s]--)
			take_only(pair, s);
}

/* At each place a hash of the records in a row from there; what lies behind the end is all alike.
 */
static uint32_t hash_rows(const struct pair *pair, int s, uint64_t row[SEARCH_MAX])
{
	uint32_t count = pair->queue[s]->count;
	uint32_t rows = count < SEARCH_MAX ? count : SEARCH_MAX;
	uint64_t key[SEARCH_MAX + LEVEL_RECORDS] = { 0 };

	for (uint32_t i = 0; i < count && i < SEARCH_MAX + LEVEL_RECORDS; i++)
		key[i] = print_key(pair, front(pair, s, i));
	if (!pair->final && rows + LEVEL_RECORDS > count)
		rows = count < LEVEL_RECORDS ? 0 : count - LEVEL_RECORDS + 1;
	if (rows > SEARCH_MAX)
		rows = SEARCH_MAX;
	for (uint32_t i = 0; i < rows; i++)
		row[i] = XXH3_64bits(&key[i], LEVEL_RECORDS * sizeof(key[0]));
	return rows;
}

/* The first place of each row, in a hash table; places count from 1. */
static uint16_t *find_slot(uint16_t slot[SEARCH_SLOTS], const uint64_t *row, uint64_t wanted)
{
	uint32_t i = wanted % SEARCH_SLOTS;

	while (slot[i] && row[slot[i] - 1] != wanted)
		i = (i + 1) % SEARCH_SLOTS;
	return &slot[i];
}

/* The nearest places from which on both are level. */
static bool find_level(const struct pair *pair, uint32_t *a, uint32_t *b)
{
	uint64_t row[2][SEARCH_MAX];
	uint16_t slot[SEARCH_SLOTS] = { 0 };
	uint32_t rows[2] = { hash_rows(pair, 0, row[0]), hash_rows(pair, 1, row[1]) };
	uint32_t best = UINT32_MAX;

	for (uint32_t i = rows[1]; i--;)
		*find_slot(slot, row[1], row[1][i]) = (uint16_t)(i + 1);
	for (uint32_t i = 0; i < rows[0] && i < best; i++) {
		uint32_t place = *find_slot(slot, row[1], row[0][i]);

		if (!place || i + place - 1 >= best)
			continue;
		*a = i;
		*b = place - 1;
		best = *a + *b;
	}
	return best != UINT32_MAX;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The front of one queue is not that of the other. */
static void take_unlike(struct pair *pair)
{
	uint32_t a, b;

	if (!find_level(pair, &a, &b)) {
		a = least(pair->queue[0]->count, SEARCH_MAX);
		b = least(pair->queue[1]->count, SEARCH_MAX);
		if (!pair->final) {
			a = (a + 1) / 2;
			b = (b + 1) / 2;
		}
	}
	take_gap(pair, a, b);
}

static bool enough(const struct pair *pair)
{
	uint32_t least_count = least(pair->queue[0]->count, pair->queue[1]->count);

	return pair->final ? least_count > 0 : least_count > KEEP;
}

static void take_pairs(struct pair *pair)
{
	while (enough(pair)) {
		if (print_key(pair, front(pair, 0, 0)) == print_key(pair, front(pair, 1, 0)))
			take_same(pair);
		else
			take_unlike(pair);
	}
}

/* One has far more than the other, or there is nothing that might still come. */
static void take_surplus(struct pair *pair, bool cut)
{
	for (int s = 0; s < 2; s++) {
		struct compare_queue *queue = pair->queue[s];
		uint32_t keep = queue->count;

		if (pair->final)
			keep = 0;
		else if (queue->count == COMPARE_QUEUE_MAX)
			keep = COMPARE_QUEUE_MAX / 4 * 3;
		if (pair->final && cut)
			compare_queue_drop(queue, queue->count);
		while (queue->count > keep)
			take_only(pair, s);
	}
}

static struct diff_tail *get_tail(struct diff *diff, uint32_t guest)
{
	if (guest >= diff->tail_count) {
		struct diff_tail **grown =
			realloc(diff->tail, (guest + 1u) * sizeof(struct diff_tail *));

		if (!grown)
			return NULL;
		memset(grown + diff->tail_count, 0,
		       (guest + 1u - diff->tail_count) * sizeof(struct diff_tail *));
		diff->tail = grown;
		diff->tail_count = guest + 1;
	}
	if (!diff->tail[guest])
		diff->tail[guest] = calloc(1, sizeof(struct diff_tail));
	return diff->tail[guest];
}

int diff_follow(void *context, uint32_t guest, struct compare_queue queue[2], bool final, bool cut)
{
	struct diff *diff = context;
	struct pair pair = {
		.compare = &diff->compare,
		.tail = get_tail(diff, guest),
		.queue = { &queue[0], &queue[1] },
		.final = final,
	};

	if (!pair.tail)
		return -ENOMEM;
	take_pairs(&pair);
	take_surplus(&pair, cut);
	return 0;
}

void diff_free_tails(struct diff *diff)
{
	for (uint32_t i = 0; i < diff->tail_count; i++)
		free(diff->tail[i]);
	free(diff->tail);
	diff->tail = NULL;
	diff->tail_count = 0;
}

const struct diff_tail *diff_tail(const struct diff *diff, uint32_t guest)
{
	return guest < diff->tail_count ? diff->tail[guest] : NULL;
}
