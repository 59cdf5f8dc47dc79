// SPDX-License-Identifier: BSD-3-Clause
/*
 * Every bit of a small complete trace is flipped and every length is tried: verify reports each,
 * reading yields a prefix of what was written, salvaging makes a whole trace of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/format/trace/sample.h"

struct fixture {
	struct sample sample;
	uint8_t *data;
	size_t size;
	const char *damaged, *salvaged;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	sample_write_small(&fixture->sample, sample_path("whole"));
	fixture->data = sample_load(sample_path("whole"), &fixture->size);
	fixture->damaged = sample_path("damaged");
	fixture->salvaged = sample_path("salvaged");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	sample_release(&fixture->sample);
	free(fixture->data);
	free(fixture);
	return 0;
}

static void whole_trace_is_whole(void **state)
{
	struct fixture *fixture = *state;
	struct trace_report report;

	sample_store(fixture->damaged, fixture->data, fixture->size);
	assert_int_equal(trace_verify(fixture->damaged, &report), 0);
	assert_string_equal(report.problem, "");
	assert_true(report.ended && report.indexed);
	assert_int_equal(report.records, fixture->sample.count);
	assert_int_equal(report.artifacts, 1);
	assert_int_equal(report.good_bytes, fixture->size);
	assert_int_equal(report.file_bytes, fixture->size);
}

/* Walk the files as well: they must be as they were or refused. */
static void read_artifacts(const char *path)
{
	auto_free void *content = sample_content(300, 1);
	struct trace_artifact artifact;
	struct trace_reader *reader;
	uint64_t position = 0;

	if (!trace_reader_open(path, &reader))
		while (trace_reader_artifact(reader, &position, true, &artifact) > 0) {
			assert_int_equal(artifact.size, 300);
			assert_memory_equal(artifact.data, content, 300);
			trace_artifact_free(&artifact);
		}
	trace_reader_close(reader);
}

/* A jump must end at the right record or be refused, also when the index is what was damaged. */
static void seek_somewhere(const struct fixture *fixture)
{
	uint64_t number = fixture->sample.count * 3 / 4;
	struct trace_reader *reader;
	struct trace_record record;

	if (!trace_reader_open(fixture->damaged, &reader) && !trace_reader_seek(reader, number) &&
	    trace_reader_next(reader, &record) > 0)
		sample_assert_equal(&fixture->sample.record[number], &record);
	trace_reader_close(reader);
}

static void assert_damage(const struct fixture *fixture, const char *what, size_t where,
			  int expected)
{
	struct trace_report report;
	int end, err = trace_verify(fixture->damaged, &report);
	size_t records = sample_read(&fixture->sample, fixture->damaged, &end);

	if (err != expected || report.records != records || !report.problem[0] ||
	    report.good_bytes > report.file_bytes) {
		print_error("%s %zu: verify %d, %lu of %zu records, %lu bytes, \"%s\"\n", what,
			    where, err, (unsigned long)report.records, records,
			    (unsigned long)report.good_bytes, report.problem);
		fail();
	}
	read_artifacts(fixture->damaged);
	seek_somewhere(fixture);
}

static void every_flipped_bit_is_reported(void **state)
{
	struct fixture *fixture = *state;

	for (size_t bit = 0; bit < fixture->size * 8; bit++) {
		fixture->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		sample_store(fixture->damaged, fixture->data, fixture->size);
		assert_damage(fixture, "bit", bit, -EBADMSG);
		fixture->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void every_truncation_is_reported(void **state)
{
	struct fixture *fixture = *state;

	for (size_t size = 0; size < fixture->size; size++) {
		sample_store(fixture->damaged, fixture->data, size);
		assert_damage(fixture, "length", size, -EPIPE);
	}
}

static void what_follows_the_end_is_reported(void **state)
{
	struct fixture *fixture = *state;
	auto_free uint8_t *twice = malloc(fixture->size * 2);

	memcpy(twice, fixture->data, fixture->size);
	memcpy(twice + fixture->size, fixture->data, fixture->size);
	sample_store(fixture->damaged, twice, fixture->size + 1);
	assert_damage(fixture, "tail", 1, -EBADMSG);
	sample_store(fixture->damaged, twice, fixture->size * 2);
	assert_damage(fixture, "tail", fixture->size, -EBADMSG);
}

static void assert_salvaged(const struct fixture *fixture, size_t size)
{
	struct trace_report before, during, after;
	struct trace_reader *reader;
	struct trace_record record;
	int err;

	sample_store(fixture->damaged, fixture->data, size);
	trace_verify(fixture->damaged, &before);
	err = trace_salvage(fixture->damaged, fixture->salvaged, &during);
	if (err == -EPIPE)
		return; /* not even its head is there */
	assert_int_equal(err, 0);
	assert_memory_equal(&before, &during, sizeof(before));
	assert_int_equal(trace_verify(fixture->salvaged, &after), 0);
	assert_int_equal(after.records, before.records + 1);
	assert_int_equal(after.artifacts, before.artifacts);
	assert_int_equal(trace_reader_open(fixture->salvaged, &reader), 0);
	for (size_t i = 0; i < before.records; i++) {
		assert_int_equal(trace_reader_next(reader, &record), 1);
		sample_assert_equal(&fixture->sample.record[i], &record);
	}
	assert_int_equal(trace_reader_next(reader, &record), 1);
	assert_int_equal(record.kind, TRACE_note);
	assert_int_equal(trace_reader_next(reader, &record), 0);
	trace_reader_close(reader);
}

static void salvage_saves_all_before_the_damage(void **state)
{
	struct fixture *fixture = *state;
	size_t most = 0;

	for (size_t size = 0; size < fixture->size; size += 7)
		assert_salvaged(fixture, size);
	for (size_t byte = 200; byte < fixture->size; byte += 11) {
		struct trace_report report;

		fixture->data[byte] ^= 0x10;
		sample_store(fixture->damaged, fixture->data, fixture->size);
		assert_int_equal(trace_salvage(fixture->damaged, fixture->salvaged, &report), 0);
		fixture->data[byte] ^= 0x10;
		assert_int_equal(trace_verify(fixture->salvaged, &report), 0);
		if (report.records > most)
			most = report.records;
	}
	assert_int_equal(most, fixture->sample.count + 1);
}

static void salvage_of_a_whole_trace_is_a_copy(void **state)
{
	struct fixture *fixture = *state;
	struct trace_report report;
	int end;

	sample_store(fixture->damaged, fixture->data, fixture->size);
	assert_int_equal(trace_salvage(fixture->damaged, fixture->salvaged, &report), 0);
	assert_int_equal(sample_read(&fixture->sample, fixture->salvaged, &end),
			 fixture->sample.count);
	assert_int_equal(end, 0);
}

static void salvage_never_overwrites_its_input(void **state)
{
	struct fixture *fixture = *state;
	struct trace_report report;
	auto_free uint8_t *after = NULL;
	size_t size;

	sample_store(fixture->damaged, fixture->data, fixture->size - 5);
	assert_int_equal(trace_salvage(fixture->damaged, fixture->damaged, &report), -EINVAL);
	after = sample_load(fixture->damaged, &size);
	assert_int_equal(size, fixture->size - 5);
	assert_memory_equal(after, fixture->data, size);
}

static void what_is_no_trace_is_refused(void **state)
{
	static const char *const texts[] = { "not a trace", "(", "ELF ELF ELF ELF ELF ELF ELF" };
	struct fixture *fixture = *state;
	struct trace_reader *reader;
	struct trace_report report;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		sample_store(fixture->damaged, texts[i], strlen(texts[i]));
		assert_int_equal(trace_verify(fixture->damaged, &report),
				 strlen(texts[i]) == 1 ? -EPIPE : -EBADMSG);
		assert_string_not_equal(report.problem, "");
	}
	assert_int_equal(trace_reader_open(sample_path("none"), &reader), -ENOENT);
	assert_null(reader);
	assert_int_equal(trace_verify(sample_path("none"), &report), -ENOENT);
	assert_int_equal(trace_salvage(sample_path("none"), fixture->salvaged, &report), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_trace_is_whole),
		cmocka_unit_test(every_flipped_bit_is_reported),
		cmocka_unit_test(every_truncation_is_reported),
		cmocka_unit_test(what_follows_the_end_is_reported),
		cmocka_unit_test(salvage_saves_all_before_the_damage),
		cmocka_unit_test(salvage_of_a_whole_trace_is_a_copy),
		cmocka_unit_test(salvage_never_overwrites_its_input),
		cmocka_unit_test(what_is_no_trace_is_refused),
	};

	return cmocka_run_group_tests_name("format: damage", tests, set_up, tear_down);
}
