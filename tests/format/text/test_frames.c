// SPDX-License-Identifier: BSD-3-Clause
/* Which frames are found in a trace, with which bytes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/text/frames.h"

#define SET_FEATURES 2

/* An Ethernet header and two bytes, behind what is left of a virtio header. */
static const uint8_t received[] = { 1, 0, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 'h', 'i' };
#define FRAME	   (received + 2)
#define FRAME_SIZE (sizeof(received) - 2)

struct stage {
	struct name_table names;
	struct frames *frames;
	struct frame frame;
};

static int feed(struct stage *stage, const struct trace_record *record)
{
	assert_int_equal(name_table_learn(&stage->names, record), 0);
	return frames_feed(stage->frames, record, &stage->frame);
}

static void describe(struct stage *stage, uint32_t guest, const char *device)
{
	const struct trace_record meta = { .kind = TRACE_meta,
					   .guest = guest,
					   .payload = device,
					   .payload_size = strlen(device) };

	assert_int_equal(feed(stage, &meta), 0);
}

/* Two guests with a card each; the second one's is its device 1. */
static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->frames = frames_create(&stage->names);
	assert_non_null(stage->frames);
	describe(stage, 0, "device=1 net lan 02:00:00:00:00:01");
	describe(stage, 1, "device=2 disk zeros");
	describe(stage, 1, "device=1 net lan 02:00:00:00:00:02");
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	frames_free(stage->frames);
	name_table_free(&stage->names);
	free(stage);
	return 0;
}

static struct trace_record used(uint32_t guest, uint64_t device, uint64_t skip)
{
	return (struct trace_record){ .number = 7,
				      .now = 5000,
				      .kind = TRACE_used,
				      .guest = guest,
				      .used = { .device = device, .head = 3, .skip = skip },
				      .payload = received,
				      .payload_size = sizeof(received) };
}

static void assert_frame(const struct stage *stage, const void *data, size_t size)
{
	assert_int_equal(stage->frame.size, size);
	assert_memory_equal(stage->frame.data, data, size);
	assert_string_equal(stage->frame.network, "lan");
	assert_int_equal(stage->frame.record, 7);
	assert_int_equal(stage->frame.received, 5000);
}

static void card_receives_a_frame(void **state)
{
	const struct trace_record record = used(1, 1, 10);
	struct stage *stage = *state;

	assert_int_equal(feed(stage, &record), 1);
	assert_frame(stage, FRAME, FRAME_SIZE);
	assert_false(stage->frame.lost);
	assert_int_equal(stage->frame.to_guest, 1);
	assert_int_equal(stage->frame.to_device, 1);
	assert_false(stage->frame.known);
	assert_int_equal(stage->frame.from_guest, UINT32_MAX);
}

static void set_features(struct stage *stage, uint64_t features)
{
	const struct trace_record request = { .kind = TRACE_request,
					      .guest = 0,
					      .request = { 0, SET_FEATURES, 1 },
					      .payload = &features,
					      .payload_size = sizeof(features) };

	assert_int_equal(feed(stage, &request), 0);
}

/* Before VIRTIO 1 the header is shorter: what follows the ten zeros is the frame. */
static void header_is_as_long_as_was_agreed(void **state)
{
	const struct trace_record record = used(0, 0, 10);
	struct stage *stage = *state;

	set_features(stage, 1ULL << 5);
	assert_int_equal(feed(stage, &record), 1);
	assert_frame(stage, received, sizeof(received));
	set_features(stage, 1ULL << 32);
	assert_int_equal(feed(stage, &record), 1);
	assert_frame(stage, FRAME, FRAME_SIZE);
}

static void zeros_of_a_frame_come_back(void **state)
{
	const struct trace_record record = used(0, 0, 15);
	uint8_t expected[3 + sizeof(received)] = { 0 };
	struct stage *stage = *state;

	memcpy(expected + 3, received, sizeof(received));
	assert_int_equal(feed(stage, &record), 1);
	assert_frame(stage, expected, sizeof(expected));
}

static void lost_frame_has_no_receiver(void **state)
{
	const struct trace_record record = { .number = 7,
					     .now = 5000,
					     .kind = TRACE_lost,
					     .guest = 1,
					     .lost = { 1, TRACE_LOSS_NOBODY },
					     .payload = FRAME,
					     .payload_size = FRAME_SIZE };
	struct stage *stage = *state;

	assert_int_equal(feed(stage, &record), 1);
	assert_frame(stage, FRAME, FRAME_SIZE);
	assert_true(stage->frame.lost);
	assert_int_equal(stage->frame.reason, TRACE_LOSS_NOBODY);
	assert_int_equal(stage->frame.to_guest, UINT32_MAX);
}

static void lost_frame_names_who_misses_it(void **state)
{
	struct trace_record record = { .kind = TRACE_lost,
				       .guest = 1,
				       .lost = { 1, TRACE_LOSS_RANDOM, 1, 4 },
				       .payload = FRAME,
				       .payload_size = FRAME_SIZE };
	struct stage *stage = *state;

	assert_int_equal(feed(stage, &record), 1);
	assert_true(stage->frame.lost);
	assert_int_equal(stage->frame.to_guest, 0);
	assert_int_equal(stage->frame.to_device, 4);
	/* There is no such guest. */
	record.lost.receiver = TRACE_GUEST_LIMIT + 1;
	assert_int_equal(feed(stage, &record), 1);
	assert_int_equal(stage->frame.to_guest, UINT32_MAX);
}

static void only_cards_in_networks_have_frames(void **state)
{
	const struct trace_record disk = used(1, 0, 0), nobody = used(1, 2, 0), far = used(9, 0, 0);
	struct trace_record sending = used(1, 1, 0);
	struct stage *stage = *state;

	describe(stage, 0, "device=1 program radio");
	sending.used.queue = 1;
	assert_int_equal(feed(stage, &disk), 0);
	assert_int_equal(feed(stage, &nobody), 0);
	assert_int_equal(feed(stage, &far), 0);
	assert_int_equal(feed(stage, &sending), 0);
	assert_int_equal(feed(stage, &(struct trace_record){ .kind = TRACE_from }), 0);
	assert_int_equal(
		feed(stage, &(struct trace_record){ .kind = TRACE_used, .used = { .device = 1 } }),
		0);
}

static void tell(struct stage *stage, uint64_t sender, uint64_t card, uint64_t delay)
{
	const struct trace_record sent = { .kind = TRACE_sent,
					   .guest = 1,
					   .sent = { 1, sender, card, delay } };

	assert_int_equal(feed(stage, &sent), 0);
}

/* Said once, it holds for all frames of that source at that card. */
static void sender_is_known_once_told(void **state)
{
	const struct trace_record record = used(1, 1, 10), other_card = used(0, 0, 10);
	struct trace_record other_source = record;
	uint8_t other[sizeof(received)];
	struct stage *stage = *state;

	tell(stage, 0, 0, 1000);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(feed(stage, &record), 1);
		assert_true(stage->frame.known);
		assert_int_equal(stage->frame.from_guest, 0);
		assert_int_equal(stage->frame.from_device, 0);
		assert_int_equal(stage->frame.sent, 4000);
	}
	assert_int_equal(feed(stage, &other_card), 1);
	assert_false(stage->frame.known);
	memcpy(other, received, sizeof(other));
	other[2 + 11]++;
	other_source.payload = other;
	assert_int_equal(feed(stage, &other_source), 1);
	assert_false(stage->frame.known);
	tell(stage, 3, 2, 10);
	assert_int_equal(feed(stage, &record), 1);
	assert_int_equal(stage->frame.from_guest, 3);
	assert_int_equal(stage->frame.from_device, 2);
	assert_int_equal(stage->frame.sent, 4990);
}

static void origin_that_cannot_be_is_not_believed(void **state)
{
	const uint64_t origins[][3] = { { 0, 0, 5001 },
					{ TRACE_GUEST_LIMIT, 0, 1 },
					{ UINT64_MAX, 0, 1 },
					{ 0, UINT32_MAX, 1 } };
	const struct trace_record record = used(1, 1, 10);
	struct stage *stage = *state;

	for (size_t i = 0; i < sizeof(origins) / sizeof(*origins); i++) {
		tell(stage, origins[i][0], origins[i][1], origins[i][2]);
		assert_int_equal(feed(stage, &record), 1);
		assert_false(stage->frame.known);
		assert_int_equal(stage->frame.from_guest, UINT32_MAX);
	}
}

/* A trace may say anything. */
static void sizes_are_checked(void **state)
{
	const uint64_t skips[] = { UINT64_MAX, UINT64_MAX - sizeof(received), 70000, 65550 + 12 };
	static uint8_t large[70000];
	struct stage *stage = *state;
	struct trace_record record;

	for (size_t i = 0; i < sizeof(skips) / sizeof(*skips); i++) {
		record = used(0, 0, skips[i]);
		assert_int_equal(feed(stage, &record), 0);
	}
	record = used(0, 0, 0);
	record.payload_size = 12;
	assert_int_equal(feed(stage, &record), 0);
	record.payload = large;
	record.payload_size = sizeof(large);
	assert_int_equal(feed(stage, &record), 0);
	record.used.skip = 65550;
	assert_int_equal(feed(stage, &record), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(card_receives_a_frame),
		TEST(header_is_as_long_as_was_agreed),
		TEST(zeros_of_a_frame_come_back),
		TEST(lost_frame_has_no_receiver),
		TEST(lost_frame_names_who_misses_it),
		TEST(only_cards_in_networks_have_frames),
		TEST(sender_is_known_once_told),
		TEST(origin_that_cannot_be_is_not_believed),
		TEST(sizes_are_checked),
	};

	return cmocka_run_group_tests_name("format: frames", tests, NULL, NULL);
}
