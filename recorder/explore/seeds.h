/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which seeds a campaign runs, and which of them this shard does.
 *
 * Seeds are numbered from 0 in the order in which they are run and reported. The seeds of all
 * shards together are those of one run without shards.
 */
#ifndef TTREC_SEEDS_H
#define TTREC_SEEDS_H

#include <stdbool.h>
#include <stdint.h>

#include "format/base/diagnosis.h"

#define SEEDS_SHARDS_MAX 1000000u
/* Fits into a signed number of JSON, with room for the seeds that are run besides. */
#define SEEDS_MAX (INT64_MAX / 2)

struct seeds {
	uint64_t first, last;	/* the last one included */
	uint64_t shard, shards; /* this is number @shard of @shards, from 1 */
};

/* How many seeds are this shard's. */
uint64_t seeds_count(const struct seeds *seeds);

/* Seed number @number of this shard, below seeds_count(). */
uint64_t seeds_at(const struct seeds *seeds, uint64_t number);

/* "A..B", or "A" for one. Returns 0 or -EINVAL. */
int seeds_parse_range(const char *text, struct seeds *seeds);

/* "I/N", with I from 1. Returns 0 or -EINVAL. */
int seeds_parse_shard(const char *text, struct seeds *seeds);

/* As getenv(3). */
typedef const char *seeds_variable(const char *name);

/*
 * The shard that the variables of an engine name (Slurm arrays, Kubernetes indexed jobs, GitLab's
 * parallel jobs): *@source is the variable, or NULL without one, and then @seeds is left as it is.
 * An index without a count, and two engines that contradict each other, are usage errors.
 */
int seeds_find_shard(seeds_variable *variable, struct seeds *seeds, const char **source,
		     struct diagnosis *why);

/*
 * Whether @seed is run twice and compared, so that nondeterminism is noticed: one in 50, and the
 * first of the campaign. All shards agree.
 */
bool seeds_is_repeated(const struct seeds *seeds, uint64_t seed);

/* Seeds that no campaign runs, to measure how often a failure occurs: number @number of them. */
uint64_t seeds_fresh(uint64_t number);

#endif
