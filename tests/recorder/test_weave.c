// SPDX-License-Identifier: BSD-3-Clause
/* Strands of records against a model that sorts all of them; the writer is the test's. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/weave.h"
#include "tests/recorder/random.h"

#define WORLDS	    300
#define STRANDS_MAX 6
#define RECORDS_MAX 2000
#define PAYLOAD_MAX 300

/* One record, as it was given and as it should come out. */
struct stitch {
	uint64_t now;
	uint64_t strand, number; /* within the strand */
	uint8_t payload[PAYLOAD_MAX];
	uint32_t payload_size;
};

struct trace_writer {
	struct stitch *written;
	size_t count;
	int fails_at; /* that many records are taken, then -ENOSPC; 0: all */
};

int trace_writer_append(struct trace_writer *writer, const struct trace_record *record,
			uint64_t *number)
{
	struct stitch *stitch = &writer->written[writer->count];

	assert_null(number);
	assert_true(writer->count < RECORDS_MAX);
	if (writer->fails_at && writer->count == (size_t)writer->fails_at)
		return -ENOSPC;
	assert_int_equal(record->kind, TRACE_console);
	*stitch = (struct stitch){ .now = record->now,
				   .strand = record->guest,
				   .number = record->field[0],
				   .payload_size = record->payload_size };
	memcpy(stitch->payload, record->payload, record->payload_size);
	writer->count++;
	return 0;
}

struct loom {
	struct weave *weave;
	struct trace_writer writer;
	struct random random;
	struct stitch *model; /* what was added and is not written yet */
	size_t model_count;
	size_t strands;
	uint64_t now[STRANDS_MAX], numbers[STRANDS_MAX];
	size_t compared; /* written records that were looked at */
};

static void loom_open(struct loom *loom, uint64_t seed, size_t strands)
{
	*loom = (struct loom){ .random = { seed }, .strands = strands };
	loom->writer.written = calloc(RECORDS_MAX, sizeof(struct stitch));
	loom->model = calloc(RECORDS_MAX, sizeof(struct stitch));
	assert_non_null(loom->writer.written);
	assert_non_null(loom->model);
	assert_int_equal(weave_create(strands, &loom->writer, &loom->weave), 0);
}

static void loom_close(struct loom *loom)
{
	weave_destroy(loom->weave);
	free(loom->writer.written);
	free(loom->model);
}

/* The record is gone when this returns: the weave must have copied it. */
static int add(struct loom *loom, size_t strand, uint64_t now, uint32_t size)
{
	struct stitch *stitch = &loom->model[loom->model_count];
	struct trace_record record = { .kind = TRACE_console,
				       .guest = (uint32_t)strand,
				       .now = now };
	uint8_t payload[PAYLOAD_MAX];
	int err;

	*stitch = (struct stitch){ .now = now,
				   .strand = strand,
				   .number = loom->numbers[strand]++,
				   .payload_size = size };
	for (uint32_t i = 0; i < size; i++)
		stitch->payload[i] = payload[i] = (uint8_t)random_next(&loom->random);
	record.field[0] = stitch->number;
	record.payload = size ? payload : NULL;
	record.payload_size = size;
	err = weave_add(loom->weave, strand, &record);
	memset(payload, 0xee, sizeof(payload));
	loom->model_count += !err;
	return err;
}

static void add_random(struct loom *loom)
{
	struct random *random = &loom->random;
	size_t strand = random_below(random, loom->strands);
	uint32_t size = random_chance(random, 50) ? (uint32_t)random_below(random, PAYLOAD_MAX) : 0;

	if (random_chance(random, 40))
		loom->now[strand] += random_below(random, 5);
	assert_int_equal(add(loom, strand, loom->now[strand], size), 0);
}

static int compare_stitches(const void *left, const void *right)
{
	const struct stitch *a = left, *b = right;

	if (a->now != b->now)
		return a->now < b->now ? -1 : 1;
	if (a->strand != b->strand)
		return a->strand < b->strand ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

/* All that was added before @time has come since, in order, and nothing else. */
static void check_written(struct loom *loom, uint64_t seed, uint64_t time)
{
	size_t due = 0;

	qsort(loom->model, loom->model_count, sizeof(*loom->model), compare_stitches);
	while (due < loom->model_count && (loom->model[due].now < time || time == UINT64_MAX))
		due++;
	if (loom->writer.count - loom->compared != due)
		fail_msg("seed %" PRIu64 ": %zu records written before %" PRIu64 ", not %zu", seed,
			 loom->writer.count - loom->compared, time, due);
	for (size_t i = 0; i < due; i++)
		if (memcmp(&loom->writer.written[loom->compared + i], &loom->model[i],
			   sizeof(struct stitch)))
			fail_msg("seed %" PRIu64 ": record %zu is another one", seed,
				 loom->compared + i);
	loom->compared += due;
	loom->model_count -= due;
	memmove(loom->model, loom->model + due, loom->model_count * sizeof(*loom->model));
	assert_int_equal(weave_written(loom->weave), loom->compared);
	assert_int_equal(weave_size(loom->weave) == 0, loom->model_count == 0);
}

static uint64_t earliest(const struct loom *loom)
{
	uint64_t time = UINT64_MAX;

	for (size_t i = 0; i < loom->strands; i++)
		time = loom->now[i] < time ? loom->now[i] : time;
	return time;
}

static void test_order_is_that_of_a_sort(void **state)
{
	size_t records = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct loom loom;
		size_t count;

		loom_open(&loom, seed, 2 + seed % (STRANDS_MAX - 1));
		count = random_below(&loom.random, RECORDS_MAX);
		for (size_t i = 0; i < count; i++) {
			uint64_t time = earliest(&loom);

			add_random(&loom);
			if (random_chance(&loom.random, 95))
				continue;
			/* As the session asks: up to where everybody is, and no further. */
			assert_int_equal(weave_write(loom.weave, time), 0);
			check_written(&loom, seed, time);
		}
		assert_int_equal(weave_write(loom.weave, UINT64_MAX), 0);
		check_written(&loom, seed, UINT64_MAX);
		assert_int_equal(loom.compared, count);
		records += count;
		loom_close(&loom);
	}
	print_message("  %zu records\n", records);
}

static void test_ties_go_by_strand_whoever_came_first(void **state)
{
	struct loom loom;

	(void)state;
	loom_open(&loom, 1, 3);
	assert_int_equal(add(&loom, 2, 7, 0), 0);
	assert_int_equal(add(&loom, 0, 7, 3), 0);
	assert_int_equal(add(&loom, 1, 7, 0), 0);
	assert_int_equal(add(&loom, 0, 7, 0), 0);
	assert_int_equal(weave_write(loom.weave, 7), 0);
	assert_int_equal(loom.writer.count, 0);
	assert_int_equal(weave_write(loom.weave, 8), 0);
	check_written(&loom, 0, 8);
	assert_int_equal(loom.writer.written[1].strand, 0);
	loom_close(&loom);
}

static void test_end_of_time(void **state)
{
	struct loom loom;

	(void)state;
	loom_open(&loom, 1, 2);
	assert_int_equal(add(&loom, 1, UINT64_MAX - 1, 1), 0);
	assert_int_equal(add(&loom, 0, UINT64_MAX - 1, 1), 0);
	assert_int_equal(add(&loom, 1, UINT64_MAX - 1, 1), 0);
	assert_int_equal(weave_write(loom.weave, UINT64_MAX - 1), 0);
	assert_int_equal(loom.writer.count, 0);
	assert_int_equal(weave_write(loom.weave, UINT64_MAX), 0);
	check_written(&loom, 0, UINT64_MAX);
	loom_close(&loom);
}

static void test_one_strand_goes_straight_through(void **state)
{
	struct loom loom;

	(void)state;
	loom_open(&loom, 1, 1);
	for (uint64_t i = 1; i <= 100; i++) {
		assert_int_equal(add(&loom, 0, i, (uint32_t)i), 0);
		assert_int_equal(loom.writer.count, i);
		assert_int_equal(weave_size(loom.weave), 0);
		assert_int_equal(weave_written(loom.weave), i);
	}
	assert_int_equal(weave_write(loom.weave, UINT64_MAX), 0);
	check_written(&loom, 0, UINT64_MAX);
	loom_close(&loom);
}

/* Strands do not grow with what went through them, only with what is kept. */
static void test_what_is_written_takes_no_memory(void **state)
{
	size_t least = SIZE_MAX, most = 0;
	struct loom loom;

	(void)state;
	loom_open(&loom, 1, 2);
	for (uint64_t round = 0; round < 2000; round++) {
		assert_int_equal(add(&loom, 0, round, 100), 0);
		assert_int_equal(add(&loom, 1, round, 200), 0);
		least = weave_size(loom.weave) < least ? weave_size(loom.weave) : least;
		most = weave_size(loom.weave) > most ? weave_size(loom.weave) : most;
		assert_int_equal(weave_write(loom.weave, round + 1), 0);
		assert_int_equal(weave_size(loom.weave), 0);
		loom.writer.count = loom.model_count = 0;
	}
	assert_true(least >= 300 + 2 * sizeof(struct trace_record));
	assert_int_equal(least, most);
	loom_close(&loom);
}

/* The one that could not be written is not written again, and the others are still there. */
static void test_error_of_the_writer(void **state)
{
	struct loom loom;

	(void)state;
	loom_open(&loom, 1, 2);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(add(&loom, i % 2, i, 5), 0);
	loom.writer.fails_at = 4;
	assert_int_equal(weave_write(loom.weave, UINT64_MAX), -ENOSPC);
	assert_int_equal(loom.writer.count, 4);
	assert_int_equal(weave_written(loom.weave), 4);
	assert_true(weave_size(loom.weave) > 0);
	loom_close(&loom);

	loom_open(&loom, 1, 1);
	assert_int_equal(add(&loom, 0, 1, 5), 0);
	loom.writer.fails_at = 1;
	assert_int_equal(add(&loom, 0, 2, 5), -ENOSPC);
	assert_int_equal(weave_written(loom.weave), 1);
	loom_close(&loom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_that_of_a_sort),
		cmocka_unit_test(test_ties_go_by_strand_whoever_came_first),
		cmocka_unit_test(test_end_of_time),
		cmocka_unit_test(test_one_strand_goes_straight_through),
		cmocka_unit_test(test_what_is_written_takes_no_memory),
		cmocka_unit_test(test_error_of_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
