/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a campaign knows: which seeds ran, and which kinds of failure they had. It is kept in
 * DIR/campaign.json, a function of the arguments and nothing else, so that a campaign can be
 * continued and shards can be merged.
 *
 * Seeds are taken in their order, whatever the order in which they ended.
 */
#ifndef TTREC_CAMPAIGN_STATE_H
#define TTREC_CAMPAIGN_STATE_H

#include "recorder/explore/found.h"
#include "recorder/explore/seeds.h"
#include "recorder/explore/trial/trial_outcome.h"

#define CAMPAIGN_FRESH 20

/* What is known of each kind. */
struct campaign_kind {
	char name[KIND_NAME];
	struct trial_outcome outcome; /* of its first seed */
	uint64_t *seeds;	      /* that failed so, ascending */
	size_t count;
	bool made; /* its directory was made, with @result */
	struct found_result result;
	const char *origin; /* where that directory is, if the state is merged; not kept */
};

/* A seed of which two runs differed. */
struct campaign_difference {
	uint64_t seed;
	char first[KIND_TEXT], again[KIND_TEXT];
};

/* Seeds that ran: every @step-th from @first on, @count of them. */
struct campaign_part {
	uint64_t first, step, count;
	uint64_t virtual_ns; /* of all of them */
	uint64_t repeated;   /* of them were run twice */
};

struct campaign_fresh {
	bool run;
	char kind[KIND_NAME]; /* empty: it passed */
};

struct campaign_state {
	char identity[17]; /* hexadecimal hash of what is run; of another one nothing is taken */
	struct campaign_part *parts; /* the first is this campaign's own; merged ones have more */
	size_t part_count;
	struct campaign_kind *kinds; /* in the order of their first seeds */
	size_t kind_count;
	uint64_t *overtime; /* seeds that were ended by wall time */
	size_t overtime_count;
	struct campaign_difference *differences;
	size_t difference_count;
	struct campaign_fresh fresh[CAMPAIGN_FRESH];
	int error; /* -ENOMEM: something is missing in it; 0 */
};

/* How many seeds ran, and how many of them up to @seed; their sums. */
uint64_t campaign_runs(const struct campaign_state *state);
uint64_t campaign_runs_until(const struct campaign_state *state, uint64_t seed);
uint64_t campaign_virtual_ns(const struct campaign_state *state);
uint64_t campaign_repeated(const struct campaign_state *state);

/*
 * The next seed of the first part ended so. @again is how it ended the second time, NULL if it was
 * run once. Returns the index of its kind, or -1 if it did not fail.
 */
ssize_t campaign_take(struct campaign_state *state, uint64_t seed,
		      const struct trial_outcome *outcome, const struct trial_outcome *again);

/* How many of the fresh seeds ran, and how many of them failed with @kind (NULL: any). */
size_t campaign_fresh_runs(const struct campaign_state *state);
size_t campaign_fresh_fails(const struct campaign_state *state, const char *kind);

/* Does every seed fail in the same way, after enough of them that it is not by chance? */
bool campaign_always_fails(const struct campaign_state *state);

void campaign_release(struct campaign_state *state);

/*
 * What is known of @from, which is of the same campaign, also in @into (campaign_merge.c). In which
 * order states are merged does not matter, and all shards together are what one campaign of all
 * seeds is. Returns 0, -EINVAL if it is of another campaign, -EEXIST if a seed is in both but not
 * in the same shard, or -ENOMEM.
 */
int campaign_merge(struct campaign_state *into, const struct campaign_state *from);

/* After the last one: if all shards are there, their seeds are one part. */
void campaign_join(struct campaign_state *state);

/* ---- The file (campaign_file.c) ------------------------------------------------------------- */

/* DIR/campaign.json, by rename. Returns 0 or -errno. */
int campaign_save(const struct campaign_state *state, const char *directory);

/* -ENOENT: no such file; -EBADMSG: not a file of a campaign. */
int campaign_load(struct campaign_state *state, const char *directory);

#endif
