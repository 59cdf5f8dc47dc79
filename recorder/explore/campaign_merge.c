// SPDX-License-Identifier: BSD-3-Clause
/* Puts together what the shards of a campaign know. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "recorder/explore/campaign_state.h"

/* ---- Seeds ---------------------------------------------------------------------------------- */

static int compare_numbers(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

/* All seeds of both, each once, ascending. */
static int merge_seeds(uint64_t **into, size_t *count, const uint64_t *from, size_t from_count)
{
	size_t kept = 0;
	int err = 0;

	for (size_t i = 0; !err && i < from_count; i++)
		err = array_push(*into, *count, from[i]);
	if (err || !*count)
		return err;
	qsort(*into, *count, sizeof(**into), compare_numbers);
	for (size_t i = 0; i < *count; i++)
		if (!i || (*into)[i] != (*into)[kept - 1])
			(*into)[kept++] = (*into)[i];
	/* Arrays that grow have room for the next power of two, so none is given back. */
	while (*count > kept)
		(*into)[--*count] = 0;
	return 0;
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static uint64_t last_seed(const struct campaign_part *part)
{
	return part->first + (part->count - 1) * part->step;
}

static bool is_same_shard(const struct campaign_part *one, const struct campaign_part *other)
{
	return one->first == other->first && one->step == other->step;
}

/* Parts with different steps may have a seed in common wherever they overlap: not decided here. */
static bool do_overlap(const struct campaign_part *one, const struct campaign_part *other)
{
	if (!one->count || !other->count || last_seed(one) < other->first ||
	    last_seed(other) < one->first)
		return false;
	return one->step != other->step || one->first % one->step == other->first % one->step;
}

static int merge_part(struct campaign_state *into, const struct campaign_part *part)
{
	for (size_t i = 0; i < into->part_count; i++) {
		struct campaign_part *known = &into->parts[i];

		if (is_same_shard(known, part)) {
			if (part->count > known->count)
				*known = *part;
			return 0;
		}
		if (do_overlap(known, part))
			return -EEXIST;
	}
	return array_push(into->parts, into->part_count, *part);
}

static int compare_parts(const void *one, const void *other)
{
	const struct campaign_part *a = one, *b = other;

	return (a->first > b->first) - (a->first < b->first);
}

/* How many seeds shard @index of @step has of @total from one on. */
static uint64_t share(uint64_t total, uint64_t step, uint64_t index)
{
	return total > index ? (total - index - 1) / step + 1 : 0;
}

/* All shards of one range are the range. */
void campaign_join(struct campaign_state *state)
{
	struct campaign_part whole = { .first = state->parts[0].first, .step = 1 };
	uint64_t step = state->parts[0].step;

	qsort(state->parts, state->part_count, sizeof(*state->parts), compare_parts);
	whole.first = state->parts[0].first;
	whole.count = campaign_runs(state);
	if (state->part_count != step)
		return;
	for (size_t i = 0; i < state->part_count; i++) {
		const struct campaign_part *part = &state->parts[i];

		if (part->step != step || part->first != whole.first + i ||
		    part->count != share(whole.count, step, i))
			return;
	}
	whole.virtual_ns = campaign_virtual_ns(state);
	whole.repeated = campaign_repeated(state);
	state->parts[0] = whole;
	while (state->part_count > 1)
		state->parts[--state->part_count] = (struct campaign_part){ 0 };
}

/* ---- What was found ------------------------------------------------------------------------- */

static struct campaign_kind *find_kind(const struct campaign_state *state, const char *name)
{
	for (size_t i = 0; i < state->kind_count; i++)
		if (!strcmp(state->kinds[i].name, name))
			return &state->kinds[i];
	return NULL;
}

/* The first seed of a kind stands for it. */
static bool is_better(const struct campaign_kind *one, const struct campaign_kind *other)
{
	if (!other->count || one->seeds[0] != other->seeds[0])
		return !other->count || one->seeds[0] < other->seeds[0];
	return one->made && !other->made;
}

static int merge_kind(struct campaign_state *into, const struct campaign_kind *kind)
{
	struct campaign_kind *known = find_kind(into, kind->name);

	if (!known)
		known = array_add(into->kinds, into->kind_count);
	if (!known)
		return -ENOMEM;
	if (is_better(kind, known)) {
		uint64_t *seeds = known->seeds;
		size_t count = known->count;

		*known = *kind;
		known->seeds = seeds;
		known->count = count;
	}
	return merge_seeds(&known->seeds, &known->count, kind->seeds, kind->count);
}

static int compare_kinds(const void *one, const void *other)
{
	const struct campaign_kind *a = one, *b = other;

	return compare_numbers(&a->seeds[0], &b->seeds[0]);
}

static int merge_difference(struct campaign_state *into,
			    const struct campaign_difference *difference)
{
	for (size_t i = 0; i < into->difference_count; i++)
		if (into->differences[i].seed == difference->seed)
			return 0;
	return array_push(into->differences, into->difference_count, *difference);
}

static int compare_differences(const void *one, const void *other)
{
	const struct campaign_difference *a = one, *b = other;

	return (a->seed > b->seed) - (a->seed < b->seed);
}

static int merge_found(struct campaign_state *into, const struct campaign_state *from)
{
	int err = 0;

	for (size_t i = 0; !err && i < from->kind_count; i++)
		err = merge_kind(into, &from->kinds[i]);
	for (size_t i = 0; !err && i < from->difference_count; i++)
		err = merge_difference(into, &from->differences[i]);
	for (size_t i = 0; i < CAMPAIGN_FRESH; i++)
		if (!into->fresh[i].run)
			into->fresh[i] = from->fresh[i];
	if (err)
		return err;
	if (into->kind_count)
		qsort(into->kinds, into->kind_count, sizeof(*into->kinds), compare_kinds);
	if (into->difference_count)
		qsort(into->differences, into->difference_count, sizeof(*into->differences),
		      compare_differences);
	return merge_seeds(&into->overtime, &into->overtime_count, from->overtime,
			   from->overtime_count);
}

int campaign_merge(struct campaign_state *into, const struct campaign_state *from)
{
	int err = 0;

	if (!*into->identity)
		strcpy(into->identity, from->identity);
	if (strcmp(into->identity, from->identity))
		return -EINVAL;
	for (size_t i = 0; !err && i < from->part_count; i++)
		err = merge_part(into, &from->parts[i]);
	if (err)
		return err;
	return merge_found(into, from);
}
