// SPDX-License-Identifier: BSD-3-Clause
/* Where two traces part, against the plain comparison of the records they were made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/trace/compare.h"
#include "format/trace/codec/layout.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

#define GUESTS 3

static bool is_chained(const struct trace_record *record)
{
	return trace_kind_info(record->kind)->direction != TRACE_SIDE;
}

static const struct trace_record *next_of(const struct sample *sample, uint32_t guest, size_t *at)
{
	for (; *at < sample->count; ++*at)
		if (sample->record[*at].guest == guest && is_chained(&sample->record[*at]))
			return &sample->record[(*at)++];
	return NULL;
}

static bool same(const struct trace_record *a, const struct trace_record *b)
{
	return a->kind == b->kind && !memcmp(a->field, b->field, sizeof(a->field)) &&
	       a->payload_size == b->payload_size &&
	       (!a->payload_size || !memcmp(a->payload, b->payload, a->payload_size));
}

/* The first records of @guest that differ. */
static bool plain_guest(const struct sample *a, const struct sample *b, uint32_t guest,
			const struct trace_record *pair[2])
{
	size_t at[2] = { 0, 0 };

	do {
		pair[0] = next_of(a, guest, &at[0]);
		pair[1] = next_of(b, guest, &at[1]);
	} while (pair[0] && pair[1] && same(pair[0], pair[1]));
	return pair[0] || pair[1];
}

static void write_chunks(const struct sample *sample, const char *path, size_t flush)
{
	const struct trace_writer_options options = { .size = sizeof(options),
						      .flush_ns = 3600000000000 };
	struct trace_writer *writer;

	assert_int_equal(trace_writer_create(path, &options, &writer), 0);
	for (size_t i = 0; i < sample->count; i++) {
		assert_int_equal(trace_writer_append(writer, &sample->record[i], NULL), 0);
		if (flush && i % flush == flush - 1)
			assert_int_equal(trace_writer_flush(writer), 0);
	}
	assert_int_equal(trace_writer_close(writer, NULL), 0);
}

struct outcome {
	int result;
	struct trace_difference first;
	uint64_t skipped;
};

static struct outcome compare_files(const char *a, const char *b,
				    const struct trace_compare_options *options)
{
	struct trace_reader *reader[2];
	struct compare compare;
	struct outcome outcome;

	assert_int_equal(trace_reader_open(a, &reader[0]), 0);
	assert_int_equal(trace_reader_open(b, &reader[1]), 0);
	outcome.result = trace_compare(reader[0], reader[1], options, &outcome.first);
	assert_int_equal(compare_run(&compare, reader[0], reader[1], options, NULL, NULL), 0);
	outcome.skipped = compare.skipped;
	compare_release(&compare);
	trace_reader_close(reader[0]);
	trace_reader_close(reader[1]);
	return outcome;
}

static uint64_t first_time(const struct trace_difference *first)
{
	if (!first->there[0] || !first->there[1])
		return first->now[!first->there[0]];
	return first->now[0] < first->now[1] ? first->now[0] : first->now[1];
}

/* Every guest alone, and which of them is first, must be what the plain comparison says. */
static void check_files(const struct sample *a, const struct sample *b, const char *path_a,
			const char *path_b)
{
	struct outcome all = compare_files(path_a, path_b, NULL);
	bool any = false;

	for (uint32_t guest = 0; guest < GUESTS; guest++) {
		const struct trace_compare_options options = { sizeof(options), guest, { 0 } };
		struct outcome one = compare_files(path_a, path_b, &options);
		const struct trace_record *pair[2];
		bool differs = plain_guest(a, b, guest, pair);

		any |= differs;
		assert_int_equal(one.result, differs);
		for (int s = 0; s < 2 && differs; s++) {
			const struct trace_record *record = (s ? b : a)->record;

			assert_int_equal(one.first.there[s], pair[s] != NULL);
			if (!pair[s])
				continue;
			assert_int_equal(one.first.number[s], pair[s] - record);
			assert_int_equal(one.first.now[s], pair[s]->now);
			assert_true(first_time(&all.first) <= pair[s]->now);
		}
		if (differs && all.first.guest == guest)
			assert_memory_equal(all.first.number, one.first.number,
					    sizeof(one.first.number));
	}
	assert_int_equal(all.result, any);
}

static void check(const struct sample *a, const struct sample *b, size_t flush_a, size_t flush_b)
{
	const char *path_a = sample_path("a"), *path_b = sample_path("b");

	write_chunks(a, path_a, flush_a);
	write_chunks(b, path_b, flush_b);
	check_files(a, b, path_a, path_b);
	check_files(b, a, path_b, path_a);
}

static void copy(struct sample *to, const struct sample *from, size_t begin, size_t end)
{
	for (size_t i = begin; i < end && i < from->count; i++)
		sample_add(to, &from->record[i]);
}

/* One record is changed, lost, doubled, or has another payload. */
static void mutate(struct sample *to, const struct sample *from, size_t at, unsigned int how)
{
	struct trace_record record = from->record[at];

	copy(to, from, 0, at);
	if (how % TRACE_FIELDS_MAX < trace_kind_info(record.kind)->field_count)
		record.field[how % TRACE_FIELDS_MAX] += how & 1;
	if (how % 5 == 1) {
		record.payload = "another";
		record.payload_size = 7;
	}
	if (how % 5 != 2)
		sample_add(to, &record);
	if (how % 5 == 3)
		sample_add(to, &record);
	copy(to, from, at + 1, how % 7 == 4 ? at + 100 : from->count);
}

static void test_random_changes(void **state)
{
	struct sample_random random = { test_seed(4) };

	(void)state;
	for (unsigned int i = 0; i < 60; i++) {
		struct sample a = { 0 }, b = { 0 };

		sample_recording(&a, GUESTS, 600, i);
		mutate(&b, &a, sample_below(&random, a.count), i);
		check(&a, &b, sample_below(&random, 2) * 1000, 1 + sample_below(&random, 5000));
		sample_release(&a);
		sample_release(&b);
	}
}

static void grow(struct sample *sample, size_t count)
{
	uint64_t seq[GUESTS] = { 0 }, run_seq = 0, now = 0;

	for (unsigned int i = 0; sample->count < count; i++) {
		uint32_t guest = i % 7 % GUESTS;

		sample_exchange(sample, guest, 0, now, now + 1000, &seq[guest], &run_seq);
		now += 1000;
	}
}

/* Chunks are passed over up to the last multiple before the difference, and only so far. */
static void test_skips(void **state)
{
	struct sample a = { 0 }, b = { 0 };
	struct outcome outcome;

	(void)state;
	grow(&a, 5 * CHUNK_RECORDS_MAX);
	copy(&b, &a, 0, a.count);
	b.record[3 * CHUNK_RECORDS_MAX + 17].from.time++;
	check(&a, &b, 0, 777);
	outcome = compare_files(sample_path("a"), sample_path("b"), NULL);
	assert_int_equal(outcome.skipped, 3 * CHUNK_RECORDS_MAX);
	assert_int_equal(outcome.first.number[1], 3 * CHUNK_RECORDS_MAX + 17);
	sample_release(&a);
	sample_release(&b);
}

/* A guest that says nothing any more has its chain only in the end. */
static void test_silent_guest(void **state)
{
	struct trace_record record = { .kind = TRACE_leave, .guest = 2 };
	struct sample a = { 0 }, b = { 0 };
	struct outcome outcome;

	(void)state;
	sample_add(&a, &record);
	grow(&a, 4 * CHUNK_RECORDS_MAX);
	for (size_t i = CHUNK_RECORDS_MAX; i < a.count; i++)
		a.record[i].guest %= 2;
	copy(&b, &a, 0, a.count);
	b.record[0].kind = TRACE_console;
	check(&a, &b, 0, 3000);
	outcome = compare_files(sample_path("a"), sample_path("b"), NULL);
	assert_int_equal(outcome.first.number[0], 0);
	assert_int_equal(outcome.first.guest, 2);
	sample_release(&a);
	sample_release(&b);
}

/* Wherever a reader stands, in the middle of what is packed together as well. */
static void test_readers_that_stand_anywhere(void **state)
{
	struct trace_reader *reader[2];
	struct trace_difference first;
	struct trace_record record;
	struct sample a = { 0 }, b = { 0 };
	size_t last;

	(void)state;
	sample_recording(&a, GUESTS, 20, 8);
	copy(&b, &a, 0, a.count);
	for (last = b.count - 1; b.record[last].kind != TRACE_from; last--)
		;
	b.record[last].from.time++; /* equal ones would not be read at all */
	sample_write(&a, sample_path("a"));
	sample_write(&b, sample_path("b"));
	for (size_t at = 0; at <= a.count; at++) {
		assert_int_equal(trace_reader_open(sample_path("a"), &reader[0]), 0);
		assert_int_equal(trace_reader_open(sample_path("b"), &reader[1]), 0);
		for (size_t i = 0; i < at; i++)
			assert_int_equal(trace_reader_next(reader[at % 2], &record), 1);
		assert_int_equal(trace_compare(reader[0], reader[1], NULL, &first), 1);
		assert_int_equal(first.number[0], last);
		trace_reader_close(reader[0]);
		trace_reader_close(reader[1]);
	}
	sample_release(&a);
	sample_release(&b);
}

/* More side data in one of them moves all numbers, and makes no difference. */
static void test_side_data(void **state)
{
	const struct trace_record note = { .kind = TRACE_note, .payload = "n", .payload_size = 1 };
	struct sample a = { 0 }, b = { 0 };

	(void)state;
	grow(&a, 3 * CHUNK_RECORDS_MAX);
	sample_add(&b, &note);
	copy(&b, &a, 0, a.count);
	check(&a, &b, 0, 500);
	assert_int_equal(compare_files(sample_path("a"), sample_path("b"), NULL).result, 0);
	b.record[40000].to.seq++;
	check(&a, &b, 0, 500);
	sample_release(&a);
	sample_release(&b);
}

/* The same histories in another order of guests, so far apart that no queue holds them. */
static void test_far_apart(void **state)
{
	struct sample a = { 0 }, b = { 0 }, all = { 0 };

	(void)state;
	grow(&all, 30000);
	for (uint32_t guest = 0; guest < GUESTS; guest++) {
		for (size_t i = 0; i < all.count; i++)
			if (all.record[i].guest == guest)
				sample_add(&a, &all.record[i]);
		for (size_t i = 0; i < all.count; i++)
			if (all.record[i].guest == GUESTS - 1 - guest)
				sample_add(&b, &all.record[i]);
	}
	for (size_t i = 0; i < a.count; i++)
		a.record[i].now = b.record[i].now = i;
	check(&a, &b, 0, 0);
	assert_int_equal(compare_files(sample_path("a"), sample_path("b"), NULL).result, 0);
	b.record[29000].from.time++;
	check(&a, &b, 0, 0);
	sample_release(&a);
	sample_release(&b);
	sample_release(&all);
}

/* Bytes are cut off the end of @path. */
static void cut(const char *path, size_t less)
{
	size_t size;
	auto_free void *data = sample_load(path, &size);

	sample_store(path, data, size - less);
}

static void test_cut(void **state)
{
	struct sample a = { 0 }, b = { 0 };
	struct outcome outcome;

	(void)state;
	grow(&a, 3 * CHUNK_RECORDS_MAX);
	copy(&b, &a, 0, a.count);
	write_chunks(&a, sample_path("a"), 3000);
	write_chunks(&b, sample_path("b"), 0);
	cut(sample_path("a"), 50);
	outcome = compare_files(sample_path("a"), sample_path("b"), NULL);
	assert_int_equal(outcome.result, 0);
	cut(sample_path("a"), 2000);
	outcome = compare_files(sample_path("a"), sample_path("b"), NULL);
	assert_int_equal(outcome.result, -EPIPE);
	outcome = compare_files(sample_path("b"), sample_path("a"), NULL);
	assert_int_equal(outcome.result, -EPIPE);
	b.record[17000].from.time++;
	write_chunks(&b, sample_path("b"), 0);
	outcome = compare_files(sample_path("a"), sample_path("b"), NULL);
	assert_int_equal(outcome.result, 1);
	assert_int_equal(outcome.first.number[0], 17000);
	assert_int_equal(outcome.skipped, CHUNK_RECORDS_MAX);
	sample_release(&a);
	sample_release(&b);
}

/* Whatever byte is wrong: it may only be found to be damaged, or the right difference. */
static void test_damaged(void **state)
{
	struct sample a = { 0 }, b = { 0 };
	struct sample_random random = { test_seed(9) };
	size_t size;

	(void)state;
	grow(&a, 20000);
	copy(&b, &a, 0, a.count);
	b.record[18000].from.time++;
	write_chunks(&a, sample_path("a"), 2000);
	write_chunks(&b, sample_path("b"), 0);
	auto_free uint8_t *data = sample_load(sample_path("a"), &size);
	for (unsigned int i = 0; i < 300; i++) {
		size_t at = 200 + sample_below(&random, size - 200);
		struct outcome outcome;

		data[at] ^= 1 << i % 8;
		sample_store(sample_path("damaged"), data, size);
		data[at] ^= 1 << i % 8;
		outcome = compare_files(sample_path("damaged"), sample_path("b"), NULL);
		assert_true(outcome.result == 1 || outcome.result == -EBADMSG ||
			    outcome.result == -EPIPE);
		if (outcome.result == 1)
			assert_int_equal(outcome.first.number[1], 18000);
	}
	sample_release(&a);
	sample_release(&b);
}

static void test_ignore(void **state)
{
	struct trace_compare_options options = { sizeof(options), TRACE_GUEST_ALL, { 0 } };
	struct trace_record console = { .kind = TRACE_console, .payload = "x", .payload_size = 1 };
	struct sample a = { 0 }, b = { 0 };

	(void)state;
	grow(&a, 20000);
	copy(&b, &a, 0, 100);
	sample_add(&b, &console);
	copy(&b, &a, 100, a.count);
	b.record[17000].from.seq++;
	b.record[17006].from.seq += 2;
	write_chunks(&a, sample_path("a"), 0);
	write_chunks(&b, sample_path("b"), 0);
	assert_int_equal(
		compare_files(sample_path("a"), sample_path("b"), &options).first.number[1], 100);
	options.ignore[TRACE_console] = TRACE_IGNORE_RECORD;
	assert_int_equal(
		compare_files(sample_path("a"), sample_path("b"), &options).first.number[1], 17000);
	options.ignore[TRACE_from] = options.ignore[TRACE_to] = 1 << 1;
	assert_int_equal(compare_files(sample_path("a"), sample_path("b"), &options).result, 0);
	sample_release(&a);
	sample_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_skips),
		cmocka_unit_test(test_silent_guest),
		cmocka_unit_test(test_side_data),
		cmocka_unit_test(test_far_apart),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_ignore),
		cmocka_unit_test(test_readers_that_stand_anywhere),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
