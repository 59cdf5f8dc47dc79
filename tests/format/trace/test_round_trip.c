// SPDX-License-Identifier: BSD-3-Clause
/* What is appended is what is read: realistic recordings, all kinds, seeking, chains. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/trace/codec/layout.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

static void assert_round_trip(struct sample *sample, const char *name)
{
	int end;

	sample_write(sample, sample_path(name));
	assert_int_equal(sample_read(sample, sample_path(name), &end), sample->count);
	assert_int_equal(end, 0);
	sample_release(sample);
}

static void empty_trace_has_an_end(void **state)
{
	struct sample sample = { 0 };

	(void)state;
	assert_round_trip(&sample, "empty");
}

static void recording_of_one_guest(void **state)
{
	struct sample sample = { 0 };

	(void)state;
	sample_recording(&sample, 1, 200, 1);
	assert_round_trip(&sample, "one");
}

static void recording_of_many_guests_over_many_chunks(void **state)
{
	struct sample sample = { 0 };

	(void)state;
	sample_recording(&sample, 17, 12000, 2);
	assert_true(sample.count > 4 * CHUNK_RECORDS_MAX);
	assert_round_trip(&sample, "many");
}

static void every_kind_with_largest_payload(void **state)
{
	static const uint8_t payload[TRACE_PAYLOAD_MAX] = { 1, 2, 3 };
	struct sample sample = { 0 };

	(void)state;
	for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
		struct trace_record record = { .kind = kind,
					       .guest = TRACE_GUEST_LIMIT - 1,
					       .payload = payload,
					       .payload_size = sizeof(payload) };
		const struct trace_kind_info *info = trace_kind_info(kind);

		if (!info)
			continue;
		for (unsigned int i = 0; i < info->field_count; i++)
			record.field[i] = UINT64_MAX - i;
		sample_add(&sample, &record);
	}
	assert_round_trip(&sample, "kinds");
}

static void append_refuses_what_cannot_be_read(void **state)
{
	static const uint8_t payload[TRACE_PAYLOAD_MAX + 1];
	struct trace_writer *writer;

	(void)state;
	assert_int_equal(trace_writer_create(sample_path("refused"), NULL, &writer), 0);
	assert_int_equal(trace_writer_append(writer, &(struct trace_record){ .kind = 0 }, NULL),
			 -EINVAL);
	assert_int_equal(trace_writer_append(writer, &(struct trace_record){ .kind = 63 }, NULL),
			 -EINVAL);
	assert_int_equal(
		trace_writer_append(writer,
				    &(struct trace_record){ .kind = TRACE_input,
							    .payload = payload,
							    .payload_size = sizeof(payload) },
				    NULL),
		-EINVAL);
	assert_int_equal(trace_writer_append(writer,
					     &(struct trace_record){ .kind = TRACE_leave,
								     .guest = TRACE_GUEST_LIMIT },
					     NULL),
			 -EINVAL);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(trace_writer_close(NULL, NULL), 0);
}

static void seek_finds_every_record(void **state)
{
	struct sample_random random = { test_seed(3) };
	struct trace_reader *reader;
	struct trace_record record;
	struct sample sample = { 0 };

	(void)state;
	sample_recording(&sample, 3, 9000, 3);
	sample_write(&sample, sample_path("seek"));
	assert_int_equal(trace_reader_open(sample_path("seek"), &reader), 0);
	for (int i = 0; i < 200; i++) {
		uint64_t number = sample_below(&random, sample.count);

		assert_int_equal(trace_reader_seek(reader, number), 0);
		assert_int_equal(trace_reader_next(reader, &record), 1);
		sample_assert_equal(&sample.record[number], &record);
	}
	assert_int_equal(trace_reader_seek(reader, sample.count), 0);
	assert_int_equal(trace_reader_next(reader, &record), 0);
	assert_int_equal(trace_reader_seek(reader, sample.count + 1), -ERANGE);
	assert_int_equal(trace_reader_seek(reader, 0), 0);
	assert_int_equal(trace_reader_next(reader, &record), 1);
	sample_assert_equal(&sample.record[0], &record);
	trace_reader_close(reader);
	sample_release(&sample);
}

/* The first record at or after @now, read from where trace_reader_seek_time() says. */
static uint64_t first_at(struct trace_reader *reader, uint64_t now, uint64_t *begun)
{
	struct trace_record record;

	assert_int_equal(trace_reader_seek_time(reader, now, begun), 0);
	assert_int_equal(trace_reader_next(reader, &record), 1);
	assert_int_equal(record.number, *begun);
	while (record.now < now)
		assert_int_equal(trace_reader_next(reader, &record), 1);
	return record.number;
}

static void cut_last_byte(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size - 1), 0);
}

static void seek_finds_times(void **state)
{
	const char *path = sample_path("times");
	struct trace_reader *reader;
	struct sample sample = { 0 };
	uint64_t begun, wanted, skipped = 0;

	(void)state;
	sample_recording(&sample, 3, 9000, 3);
	sample_write(&sample, path);
	assert_int_equal(trace_reader_open(path, &reader), 0);
	for (uint64_t i = 0; i < 60; i++) {
		uint64_t now = sample.record[sample.count - 1].now * i / 60 + i % 2;

		for (wanted = 0; sample.record[wanted].now < now;)
			wanted++;
		assert_int_equal(first_at(reader, now, &begun), wanted);
		skipped += begun != 0;
	}
	assert_in_range(skipped, 30, 60);
	assert_int_equal(trace_reader_seek_time(reader, UINT64_MAX, NULL), 0);
	trace_reader_close(reader);
	/* Without the index nothing is skipped, and nothing lost. */
	cut_last_byte(path);
	assert_int_equal(trace_reader_open(path, &reader), 0);
	assert_int_equal(first_at(reader, sample.record[wanted].now, &begun), wanted);
	assert_int_equal(begun, 0);
	trace_reader_close(reader);
	sample_release(&sample);
}

/* The chain of each guest after each record, or 0. */
static uint64_t *read_chains(const char *path, size_t count, uint32_t guests)
{
	uint64_t *chains = calloc(count * guests, sizeof(*chains));
	struct trace_reader *reader;
	struct trace_record record;

	assert_non_null(chains);
	assert_int_equal(trace_reader_open(path, &reader), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(trace_reader_next(reader, &record), 1);
		for (uint32_t guest = 0; guest < guests; guest++)
			trace_reader_chain(reader, guest, &chains[i * guests + guest]);
	}
	trace_reader_close(reader);
	return chains;
}

static void chain_is_the_same_wherever_reading_begins(void **state)
{
	struct sample_random random = { test_seed(4) };
	struct trace_reader *reader;
	struct trace_record record;
	struct sample sample = { 0 };
	uint64_t *chains;

	(void)state;
	sample_recording(&sample, 5, 9000, 4);
	sample_write(&sample, sample_path("chain"));
	chains = read_chains(sample_path("chain"), sample.count, 6);
	assert_int_equal(trace_reader_open(sample_path("chain"), &reader), 0);
	for (int i = 0; i < 50; i++) {
		uint64_t number = sample_below(&random, sample.count);

		assert_int_equal(trace_reader_seek(reader, number), 0);
		assert_int_equal(trace_reader_next(reader, &record), 1);
		for (uint32_t guest = 0; guest < 6; guest++) {
			uint64_t chain = 0;
			int err = trace_reader_chain(reader, guest, &chain);

			assert_int_equal(chain, chains[number * 6 + guest]);
			assert_int_equal(err, chain ? 0 : -ENOENT);
		}
	}
	trace_reader_close(reader);
	sample_release(&sample);
	free(chains);
}

/* Side data, other guests and the ends of chunks have no part in a guest's chain. */
static void chain_is_of_the_guests_own_history(void **state)
{
	struct trace_record wall = { .kind = TRACE_wall, .wall = { 12345 } };
	struct sample a = { 0 }, b = { 0 };
	uint64_t seq = 0, run = 0, other = 0, other_run = 0;
	uint64_t *chains_a, *chains_b;

	(void)state;
	for (uint64_t i = 0; i < 50; i++)
		sample_exchange(&a, 0, 0, i * 10, i * 10 + 10, &seq, &run);
	seq = run = 0;
	for (uint64_t i = 0; i < 50; i++) {
		sample_exchange(&b, 0, 0, i * 10, i * 10 + 10, &seq, &run);
		sample_exchange(&b, 1, 0, i * 10, i * 10 + 10, &other, &other_run);
		sample_add(&b, &wall);
	}
	sample_write(&a, sample_path("a"));
	sample_write(&b, sample_path("b"));
	chains_a = read_chains(sample_path("a"), a.count, 1);
	chains_b = read_chains(sample_path("b"), b.count, 2);
	assert_int_equal(chains_a[a.count - 1], chains_b[(b.count - 1) * 2]);
	free(chains_b);
	b.record[7 * 13].from.time++; /* the REQUEST of guest 0's eighth event */
	sample_write(&b, sample_path("b"));
	chains_b = read_chains(sample_path("b"), b.count, 2);
	assert_int_not_equal(chains_a[a.count - 1], chains_b[(b.count - 1) * 2]);
	free(chains_a);
	free(chains_b);
	sample_release(&a);
	sample_release(&b);
}

static void table_names_its_kinds(void **state)
{
	(void)state;
	assert_string_equal(trace_kind_info(TRACE_digest)->name, "digest");
	assert_int_equal(trace_kind_info(TRACE_digest)->field_count, 4);
	assert_int_equal(trace_kind_info(TRACE_digest)->direction, TRACE_CHECK);
	assert_string_equal(trace_kind_info(TRACE_from)->field[2].name, "time");
	assert_null(trace_kind_info(0));
	assert_null(trace_kind_info(UINT32_MAX));
	assert_string_equal(trace_operation_name(TRACE_OP_GET_TOD), "GET_TOD");
	assert_null(trace_operation_name(TRACE_OP_LIMIT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_trace_has_an_end),
		cmocka_unit_test(recording_of_one_guest),
		cmocka_unit_test(recording_of_many_guests_over_many_chunks),
		cmocka_unit_test(every_kind_with_largest_payload),
		cmocka_unit_test(append_refuses_what_cannot_be_read),
		cmocka_unit_test(seek_finds_every_record),
		cmocka_unit_test(seek_finds_times),
		cmocka_unit_test(chain_is_the_same_wherever_reading_begins),
		cmocka_unit_test(chain_is_of_the_guests_own_history),
		cmocka_unit_test(table_names_its_kinds),
	};

	return cmocka_run_group_tests_name("format: round trip", tests, NULL, NULL);
}
