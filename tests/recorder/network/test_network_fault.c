// SPDX-License-Identifier: BSD-3-Clause
/* Faults of a network: which frames they take or delay, when, and that they leave all others alone.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/tttrace.h"
#include "recorder/network/network_fault.h"
#include "tests/recorder/network/network_stage.h"

#define US 1000ull
#define MS 1000000ull

#define PORTS  4
#define FRAMES 4000

static const struct network_link plain = { .delay = 50 * US };
static const struct network_link lossy = { .delay = 50 * US, .jitter = 30 * US, .loss = 0.1 };

static void open_equal(struct network_stage *stage, const struct network_link *link)
{
	struct network_link links[STAGE_PORTS_MAX];

	for (unsigned int i = 0; i < PORTS; i++)
		links[i] = *link;
	stage_open(stage, 1, links, PORTS);
}

static void add(struct network_stage *stage, const struct network_fault *fault)
{
	assert_int_equal(network_add_fault(stage->network, fault), 0);
}

/* A frame each millisecond, from each port to another one in turn. */
static void send_all(struct network_stage *stage)
{
	static struct stage_sending sending[FRAMES];

	for (unsigned int i = 0; i < FRAMES; i++)
		sending[i] =
			(struct stage_sending){ i * MS, i % PORTS,
						(i + 1 + i / PORTS % (PORTS - 1)) % PORTS, 60 };
	stage_run(stage, sending, FRAMES);
}

static unsigned int port_of(uint64_t number, bool receiver)
{
	return (unsigned int)(receiver ? (number + 1 + number / PORTS % (PORTS - 1)) % PORTS
				       : number % PORTS);
}

/* When frame @number arrived; UINT64_MAX: it did not. */
static uint64_t arrival(const struct network_stage *stage, uint64_t number)
{
	const struct stage_port *port = &stage->port[port_of(number, true)];

	for (size_t i = 0; i < port->arrival_count; i++)
		if (port->arrival[i].number == number)
			return port->arrival[i].time;
	return UINT64_MAX;
}

/* Why frame @number was lost; UINT_MAX: it was not. */
static unsigned int loss(const struct network_stage *stage, uint64_t number)
{
	const struct stage_port *port = &stage->port[port_of(number, false)];

	for (size_t i = 0; i < port->loss_count; i++)
		if (port->loss[i].number == number)
			return port->loss[i].reason;
	return UINT_MAX;
}

static void check_partition(bool one_way)
{
	static const uint8_t group[PORTS] = { 1, 2, 2, 0 };
	struct network_stage stage;

	open_equal(&stage, &plain);
	add(&stage, &(struct network_fault){ .begin = 1000 * MS,
					     .end = 2000 * MS,
					     .kind = NETWORK_PARTITION,
					     .one_way = one_way,
					     .group = group });
	send_all(&stage);
	for (unsigned int i = 0; i < FRAMES; i++) {
		unsigned int from = group[port_of(i, false)], to = group[port_of(i, true)];
		bool cut = i >= 1000 && i < 2000 && from && to && from != to &&
			   !(one_way && from != 1);

		assert_int_equal(loss(&stage, i), cut ? TRACE_LOSS_PARTITION : UINT_MAX);
		assert_int_equal(arrival(&stage, i), cut ? UINT64_MAX : i * MS + 100 * US);
	}
	stage_close(&stage);
}

static void partitions_hold_for_their_time(void **state)
{
	(void)state;
	check_partition(false);
	check_partition(true);
}

static void links_lose_and_delay(void **state)
{
	static const uint8_t group[PORTS] = { 0, 1, 0, 0 };
	struct network_stage stage;
	unsigned int concerned = 0, lost = 0;

	(void)state;
	open_equal(&stage, &plain);
	add(&stage, &(struct network_fault){ .begin = 0,
					     .end = 2000 * MS,
					     .kind = NETWORK_IMPAIR,
					     .group = group,
					     .loss = 0.3,
					     .delay = 200 * US,
					     .jitter = 100 * US });
	send_all(&stage);
	for (unsigned int i = 0; i < FRAMES; i++) {
		uint64_t time = arrival(&stage, i), sent = i * MS + 100 * US;

		if (i >= 2000 || (port_of(i, false) != 1 && port_of(i, true) != 1)) {
			assert_int_equal(time, sent);
			continue;
		}
		concerned++;
		if (time == UINT64_MAX) {
			assert_int_equal(loss(&stage, i), TRACE_LOSS_RANDOM);
			lost++;
		} else {
			assert_in_range(time, sent + 200 * US, sent + 300 * US);
		}
	}
	/* Five standard deviations */
	assert_true(fabs(lost - concerned * 0.3) < 5 * sqrt(concerned * 0.3 * 0.7));
	stage_close(&stage);
}

/* Frames that a fault does not concern fare as without it: no random number is drawn in its place.
 */
static void others_fare_as_without(void **state)
{
	static const uint8_t one[PORTS] = { 1, 2, 0, 0 }, other[PORTS] = { 0, 0, 1, 0 };
	const struct network_fault cut = {
		.begin = 500 * MS, .end = 3000 * MS, .kind = NETWORK_PARTITION, .group = one
	};
	const struct network_fault worse = { .begin = 1500 * MS,
					     .end = 2500 * MS,
					     .kind = NETWORK_IMPAIR,
					     .group = other,
					     .loss = 0.5 };
	struct network_stage none, alone, both;

	(void)state;
	open_equal(&none, &lossy);
	open_equal(&alone, &lossy);
	open_equal(&both, &lossy);
	add(&alone, &worse);
	add(&both, &cut);
	add(&both, &worse);
	send_all(&none);
	send_all(&alone);
	send_all(&both);
	for (unsigned int i = 0; i < FRAMES; i++) {
		unsigned int from = port_of(i, false), to = port_of(i, true);
		bool is_cut = i >= 500 && i < 3000 && from < 2 && to < 2;
		bool is_worse = i >= 1500 && i < 2500 && (from == 2 || to == 2);

		if (!is_worse)
			assert_int_equal(arrival(&alone, i), arrival(&none, i));
		if (!is_cut)
			assert_int_equal(arrival(&both, i), arrival(&alone, i));
	}
	stage_close(&none);
	stage_close(&alone);
	stage_close(&both);
}

static void faults_are_checked(void **state)
{
	static const uint8_t group[PORTS] = { 1, 2 };
	const struct network_fault bad[] = {
		{ .begin = 1, .end = 1, .group = group },
		{ .begin = 2, .end = 1, .group = group },
		{ .begin = 0, .end = 1, .group = group, .loss = 1.5 },
		{ .begin = 0, .end = 1, .group = group, .loss = -1 },
		{ .begin = 0, .end = 1, .group = group, .loss = NAN },
	};
	struct network_stage stage;

	(void)state;
	open_equal(&stage, &plain);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(network_add_fault(stage.network, &bad[i]), -EINVAL);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions_hold_for_their_time),
		cmocka_unit_test(links_lose_and_delay),
		cmocka_unit_test(others_fare_as_without),
		cmocka_unit_test(faults_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
