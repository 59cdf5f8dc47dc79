// SPDX-License-Identifier: BSD-3-Clause
/* What a turn wants done outside, in order. */
#include "recorder/session/journal/session_effects.h"

#include <stdlib.h>
#include <string.h>

void effects_add(struct effects *effects, const struct effect *effect)
{
	if (effects->count == effects->space) {
		size_t space = effects->space ? 2 * effects->space : 16;
		struct effect *grown = realloc(effects->effect, space * sizeof(*grown));

		if (!grown) {
			outcome_no_memory(effects->outcome);
			return;
		}
		effects->effect = grown;
		effects->space = space;
	}
	effects->effect[effects->count++] = *effect;
}

void effects_add_data(struct effects *effects, struct effect effect, const void *data, size_t size)
{
	size_t need = effects->byte_count + size;

	if (need > effects->byte_space) {
		uint8_t *grown = realloc(effects->bytes, 2 * need);

		if (!grown) {
			outcome_no_memory(effects->outcome);
			return;
		}
		effects->bytes = grown;
		effects->byte_space = 2 * need;
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
