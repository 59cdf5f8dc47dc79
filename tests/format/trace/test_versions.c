// SPDX-License-Identifier: BSD-3-Clause
/* Traces of later versions: unknown kinds are skipped, unknown features refused by name. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/trace/writer.h"
#include "tests/format/trace/sample.h"

#define UNKNOWN_KIND 40

/* Every third record is of a kind that this version does not know; returns how many are known. */
static uint64_t write_unknown(const char *path, uint64_t count)
{
	const struct trace_header header = { .features_optional = 1 };
	struct trace_writer *writer;
	uint64_t known = 0;

	assert_int_equal(writer_create(path, NULL, &header, "later", 6, &writer), 0);
	for (uint64_t i = 0; i < count; i++) {
		struct trace_record record = { .now = i, .kind = TRACE_leave };

		if (i % 3 == 1) {
			record.kind = UNKNOWN_KIND;
			record.field[0] = i;
			record.field[1] = UINT64_MAX;
			record.payload = "payload";
			record.payload_size = 7;
		}
		assert_int_equal(writer_append(writer, &record, i % 3 == 1 ? 2 : 0, true, NULL), 0);
		known += i % 3 != 1;
	}
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	return known;
}

static void assert_known_read(const char *path, uint64_t known)
{
	struct trace_reader *reader;
	struct trace_record record;
	uint64_t count = 0;
	int got;

	assert_int_equal(trace_reader_open(path, &reader), 0);
	assert_int_equal(trace_reader_header(reader)->features_optional, 1);
	while ((got = trace_reader_next(reader, &record)) > 0) {
		assert_int_not_equal(record.number % 3, 1);
		assert_int_equal(record.kind, TRACE_leave);
		assert_int_equal(record.now, record.number);
		count++;
	}
	assert_int_equal(got, 0);
	assert_int_equal(count, known);
	assert_int_equal(trace_reader_seek(reader, 1), 0);
	assert_int_equal(trace_reader_next(reader, &record), 1);
	assert_int_equal(record.number, 2);
	trace_reader_close(reader);
}

static void unknown_kinds_are_skipped(void **state)
{
	const char *path = sample_path("unknown");
	uint64_t known = write_unknown(path, 40000);
	struct trace_report report;

	(void)state;
	assert_known_read(path, known);
	assert_int_equal(trace_verify(path, &report), 0);
	assert_int_equal(report.records, 40000);
}

/* A kind that has got more fields since: what is missing reads as 0, and keeps its chain. */
static void fields_that_are_missing_are_zero(void **state)
{
	const char *path = sample_path("fields");
	const struct trace_header header = { 0 };
	struct trace_record record = { .kind = TRACE_lost, .lost = { 3, TRACE_LOSS_RANDOM, 7, 9 } };
	struct trace_writer *writer;
	struct trace_reader *reader;
	struct trace_report report;

	(void)state;
	assert_int_equal(writer_create(path, NULL, &header, NULL, 0, &writer), 0);
	for (unsigned int count = 2; count <= 4; count += 2)
		assert_int_equal(writer_append(writer, &record, count, true, NULL), 0);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(trace_verify(path, &report), 0);
	assert_int_equal(trace_reader_open(path, &reader), 0);
	assert_int_equal(trace_reader_next(reader, &record), 1);
	assert_int_equal(record.lost.device, 3);
	assert_int_equal(record.lost.receiver, 0);
	assert_int_equal(record.lost.card, 0);
	assert_int_equal(trace_reader_next(reader, &record), 1);
	assert_int_equal(record.lost.receiver, 7);
	assert_int_equal(record.lost.card, 9);
	trace_reader_close(reader);
}

static void salvage_keeps_what_it_does_not_know(void **state)
{
	const char *path = sample_path("unknown"), *salvaged = sample_path("kept");
	uint64_t known = write_unknown(path, 100);
	struct trace_report report;

	(void)state;
	assert_int_equal(trace_salvage(path, salvaged, &report), 0);
	assert_known_read(salvaged, known);
	assert_int_equal(trace_verify(salvaged, &report), 0);
	assert_int_equal(report.records, 100);
}

static void unknown_required_feature_is_refused_by_name(void **state)
{
	static const char names[] = "warp\0time\033machine";
	const struct trace_header header = { .features_required = 1 << 3 | 1 << 9 };
	const char *path = sample_path("feature");
	struct trace_writer *writer;
	struct trace_reader *reader;
	struct trace_record record;
	struct trace_artifact artifact;
	struct trace_report report;
	uint64_t position = 0;

	(void)state;
	assert_int_equal(writer_create(path, NULL, &header, names, sizeof(names), &writer), 0);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(trace_reader_open(path, &reader), -EPROTONOSUPPORT);
	assert_non_null(reader);
	assert_non_null(strstr(trace_reader_error(reader), "\"warp\" (bit 3)"));
	assert_int_equal(trace_reader_next(reader, &record), -EPROTONOSUPPORT);
	assert_int_equal(trace_reader_seek(reader, 0), -EPROTONOSUPPORT);
	assert_int_equal(trace_reader_artifact(reader, &position, true, &artifact),
			 -EPROTONOSUPPORT);
	trace_reader_close(reader);
	assert_int_equal(trace_verify(path, &report), -EPROTONOSUPPORT);
	assert_non_null(strstr(report.problem, "warp"));
	assert_int_equal(trace_salvage(path, sample_path("kept"), &report), -EPROTONOSUPPORT);
}

/* A head as another version, or a stranger, could write it. */
static int open_head(uint8_t *head, size_t size, struct trace_reader **reader)
{
	const char *path = sample_path("head");
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct index_entry entry = { 0 };
	struct frame_writer frames;

	put_chunk_head(head, CHUNK_HEAD, 0, 0, 0, 0, 0);
	assert_int_equal(frame_writer_init(&frames, fd, 3), 0);
	assert_int_equal(
		frame_write(&frames, frames.records, &(struct segment){ head, size }, 1, &entry),
		0);
	frame_writer_release(&frames);
	return trace_reader_open(path, reader);
}

static void head_of_another_version_is_refused(void **state)
{
	uint8_t head[CHUNK_HEAD_SIZE + TRACE_HEAD_SIZE + 4] = { 0 };
	uint8_t *body = head + CHUNK_HEAD_SIZE;
	struct trace_reader *reader;

	(void)state;
	memcpy(body, LAYOUT_MAGIC, LAYOUT_MAGIC_SIZE);
	put_le16(body + 8, 2);
	assert_int_equal(open_head(head, sizeof(head), &reader), -EPROTONOSUPPORT);
	assert_non_null(strstr(trace_reader_error(reader), "version 2"));
	trace_reader_close(reader);

	put_le16(body + 8, LAYOUT_VERSION);
	put_le32(body + 12, 5); /* more names than there are bytes */
	assert_int_equal(open_head(head, sizeof(head), &reader), -EBADMSG);
	trace_reader_close(reader);
	put_le32(body + 12, 4);
	memcpy(body + TRACE_HEAD_SIZE, "abcd", 4); /* no NUL */
	assert_int_equal(open_head(head, sizeof(head), &reader), -EBADMSG);
	trace_reader_close(reader);
	body[0] ^= 1;
	assert_int_equal(open_head(head, sizeof(head), &reader), -EBADMSG);
	trace_reader_close(reader);
	assert_int_equal(open_head(head, CHUNK_HEAD_SIZE + 5, &reader), -EBADMSG);
	trace_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_kinds_are_skipped),
		cmocka_unit_test(fields_that_are_missing_are_zero),
		cmocka_unit_test(salvage_keeps_what_it_does_not_know),
		cmocka_unit_test(unknown_required_feature_is_refused_by_name),
		cmocka_unit_test(head_of_another_version_is_refused),
	};

	return cmocka_run_group_tests_name("format: versions", tests, NULL, NULL);
}
