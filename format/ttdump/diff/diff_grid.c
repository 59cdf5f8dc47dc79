// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which of two rows of records belong together: of all ways to lay them side by side in their
 * order, one in which most are the same, or at least of the same sort.
 */
#include <string.h>
#include <xxhash.h>

#include "format/ttdump/diff/diff_grid.h"

/* What a pair is worth. An ACK is like any other: that it is the same means little. */
enum { WORTH_SORT = 1, WORTH_SAME = 2, WORTH_SPECIFIC = 4 };

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

uint64_t grid_key(const struct compare *compare, const struct compare_print *print)
{
	uint8_t ignore = compare->options.ignore[print->kind] | counters(print->kind);
	bool payload = !(ignore & TRACE_IGNORE_PAYLOAD);
	uint64_t form[2 + TRACE_FIELDS_MAX] = {
		print->kind | (payload ? (uint64_t)print->payload_size << 32 : 0),
		payload ? print->payload : 0,
	};

	for (unsigned int i = 0; i < TRACE_FIELDS_MAX; i++)
		form[2 + i] = ignore >> i & 1 ? 0 : print->field[i];
	return XXH3_64bits(form, sizeof(form));
}

static uint64_t sort_key(const struct compare_print *print)
{
	return XXH3_64bits_withSeed(
		print->field, sort_fields(print->kind) * sizeof(print->field[0]), print->kind);
}

/* Does it hold more than its kind? Most messages do only if they have a time. */
static bool is_specific(const struct compare_print *print)
{
	return (print->kind != TRACE_from && print->kind != TRACE_to) ||
	       (print->field[2] && print->field[2] < INT64_MAX);
}

void grid_load(struct diff_grid *grid, const struct compare *compare, int s,
	       const struct compare_queue *queue, uint32_t count)
{
	grid->count[s] = count;
	for (uint32_t i = 0; i < count; i++) {
		const struct compare_print *print = compare_queue_at(queue, i);

		grid->key[s][i] = grid_key(compare, print);
		grid->sort[s][i] = sort_key(print);
		grid->now[s][i] = print->now;
		if (!s)
			grid->specific[i] = is_specific(print);
	}
}

static uint16_t worth(const struct diff_grid *grid, uint32_t a, uint32_t b)
{
	if (grid->key[0][a] == grid->key[1][b])
		return grid->specific[a] ? WORTH_SPECIFIC : WORTH_SAME;
	return grid->sort[0][a] == grid->sort[1][b] ? WORTH_SORT : 0;
}

static uint16_t best(uint16_t a, uint16_t b)
{
	return a > b ? a : b;
}

/* From the ends to the beginnings: what the rests are worth. */
void grid_fill(struct diff_grid *grid)
{
	for (uint32_t a = 0; a <= grid->count[0]; a++)
		grid->score[a][grid->count[1]] = 0;
	memset(grid->score[grid->count[0]], 0, sizeof(grid->score[0]));
	for (uint32_t a = grid->count[0]; a--;)
		for (uint32_t b = grid->count[1]; b--;) {
			uint16_t pair = worth(grid, a, b);
			uint16_t most = best(grid->score[a + 1][b], grid->score[a][b + 1]);

			if (pair)
				most = best(most, (uint16_t)(pair + grid->score[a + 1][b + 1]));
			grid->score[a][b] = most;
		}
}

enum grid_step grid_next(const struct diff_grid *grid, uint32_t a, uint32_t b)
{
	uint16_t score, pair;

	if (a == grid->count[0])
		return GRID_SECOND;
	if (b == grid->count[1])
		return GRID_FIRST;
	score = grid->score[a][b];
	pair = worth(grid, a, b);
	if (pair && score == pair + grid->score[a + 1][b + 1])
		return grid->key[0][a] == grid->key[1][b] ? GRID_SAME : GRID_CHANGED;
	if (grid->score[a + 1][b] != grid->score[a][b + 1])
		return score == grid->score[a + 1][b] ? GRID_FIRST : GRID_SECOND;
	/* Either will do: what was earlier. */
	return grid->now[0][a] <= grid->now[1][b] ? GRID_FIRST : GRID_SECOND;
}
