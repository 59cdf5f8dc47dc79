// SPDX-License-Identifier: BSD-3-Clause
/*
 * How a guest goes on after its histories have diverged.
 *
 * Both are laid side by side. Where four records in a row are the same in both, they are level
 * again; what lies before that, or before both queues are half used up, is paired as well as can
 * be (diff_grid.c). What is farther apart than the queues are long is not found.
 */
#include "format/base/array.h"
#include "format/ttdump/diff/diff.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#define LEVEL_RECORDS 4	       /* the same in a row: both are level again */
#define SEARCH_MAX    GRID_MAX /* so far ahead that is looked for */
#define SEARCH_SLOTS  1024
#define KEEP	      64 /* a queue is not used up further than this before its end */

/* Both queues, from their fronts. */
struct pair {
	const struct compare *compare;
	struct diff_tail *tail;
	struct diff_grid *grid;
	struct compare_queue *queue[2];
	bool final;
};

static const struct compare_print *front(const struct pair *pair, int s, uint32_t i)
{
	return compare_queue_at(pair->queue[s], i);
}

static uint64_t front_key(const struct pair *pair, int s, uint32_t i)
{
	return grid_key(pair->compare, front(pair, s, i));
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

/* The first @a and @b records are paired; no more of them than up to @a_end or @b_end. */
static void take_gap(struct pair *pair, uint32_t a, uint32_t b, uint32_t a_end, uint32_t b_end)
{
	struct diff_grid *grid = pair->grid;
	uint32_t at[2] = { 0, 0 };

	grid_load(grid, pair->compare, 0, pair->queue[0], a);
	grid_load(grid, pair->compare, 1, pair->queue[1], b);
	grid_fill(grid);
	while ((at[0] < a || at[1] < b) && (at[0] < a_end || at[1] < b_end)) {
		enum grid_step step = grid_next(grid, at[0], at[1]);

		if (step == GRID_SAME)
			take_same(pair);
		else if (step == GRID_CHANGED)
			take_changed(pair);
		else
			take_only(pair, step == GRID_SECOND);
		at[0] += step != GRID_SECOND;
		at[1] += step != GRID_FIRST;
	}
}

/* At each place a hash of the records in a row from there; what lies behind the end is all alike.
 */
static uint32_t hash_rows(const struct pair *pair, int s, uint64_t row[SEARCH_MAX])
{
	uint32_t count = pair->queue[s]->count;
	uint32_t rows = count < SEARCH_MAX ? count : SEARCH_MAX;
	uint64_t key[SEARCH_MAX + LEVEL_RECORDS] = { 0 };

	for (uint32_t i = 0; i < count && i < SEARCH_MAX + LEVEL_RECORDS; i++)
		key[i] = front_key(pair, s, i);
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

/* How many of the first records of queue @s were made up to @now. */
static uint32_t count_until(const struct pair *pair, int s, uint32_t count, uint64_t now)
{
	uint32_t i = 0;

	while (i < count && front(pair, s, i)->now <= now)
		i++;
	return i;
}

/*
 * They are not level for as far as can be seen. Pair what was made in the same time: one of both
 * may do much more in it. Where they have no time in common, only the order is left.
 */
static void take_unlevel(struct pair *pair)
{
	uint32_t a = least(pair->queue[0]->count, GRID_MAX);
	uint32_t b = least(pair->queue[1]->count, GRID_MAX);
	uint64_t a_now = front(pair, 0, a - 1)->now, b_now = front(pair, 1, b - 1)->now;
	uint64_t now = a_now < b_now ? a_now : b_now;
	uint32_t a_timely = count_until(pair, 0, a, now), b_timely = count_until(pair, 1, b, now);

	if (a_timely && b_timely) {
		a = a_timely;
		b = b_timely;
	}
	take_gap(pair, a, b, (a + 1) / 2, (b + 1) / 2);
}

/* The front of one queue is not that of the other. */
static void take_unlike(struct pair *pair)
{
	uint32_t a, b;

	if (find_level(pair, &a, &b))
		take_gap(pair, a, b, a, b);
	else
		take_unlevel(pair);
}

static bool enough(const struct pair *pair)
{
	uint32_t least_count = least(pair->queue[0]->count, pair->queue[1]->count);

	return pair->final ? least_count > 0 : least_count > KEEP;
}

static void take_pairs(struct pair *pair)
{
	while (enough(pair)) {
		if (front_key(pair, 0, 0) == front_key(pair, 1, 0))
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
	if (array_reach(diff->tail, diff->tail_count, guest))
		return NULL;
	if (!diff->tail[guest])
		diff->tail[guest] = calloc(1, sizeof(struct diff_tail));
	return diff->tail[guest];
}

static struct diff_grid *get_grid(struct diff *diff)
{
	if (!diff->grid)
		diff->grid = malloc(sizeof(*diff->grid));
	return diff->grid;
}

int diff_follow(void *context, uint32_t guest, struct compare_queue queue[2], bool final, bool cut)
{
	struct diff *diff = context;
	struct pair pair = {
		.compare = &diff->compare,
		.tail = get_tail(diff, guest),
		.grid = get_grid(diff),
		.queue = { &queue[0], &queue[1] },
		.final = final,
	};

	if (!pair.tail || !pair.grid)
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
	free(diff->grid);
	diff->grid = NULL;
	diff->tail = NULL;
	diff->tail_count = 0;
}

const struct diff_tail *diff_tail(const struct diff *diff, uint32_t guest)
{
	return guest < diff->tail_count ? diff->tail[guest] : NULL;
}
