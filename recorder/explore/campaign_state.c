// SPDX-License-Identifier: BSD-3-Clause
/* What a campaign knows: which seeds ran, and which kinds of failure they had. */
#include "recorder/explore/campaign_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/base/array.h"

/* So many seeds that fail in the same way, and no other, do not by chance. */
#define ALWAYS_RUNS 8

static void note_error(struct campaign_state *state, int err)
{
	if (err)
		state->error = err;
}

uint64_t campaign_runs(const struct campaign_state *state)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < state->part_count; i++)
		runs += state->parts[i].count;
	return runs;
}

uint64_t campaign_runs_until(const struct campaign_state *state, uint64_t seed)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < state->part_count; i++) {
		const struct campaign_part *part = &state->parts[i];
		uint64_t until = seed < part->first ? 0 : (seed - part->first) / part->step + 1;

		runs += until < part->count ? until : part->count;
	}
	return runs;
}

uint64_t campaign_virtual_ns(const struct campaign_state *state)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < state->part_count; i++)
		sum += state->parts[i].virtual_ns;
	return sum;
}

uint64_t campaign_repeated(const struct campaign_state *state)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < state->part_count; i++)
		sum += state->parts[i].repeated;
	return sum;
}

static size_t find_kind(const struct campaign_state *state, const char *name)
{
	size_t i = 0;

	while (i < state->kind_count && strcmp(state->kinds[i].name, name))
		i++;
	return i;
}

static ssize_t take_failure(struct campaign_state *state, uint64_t seed,
			    const struct trial_outcome *outcome)
{
	char name[KIND_NAME];
	struct campaign_kind *kind;
	size_t index;

	trial_outcome_kind(outcome, name);
	index = find_kind(state, name);
	kind = index < state->kind_count ? &state->kinds[index]
					 : array_add(state->kinds, state->kind_count);
	if (!kind) {
		note_error(state, -ENOMEM);
		return -1;
	}
	if (!kind->count) {
		strcpy(kind->name, name);
		kind->outcome = *outcome;
	}
	note_error(state, array_push(kind->seeds, kind->count, seed));
	return (ssize_t)index;
}

static const char *ending(const struct trial_outcome *outcome)
{
	return outcome->verdict == TRIAL_PASSED ? "passed" : outcome->line;
}

static void take_repetition(struct campaign_state *state, uint64_t seed,
			    const struct trial_outcome *outcome, const struct trial_outcome *again)
{
	struct campaign_difference *difference;

	state->parts[0].repeated++;
	if (trial_outcome_same(outcome, again))
		return;
	difference = array_add(state->differences, state->difference_count);
	if (!difference) {
		note_error(state, -ENOMEM);
		return;
	}
	difference->seed = seed;
	snprintf(difference->first, sizeof(difference->first), "%s", ending(outcome));
	snprintf(difference->again, sizeof(difference->again), "%s", ending(again));
}

ssize_t campaign_take(struct campaign_state *state, uint64_t seed,
		      const struct trial_outcome *outcome, const struct trial_outcome *again)
{
	state->parts[0].count++;
	if (outcome->verdict == TRIAL_OVERTIME) {
		note_error(state, array_push(state->overtime, state->overtime_count, seed));
		return -1;
	}
	state->parts[0].virtual_ns += outcome->virtual_ns;
	if (again && again->verdict != TRIAL_OVERTIME)
		take_repetition(state, seed, outcome, again);
	return outcome->verdict == TRIAL_FAILED ? take_failure(state, seed, outcome) : -1;
}

size_t campaign_fresh_runs(const struct campaign_state *state)
{
	size_t runs = 0;

	for (size_t i = 0; i < CAMPAIGN_FRESH; i++)
		runs += state->fresh[i].run;
	return runs;
}

size_t campaign_fresh_fails(const struct campaign_state *state, const char *kind)
{
	size_t fails = 0;

	for (size_t i = 0; i < CAMPAIGN_FRESH; i++)
		fails += state->fresh[i].run &&
			 (kind ? !strcmp(state->fresh[i].kind, kind) : *state->fresh[i].kind != 0);
	return fails;
}

bool campaign_always_fails(const struct campaign_state *state)
{
	return campaign_runs(state) >= ALWAYS_RUNS && state->kind_count == 1 &&
	       state->kinds[0].count == campaign_runs(state);
}

void campaign_release(struct campaign_state *state)
{
	for (size_t i = 0; i < state->kind_count; i++)
		free(state->kinds[i].seeds);
	free(state->kinds);
	free(state->parts);
	free(state->overtime);
	free(state->differences);
	*state = (struct campaign_state){ 0 };
}
