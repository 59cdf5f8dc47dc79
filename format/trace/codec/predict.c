// SPDX-License-Identifier: BSD-3-Clause
/* The tables behind the predictions of a chunk's coder: guests, and fields of their records. */
#include "format/trace/codec/predict.h"

#include <errno.h>
#include <stdlib.h>

#include "format/base/array.h"

void predictor_release(struct predictor *predictor)
{
	free(predictor->guests);
	free(predictor->series);
	free(predictor->sequels);
	free(predictor->strides);
	predictor->guests = NULL;
	predictor->series = NULL;
	predictor->sequels = NULL;
	predictor->strides = NULL;
	predictor->guest_limit = 0;
}

static int grow_tables(struct predictor *predictor)
{
	if (!predictor->series)
		predictor->series = calloc(TABLE_SIZE, sizeof(*predictor->series));
	if (!predictor->sequels)
		predictor->sequels = calloc(TABLE_SIZE, sizeof(*predictor->sequels));
	if (!predictor->strides)
		predictor->strides = calloc(TABLE_SIZE, sizeof(*predictor->strides));
	return predictor->series && predictor->sequels && predictor->strides ? 0 : -ENOMEM;
}

int predictor_grow(struct predictor *predictor, uint32_t guest)
{
	if (guest >= TRACE_GUEST_LIMIT)
		return -EINVAL;
	if (grow_tables(predictor))
		return -ENOMEM;
	return array_reach(predictor->guests, predictor->guest_limit, guest | 7);
}

void predictor_begin(struct predictor *predictor, uint64_t now)
{
	struct predictor fresh = {
		.guests = predictor->guests,
		.series = predictor->series,
		.sequels = predictor->sequels,
		.strides = predictor->strides,
		.guest_limit = predictor->guest_limit,
		.chunk = predictor->chunk + 1,
		.now = now,
		.kicked = now,
	};

	*predictor = fresh;
}

static struct series *find_series(struct predictor *predictor, uint64_t key)
{
	struct series *series = &predictor->series[table_place(key)];

	if (series->chunk != predictor->chunk)
		*series = (struct series){ .chunk = predictor->chunk };
	return series;
}

static struct sequel *find_sequel(struct predictor *predictor, uint64_t key)
{
	struct sequel *sequel = &predictor->sequels[table_place(key)];

	if (sequel->chunk != predictor->chunk)
		*sequel = (struct sequel){ .chunk = predictor->chunk };
	return sequel;
}

void field_walk_begin(struct field_walk *walk, struct predictor *predictor,
		      const struct guest *guest, uint32_t index, uint32_t kind)
{
	uint64_t place = (uint64_t)index * TRACE_KIND_LIMIT + kind;

	*walk = (struct field_walk){ .predictor = predictor, .place = place };
	walk->sequel = find_sequel(predictor, place + ((uint64_t)guest->kind << 32));
	walk->first = walk->series = find_series(predictor, place);
}

uint64_t field_walk_expect(struct field_walk *walk, const struct trace_record *record,
			   unsigned int i)
{
	const struct series *series;
	uint64_t pair;

	if (i == 2) {
		pair = record->field[0] * 256 + record->field[1] + 1;
		walk->series->started = true;
		walk->series = find_series(walk->predictor, walk->place + (pair << 32));
	}
	series = walk->series;
	if (series->follows[i % 2])
		return walk->sequel->field[i];
	return series->last[i % 2] + series->step[i % 2];
}

void field_walk_learn(struct field_walk *walk, unsigned int i, uint64_t value)
{
	struct series *series = walk->series;
	uint64_t counted = series->last[i % 2] + series->step[i % 2];
	uint64_t followed = walk->sequel->field[i];

	if (counted != followed && (value == counted || value == followed))
		series->follows[i % 2] = value == followed;
	series->step[i % 2] = series->started ? value - series->last[i % 2] : 0;
	series->last[i % 2] = value;
	walk->sequel->field[i] = value;
}

void field_walk_end(struct field_walk *walk, uint64_t size)
{
	walk->first->size = size;
	walk->first->started = walk->series->started = true;
}
