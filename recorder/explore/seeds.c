// SPDX-License-Identifier: BSD-3-Clause
/* Which seeds a campaign runs, and which of them this shard does. */
#include "recorder/explore/seeds.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

#define REPEATED_ONE_IN 50

uint64_t seeds_count(const struct seeds *seeds)
{
	uint64_t all = seeds->last - seeds->first + 1;

	return all < seeds->shard ? 0 : (all - seeds->shard) / seeds->shards + 1;
}

uint64_t seeds_at(const struct seeds *seeds, uint64_t number)
{
	return seeds->first + (seeds->shard - 1) + number * seeds->shards;
}

int seeds_parse_range(const char *text, struct seeds *seeds)
{
	uint64_t first, last;

	if (number_take(&text, 10, SEEDS_MAX, &first))
		return -EINVAL;
	last = first;
	if (*text && (strncmp(text, "..", 2) || number_parse(text + 2, 10, SEEDS_MAX, &last)))
		return -EINVAL;
	if (last < first)
		return -EINVAL;
	seeds->first = first;
	seeds->last = last;
	return 0;
}

int seeds_parse_shard(const char *text, struct seeds *seeds)
{
	uint64_t shard, shards;

	if (number_take(&text, 10, SEEDS_SHARDS_MAX, &shard) || *text != '/' ||
	    number_parse(text + 1, 10, SEEDS_SHARDS_MAX, &shards) || !shard || shard > shards)
		return -EINVAL;
	seeds->shard = shard;
	seeds->shards = shards;
	return 0;
}

/* ---- Engines that run many jobs ------------------------------------------------------------- */

/* JOB_COMPLETIONS is not Kubernetes' own: the job's file sets it. */
static const struct engine {
	const char *index, *count, *least, *step; /* the index begins at @least, or else @from */
	uint64_t from;
} engines[] = {
	{ "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
	  "SLURM_ARRAY_TASK_STEP", 0 },
	{ "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", NULL, NULL, 0 },
	{ "CI_NODE_INDEX", "CI_NODE_TOTAL", NULL, NULL, 1 },
};

static int read_variable(seeds_variable *variable, const char *name, uint64_t otherwise,
			 uint64_t *value)
{
	const char *text = name ? variable(name) : NULL;

	*value = otherwise;
	return text ? number_parse(text, 10, UINT32_MAX, value) : 0;
}

static int read_engine(seeds_variable *variable, const struct engine *engine, struct seeds *seeds,
		       struct diagnosis *why)
{
	uint64_t index, count, least, step;

	if (read_variable(variable, engine->index, 0, &index) ||
	    read_variable(variable, engine->count, 0, &count) ||
	    read_variable(variable, engine->least, engine->from, &least) ||
	    read_variable(variable, engine->step, 1, &step) || !count || !step || index < least ||
	    (index - least) / step >= count || count > SEEDS_SHARDS_MAX)
		return diagnose(why, EXIT_USAGE, -EINVAL, "set both, or give --shard I/N",
				"cannot tell the shard: %s is %s, %s is %s", engine->index,
				variable(engine->index), engine->count,
				variable(engine->count) ?: "not set");
	seeds->shard = (index - least) / step + 1;
	seeds->shards = count;
	return 0;
}

int seeds_find_shard(seeds_variable *variable, struct seeds *seeds, const char **source,
		     struct diagnosis *why)
{
	*source = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		struct seeds found = *seeds;
		int err;

		if (!variable(engines[i].index))
			continue;
		err = read_engine(variable, &engines[i], &found, why);
		if (err)
			return err;
		if (*source && (found.shard != seeds->shard || found.shards != seeds->shards))
			return diagnose(why, EXIT_USAGE, -EINVAL, "give --shard I/N",
					"cannot tell the shard: %s and %s contradict each other",
					*source, engines[i].index);
		*seeds = found;
		*source = engines[i].index;
	}
	return 0;
}

/* ---- Seeds with another purpose ------------------------------------------------------------- */

bool seeds_is_repeated(const struct seeds *seeds, uint64_t seed)
{
	return seed == seeds->first || XXH64(&seed, sizeof(seed), 0) % REPEATED_ONE_IN == 0;
}

uint64_t seeds_fresh(uint64_t number)
{
	return SEEDS_MAX + 1 + number;
}
