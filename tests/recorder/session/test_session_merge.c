// SPDX-License-Identifier: BSD-3-Clause
/* Strands of records against a model that sorts all of them; the writer is the test's. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/session/journal/session_merge.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define WORLDS	    300
#define STRANDS_MAX 6
#define RECORDS_MAX 2000
#define PAYLOAD_MAX 300

/* One record, as it was given and as it should come out. */
struct entry {
	uint64_t now;
	uint64_t strand, number; /* within the strand */
	uint8_t payload[PAYLOAD_MAX];
	uint32_t payload_size;
};

struct trace_writer {
	struct entry *written;
	size_t count;
	int fails_at; /* that many records are taken, then -ENOSPC; 0: all */
};

int trace_writer_append(struct trace_writer *writer, const struct trace_record *record,
			uint64_t *number)
{
	struct entry *entry = &writer->written[writer->count];

	assert_null(number);
	assert_true(writer->count < RECORDS_MAX);
	if (writer->fails_at && writer->count == (size_t)writer->fails_at)
		return -ENOSPC;
	if (record->kind == TRACE_fault) {
		*entry = (struct entry){ .now = record->now, .number = record->fault.fault };
		writer->count++;
		return 0;
	}
	assert_int_equal(record->kind, TRACE_console);
	*entry = (struct entry){ .now = record->now,
				 .strand = record->guest,
				 .number = record->field[0],
				 .payload_size = record->payload_size };
	memcpy(entry->payload, record->payload, record->payload_size);
	writer->count++;
	return 0;
}

struct stage {
	struct merge *merge;
	struct trace_writer writer;
	struct random random;
	struct entry *model; /* what was added and is not written yet */
	size_t model_count;
	size_t strands;
	uint64_t now[STRANDS_MAX], numbers[STRANDS_MAX];
	size_t compared; /* written records that were looked at */
};

static void stage_open(struct stage *stage, uint64_t seed, size_t strands)
{
	*stage = (struct stage){ .random = { seed }, .strands = strands };
	stage->writer.written = calloc(RECORDS_MAX, sizeof(struct entry));
	stage->model = calloc(RECORDS_MAX, sizeof(struct entry));
	assert_non_null(stage->writer.written);
	assert_non_null(stage->model);
	assert_int_equal(merge_create(strands, &stage->writer, &stage->merge), 0);
}

static void stage_close(struct stage *stage)
{
	merge_destroy(stage->merge);
	free(stage->writer.written);
	free(stage->model);
}

/* The record is gone when this returns: the merge must have copied it. */
static int add(struct stage *stage, size_t strand, uint64_t now, uint32_t size)
{
	struct entry *entry = &stage->model[stage->model_count];
	struct trace_record record = { .kind = TRACE_console,
				       .guest = (uint32_t)strand,
				       .now = now };
	uint8_t payload[PAYLOAD_MAX];
	int err;

	*entry = (struct entry){ .now = now,
				 .strand = strand,
				 .number = stage->numbers[strand]++,
				 .payload_size = size };
	for (uint32_t i = 0; i < size; i++)
		entry->payload[i] = payload[i] = (uint8_t)random_next(&stage->random);
	record.field[0] = entry->number;
	record.payload = size ? payload : NULL;
	record.payload_size = size;
	err = merge_add(stage->merge, strand, &record);
	memset(payload, 0xee, sizeof(payload));
	stage->model_count += !err;
	return err;
}

static void add_random(struct stage *stage)
{
	struct random *random = &stage->random;
	size_t strand = random_below(random, stage->strands);
	uint32_t size = random_chance(random, 50) ? (uint32_t)random_below(random, PAYLOAD_MAX) : 0;

	if (random_chance(random, 40))
		stage->now[strand] += random_below(random, 5);
	assert_int_equal(add(stage, strand, stage->now[strand], size), 0);
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->now != b->now)
		return a->now < b->now ? -1 : 1;
	if (a->strand != b->strand)
		return a->strand < b->strand ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

/* All that was added before @time has come since, in order, and nothing else. */
static void check_written(struct stage *stage, uint64_t seed, uint64_t time)
{
	size_t due = 0;

	qsort(stage->model, stage->model_count, sizeof(*stage->model), compare_entries);
	while (due < stage->model_count && (stage->model[due].now < time || time == UINT64_MAX))
		due++;
	if (stage->writer.count - stage->compared != due)
		fail_msg("seed %" PRIu64 ": %zu records written before %" PRIu64 ", not %zu", seed,
			 stage->writer.count - stage->compared, time, due);
	for (size_t i = 0; i < due; i++)
		if (memcmp(&stage->writer.written[stage->compared + i], &stage->model[i],
			   sizeof(struct entry)))
			fail_msg("seed %" PRIu64 ": record %zu is another one", seed,
				 stage->compared + i);
	stage->compared += due;
	stage->model_count -= due;
	memmove(stage->model, stage->model + due, stage->model_count * sizeof(*stage->model));
	assert_int_equal(merge_written(stage->merge), stage->compared);
	assert_int_equal(merge_size(stage->merge) == 0, stage->model_count == 0);
}

static uint64_t earliest(const struct stage *stage)
{
	uint64_t time = UINT64_MAX;

	for (size_t i = 0; i < stage->strands; i++)
		time = stage->now[i] < time ? stage->now[i] : time;
	return time;
}

static void test_order_is_that_of_a_sort(void **state)
{
	uint64_t first = test_seed(1);
	size_t records = 0;

	(void)state;
	for (uint64_t seed = first; seed < first + WORLDS; seed++) {
		struct stage stage;
		size_t count;

		stage_open(&stage, seed, 2 + seed % (STRANDS_MAX - 1));
		count = random_below(&stage.random, RECORDS_MAX);
		for (size_t i = 0; i < count; i++) {
			uint64_t time = earliest(&stage);

			add_random(&stage);
			if (random_chance(&stage.random, 95))
				continue;
			/* As the session asks: up to where everybody is, and no further. */
			assert_int_equal(merge_write(stage.merge, time), 0);
			check_written(&stage, seed, time);
		}
		assert_int_equal(merge_write(stage.merge, UINT64_MAX), 0);
		check_written(&stage, seed, UINT64_MAX);
		assert_int_equal(stage.compared, count);
		records += count;
		stage_close(&stage);
	}
	print_message("  %zu records\n", records);
}

static void test_ties_go_by_strand_whoever_came_first(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, 1, 3);
	assert_int_equal(add(&stage, 2, 7, 0), 0);
	assert_int_equal(add(&stage, 0, 7, 3), 0);
	assert_int_equal(add(&stage, 1, 7, 0), 0);
	assert_int_equal(add(&stage, 0, 7, 0), 0);
	assert_int_equal(merge_write(stage.merge, 7), 0);
	assert_int_equal(stage.writer.count, 0);
	assert_int_equal(merge_write(stage.merge, 8), 0);
	check_written(&stage, 0, 8);
	assert_int_equal(stage.writer.written[1].strand, 0);
	stage_close(&stage);
}

static void test_end_of_time(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, 1, 2);
	assert_int_equal(add(&stage, 1, UINT64_MAX - 1, 1), 0);
	assert_int_equal(add(&stage, 0, UINT64_MAX - 1, 1), 0);
	assert_int_equal(add(&stage, 1, UINT64_MAX - 1, 1), 0);
	assert_int_equal(merge_write(stage.merge, UINT64_MAX - 1), 0);
	assert_int_equal(stage.writer.count, 0);
	assert_int_equal(merge_write(stage.merge, UINT64_MAX), 0);
	check_written(&stage, 0, UINT64_MAX);
	stage_close(&stage);
}

static void test_one_strand_goes_straight_through(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, 1, 1);
	for (uint64_t i = 1; i <= 100; i++) {
		assert_int_equal(add(&stage, 0, i, (uint32_t)i), 0);
		assert_int_equal(stage.writer.count, i);
		assert_int_equal(merge_size(stage.merge), 0);
		assert_int_equal(merge_written(stage.merge), i);
	}
	assert_int_equal(merge_write(stage.merge, UINT64_MAX), 0);
	check_written(&stage, 0, UINT64_MAX);
	stage_close(&stage);
}

/* A fault is named with the number of the record that it came with: of the others only what is
 * before. */
static void test_up_to_the_end_of_one_strand(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, 1, 3);
	assert_int_equal(add(&stage, 0, 1, 0), 0);
	assert_int_equal(add(&stage, 2, 2, 4), 0);
	assert_int_equal(add(&stage, 1, 5, 0), 0);
	assert_int_equal(add(&stage, 0, 5, 0), 0);
	assert_int_equal(add(&stage, 2, 5, 0), 0);
	assert_int_equal(add(&stage, 0, 6, 0), 0);
	assert_int_equal(merge_write_strand(stage.merge, 1), 0);
	assert_int_equal(stage.writer.count, 4);
	assert_int_equal(stage.writer.written[3].strand, 1);
	assert_int_equal(merge_write(stage.merge, UINT64_MAX), 0);
	check_written(&stage, 0, UINT64_MAX);
	stage_close(&stage);
}

/* Strands do not grow with what went through them, only with what is kept. */
static void test_what_is_written_takes_no_memory(void **state)
{
	size_t least = SIZE_MAX, most = 0;
	struct stage stage;

	(void)state;
	stage_open(&stage, 1, 2);
	for (uint64_t round = 0; round < 2000; round++) {
		assert_int_equal(add(&stage, 0, round, 100), 0);
		assert_int_equal(add(&stage, 1, round, 200), 0);
		least = merge_size(stage.merge) < least ? merge_size(stage.merge) : least;
		most = merge_size(stage.merge) > most ? merge_size(stage.merge) : most;
		assert_int_equal(merge_write(stage.merge, round + 1), 0);
		assert_int_equal(merge_size(stage.merge), 0);
		stage.writer.count = stage.model_count = 0;
	}
	assert_true(least >= 300 + 2 * sizeof(struct trace_record));
	assert_int_equal(least, most);
	stage_close(&stage);
}

/* Planned records come at their times, whether strands are merged or not, and not after the last
 * one. */
static void test_planned_records_come_in_time(void **state)
{
	const struct trace_record planned[] = {
		{ .kind = TRACE_fault, .now = 3, .fault = { .fault = 7 } },
		{ .kind = TRACE_fault, .now = 5, .fault = { .fault = 8 } },
		{ .kind = TRACE_fault, .now = 5, .fault = { .fault = 9 } },
		{ .kind = TRACE_fault, .now = 99, .fault = { .fault = 10 } },
	};
	static const uint64_t times[] = { 1, 3, 4, 5, 5, 5, 6 };

	(void)state;
	for (size_t strands = 1; strands <= 2; strands++) {
		struct stage stage;

		stage_open(&stage, 1, strands);
		merge_plan(stage.merge, planned, 4);
		for (uint64_t time = 1; time <= 6; time++)
			if (time != 2 && time != 3)
				assert_int_equal(add(&stage, time % strands, time, 1), 0);
		assert_int_equal(merge_write(stage.merge, UINT64_MAX), 0);
		assert_int_equal(stage.writer.count, 7);
		for (size_t i = 0; i < 7; i++)
			assert_int_equal(stage.writer.written[i].now, times[i]);
		assert_int_equal(stage.writer.written[1].number, 7);
		assert_int_equal(stage.writer.written[3].number, 8);
		assert_int_equal(stage.writer.written[4].number, 9);
		assert_int_equal(merge_written(stage.merge), 7);
		stage_close(&stage);
	}
}

/* The one that could not be written is not written again, and the others are still there. */
static void test_error_of_the_writer(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage, 1, 2);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(add(&stage, i % 2, i, 5), 0);
	stage.writer.fails_at = 4;
	assert_int_equal(merge_write(stage.merge, UINT64_MAX), -ENOSPC);
	assert_int_equal(stage.writer.count, 4);
	assert_int_equal(merge_written(stage.merge), 4);
	assert_true(merge_size(stage.merge) > 0);
	stage_close(&stage);

	stage_open(&stage, 1, 1);
	assert_int_equal(add(&stage, 0, 1, 5), 0);
	stage.writer.fails_at = 1;
	assert_int_equal(add(&stage, 0, 2, 5), -ENOSPC);
	assert_int_equal(merge_written(stage.merge), 1);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_that_of_a_sort),
		cmocka_unit_test(test_ties_go_by_strand_whoever_came_first),
		cmocka_unit_test(test_end_of_time),
		cmocka_unit_test(test_up_to_the_end_of_one_strand),
		cmocka_unit_test(test_one_strand_goes_straight_through),
		cmocka_unit_test(test_what_is_written_takes_no_memory),
		cmocka_unit_test(test_planned_records_come_in_time),
		cmocka_unit_test(test_error_of_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
