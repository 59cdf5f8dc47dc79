// SPDX-License-Identifier: BSD-3-Clause
/* Which seeds are run, and how shards divide them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/explore/seeds.h"

static void test_shards_divide_all_seeds(void **state)
{
	(void)state;
	for (uint64_t shards = 1; shards <= 9; shards++) {
		unsigned int seen[40] = { 0 };

		for (uint64_t shard = 1; shard <= shards; shard++) {
			struct seeds seeds = { 5, 33, shard, shards };

			for (uint64_t i = 0; i < seeds_count(&seeds); i++)
				seen[seeds_at(&seeds, i)]++;
		}
		for (size_t seed = 0; seed < 40; seed++)
			assert_int_equal(seen[seed], seed >= 5 && seed <= 33);
	}
}

static void test_more_shards_than_seeds(void **state)
{
	struct seeds seeds = { 1, 3, 4, 10 };

	(void)state;
	assert_int_equal(seeds_count(&seeds), 0);
	seeds.shard = 3;
	assert_int_equal(seeds_count(&seeds), 1);
	assert_int_equal(seeds_at(&seeds, 0), 3);
}

static void test_ranges(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "..",
					   "1..",
					   "..4",
					   "4..1",
					   "1-3",
					   "1...3",
					   "-1",
					   "1..3x",
					   "99999999999999999999" };
	struct seeds seeds = { 0 };

	(void)state;
	assert_int_equal(seeds_parse_range("7", &seeds), 0);
	assert_true(seeds.first == 7 && seeds.last == 7);
	assert_int_equal(seeds_parse_range("2..10", &seeds), 0);
	assert_true(seeds.first == 2 && seeds.last == 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(seeds_parse_range(bad[i], &seeds), 0);
	assert_true(seeds.first == 2 && seeds.last == 10);
}

static void test_shards(void **state)
{
	static const char *const bad[] = { "", "1", "0/3", "4/3", "1/0", "/", "1/", "/2", "1/2/3" };
	struct seeds seeds = { 0 };

	(void)state;
	assert_int_equal(seeds_parse_shard("3/3", &seeds), 0);
	assert_true(seeds.shard == 3 && seeds.shards == 3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(seeds_parse_shard(bad[i], &seeds), 0);
}

/* ---- Variables of engines ------------------------------------------------------------------- */

static const char *const *environment;

static const char *variable(const char *name)
{
	for (size_t i = 0; environment[i]; i += 2)
		if (!strcmp(environment[i], name))
			return environment[i + 1];
	return NULL;
}

static int find(const char *const *variables, struct seeds *seeds, const char **source,
		struct diagnosis *why)
{
	*seeds = (struct seeds){ 1, 100, 1, 1 };
	*why = (struct diagnosis){ 0 };
	environment = variables;
	return seeds_find_shard(variable, seeds, source, why);
}

static void assert_shard(const char *const *variables, uint64_t shard, uint64_t shards)
{
	struct diagnosis why;
	const char *source;
	struct seeds seeds;

	assert_int_equal(find(variables, &seeds, &source, &why), 0);
	assert_int_equal(seeds.shard, shard);
	assert_int_equal(seeds.shards, shards);
	assert_string_equal(source ? source : "", variables[0] ? variables[0] : "");
}

static void test_engines_name_the_shard(void **state)
{
	(void)state;
	assert_shard((const char *[]){ NULL }, 1, 1);
	assert_shard(
		(const char *[]){ "SLURM_ARRAY_TASK_ID", "3", "SLURM_ARRAY_TASK_COUNT", "8", NULL },
		4, 8);
	assert_shard((const char *[]){ "SLURM_ARRAY_TASK_ID", "3", "SLURM_ARRAY_TASK_COUNT", "8",
				       "SLURM_ARRAY_TASK_MIN", "1", NULL },
		     3, 8);
	assert_shard((const char *[]){ "SLURM_ARRAY_TASK_ID", "14", "SLURM_ARRAY_TASK_COUNT", "3",
				       "SLURM_ARRAY_TASK_MIN", "10", "SLURM_ARRAY_TASK_STEP", "2",
				       NULL },
		     3, 3);
	assert_shard((const char *[]){ "JOB_COMPLETION_INDEX", "0", "JOB_COMPLETIONS", "4", NULL },
		     1, 4);
	assert_shard((const char *[]){ "CI_NODE_INDEX", "4", "CI_NODE_TOTAL", "4", NULL }, 4, 4);
}

static void test_engines_that_cannot_be_right(void **state)
{
	static const char *const bad[][5] = {
		{ "JOB_COMPLETION_INDEX", "0", NULL },
		{ "CI_NODE_INDEX", "5", "CI_NODE_TOTAL", "4", NULL },
		{ "CI_NODE_INDEX", "0", "CI_NODE_TOTAL", "4", NULL },
		{ "SLURM_ARRAY_TASK_ID", "x", "SLURM_ARRAY_TASK_COUNT", "8", NULL },
		{ "JOB_COMPLETION_INDEX", "0", "JOB_COMPLETIONS", "0", NULL },
	};
	struct diagnosis why;
	const char *source;
	struct seeds seeds;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_not_equal(find(bad[i], &seeds, &source, &why), 0);
		assert_int_equal(why.status, EXIT_USAGE);
		assert_non_null(strstr(why.what, bad[i][0]));
	}
}

static void test_engines_that_contradict_each_other(void **state)
{
	static const char *const both[] = { "CI_NODE_INDEX",
					    "2",
					    "CI_NODE_TOTAL",
					    "4",
					    "JOB_COMPLETION_INDEX",
					    "0",
					    "JOB_COMPLETIONS",
					    "4",
					    NULL };
	static const char *const agree[] = { "JOB_COMPLETION_INDEX",
					     "1",
					     "JOB_COMPLETIONS",
					     "4",
					     "CI_NODE_INDEX",
					     "2",
					     "CI_NODE_TOTAL",
					     "4",
					     NULL };
	struct diagnosis why;
	const char *source;
	struct seeds seeds;

	(void)state;
	assert_int_not_equal(find(both, &seeds, &source, &why), 0);
	assert_non_null(strstr(why.what, "contradict"));
	assert_int_equal(find(agree, &seeds, &source, &why), 0);
	assert_true(seeds.shard == 2 && seeds.shards == 4);
}

static void test_a_share_is_repeated_whatever_the_shards(void **state)
{
	struct seeds seeds = { 1, 10000, 1, 1 }, shard = { 1, 10000, 3, 7 };
	size_t repeated = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 10000; seed++) {
		repeated += seeds_is_repeated(&seeds, seed);
		assert_int_equal(seeds_is_repeated(&seeds, seed), seeds_is_repeated(&shard, seed));
	}
	assert_in_range(repeated, 150, 250);
	assert_true(seeds_is_repeated(&seeds, 1));
	assert_true(seeds_fresh(0) > SEEDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shards_divide_all_seeds),
		cmocka_unit_test(test_more_shards_than_seeds),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_shards),
		cmocka_unit_test(test_engines_name_the_shard),
		cmocka_unit_test(test_engines_that_cannot_be_right),
		cmocka_unit_test(test_engines_that_contradict_each_other),
		cmocka_unit_test(test_a_share_is_repeated_whatever_the_shards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
