// SPDX-License-Identifier: BSD-3-Clause
/*
 * What holds of any network and any traffic: the seed and what is sent decide everything, and
 * nothing else does.
 *
 * TTREC_TEST_SEED=N tries the networks from N on; a failure names the seed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recorder/network/network_stage.h"
#include "tests/seed.h"

#define NETWORKS 12
#define SENDINGS 12000 /* some receivers sleep through more than they can keep */

struct scene {
	uint64_t seed;
	unsigned int ports;
	struct network_link link[STAGE_PORTS_MAX];
	uint64_t asleep_until[STAGE_PORTS_MAX];
	struct stage_sending sending[SENDINGS];
};

static struct scene scene;

static struct network_link random_link(struct random *random)
{
	return (struct network_link){
		.delay = 1 + random_below(random, random_chance(random, 20) ? 10000000 : 50000),
		.jitter = random_chance(random, 50) ? random_below(random, 200000) : 0,
		.loss = random_chance(random, 30) ? (double)random_below(random, 100) / 100 : 0,
		.bandwidth = random_chance(random, 50) ? 1000 + random_below(random, 100000000) : 0,
		.reorder = random_chance(random, 30) ? (double)random_below(random, 100) / 100 : 0,
	};
}

static int compare_sendings(const void *a, const void *b)
{
	const struct stage_sending *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

/* Bursts at equal times among them, and receivers that are slow. */
static void make_scene(uint64_t seed)
{
	struct random random = { seed };
	uint64_t time = 0, pace = 1 + random_below(&random, 30000);

	scene.seed = seed;
	scene.ports = (unsigned int)(2 + random_below(&random, STAGE_PORTS_MAX - 1));
	for (unsigned int i = 0; i < scene.ports; i++) {
		scene.link[i] = random_link(&random);
		scene.asleep_until[i] =
			random_chance(&random, 40) ? random_below(&random, 150000000) : 0;
	}
	for (size_t i = 0; i < SENDINGS; i++) {
		struct stage_sending *sending = &scene.sending[i];

		if (!random_chance(&random, 40))
			time += random_below(&random, pace);
		sending->time = time;
		sending->from = (unsigned int)random_below(&random, scene.ports);
		sending->to = random_chance(&random, 60)
				      ? STAGE_EVERYBODY
				      : (unsigned int)random_below(&random, scene.ports);
		sending->size = STAGE_FRAME_MIN + random_below(&random, 1500);
	}
	qsort(scene.sending, SENDINGS, sizeof(scene.sending[0]), compare_sendings);
}

static void open_scene(struct network_stage *stage)
{
	stage_open(stage, scene.seed, scene.link, scene.ports);
	for (unsigned int i = 0; i < scene.ports; i++)
		stage->port[i].asleep_until = scene.asleep_until[i];
}

static void play(struct network_stage *stage, bool windows)
{
	open_scene(stage);
	if (windows)
		stage_run_windows(stage, scene.sending, SENDINGS);
	else
		stage_run(stage, scene.sending, SENDINGS);
}

static void for_each_network(void (*check)(void))
{
	for (uint64_t seed = test_seed(1), i = 0; i < NETWORKS; i++, seed++) {
		make_scene(seed);
		check();
	}
}

/* A failure can only name what was played last. */
static int print_seed(void **state)
{
	(void)state;
	print_message("the last seed was %" PRIu64 "\n", scene.seed);
	return 0;
}

/* Of all networks: that the bound was met proves that it was tested. */
static size_t found_full;

static size_t count_found_full(const struct network_stage *stage)
{
	size_t count = 0;

	for (unsigned int i = 0; i < stage->ports; i++)
		for (size_t j = 0; j < stage->port[i].loss_count; j++)
			count += stage->port[i].loss[j].reason == TRACE_LOSS_NO_BUFFER;
	return count;
}

static void check_windows(void)
{
	struct network_stage single, again, windows;

	play(&single, false);
	play(&again, false);
	play(&windows, true);
	stage_assert_same(&single, &again);
	stage_assert_same(&single, &windows);
	found_full += count_found_full(&single);
	stage_close(&single);
	stage_close(&again);
	stage_close(&windows);
}

static void windows_change_nothing(void **state)
{
	(void)state;
	for_each_network(check_windows);
	assert_true(found_full > 100);
}

static void check_seed(void)
{
	struct network_stage one, other;

	for (unsigned int i = 0; i < scene.ports; i++)
		scene.link[i].jitter = 100000;
	play(&one, false);
	scene.seed += 1000000;
	play(&other, false);
	for (unsigned int i = 0; i < scene.ports; i++)
		if (one.port[i].arrival_count != other.port[i].arrival_count ||
		    (one.port[i].arrival_count &&
		     memcmp(one.port[i].arrival, other.port[i].arrival,
			    one.port[i].arrival_count * sizeof(struct stage_arrival))))
			goto differ;
	fail_msg("seeds %" PRIu64 " and %" PRIu64 " give the same", scene.seed - 1000000,
		 scene.seed);
differ:
	stage_close(&one);
	stage_close(&other);
}

static void another_seed_is_another_stream(void **state)
{
	(void)state;
	for_each_network(check_seed);
}

/* Who has got what. */
static bool seen[STAGE_PORTS_MAX][SENDINGS];

/* The loss events are what happened, once each. */
static void check_loss(const struct network_stage *stage, const struct stage_loss *loss,
		       unsigned int *got)
{
	size_t receiver;

	if (!loss->receiver) {
		assert_int_equal(got[loss->number], 0);
		got[loss->number] = UINT32_MAX;
		return;
	}
	receiver = (size_t)((const struct stage_port *)loss->receiver - stage->port);
	assert_true(receiver < stage->ports);
	assert_int_not_equal(scene.sending[loss->number].from, receiver);
	assert_false(seen[receiver][loss->number]);
	seen[receiver][loss->number] = true;
	got[loss->number]++;
}

/* A broadcast was got or lost by each, unless it was lost before the switch. */
static void check_broadcast(size_t number, unsigned int got)
{
	if (scene.sending[number].to == STAGE_EVERYBODY && got != UINT32_MAX)
		assert_int_equal(got, scene.ports - 1);
}

/* Nobody gets its own, or one twice, or one too early; what somebody did not get was told. */
static void check_arrivals(void)
{
	struct network_stage stage;
	unsigned int got[SENDINGS] = { 0 };
	uint64_t ahead;

	memset(seen, 0, sizeof(seen));

	play(&stage, false);
	ahead = network_lookahead(stage.network);
	for (unsigned int i = 0; i < scene.ports; i++) {
		for (size_t j = 0; j < stage.port[i].arrival_count; j++) {
			const struct stage_arrival *arrival = &stage.port[i].arrival[j];
			const struct stage_sending *sending = &scene.sending[arrival->number];

			assert_false(seen[i][arrival->number]);
			seen[i][arrival->number] = true;
			got[arrival->number]++;
			assert_int_not_equal(sending->from, i);
			assert_true(arrival->time >= sending->time + ahead);
		}
	}
	for (unsigned int i = 0; i < scene.ports; i++)
		for (size_t j = 0; j < stage.port[i].loss_count; j++)
			check_loss(&stage, &stage.port[i].loss[j], got);
	for (size_t i = 0; i < SENDINGS; i++) {
		assert_int_not_equal(got[i], 0);
		check_broadcast(i, got[i]);
	}
	stage_close(&stage);
}

static void every_frame_is_accounted_for(void **state)
{
	(void)state;
	for_each_network(check_arrivals);
}

/* From one sender to one receiver, where no link reorders. */
static void check_order(void)
{
	struct network_stage stage;

	for (unsigned int i = 0; i < scene.ports; i++)
		scene.link[i].reorder = 0;
	play(&stage, true);
	for (unsigned int i = 0; i < scene.ports; i++) {
		uint64_t last[STAGE_PORTS_MAX] = { 0 };

		for (size_t j = 0; j < stage.port[i].arrival_count; j++) {
			uint64_t number = stage.port[i].arrival[j].number;
			unsigned int from = scene.sending[number].from;

			assert_true(number + 1 > last[from]);
			last[from] = number + 1;
		}
	}
	stage_close(&stage);
}

static void order_is_kept(void **state)
{
	(void)state;
	for_each_network(check_order);
}

static size_t arrival_times(const struct network_stage *stage, unsigned int from, uint64_t *times)
{
	size_t count = 0;

	for (size_t i = 0; i < stage->port[1 - from].arrival_count; i++)
		times[count++] = stage->port[1 - from].arrival[i].time;
	return count;
}

/* Whether 1 is silent or sends a lot, the frames of 0 get the same random numbers. */
static void each_sender_has_its_own_random_stream(void **state)
{
	const struct network_link link[] = {
		{ .delay = 1000, .jitter = 500, .loss = 0.3, .reorder = 0.2 },
		{ .delay = 1000, .jitter = 500, .loss = 0.1, .reorder = 0.2 }
	};
	static uint64_t times[2][1000];
	struct network_stage stage;
	size_t count[2];

	(void)state;
	for (unsigned int busy = 0; busy < 2; busy++) {
		stage_open(&stage, 1, link, 2);
		for (uint64_t i = 0; i < 1000; i++) {
			stage_send(&stage, &(struct stage_sending){ i * 5000, 0, 1, 60 });
			for (uint64_t j = 0; busy && j < i % 4; j++)
				stage_send(&stage,
					   &(struct stage_sending){ i * 5000 + 3, 1, 0, 60 });
		}
		stage_pass(&stage, WIRE_TIME_NEVER);
		count[busy] = arrival_times(&stage, 0, times[busy]);
		stage_close(&stage);
	}
	assert_int_equal(count[0], count[1]);
	assert_memory_equal(times[0], times[1], count[0] * sizeof(uint64_t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_change_nothing),
		cmocka_unit_test(another_seed_is_another_stream),
		cmocka_unit_test(every_frame_is_accounted_for),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(each_sender_has_its_own_random_stream),
	};

	return cmocka_run_group_tests(tests, NULL, print_seed);
}
