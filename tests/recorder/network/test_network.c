// SPDX-License-Identifier: BSD-3-Clause
/* The switch and its links, one by one: who gets a frame, when, and what becomes of the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/tttrace.h"
#include "recorder/network/network_internal.h"
#include "tests/recorder/network/network_stage.h"

#define US 1000ull
#define MS 1000000ull
#define S  1000000000ull

static void open_equal(struct network_stage *stage, const struct network_link *link,
		       unsigned int ports)
{
	struct network_link links[STAGE_PORTS_MAX];

	for (unsigned int i = 0; i < ports; i++)
		links[i] = *link;
	stage_open(stage, 1, links, ports);
}

static void unknown_is_flooded_then_learned(void **state)
{
	const struct network_link link = { .delay = 50 * US };
	const struct stage_sending sending[] = {
		{ 0, 0, 1, 60 },		    /* nobody knows 1: 1 and 2 get it */
		{ 1 * MS, 1, 0, 60 },		    /* 0 was seen */
		{ 2 * MS, 0, 1, 60 },		    /* so was 1 */
		{ 3 * MS, 2, STAGE_EVERYBODY, 60 }, /* all but 2 */
	};
	struct network_stage stage;

	(void)state;
	open_equal(&stage, &link, 3);
	stage_run(&stage, sending, 4);
	assert_int_equal(stage.port[0].arrival_count, 2);
	assert_int_equal(stage.port[1].arrival_count, 3);
	assert_int_equal(stage.port[2].arrival_count, 1);
	assert_int_equal(stage.port[2].arrival[0].number, 0);
	assert_int_equal(stage.port[2].arrival[0].time, 100 * US);
	assert_int_equal(stage.port[1].arrival[1].time, 2 * MS + 100 * US);
	stage_close(&stage);
}

static void a_station_may_move(void **state)
{
	const struct network_link link = { .delay = US };
	struct network_stage stage;
	struct network_frame *frame;

	(void)state;
	open_equal(&stage, &link, 3);
	stage_send(&stage, &(struct stage_sending){ 0, 0, STAGE_EVERYBODY, 60 });
	/* Its address now speaks at port 2. */
	frame = network_frame_create(60);
	memset(frame->data, 0xff, 60);
	stage_address(0, frame->data + 6);
	stage_pass(&stage, MS);
	assert_int_equal(network_port_send(stage.port[2].port, MS, frame), 0);
	stage_send(&stage, &(struct stage_sending){ 2 * MS, 1, 0, 60 });
	stage_pass(&stage, 3 * MS);
	assert_int_equal(stage.port[2].arrival_count, 2);
	assert_int_equal(stage.port[0].arrival_count, 1);
	stage_close(&stage);
}

static void group_addresses_are_not_learned(void **state)
{
	struct network_stage stage;
	struct network_frame *frame;

	(void)state;
	open_equal(&stage, &(struct network_link){ .delay = US }, 3);
	frame = network_frame_create(60);
	memset(frame->data, 0xff, 60);
	assert_int_equal(network_port_send(stage.port[0].port, 0, frame), 0);
	stage_send(&stage, &(struct stage_sending){ MS, 1, STAGE_EVERYBODY, 60 });
	stage_pass(&stage, 2 * MS);
	/* Had it been learned, the broadcast would have gone to 0 alone. */
	assert_int_equal(stage.port[2].arrival_count, 2);
	stage_close(&stage);
}

static void full_table_floods(void **state)
{
	struct network_table *table = calloc(1, sizeof(*table));
	uint8_t address[6] = { 2 };
	unsigned int port;

	(void)state;
	for (unsigned int i = 0; i < NETWORK_TABLE_MAX + 10; i++) {
		address[4] = (uint8_t)(i >> 8);
		address[5] = (uint8_t)i;
		network_table_learn(table, address, i);
		assert_int_equal(network_table_find(table, address, &port), i < NETWORK_TABLE_MAX);
	}
	/* Those that are known can still move. */
	address[4] = 0;
	address[5] = 7;
	network_table_learn(table, address, 99);
	assert_true(network_table_find(table, address, &port));
	assert_int_equal(port, 99);
	free(table);
}

static void nobody_to_get_it(void **state)
{
	struct network_stage stage;
	struct network_frame *frame;

	(void)state;
	open_equal(&stage, &(struct network_link){ .delay = US }, 1);
	assert_int_equal(network_lookahead(stage.network), WIRE_TIME_NEVER);
	stage_send(&stage, &(struct stage_sending){ 0, 0, STAGE_EVERYBODY, 60 });
	stage_send(&stage, &(struct stage_sending){ 1, 0, 0, 60 });
	for (size_t size = 0; size < 14; size++) {
		frame = network_frame_create(size);
		memset(frame->data, 0xff, size);
		assert_int_equal(network_port_send(stage.port[0].port, 2, frame), 0);
	}
	assert_int_equal(stage.port[0].loss_count, 16);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(stage.port[0].loss[i].reason, TRACE_LOSS_NOBODY);
	assert_int_equal(stage.port[0].arrival_count, 0);
	stage_close(&stage);
}

static void lookahead_is_the_shortest_way(void **state)
{
	const struct network_link link[] = {
		{ .delay = 9 }, { .delay = 3 }, { .delay = 5 }, { .delay = 3 }
	};
	struct network_stage stage;

	(void)state;
	stage_open(&stage, 1, link, 2);
	assert_int_equal(network_lookahead(stage.network), 12);
	stage_close(&stage);
	stage_open(&stage, 1, link, 3);
	assert_int_equal(network_lookahead(stage.network), 8);
	stage_close(&stage);
	stage_open(&stage, 1, link, 4);
	assert_int_equal(network_lookahead(stage.network), 6);
	stage_close(&stage);
}

/* 1000 frames of 1250 bytes at once over 1 Gbit/s: 10 us each, on both links. */
static void bandwidth_is_exact(void **state)
{
	const struct network_link link[] = { { .delay = 5 * US, .bandwidth = 1000000000 },
					     { .delay = 7 * US, .bandwidth = 1000000000 } };
	struct stage_sending sending[1000];
	struct network_stage stage;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		sending[i] = (struct stage_sending){ 0, 0, 1, 1250 };
	stage_open(&stage, 1, link, 2);
	stage_run(&stage, sending, 1000);
	assert_int_equal(stage.port[1].arrival_count, 1000);
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(stage.port[1].arrival[i].number, i);
		/* The second link sends while the first sends the next one. */
		assert_int_equal(stage.port[1].arrival[i].time, (i + 2) * 10 * US + 12 * US);
	}
	stage_close(&stage);
}

/* Two fast senders share the receiver's slow link; whoever is at the switch first goes first. */
static void receivers_link_is_shared(void **state)
{
	const struct network_link link[] = { { .delay = 1 * MS },
					     { .delay = 1 * US },
					     { .delay = 0, .bandwidth = 8000000 } };
	const struct stage_sending sending[] = {
		{ 0, 0, 2, 1000 },	/* at the switch at 1 ms, takes 1 ms from there */
		{ 10 * US, 1, 2, 100 }, /* at 11 us: long gone when the first comes */
		{ 1 * MS, 1, 2, 1000 }, /* at 1.001 ms: waits until 2 ms */
	};
	struct network_stage stage;

	(void)state;
	stage_open(&stage, 1, link, 3);
	stage_run(&stage, sending, 3);
	assert_int_equal(stage.port[2].arrival_count, 3);
	assert_int_equal(stage.port[2].arrival[0].number, 1);
	assert_int_equal(stage.port[2].arrival[0].time, 111 * US);
	assert_int_equal(stage.port[2].arrival[1].number, 0);
	assert_int_equal(stage.port[2].arrival[1].time, 2 * MS);
	assert_int_equal(stage.port[2].arrival[2].number, 2);
	assert_int_equal(stage.port[2].arrival[2].time, 3 * MS);
	stage_close(&stage);
}

static void loss_is_as_likely_as_told(void **state)
{
	const struct network_link link[] = { { .delay = US, .loss = 0.1 },
					     { .delay = US, .loss = 0.2 } };
	struct network_stage stage;

	(void)state;
	stage_open(&stage, 3, link, 2);
	for (uint64_t i = 0; i < 20000; i++)
		stage_send(&stage, &(struct stage_sending){ i * US, 0, 1, 60 });
	stage_pass(&stage, S);
	assert_int_equal(stage.port[0].loss_count + stage.port[1].arrival_count, 20000);
	/* 1 - 0.9 * 0.8 = 0.28; the standard deviation is 63. */
	assert_in_range(stage.port[0].loss_count, 5600 - 320, 5600 + 320);
	for (size_t i = 0; i < stage.port[0].loss_count; i++)
		assert_int_equal(stage.port[0].loss[i].reason, TRACE_LOSS_RANDOM);
	stage_close(&stage);
}

static void certain_loss_and_none(void **state)
{
	const struct network_link link[] = { { .delay = US }, { .delay = US, .loss = 1 } };
	struct network_stage stage;

	(void)state;
	stage_open(&stage, 3, link, 2);
	for (uint64_t i = 0; i < 1000; i++) {
		stage_send(&stage, &(struct stage_sending){ i * US, 0, 1, 60 });
		stage_send(&stage, &(struct stage_sending){ i * US, 1, 0, 60 });
	}
	stage_pass(&stage, S);
	assert_int_equal(stage.port[0].loss_count, 1000);
	assert_int_equal(stage.port[1].loss_count, 1000);
	stage_close(&stage);
}

static void jitter_is_even(void **state)
{
	const struct network_link link[] = { { .delay = US, .jitter = 999 }, { .delay = US } };
	unsigned int hits[10] = { 0 };
	struct network_stage stage;

	(void)state;
	stage_open(&stage, 5, link, 2);
	for (uint64_t i = 0; i < 20000; i++)
		stage_send(&stage, &(struct stage_sending){ i * 10 * US, 0, 1, 60 });
	stage_pass(&stage, S);
	for (size_t i = 0; i < 20000; i++) {
		uint64_t late = stage.port[1].arrival[i].time - i * 10 * US - 2 * US;

		assert_in_range(late, 0, 999);
		hits[late / 100]++;
	}
	/* The standard deviation of each is 42. */
	for (size_t i = 0; i < 10; i++)
		assert_in_range(hits[i], 2000 - 220, 2000 + 220);
	stage_close(&stage);
}

/* Without reordering, jitter alone makes no frame overtake. */
static void order_is_kept_unless_told(void **state)
{
	const struct network_link link = { .delay = 10 * US, .jitter = 100 * US };
	struct network_stage stage;

	(void)state;
	open_equal(&stage, &link, 2);
	for (uint64_t i = 0; i < 10000; i++)
		stage_send(&stage, &(struct stage_sending){ i * US, 0, 1, 60 });
	stage_pass(&stage, S);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(stage.port[1].arrival[i].number, i);
	stage_close(&stage);
}

static void overtaking_is_as_likely_as_told(void **state)
{
	const struct network_link link[] = {
		{ .delay = 10 * US, .jitter = 100 * US, .reorder = 0.25 }, { .delay = US }
	};
	struct network_stage stage;
	unsigned int prompt = 0;

	(void)state;
	stage_open(&stage, 7, link, 2);
	for (uint64_t i = 0; i < 10000; i++)
		stage_send(&stage, &(struct stage_sending){ i * US, 0, 1, 60 });
	stage_pass(&stage, S);
	for (size_t i = 0; i < 10000; i++)
		prompt += stage.port[1].arrival[i].time ==
			  stage.port[1].arrival[i].number * US + 11 * US;
	/* The standard deviation is 43. */
	assert_in_range(prompt, 2500 - 220, 2500 + 220);
	stage_close(&stage);
}

static void overtaking_takes_no_jitter(void **state)
{
	const struct network_link link[] = {
		{ .delay = 10 * US, .jitter = S, .reorder = 1, .bandwidth = 8000000000 },
		{ .delay = US }
	};
	struct network_stage stage;

	(void)state;
	stage_open(&stage, 7, link, 2);
	for (uint64_t i = 0; i < 100; i++)
		stage_send(&stage, &(struct stage_sending){ 0, 0, 1, 1000 });
	stage_pass(&stage, S);
	/* Nor does it wait: each has the link for itself. */
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(stage.port[1].arrival[i].time, 12 * US);
		assert_int_equal(stage.port[1].arrival[i].number, i);
	}
	stage_close(&stage);
}

#define LOST 100

static void backlog_is_bounded(void **state)
{
	const struct network_link link = { .delay = US };
	struct network_stage stage;

	(void)state;
	open_equal(&stage, &link, 3);
	stage.port[1].asleep_until = S;
	for (uint64_t i = 0; i < NETWORK_BACKLOG_MAX + LOST; i++)
		stage_send(&stage, &(struct stage_sending){ i * US, 0, 1, 60 });
	/* They were flooded: 2 has got all, and each that 1 did not get is said to be lost to it.
	 */
	assert_int_equal(stage.port[0].loss_count, LOST);
	for (uint64_t i = 0; i < LOST; i++) {
		assert_int_equal(stage.port[0].loss[i].number, NETWORK_BACKLOG_MAX + i);
		assert_ptr_equal(stage.port[0].loss[i].receiver, &stage.port[1].device);
	}
	stage_send(&stage, &(struct stage_sending){ MS * 100, 1, STAGE_EVERYBODY, 60 });
	stage_send(&stage, &(struct stage_sending){ MS * 101, 0, 1, 60 });
	assert_int_equal(stage.port[0].loss_count, LOST + 1);
	assert_int_equal(stage.port[0].loss[LOST].reason, TRACE_LOSS_NO_BUFFER);
	stage_pass(&stage, 2 * S);
	assert_int_equal(stage.port[1].arrival_count, NETWORK_BACKLOG_MAX);
	stage_send(&stage, &(struct stage_sending){ 2 * S, 0, 1, 60 });
	stage_pass(&stage, 3 * S);
	assert_int_equal(stage.port[0].loss_count, LOST + 1);
	assert_int_equal(stage.port[1].arrival_count, NETWORK_BACKLOG_MAX + 1);
	stage_close(&stage);
}

/* Each frame is taken or lost, once for each receiver of a broadcast. */
static void each_receiver_of_a_broadcast_counts(void **state)
{
	const struct network_link link = { .delay = US, .loss = 0.2 };
	struct network_stage stage;
	uint64_t on_the_way = 0, missed[STAGE_PORTS_MAX] = { 0 };

	(void)state;
	open_equal(&stage, &link, 4);
	for (uint64_t i = 0; i < 1000; i++)
		stage_send(&stage, &(struct stage_sending){ i * MS, 0, STAGE_EVERYBODY, 60 });
	stage_pass(&stage, 2 * S);
	for (size_t i = 0; i < stage.port[0].loss_count; i++) {
		const struct stage_loss *loss = &stage.port[0].loss[i];

		assert_int_equal(loss->reason, TRACE_LOSS_RANDOM);
		if (!loss->receiver)
			on_the_way++;
		else
			missed[(const struct stage_port *)loss->receiver - stage.port]++;
	}
	assert_in_range(on_the_way, 150, 250);
	for (unsigned int i = 1; i < stage.ports; i++) {
		assert_in_range(missed[i], 100, 220);
		assert_int_equal(stage.port[i].arrival_count + missed[i] + on_the_way, 1000);
	}
	assert_int_equal(missed[0], 0);
	stage_close(&stage);
}

static void times_do_not_wrap(void **state)
{
	const struct network_link link[] = {
		{ .delay = UINT64_MAX, .jitter = UINT64_MAX, .bandwidth = 1 }, { .delay = US }
	};
	struct network_stage stage;
	uint64_t time;

	(void)state;
	stage_open(&stage, 1, link, 2);
	assert_int_equal(network_lookahead(stage.network), WIRE_TIME_NEVER);
	for (unsigned int i = 0; i < 10; i++)
		stage_send(&stage, &(struct stage_sending){ i, 0, 1, NETWORK_FRAME_MAX });
	assert_non_null(network_port_next(stage.port[1].port, &time));
	assert_int_equal(time, WIRE_TIME_NEVER);
	stage_close(&stage);
}

static void shares_are_checked(void **state)
{
	const double bad[] = { -0.1, 1.1, __builtin_nan("") };
	struct network *network;
	struct network_port *port;

	(void)state;
	assert_int_equal(network_create(1, &network), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
			network_add_port(network, &(struct network_link){ .loss = bad[i] }, &port),
			-EINVAL);
		assert_int_equal(network_add_port(network,
						  &(struct network_link){ .reorder = bad[i] },
						  &port),
				 -EINVAL);
	}
	network_destroy(network);
	network_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_is_flooded_then_learned),
		cmocka_unit_test(a_station_may_move),
		cmocka_unit_test(group_addresses_are_not_learned),
		cmocka_unit_test(full_table_floods),
		cmocka_unit_test(nobody_to_get_it),
		cmocka_unit_test(lookahead_is_the_shortest_way),
		cmocka_unit_test(bandwidth_is_exact),
		cmocka_unit_test(receivers_link_is_shared),
		cmocka_unit_test(loss_is_as_likely_as_told),
		cmocka_unit_test(certain_loss_and_none),
		cmocka_unit_test(jitter_is_even),
		cmocka_unit_test(order_is_kept_unless_told),
		cmocka_unit_test(overtaking_is_as_likely_as_told),
		cmocka_unit_test(overtaking_takes_no_jitter),
		cmocka_unit_test(backlog_is_bounded),
		cmocka_unit_test(each_receiver_of_a_broadcast_counts),
		cmocka_unit_test(times_do_not_wrap),
		cmocka_unit_test(shares_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
