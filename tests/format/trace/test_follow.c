// SPDX-License-Identifier: BSD-3-Clause
/* One guest out of many: its records, its chain, and nothing unpacked that is not needed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "format/trace/reader.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

#define GUESTS 5

static struct trace_reader *open_following(const char *path, uint32_t guest)
{
	struct trace_reader *reader;

	assert_int_equal(trace_reader_open(path, &reader), 0);
	assert_int_equal(trace_reader_follow(reader, guest), 0);
	return reader;
}

/* What the guest's chain is after the whole trace, read in full. */
static uint64_t last_chain(const char *path, uint32_t guest)
{
	struct trace_reader *reader;
	struct trace_record record;
	uint64_t chain = 0;

	assert_int_equal(trace_reader_open(path, &reader), 0);
	while (trace_reader_next(reader, &record) > 0)
		;
	assert_int_equal(trace_reader_chain(reader, guest, &chain), 0);
	trace_reader_close(reader);
	return chain;
}

static void assert_rest(struct trace_reader *reader, const struct sample *sample, uint32_t guest,
			size_t from)
{
	struct trace_record record;

	for (size_t i = from; i < sample->count; i++) {
		if (sample->record[i].guest != guest)
			continue;
		assert_int_equal(trace_reader_next(reader, &record), 1);
		sample_assert_equal(&sample->record[i], &record);
	}
	assert_int_equal(trace_reader_next(reader, &record), 0);
}

static void each_guest_has_its_own_records(void **state)
{
	const char *path = sample_path("many");
	struct sample sample = { 0 };

	(void)state;
	sample_recording(&sample, GUESTS, 9000, 6);
	sample_write(&sample, path);
	for (uint32_t guest = 0; guest < GUESTS; guest++) {
		struct trace_reader *reader = open_following(path, guest);
		uint64_t chain = 0, other = 0;

		assert_rest(reader, &sample, guest, 0);
		assert_int_equal(trace_reader_chain(reader, guest, &chain), 0);
		assert_int_equal(chain, last_chain(path, guest));
		assert_int_equal(trace_reader_chain(reader, (guest + 1) % GUESTS, &other), 0);
		assert_int_equal(other, last_chain(path, (guest + 1) % GUESTS));
		trace_reader_close(reader);
	}
	sample_release(&sample);
}

static void seeking_goes_on_following(void **state)
{
	const char *path = sample_path("seek");
	struct sample_random random = { test_seed(7) };
	struct sample sample = { 0 };
	struct trace_reader *reader;

	(void)state;
	sample_recording(&sample, GUESTS, 9000, 7);
	sample_write(&sample, path);
	reader = open_following(path, 3);
	for (int i = 0; i < 10; i++) {
		size_t from = (size_t)sample_below(&random, sample.count);

		assert_int_equal(trace_reader_seek(reader, from), 0);
		assert_rest(reader, &sample, 3, from);
	}
	assert_int_equal(trace_reader_seek(reader, sample.count + 1), -ERANGE);
	trace_reader_close(reader);
	sample_release(&sample);
}

/* Guest 1 is there at both ends only; the time of the records goes back and forth. */
static void make_rare(struct sample *sample)
{
	uint64_t seq = 0, run = 0, rare = 0, rare_run = 0;

	sample_exchange(sample, 1, 0, 0, 500, &rare, &rare_run);
	for (uint64_t i = 0; i < 40000; i++)
		sample_exchange(sample, 0, 0, i * 10, i * 10 + 10, &seq, &run);
	sample_exchange(sample, 1, 0, 500, 1000, &rare, &rare_run);
}

static void chunks_without_the_guest_stay_packed(void **state)
{
	const char *path = sample_path("rare");
	struct sample sample = { 0 };
	struct trace_reader *reader;
	uint64_t chain;

	(void)state;
	make_rare(&sample);
	sample_write(&sample, path);
	reader = open_following(path, 1);
	assert_rest(reader, &sample, 1, 0);
	/* The first, the last, and the end: each begins a chunk of predictions. */
	assert_int_equal(reader->decoder->predictor.chunk, 3);
	assert_int_equal(trace_reader_chain(reader, 1, &chain), 0);
	assert_int_equal(chain, last_chain(path, 1));
	/* Within what is skipped: the next of its records comes, and then the end. */
	assert_int_equal(trace_reader_seek(reader, sample.count / 2), 0);
	assert_rest(reader, &sample, 1, sample.count / 2);
	trace_reader_close(reader);
	reader = open_following(path, 2);
	assert_rest(reader, &sample, 2, 0);
	assert_int_equal(trace_reader_chain(reader, 2, &chain), -ENOENT);
	trace_reader_close(reader);
	sample_release(&sample);
}

static void following_can_end_and_change(void **state)
{
	const char *path = sample_path("change");
	struct sample sample = { 0 };
	struct trace_reader *reader;
	struct trace_record record;
	size_t i = 0;
	uint64_t chain;

	(void)state;
	sample_recording(&sample, GUESTS, 9000, 8);
	sample_write(&sample, path);
	reader = open_following(path, 2);
	for (int turn = 0; turn < 2000; turn++)
		assert_int_equal(trace_reader_next(reader, &record), 1);
	assert_int_equal(trace_reader_follow(reader, 4), 0);
	i = record.number + 1;
	assert_int_equal(trace_reader_next(reader, &record), 1);
	while (sample.record[i].guest != 4)
		i++;
	sample_assert_equal(&sample.record[i], &record);
	assert_int_equal(trace_reader_follow(reader, TRACE_GUEST_ALL), 0);
	for (i++; i < sample.count; i++) {
		assert_int_equal(trace_reader_next(reader, &record), 1);
		sample_assert_equal(&sample.record[i], &record);
	}
	assert_int_equal(trace_reader_next(reader, &record), 0);
	for (uint32_t guest = 0; guest < GUESTS; guest++) {
		assert_int_equal(trace_reader_chain(reader, guest, &chain), 0);
		assert_int_equal(chain, last_chain(path, guest));
	}
	assert_int_equal(trace_reader_follow(reader, TRACE_GUEST_LIMIT), -EINVAL);
	trace_reader_close(reader);
	sample_release(&sample);
}

/* What is skipped is covered by the chain over the frames. */
static void damage_in_what_is_skipped_is_found(void **state)
{
	const char *path = sample_path("rare"), *damaged = sample_path("damaged");
	struct sample sample = { 0 };
	struct trace_reader *reader;
	struct trace_record record;
	uint8_t *data;
	size_t size;
	int got;

	(void)state;
	make_rare(&sample);
	sample_write(&sample, path);
	data = sample_load(path, &size);
	data[size / 2] ^= 1;
	sample_store(damaged, data, size);
	reader = open_following(damaged, 1);
	while ((got = trace_reader_next(reader, &record)) > 0)
		assert_true(record.guest == 1);
	assert_int_equal(got, -EBADMSG);
	trace_reader_close(reader);
	free(data);
	sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_guest_has_its_own_records),
		cmocka_unit_test(seeking_goes_on_following),
		cmocka_unit_test(chunks_without_the_guest_stay_packed),
		cmocka_unit_test(following_can_end_and_change),
		cmocka_unit_test(damage_in_what_is_skipped_is_found),
	};

	return cmocka_run_group_tests_name("format: follow", tests, NULL, NULL);
}
