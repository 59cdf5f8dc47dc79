// SPDX-License-Identifier: BSD-3-Clause
/*
 * Traces that somebody made by hand: chains and checksums are right, the content is not. Whatever
 * it says, reading ends with an answer, and sanitizers stay silent.
 *
 * TTREC_TEST_SEED repeats a run, TTREC_TEST_ROUNDS makes it longer.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/trace/frame_read.h"
#include "format/trace/frame_write.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

#define CHUNKS_MAX 16

struct content {
	uint8_t *data;
	size_t size;
	uint64_t number, now;
};

static size_t load_chunks(const char *path, struct content chunks[CHUNKS_MAX])
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	struct frame_reader reader;
	struct chunk chunk;
	size_t count = 0;

	assert_int_equal(frame_reader_init(&reader, fd), 0);
	while (frame_reader_next(&reader, &chunk) > 0) {
		struct content *content = &chunks[count++];

		assert_true(count < CHUNKS_MAX);
		content->data = malloc(chunk.size);
		memcpy(content->data, chunk.content, chunk.size);
		content->size = chunk.size;
		content->number = chunk.number;
		content->now = chunk.now;
	}
	frame_reader_release(&reader);
	return count;
}

static void store_chunks(const char *path, const struct content *chunks, size_t count)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct frame_writer writer;

	assert_int_equal(frame_writer_init(&writer, fd, 1), 0);
	for (size_t i = 0; i < count; i++) {
		struct segment segment = { chunks[i].data, chunks[i].size };
		struct index_entry entry = { .number = chunks[i].number, .now = chunks[i].now };

		if (chunks[i].size >= CHUNK_HEAD_SIZE)
			put_le64(chunks[i].data + 24, writer.chain);
		assert_int_equal(frame_write(&writer, writer.records, &segment, 1, &entry), 0);
	}
	assert_int_equal(frame_write_index(&writer), 0);
	frame_writer_release(&writer);
}

static bool is_answer(int err)
{
	return err == 0 || err == -EBADMSG || err == -EPIPE || err == -EPROTONOSUPPORT;
}

static void read_everything(const char *path, const char *saved)
{
	struct trace_artifact artifact;
	struct trace_report report;
	struct trace_reader *reader;
	struct trace_record record;
	uint64_t position = 0, chain, records = 0;
	int got;

	assert_true(is_answer(trace_verify(path, &report)));
	got = trace_salvage(path, saved, &report);
	if (!is_answer(got))
		print_error("salvage: %d, %s\n", got, report.problem);
	assert_true(is_answer(got));
	got = trace_reader_open(path, &reader);
	assert_true(is_answer(got));
	while (!got && (got = trace_reader_next(reader, &record)) > 0) {
		assert_true(++records < 1000);
		trace_reader_chain(reader, record.guest, &chain);
		got = 0;
	}
	assert_true(is_answer(got));
	if (!trace_reader_seek(reader, 30))
		assert_true(trace_reader_next(reader, &record) <= 1);
	if (!trace_reader_follow(reader, 1) && !trace_reader_seek(reader, 0))
		while (trace_reader_next(reader, &record) > 0)
			assert_true(record.guest == 1 && ++records < 2000);
	if (trace_reader_find(reader, "/boot/linux", true, &artifact) > 0)
		trace_artifact_free(&artifact);
	for (int i = 0; i < CHUNKS_MAX; i++)
		if (trace_reader_artifact(reader, &position, i % 2, &artifact) > 0)
			trace_artifact_free(&artifact);
	trace_reader_close(reader);
}

/* A few bytes of one chunk become others; now and then it is cut off. */
static void damage(struct content *content, struct sample_random *random)
{
	uint64_t count = 1 + sample_below(random, 3);

	while (count--) {
		size_t at = sample_below(random, content->size);

		content->data[at] = sample_below(random, 3) ? (uint8_t)sample_random(random)
							    : (uint8_t)(content->data[at] + 1);
	}
	if (sample_below(random, 8) == 0)
		content->size = 1 + sample_below(random, content->size);
}

static void hostile_content_is_read_or_refused(void **state)
{
	uint64_t seed = test_seed(SEED_OF_CLOCK), rounds = test_rounds(300);
	const char *path = sample_path("hostile"), *saved = sample_path("saved");
	struct content chunks[CHUNKS_MAX] = { { 0 } };
	struct sample_random random = { seed };
	struct sample sample = { 0 };
	size_t count;

	(void)state;
	sample_write_small(&sample, sample_path("whole"));
	count = load_chunks(sample_path("whole"), chunks);
	while (rounds--) {
		struct content *content = &chunks[sample_below(&random, count)];
		struct content before = *content;

		before.data = malloc(content->size);
		memcpy(before.data, content->data, content->size);
		damage(content, &random);
		store_chunks(path, chunks, count);
		read_everything(path, saved);
		free(content->data);
		*content = before;
	}
	for (size_t i = 0; i < count; i++)
		free(chunks[i].data);
	sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_content_is_read_or_refused),
	};

	return cmocka_run_group_tests_name("format: hostile traces", tests, NULL, NULL);
}
