// SPDX-License-Identifier: BSD-3-Clause
/* What is made of runs: outcomes, kinds, rates, differences; and the file that keeps them. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/diagnosis.h"
#include "recorder/explore/campaign_state.h"

#define EXITED(status) ((status) << 8)

static struct trial_outcome read_outcome(const char *text, int status)
{
	struct trial_outcome outcome;

	trial_outcome_read(text, status, &outcome);
	return outcome;
}

static void test_verdicts(void **state)
{
	(void)state;
	assert_int_equal(read_outcome("{\"reason\":\"\"}\n", 0).verdict, TRIAL_PASSED);
	assert_int_equal(read_outcome("{\"reason\":\"x\"}\n", EXITED(1)).verdict, TRIAL_FAILED);
	assert_int_equal(read_outcome("{\"reason\":\"x\"}\n", EXITED(5)).verdict, TRIAL_FAILED);
	assert_int_equal(read_outcome("{\"reason\":\"the limit of 2 s of wall time was reached\"}",
				      EXITED(1))
				 .verdict,
			 TRIAL_OVERTIME);
	assert_int_equal(read_outcome("{\"reason\":\"console output: 2 s of wall time\","
				      "\"code\":\"console-line\"}",
				      EXITED(1))
				 .verdict,
			 TRIAL_FAILED);
	assert_int_equal(read_outcome("{\"reason\":\"killed\"}\n", EXITED(4)).verdict,
			 TRIAL_SHORTAGE);
	/* Whatever a process without a result ends with: it is not the guests' failure. */
	assert_int_equal(read_outcome("", 0).verdict, TRIAL_SHORTAGE);
	assert_int_equal(read_outcome("Assertion failed\n", SIGABRT).verdict, TRIAL_SHORTAGE);
	assert_int_equal(read_outcome("", EXITED(1)).verdict, TRIAL_SHORTAGE);
	assert_int_equal(read_outcome("{\"reason\":\"x\"}\n", SIGKILL).verdict, TRIAL_SHORTAGE);
	assert_int_equal(read_outcome("ttrec: lab.yaml:1:1: bad\n", EXITED(2)).verdict,
			 TRIAL_REFUSED);
	assert_int_equal(read_outcome("{\"reason\":\"\"}", EXITED(130)).verdict, TRIAL_STOPPED);
}

static void test_who_failed(void **state)
{
	struct trial_outcome outcome =
		read_outcome("noise\n{\"reason\":\"console output of n2: not ok 1 - a: b\","
			     "\"virtual_ns\":5}\nnoise\n",
			     EXITED(1));

	(void)state;
	assert_string_equal(outcome.guest, "n2");
	assert_string_equal(outcome.line, "not ok 1 - a: b");
	assert_int_equal(outcome.virtual_ns, 5);
	outcome = read_outcome("{\"reason\":\"console output: not ok 1\"}", EXITED(1));
	assert_string_equal(outcome.guest, "");
	assert_string_equal(outcome.line, "not ok 1");
	outcome = read_outcome("{\"reason\":\"it broke\",\"code\":\"guest-status\",\"findings\":"
			       "[{\"guest\":\"n3\"}],\"guests\":[{}]}",
			       EXITED(1));
	assert_string_equal(outcome.guest, "");
	outcome = read_outcome("{\"reason\":\"it broke\",\"code\":\"guest-status\",\"findings\":"
			       "[{\"guest\":\"n3\"}],\"guests\":[{},{}]}",
			       EXITED(1));
	assert_string_equal(outcome.guest, "n3");
	assert_string_equal(outcome.code, "guest-status");
	outcome = read_outcome("ttrec: no such lab\n  hint: none\n", EXITED(2));
	assert_string_equal(outcome.line, "no such lab");
}

static void test_equal_runs(void **state)
{
	static const char *const texts[] = {
		"{\"reason\":\"\",\"messages\":7,\"guests\":[{\"console_hash\":\"a\"}]}",
		"{\"reason\":\"\",\"messages\":8,\"guests\":[{\"console_hash\":\"a\"}]}",
		"{\"reason\":\"\",\"messages\":7,\"guests\":[{\"console_hash\":\"b\"}]}",
		"{\"reason\":\"\",\"messages\":7,\"guests\":[]}",
	};
	/* How long it took, and what was recorded, is another matter. */
	struct trial_outcome same = read_outcome(
		"{\"reason\":\"\",\"messages\":7,\"wall_ns\":9,\"digests\":3,\"trace\":\"t.zst\","
		"\"guests\":[{\"console_hash\":\"a\"}]}",
		0);
	struct trial_outcome first = read_outcome(texts[0], 0);

	(void)state;
	assert_true(trial_outcome_same(&first, &same));
	for (size_t i = 1; i < ARRAY_SIZE(texts); i++) {
		struct trial_outcome other = read_outcome(texts[i], 0);

		assert_false(trial_outcome_same(&first, &other));
	}
}

/* ---- A campaign ----------------------------------------------------------------------------- */

static struct campaign_state begin(void)
{
	struct campaign_state state = { .identity = "0123456789abcdef" };
	struct campaign_part part = { .first = 1, .step = 1 };

	assert_int_equal(array_push(state.parts, state.part_count, part), 0);
	return state;
}

static ssize_t take_failed(struct campaign_state *state, uint64_t seed, const char *line)
{
	char text[200];
	struct trial_outcome outcome;

	snprintf(text, sizeof(text), "{\"reason\":\"%s\",\"virtual_ns\":10}", line);
	outcome = read_outcome(text, EXITED(1));
	return campaign_take(state, seed, &outcome, NULL);
}

static ssize_t take_passed(struct campaign_state *state, uint64_t seed)
{
	struct trial_outcome outcome = read_outcome("{\"reason\":\"\",\"virtual_ns\":10}", 0);

	return campaign_take(state, seed, &outcome, NULL);
}

static void test_kinds_and_rates(void **unused)
{
	struct campaign_state state = begin();

	(void)unused;
	assert_int_equal(take_passed(&state, 1), -1);
	assert_int_equal(take_failed(&state, 2, "lost 3 of 4"), 0);
	assert_int_equal(take_failed(&state, 3, "another"), 1);
	assert_int_equal(take_failed(&state, 4, "lost 1 of 9"), 0);
	assert_int_equal(state.kind_count, 2);
	assert_int_equal(state.kinds[0].count, 2);
	assert_int_equal(state.kinds[0].seeds[1], 4);
	assert_int_equal(campaign_runs_until(&state, 2), 2);
	assert_int_equal(campaign_runs_until(&state, 9), 4);
	assert_string_equal(state.kinds[0].outcome.line, "lost 3 of 4");
	assert_int_equal(campaign_runs(&state), 4);
	assert_int_equal(campaign_virtual_ns(&state), 40);
	assert_int_equal(state.error, 0);
	campaign_release(&state);
}

static void test_a_lab_that_always_fails(void **unused)
{
	struct campaign_state state = begin();

	(void)unused;
	for (uint64_t seed = 1; seed <= 7; seed++)
		take_failed(&state, seed, "broken");
	assert_false(campaign_always_fails(&state));
	take_failed(&state, 8, "broken");
	assert_true(campaign_always_fails(&state));
	take_passed(&state, 9);
	assert_false(campaign_always_fails(&state));
	campaign_release(&state);
}

static void test_repeated_runs_that_differ(void **unused)
{
	struct campaign_state state = begin();
	struct trial_outcome one = read_outcome("{\"reason\":\"\",\"messages\":1}", 0);
	struct trial_outcome two = read_outcome("{\"reason\":\"\",\"messages\":2}", 0);

	(void)unused;
	campaign_take(&state, 1, &one, &one);
	assert_int_equal(state.difference_count, 0);
	campaign_take(&state, 2, &one, &two);
	assert_int_equal(state.difference_count, 1);
	assert_int_equal(state.differences[0].seed, 2);
	assert_int_equal(campaign_repeated(&state), 2);
	campaign_release(&state);
}

static void test_wall_time_is_no_failure(void **unused)
{
	struct campaign_state state = begin();

	(void)unused;
	assert_int_equal(take_failed(&state, 1, "the limit of 2 s of wall time was reached"), -1);
	assert_int_equal(state.kind_count, 0);
	assert_int_equal(state.overtime_count, 1);
	campaign_release(&state);
}

/* ---- Shards --------------------------------------------------------------------------------- */

static char *read_file(const char *directory)
{
	char path[300], *text = calloc(1, 65536);
	FILE *file;

	snprintf(path, sizeof(path), "%s/campaign.json", directory);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

/* What seed @seed does: some fail in one of three ways, some differ. */
static void take_seed(struct campaign_state *state, uint64_t seed)
{
	static const char *const lines[] = { "lost 3 of 4", "another", "a third" };
	struct trial_outcome one = read_outcome("{\"reason\":\"\",\"messages\":1}", 0);
	struct trial_outcome two = read_outcome("{\"reason\":\"\",\"messages\":2}", 0);

	if (seed % 5 == 0)
		take_failed(state, seed, lines[seed * seed % 3]);
	else if (seed % 13 == 0)
		take_failed(state, seed, "the limit of 2 s of wall time was reached");
	else
		campaign_take(state, seed, &one, seed % 11 ? NULL : &two);
}

static struct campaign_state run_shard(uint64_t shard, uint64_t shards, uint64_t last)
{
	struct seeds seeds = { 3, last, shard, shards };
	struct campaign_state state = begin();

	state.parts[0] = (struct campaign_part){ .first = seeds_at(&seeds, 0), .step = shards };
	for (uint64_t i = 0; i < seeds_count(&seeds); i++)
		take_seed(&state, seeds_at(&seeds, i));
	return state;
}

static char *text_of_state(const struct campaign_state *state)
{
	char directory[] = "/tmp/ttrec-test-campaign.XXXXXX", command[320], *text;

	assert_non_null(mkdtemp(directory));
	assert_int_equal(campaign_save(state, directory), 0);
	text = read_file(directory);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
	return text;
}

/* In the order that @turn says, some of them twice. */
static char *merge_shards(uint64_t shards, uint64_t last, uint64_t turn)
{
	struct campaign_state all = { 0 };
	char *text;

	for (uint64_t i = 0; i < shards + turn; i++) {
		struct campaign_state shard = run_shard((i * 3 + turn) % shards + 1, shards, last);

		assert_int_equal(campaign_merge(&all, &shard), 0);
		campaign_release(&shard);
	}
	campaign_join(&all);
	text = text_of_state(&all);
	campaign_release(&all);
	return text;
}

static void test_shards_make_the_whole(void **unused)
{
	static const uint64_t shards[] = { 1, 2, 4, 5, 7, 100 };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(shards); i++) {
		struct campaign_state whole = run_shard(1, 1, 83);
		char *expected = text_of_state(&whole);

		for (uint64_t turn = 0; turn < 3; turn++) {
			char *merged = merge_shards(shards[i], 83, turn);

			assert_string_equal(merged, expected);
			free(merged);
		}
		free(expected);
		campaign_release(&whole);
	}
}

static void test_what_cannot_be_merged(void **unused)
{
	struct campaign_state one = run_shard(1, 2, 40), third = run_shard(1, 3, 40);
	struct campaign_state other = run_shard(2, 2, 40);

	(void)unused;
	assert_int_equal(campaign_merge(&one, &third), -EEXIST);
	strcpy(other.identity, "another");
	assert_int_equal(campaign_merge(&one, &other), -EINVAL);
	assert_int_equal(campaign_runs(&one), 19);
	campaign_release(&one);
	campaign_release(&third);
	campaign_release(&other);
}

/* The one with more seeds has all of the other. */
static void test_a_shard_that_went_on(void **unused)
{
	struct campaign_state early = run_shard(1, 2, 40), late = run_shard(1, 2, 80), both = { 0 };

	(void)unused;
	assert_int_equal(campaign_merge(&both, &late), 0);
	assert_int_equal(campaign_merge(&both, &early), 0);
	campaign_join(&both);
	assert_int_equal(both.part_count, 1);
	assert_int_equal(campaign_runs(&both), campaign_runs(&late));
	assert_int_equal(both.kind_count, late.kind_count);
	assert_int_equal(both.kinds[0].count, late.kinds[0].count);
	campaign_release(&early);
	campaign_release(&late);
	campaign_release(&both);
}

/* ---- Its file ------------------------------------------------------------------------------- */

static void write_file(const char *directory, const char *text)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/campaign.json", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

static void test_the_file_keeps_everything(void **unused)
{
	char directory[] = "/tmp/ttrec-test-campaign.XXXXXX";
	struct campaign_state state = begin(), again;
	struct trial_outcome one = read_outcome("{\"reason\":\"\",\"messages\":1}", 0);
	struct trial_outcome two = read_outcome("{\"reason\":\"\",\"messages\":2}", 0);
	char *first, *second, command[320];

	(void)unused;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(campaign_load(&again, directory), -ENOENT);
	campaign_take(&state, 1, &one, &two);
	take_failed(&state, 2, "lost 3 of 4");
	take_failed(&state, 3, "the limit of 2 s of wall time was reached");
	state.kinds[0].made = state.kinds[0].result.kept = state.kinds[0].result.same = true;
	state.kinds[0].result.identical = 3;
	state.fresh[0].run = state.fresh[1].run = true;
	strcpy(state.fresh[1].kind, state.kinds[0].name);
	assert_int_equal(campaign_save(&state, directory), 0);
	first = read_file(directory);
	assert_int_equal(campaign_load(&again, directory), 0);
	assert_int_equal(campaign_fresh_runs(&again), 2);
	assert_int_equal(campaign_fresh_fails(&again, NULL), 1);
	assert_true(again.kinds[0].outcome.fingerprint == state.kinds[0].outcome.fingerprint);
	assert_int_equal(campaign_save(&again, directory), 0);
	second = read_file(directory);
	assert_string_equal(first, second);
	free(first);
	free(second);
	campaign_release(&state);
	campaign_release(&again);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

static void test_other_files_are_refused(void **unused)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"version\":2}",
		"{\"version\":1,\"parts\":[]}",
		"{\"version\":1,\"parts\":[{\"first\":1,\"step\":0,\"count\":1}]}",
		"{\"version\":1,\"parts\":[{\"first\":1,\"step\":1,\"count\":-1}]}",
		"{\"version\":1,\"parts\":[{\"first\":1,\"step\":1,\"count\":1}],"
		"\"kinds\":[{\"name\":\"../x\",\"seeds\":[]}]}",
	};
	char directory[] = "/tmp/ttrec-test-campaign.XXXXXX", command[320];
	struct campaign_state state;

	(void)unused;
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		write_file(directory, bad[i]);
		assert_int_equal(campaign_load(&state, directory), -EBADMSG);
	}
	/* A name in it is not believed. */
	write_file(directory, "{\"version\":1,\"parts\":[{\"first\":1,\"step\":1,\"count\":1}],"
			      "\"kinds\":[{\"name\":\"../x\",\"line\":\"y\",\"seeds\":[1]}]}");
	assert_int_equal(campaign_load(&state, directory), 0);
	assert_null(strstr(state.kinds[0].name, "/"));
	campaign_release(&state);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_who_failed),
		cmocka_unit_test(test_equal_runs),
		cmocka_unit_test(test_kinds_and_rates),
		cmocka_unit_test(test_a_lab_that_always_fails),
		cmocka_unit_test(test_repeated_runs_that_differ),
		cmocka_unit_test(test_wall_time_is_no_failure),
		cmocka_unit_test(test_shards_make_the_whole),
		cmocka_unit_test(test_what_cannot_be_merged),
		cmocka_unit_test(test_a_shard_that_went_on),
		cmocka_unit_test(test_the_file_keeps_everything),
		cmocka_unit_test(test_other_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
