// SPDX-License-Identifier: BSD-3-Clause
/* The effects of a turn, in order. */
#include "recorder/session/journal/session_effects.h"

#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"

void effects_add(struct effects *effects, const struct effect *effect)
{
	if (array_room(effects->effect, effects->space, effects->count + 1, 16))
		outcome_no_memory(effects->outcome);
	else
		effects->effect[effects->count++] = *effect;
}

void effects_add_data(struct effects *effects, struct effect effect, const void *data, size_t size)
{
	size_t need = effects->byte_count + size;

	if (array_room(effects->bytes, effects->byte_space, need, 256)) {
		outcome_no_memory(effects->outcome);
		return;
	}
	effect.data = effects->byte_count;
	effect.size = size;
	if (size)
		memcpy(effects->bytes + effects->byte_count, data, size);
	effects->byte_count = need;
	effects_add(effects, &effect);
}

const void *effects_data(const struct effects *effects, const struct effect *effect)
{
	return effects->bytes + effect->data;
}

void effects_clear(struct effects *effects)
{
	effects->count = effects->byte_count = 0;
}

void effects_release(struct effects *effects)
{
	free(effects->effect);
	free(effects->bytes);
	effects_clear(effects);
}
