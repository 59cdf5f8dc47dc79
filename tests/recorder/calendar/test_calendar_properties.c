// SPDX-License-Identifier: BSD-3-Clause
/*
 * What holds of the calendar whatever guests do and whenever it arrives. calendar_world.c checks
 * the rules of the protocol at every step; here runs are compared with each other.
 *
 * TTREC_TEST_SEED=N tries the worlds from N on; a failure names the seed.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recorder/calendar/calendar_world.h"
#include "tests/seed.h"

#define WORLDS	      150
#define INTERLEAVINGS 4

/* Small and large worlds, those that die out and those that are cut off. */
static struct world_options options_for(uint64_t seed)
{
	struct random random = { seed };
	bool endless = random_chance(&random, 50);

	return (struct world_options){
		.seed = seed,
		.interleaving = 1,
		.guests = (uint32_t)(1 + random_below(&random, 8)),
		.vigor = endless ? 90 : 60,
		.limit = endless ? 100000 + random_below(&random, 300000) : 0,
		.grant = random_chance(&random, 50) ? CALENDAR_GRANT_EACH : CALENDAR_GRANT_WINDOW,
	};
}

static void assert_same_stream(const struct world *world, uint32_t index, const struct world *other)
{
	const struct world_client *a = &world->clients[index], *b = &other->clients[index];
	size_t count = a->crossing_count;

	if (b->crossing_count != count)
		fail_msg("seed %" PRIu64 ": id %" PRIu64 " has %zu messages in interleaving "
			 "%" PRIu64 ", %zu in %" PRIu64,
			 world->options.seed, a->model.id, count, world->options.interleaving,
			 b->crossing_count, other->options.interleaving);
	for (size_t i = 0; i < count; i++)
		if (a->crossings[i].to_guest != b->crossings[i].to_guest ||
		    memcmp(&a->crossings[i].message, &b->crossings[i].message,
			   sizeof(struct wire_message)))
			fail_msg("seed %" PRIu64 ": message %zu of id %" PRIu64
				 " differs between interleavings %" PRIu64 " and %" PRIu64,
				 world->options.seed, i, a->model.id, world->options.interleaving,
				 other->options.interleaving);
}

static void assert_same_partition(const struct world *world,
				  const struct world_partition *partition,
				  const struct world_partition *twin)
{
	if (partition->service_count != twin->service_count)
		fail_msg("seed %" PRIu64 ": %zu events served, and %zu", world->options.seed,
			 partition->service_count, twin->service_count);
	for (size_t i = 0; i < partition->service_count; i++)
		if (partition->services[i].id != twin->services[i].id ||
		    partition->services[i].time != twin->services[i].time)
			fail_msg("seed %" PRIu64 ": event %zu differs: id %" PRIu64 " at %" PRIu64
				 ", id %" PRIu64 " at %" PRIu64,
				 world->options.seed, i, partition->services[i].id,
				 partition->services[i].time, twin->services[i].id,
				 twin->services[i].time);
}

static void assert_same_services(const struct world *world, const struct world *other)
{
	for (uint32_t i = 0; i < world->partition_count; i++)
		assert_same_partition(world, &world->partitions[i], &other->partitions[i]);
}

/* A network of @partitions; 0: everybody shares one calendar with the devices. */
static struct world_options options_with_devices(uint64_t seed, uint32_t partitions)
{
	struct world_options options = options_for(seed);

	options.devices = true;
	options.partitions = partitions;
	if (options.guests < partitions)
		options.guests = partitions;
	return options;
}

static void check_interleavings(struct world_options options, size_t *crossings, size_t *interrupts)
{
	struct world first, other;

	world_run(&first, &options);
	for (options.interleaving = 2; options.interleaving <= INTERLEAVINGS;
	     options.interleaving++) {
		world_run(&other, &options);
		for (uint32_t i = 0; i < first.count; i++)
			assert_same_stream(&first, i, &other);
		assert_same_services(&first, &other);
		assert_int_equal(first.end, other.end);
		world_clear(&other);
	}
	for (uint32_t i = 0; i < first.count; i++)
		*crossings += first.clients[i].crossing_count;
	*interrupts += first.interrupts;
	world_clear(&first);
}

/* Each guest's stream, seq numbers and all, is the same however arrivals interleave. */
static void test_arrival_does_not_matter(void **state)
{
	size_t crossings = 0, interrupts = 0;

	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + WORLDS; seed < end; seed++)
		check_interleavings(options_for(seed), &crossings, &interrupts);
	assert_int_equal(interrupts, 0);
	print_message("  %zu messages in %d worlds\n", crossings, WORLDS);
}

static void test_arrival_does_not_matter_to_devices(void **state)
{
	size_t crossings = 0, interrupts = 0;

	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + WORLDS; seed < end; seed++)
		check_interleavings(options_with_devices(seed, 0), &crossings, &interrupts);
	assert_true(interrupts > WORLDS);
	print_message("  %zu messages, %zu interrupts\n", crossings, interrupts);
}

/* Nor does which of several partitions is ahead of the others in a window. */
static void test_arrival_does_not_matter_in_windows(void **state)
{
	size_t crossings = 0, interrupts = 0;

	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + WORLDS; seed < end; seed++)
		check_interleavings(options_with_devices(seed, 1 + seed % WORLD_PARTITIONS),
				    &crossings, &interrupts);
	assert_true(interrupts > WORLDS);
	print_message("  %zu messages, %zu interrupts\n", crossings, interrupts);
}

/* How far guests may run by themselves does not change what happens, only who hears of it. */
static void test_window_serves_the_same_events_as_each(void **state)
{
	size_t messages[2] = { 0, 0 };

	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + WORLDS; seed < end; seed++) {
		struct world_options options =
			seed % 2 ? options_for(seed) : options_with_devices(seed, 0);
		struct world each, window;

		options.grant = CALENDAR_GRANT_EACH;
		world_run(&each, &options);
		options.grant = CALENDAR_GRANT_WINDOW;
		world_run(&window, &options);
		assert_same_services(&each, &window);
		assert_int_equal(each.end, window.end);
		for (uint32_t i = 0; i < each.count; i++) {
			messages[0] += each.clients[i].crossing_count;
			messages[1] += window.clients[i].crossing_count;
		}
		world_clear(&each);
		world_clear(&window);
	}
	print_message("  messages: %zu with each, %zu with window\n", messages[0], messages[1]);
}

static void assert_in_order(uint64_t seed, const struct world_partition *partition)
{
	for (size_t i = 1; i < partition->service_count; i++)
		if (partition->services[i].time < partition->services[i - 1].time)
			fail_msg("seed %" PRIu64 ": event %zu at %" PRIu64 " after %" PRIu64, seed,
				 i, partition->services[i].time, partition->services[i - 1].time);
}

/* All events are served in order of time, whoever they belong to. */
static void test_events_are_served_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + WORLDS; seed < end; seed++) {
		struct world_options options = options_for(seed);
		struct world world;

		world_run(&world, &options);
		assert_in_order(seed, &world.partitions[0]);
		world_clear(&world);
	}
}

/* Clients that join whenever they like break none of the rules. */
static void test_latecomers(void **state)
{
	(void)state;
	for (uint64_t seed = test_seed(1), end = seed + WORLDS; seed < end; seed++) {
		struct world_options options = options_for(seed);
		struct world world;

		options.latecomers = 4;
		options.interleaving = seed;
		world_run(&world, &options);
		world_clear(&world);
	}
}

/* ---- Many ------------------------------------------------------------------------------------ */

#define MANY 5000

/* What the calendar says to one client: its last RUN, if there was one. */
static bool take_run(struct calendar *calendar, uint32_t *client, struct wire_message *run)
{
	struct calendar_action action;
	bool found = false;

	while (calendar_next(calendar, &action)) {
		if (action.kind != CALENDAR_SEND || action.message.op != TRACE_OP_RUN)
			continue;
		*client = action.client;
		*run = action.message;
		found = true;
	}
	return found;
}

static void say(struct calendar *calendar, uint32_t client, uint32_t op, uint32_t seq,
		uint64_t time)
{
	const struct wire_message message = { op, seq, time };

	assert_int_equal(calendar_receive(calendar, client, &message), 0);
}

/* Connected in one order, admitted in another, run in a third. */
static void test_thousands_of_clients(void **state)
{
	const struct calendar_options options = { .expected = MANY };
	struct random random = { test_seed(1) };
	struct calendar *calendar;
	struct wire_message run = {};
	uint32_t client;

	(void)state;
	assert_int_equal(calendar_create(&options, &calendar), 0);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(calendar_connect(calendar, &client), 0);
		say(calendar, client, TRACE_OP_START, 1, MANY - i);
	}
	for (uint64_t id = 1; id <= MANY; id++) {
		assert_true(calendar_running(calendar, &client));
		assert_int_equal(calendar_client_id(calendar, client), id);
		say(calendar, client, TRACE_OP_REQUEST, 2, random_below(&random, MANY));
		say(calendar, client, TRACE_OP_WAIT, 3, 0);
	}
	for (uint64_t last_time = 0, last_id = 0, i = 0; i < MANY; i++) {
		assert_true(take_run(calendar, &client, &run));
		assert_true(
			run.time > last_time ||
			(run.time == last_time && calendar_client_id(calendar, client) > last_id));
		last_time = run.time;
		last_id = calendar_client_id(calendar, client);
		say(calendar, client, TRACE_OP_ACK, run.seq, 0);
		say(calendar, client, TRACE_OP_WAIT, 4, 0);
	}
	assert_false(take_run(calendar, &client, &run));
	calendar_destroy(calendar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arrival_does_not_matter),
		cmocka_unit_test(test_arrival_does_not_matter_to_devices),
		cmocka_unit_test(test_arrival_does_not_matter_in_windows),
		cmocka_unit_test(test_window_serves_the_same_events_as_each),
		cmocka_unit_test(test_events_are_served_in_order),
		cmocka_unit_test(test_latecomers),
		cmocka_unit_test(test_thousands_of_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
