// SPDX-License-Identifier: BSD-3-Clause
/* The table of guests behind the predictions of a chunk's coder. */
#include "format/predict.h"

#include <errno.h>
#include <stdlib.h>

void predictor_release(struct predictor *predictor)
{
	free(predictor->guests);
	predictor->guests = NULL;
	predictor->guest_limit = 0;
}

int predictor_grow(struct predictor *predictor, uint32_t guest)
{
	uint32_t limit = predictor->guest_limit ? predictor->guest_limit : 8;
	struct guest *guests;

	if (guest >= TRACE_GUEST_LIMIT)
		return -EINVAL;
	while (limit <= guest)
		limit *= 2;
	guests = realloc(predictor->guests, limit * sizeof(*guests));
	if (!guests)
		return -ENOMEM;
	memset(guests + predictor->guest_limit, 0,
	       (limit - predictor->guest_limit) * sizeof(*guests));
	predictor->guests = guests;
	predictor->guest_limit = limit;
	return 0;
}

void predictor_begin(struct predictor *predictor, uint64_t now)
{
	struct predictor fresh = {
		.guests = predictor->guests,
		.guest_limit = predictor->guest_limit,
		.chunk = predictor->chunk + 1,
		.now = now,
	};

	*predictor = fresh;
}
