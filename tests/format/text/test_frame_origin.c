// SPDX-License-Identifier: BSD-3-Clause
/* What is expected of where a frame is from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/text/frame_origin.h"

struct small_frame {
	uint8_t data[14];
};

/* Of source @number, to somebody. */
static struct small_frame frame_of(uint32_t number)
{
	struct small_frame frame = { { 2, 0, 0, 0, 0, (uint8_t)(number * 7) } };

	memcpy(frame.data + 8, &number, sizeof(number));
	return frame;
}

static void say(struct frame_origins *origins, uint32_t source, uint64_t sender, uint64_t delay)
{
	const struct frame_origin origin = { sender, 1, delay };
	const struct small_frame frame = frame_of(source);

	frame_origin_learn(origins, frame.data, sizeof(frame.data), &origin);
}

static bool expects(const struct frame_origins *origins, uint32_t source, uint64_t sender,
		    uint64_t delay)
{
	const struct small_frame frame = frame_of(source);
	struct frame_origin origin;

	if (!frame_origin_expect(origins, frame.data, sizeof(frame.data), &origin))
		return false;
	assert_int_equal(origin.sender, sender);
	assert_int_equal(origin.card, 1);
	assert_int_equal(origin.delay, delay);
	return true;
}

static struct frame_origins *make(void)
{
	struct frame_origins *origins = calloc(1, sizeof(*origins));

	assert_non_null(origins);
	return origins;
}

static void nothing_is_known_at_first(void **state)
{
	struct frame_origins *origins = make();

	(void)state;
	assert_false(expects(origins, 1, 0, 0));
	say(origins, 1, 5, 100);
	assert_false(expects(origins, 2, 0, 0));
	free(origins);
}

static void last_word_counts(void **state)
{
	struct frame_origins *origins = make();

	(void)state;
	say(origins, 1, 5, 100);
	say(origins, 2, 6, 200);
	assert_true(expects(origins, 1, 5, 100));
	assert_true(expects(origins, 2, 6, 200));
	say(origins, 1, 7, 300);
	assert_true(expects(origins, 1, 7, 300));
	assert_true(expects(origins, 2, 6, 200));
	free(origins);
}

/* 256 are remembered, and with the next one that one alone: ttrace(5). */
static void sources_are_bounded(void **state)
{
	struct frame_origins *origins = make();

	(void)state;
	for (uint32_t i = 0; i < 256; i++)
		say(origins, i, i, i);
	say(origins, 255, 9, 9);
	for (uint32_t i = 0; i < 255; i++)
		assert_true(expects(origins, i, i, i));
	assert_true(expects(origins, 255, 9, 9));
	say(origins, 256, 1, 2);
	for (uint32_t i = 0; i < 256; i++)
		assert_false(expects(origins, i, 0, 0));
	assert_true(expects(origins, 256, 1, 2));
	free(origins);
}

static void short_frames_have_a_source(void **state)
{
	struct frame_origins *origins = make();
	const struct frame_origin said = { 3, 1, 4 };
	const struct small_frame zeros = { { 0 } };
	struct frame_origin origin;

	(void)state;
	frame_origin_learn(origins, NULL, 0, &said);
	assert_true(frame_origin_expect(origins, zeros.data, sizeof(zeros.data), &origin));
	assert_int_equal(origin.sender, 3);
	free(origins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_at_first),
		cmocka_unit_test(last_word_counts),
		cmocka_unit_test(sources_are_bounded),
		cmocka_unit_test(short_frames_have_a_source),
	};

	return cmocka_run_group_tests_name("format: frame origin", tests, NULL, NULL);
}
