// SPDX-License-Identifier: BSD-3-Clause
/* Saved floating-point states, and what only looks like one, in made-up memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/host/xstate.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define SPACE	   (3u * 4096)
#define STATE_SIZE 576u

static const struct xstate processor = { .features = 0x2e7, .mxcsr_mask = 0x2ffff };

static void put32(uint8_t *data, size_t at, uint32_t value)
{
	memcpy(data + at, &value, sizeof(value));
}

static void put64(uint8_t *data, size_t at, uint64_t value)
{
	memcpy(data + at, &value, sizeof(value));
}

static void fill(uint8_t *data, size_t size)
{
	struct random random = { test_seed(1) };

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)random_next(&random);
}

static void put_header(uint8_t *state, uint64_t bits)
{
	memset(state + 512, 0, STATE_SIZE - 512);
	put64(state, 512, bits);
}

static void put_task(uint8_t *state, uint64_t bits)
{
	put32(state, 28, processor.mxcsr_mask);
	put64(state, 464, processor.features);
	put_header(state, bits);
}

static void put_signal(uint8_t *state, uint64_t bits, uint32_t mxcsr)
{
	put32(state, 24, mxcsr);
	put32(state, 28, processor.mxcsr_mask);
	put32(state, 464, 0x46505853);
	put32(state, 468, 2696);
	put64(state, 472, processor.features);
	put_header(state, bits);
}

/* Its header is at a multiple of 64. */
static void put_compacted(uint8_t *state, uint64_t bits)
{
	put32(state, 24, 0x1f80);
	put32(state, 28, processor.mxcsr_mask);
	put_header(state, bits);
	put64(state, 520, 1ULL << 63 | 0xe6);
}

/* @data is copied to memory of exactly @size bytes, so that a look beyond shows. */
static void assert_found(const uint8_t *data, size_t size, const size_t *offsets, size_t count)
{
	struct xstate_words words = { 0 };
	uint8_t *exact = malloc(size + !size);

	assert_non_null(exact);
	memcpy(exact, data, size);
	assert_int_equal(xstate_find(&processor, exact, size, &words), 0);
	assert_int_equal(words.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(words.offset[i], offsets[i]);
	free(words.offset);
	free(exact);
}

static void test_found_wherever_it_lies(void **state)
{
	static uint8_t data[SPACE];

	(void)state;
	for (size_t at = 0; at + STATE_SIZE <= SPACE; at += 8) {
		fill(data, SPACE);
		put_task(data + at, at % 16 ? 0xa2 : 0);
		assert_found(data, SPACE, (size_t[]){ at + 512 }, 1);
		fill(data, SPACE);
		put_signal(data + at, 0xa2, 0x1f80);
		assert_found(data, SPACE, (size_t[]){ at + 24, at + 512 }, 2);
	}
}

static void test_only_whole_ones_count(void **state)
{
	static uint8_t data[SPACE];

	(void)state;
	fill(data, SPACE);
	put_task(data, 3);
	assert_found(data, STATE_SIZE, (size_t[]){ 512 }, 1);
	assert_found(data, STATE_SIZE - 8, NULL, 0);
	assert_found(data + 8, SPACE - 8, NULL, 0);
	put_signal(data, 3, 0);
	assert_found(data, STATE_SIZE, (size_t[]){ 512 }, 1);
	assert_found(data, STATE_SIZE - 8, NULL, 0);
	assert_found(data, 0, NULL, 0);
}

static void test_compacted_ones_begin_at_a_line(void **state)
{
	static uint8_t data[SPACE];

	(void)state;
	for (size_t at = 0; at + STATE_SIZE <= SPACE; at += 8) {
		fill(data, SPACE);
		put_compacted(data + at, 0xa2);
		assert_found(data, SPACE, (size_t[]){ at + 24, at + 512 }, at % 64 ? 0 : 2);
	}
	fill(data, SPACE);
	put_compacted(data, 0xa2);
	assert_found(data, STATE_SIZE, (size_t[]){ 24, 512 }, 2);
	assert_found(data, STATE_SIZE - 8, NULL, 0);
	put32(data, 24, 0x1f81);
	assert_found(data, STATE_SIZE, (size_t[]){ 512 }, 1);
	put64(data, 512, 1);
	assert_found(data, STATE_SIZE, NULL, 0);
	put64(data, 512, 2);
	put64(data, 520, 1ULL << 63 | 1ULL << 40 | 2);
	assert_found(data, STATE_SIZE, NULL, 0);
	put64(data, 520, 1ULL << 63);
	assert_found(data, STATE_SIZE, NULL, 0);
	put64(data, 520, 2);
	assert_found(data, STATE_SIZE, NULL, 0);
	put64(data, 520, 1ULL << 63 | 2);
	assert_found(data, STATE_SIZE, (size_t[]){ 512 }, 1);
	data[575] = 1;
	assert_found(data, STATE_SIZE, NULL, 0);
}

/* MXCSR is the guest's as soon as it is not the initial one. */
static void test_mxcsr_of_a_signal_counts_when_it_is_initial(void **state)
{
	static uint8_t data[SPACE];

	(void)state;
	fill(data, SPACE);
	put_signal(data + 64, 3, 0x1f81);
	assert_found(data, SPACE, (size_t[]){ 64 + 512 }, 1);
	put_signal(data + 64, 3, 0x1f80);
	put32(data, 64 + 28, processor.mxcsr_mask + 1);
	assert_found(data, SPACE, (size_t[]){ 64 + 512 }, 1);
}

/* One thing about it is wrong: it is memory like any other. */
static void test_lookalikes_are_hashed(void **state)
{
	static const size_t zeros[] = { 520, 528, 536, 544, 552, 560, 568 };
	static uint8_t task[STATE_SIZE], signal[STATE_SIZE], bad[STATE_SIZE];

	(void)state;
	fill(task, STATE_SIZE);
	put_task(task, 3);
	fill(signal, STATE_SIZE);
	put_signal(signal, 3, 0x1f80);
	/* One word behind the bits may be a link to the next free task, two are none. */
	for (size_t i = 0; i < sizeof(zeros) / sizeof(*zeros); i++) {
		memcpy(bad, task, STATE_SIZE);
		bad[zeros[i] + i] = 1;
		bad[zeros[(i + 1) % (sizeof(zeros) / sizeof(*zeros))]] = 1;
		assert_found(bad, STATE_SIZE, NULL, 0);
		memcpy(bad, signal, STATE_SIZE);
		bad[zeros[i] + i] = 1;
		bad[zeros[(i + 1) % (sizeof(zeros) / sizeof(*zeros))]] = 1;
		assert_found(bad, STATE_SIZE, NULL, 0);
	}
	memcpy(bad, task, STATE_SIZE);
	put64(bad, 520, 1);
	assert_found(bad, STATE_SIZE, NULL, 0);
	memcpy(bad, task, STATE_SIZE);
	put64(bad, 512, processor.features | 1ULL << 40);
	assert_found(bad, STATE_SIZE, NULL, 0);
	put64(bad, 512, 3);
	put64(bad, 464, processor.features | 1ULL << 40);
	assert_found(bad, STATE_SIZE, NULL, 0);
	put64(bad, 464, processor.features & ~2ULL);
	assert_found(bad, STATE_SIZE, NULL, 0);
	put64(bad, 464, processor.features);
	put32(bad, 28, processor.mxcsr_mask ^ 1);
	assert_found(bad, STATE_SIZE, NULL, 0);
	memcpy(bad, signal, STATE_SIZE);
	put32(bad, 464, 0x46505854);
	assert_found(bad, STATE_SIZE, NULL, 0);
	put32(bad, 464, 0x46505853);
	put64(bad, 512, 1ULL << 63);
	assert_found(bad, STATE_SIZE, NULL, 0);
}

static void test_state_of_an_ended_task_is_found(void **state)
{
	static uint8_t task[STATE_SIZE];
	const size_t bits = 512;

	(void)state;
	fill(task, STATE_SIZE);
	put_task(task, 3);
	put64(task, 560, 0x610c2580);
	assert_found(task, STATE_SIZE, &bits, 1);
}

static void test_many_come_in_order(void **state)
{
	const size_t count = SPACE / STATE_SIZE;
	static uint8_t data[SPACE];
	size_t offsets[2 * (SPACE / STATE_SIZE)], found = 0;

	(void)state;
	fill(data, SPACE);
	for (size_t i = 0; i < count; i++) {
		if (i % 2) {
			put_signal(data + i * STATE_SIZE, 0xa0, 0x1f80);
			offsets[found++] = i * STATE_SIZE + 24;
		} else {
			put_task(data + i * STATE_SIZE, 0xa0);
		}
		offsets[found++] = i * STATE_SIZE + 512;
	}
	assert_found(data, SPACE, offsets, found);
}

static void test_processor_without_states_has_none(void **state)
{
	const struct xstate none = { 0 };
	struct xstate_words words = { 0 };
	uint8_t data[STATE_SIZE] = { 0 };

	(void)state;
	put_task(data, 0);
	assert_int_equal(xstate_find(&none, data, sizeof(data), &words), 0);
	assert_int_equal(words.count, 0);
	free(words.offset);
}

#if defined(__x86_64__)
/* What this processor saves is what is looked for. */
static void test_real_state_is_found(void **state)
{
	static uint8_t data[4096] __attribute__((aligned(64)));
	struct xstate xstate = xstate_learn();
	struct xstate_words words = { 0 };

	(void)state;
	if (!xstate.features)
		skip();
	__asm__ volatile("xsave64 %0" : "+m"(data) : "a"(3), "d"(0) : "memory");
	memcpy(data + 464, &xstate.features, sizeof(xstate.features));
	assert_int_equal(xstate_find(&xstate, data, sizeof(data), &words), 0);
	assert_int_equal(words.count, 1);
	assert_int_equal(words.offset[0], 512);
	free(words.offset);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_wherever_it_lies),
		cmocka_unit_test(test_only_whole_ones_count),
		cmocka_unit_test(test_compacted_ones_begin_at_a_line),
		cmocka_unit_test(test_mxcsr_of_a_signal_counts_when_it_is_initial),
		cmocka_unit_test(test_lookalikes_are_hashed),
		cmocka_unit_test(test_state_of_an_ended_task_is_found),
		cmocka_unit_test(test_many_come_in_order),
		cmocka_unit_test(test_processor_without_states_has_none),
#if defined(__x86_64__)
		cmocka_unit_test(test_real_state_is_found),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
