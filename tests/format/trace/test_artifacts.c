// SPDX-License-Identifier: BSD-3-Clause
/* Embedded files come back as they were, equal ones are stored once, records do not wait. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <nettle/sha2.h>

#include "format/base/cleanup.h"
#include "format/trace_files.h"
#include "tests/format/trace/sample.h"

struct file {
	const char *path;
	uint32_t mode;
	size_t size;
	uint64_t seed;
};

static const struct file files[] = {
	{ "/boot/linux", 0755, 5000000, 1 },
	{ "/boot/initrd", 0644, 1048576, 2 },
	{ "/lib/empty", 0444, 0, 3 },
	{ "/lib/libc.so.6", 0755, 1048577, 4 },
	{ "/lib/twin-of-linux", 0700, 5000000, 1 },
	{ "/lib/empty-too", 0444, 0, 3 },
};

static void write_files(const char *path, struct sample *sample, struct trace_writer_stat *stat)
{
	void *content[ARRAY_SIZE(files)];
	struct trace_writer *writer;

	sample_recording(sample, 2, 4000, 1);
	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		content[i] = sample_content(files[i].size, files[i].seed);
		assert_int_equal(trace_writer_embed(writer, files[i].path, files[i].mode,
						    content[i], files[i].size),
				 0);
	}
	for (size_t i = 0; i < sample->count; i++) {
		assert_int_equal(trace_writer_append(writer, &sample->record[i], NULL), 0);
		if (i % 1000 == 0)
			assert_int_equal(trace_writer_flush(writer), 0);
	}
	assert_int_equal(trace_writer_close(writer, stat), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		free(content[i]);
}

static void assert_file(const struct file *file, const struct trace_artifact *artifact, bool loaded)
{
	auto_free void *content = sample_content(file->size, file->seed);
	unsigned char sha256[32];
	struct sha256_ctx hash;

	assert_string_equal(artifact->path, file->path);
	assert_int_equal(artifact->mode, file->mode);
	assert_int_equal(artifact->size, file->size);
	sha256_init(&hash);
	sha256_update(&hash, file->size, content);
	sha256_digest(&hash, sizeof(sha256), sha256);
	assert_memory_equal(artifact->sha256, sha256, sizeof(sha256));
	if (loaded)
		assert_memory_equal(artifact->data, content, file->size);
	else
		assert_null(artifact->data);
}

static void read_files(struct trace_reader *reader, bool load)
{
	struct trace_artifact artifact;
	uint64_t position = 0;
	size_t i = 0;
	int got;

	while ((got = trace_reader_artifact(reader, &position, load, &artifact)) > 0) {
		assert_true(i < ARRAY_SIZE(files));
		assert_file(&files[i++], &artifact, load);
		trace_artifact_free(&artifact);
	}
	assert_int_equal(got, 0);
	assert_int_equal(i, ARRAY_SIZE(files));
}

static void files_come_back(void **state)
{
	struct trace_writer_stat stat;
	struct trace_report report;
	struct trace_reader *reader;
	struct trace_record record;
	struct sample sample = { 0 };
	const char *path = sample_path("files");
	int end;

	(void)state;
	write_files(path, &sample, &stat);
	assert_int_equal(sample_read(&sample, path, &end), sample.count);
	assert_int_equal(end, 0);
	assert_int_equal(trace_verify(path, &report), 0);
	assert_int_equal(report.artifacts, ARRAY_SIZE(files));
	assert_int_equal(report.records, sample.count);
	assert_int_equal(report.good_bytes, stat.file_bytes);
	/* Four bits of entropy a byte, and the twin costs nothing. */
	assert_true(stat.artifact_bytes < (5000000 + 1048576 + 1048577) * 6 / 10);
	assert_int_equal(trace_reader_open(path, &reader), 0);
	read_files(reader, false);
	assert_int_equal(trace_reader_next(reader, &record), 1);
	sample_assert_equal(&sample.record[0], &record);
	read_files(reader, true);
	assert_int_equal(trace_reader_next(reader, &record), 1);
	sample_assert_equal(&sample.record[1], &record);
	trace_reader_close(reader);
	sample_release(&sample);
}

/* Without end and index the files are found by looking at every frame. */
static void files_come_back_without_index(void **state)
{
	const char *path = sample_path("files"), *cut = sample_path("cut");
	struct trace_writer_stat stat;
	struct sample sample = { 0 };
	struct trace_reader *reader;
	struct trace_artifact artifact;
	uint64_t position = 0;
	size_t size, found = 0;
	uint8_t *data;
	int got;

	(void)state;
	write_files(path, &sample, &stat);
	data = sample_load(path, &size);
	sample_store(cut, data, size - 1);
	assert_int_equal(trace_reader_open(cut, &reader), 0);
	read_files(reader, true);
	trace_reader_close(reader);
	sample_store(cut, data, size / 2);
	assert_int_equal(trace_reader_open(cut, &reader), 0);
	while ((got = trace_reader_artifact(reader, &position, true, &artifact)) > 0) {
		assert_file(&files[found++], &artifact, true);
		trace_artifact_free(&artifact);
	}
	assert_int_equal(got, -EPIPE);
	trace_reader_close(reader);
	free(data);
	sample_release(&sample);
}

/* Guests with one kernel under names of their own, and with another one. */
static void shared_content_has_one_number(void **state)
{
	const char *path = sample_path("shared");
	auto_free uint8_t *kernel = sample_content(3000000, 1);
	auto_free uint8_t *again = sample_content(3000000, 1);
	auto_free uint8_t *other = sample_content(3000000, 2);
	struct trace_artifact artifact[3];
	struct trace_writer_stat stat;
	struct trace_writer *writer;
	struct trace_reader *reader;

	(void)state;
	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	assert_int_equal(trace_writer_embed(writer, "/linux", 0755, kernel, 3000000), 0);
	assert_int_equal(trace_writer_embed(writer, "/linux", 0755, again, 3000000), 0);
	assert_int_equal(trace_writer_embed(writer, "/linux", 0755, other, 3000000), -EEXIST);
	assert_int_equal(trace_writer_embed(writer, "/linux", 0700, kernel, 3000000), -EEXIST);
	assert_int_equal(trace_writer_embed(writer, "/linux.1", 0755, other, 3000000), 0);
	assert_int_equal(trace_writer_embed(writer, "/n2/linux", 0700, again, 3000000), 0);
	assert_int_equal(trace_writer_close(writer, &stat), 0);
	assert_true(stat.artifact_bytes < 2 * 3000000 * 6 / 10);

	assert_int_equal(trace_reader_open(path, &reader), 0);
	assert_int_equal(trace_reader_find(reader, "/n2/linux", false, &artifact[0]), 1);
	assert_int_equal(trace_reader_find(reader, "/linux", false, &artifact[1]), 1);
	assert_int_equal(trace_reader_find(reader, "/linux.1", true, &artifact[2]), 1);
	assert_int_equal(artifact[0].content, artifact[1].content);
	assert_int_not_equal(artifact[0].content, artifact[2].content);
	assert_int_equal(artifact[0].mode, 0700);
	assert_null(artifact[0].data);
	assert_memory_equal(artifact[2].data, other, 3000000);
	for (size_t i = 0; i < ARRAY_SIZE(artifact); i++)
		trace_artifact_free(&artifact[i]);
	assert_int_equal(trace_reader_find(reader, "/none", true, &artifact[0]), 0);
	trace_reader_close(reader);
}

/* What a recorder that was killed did embed is found, and what is missing is missed. */
static void find_in_a_trace_cut_off(void **state)
{
	const char *path = sample_path("files"), *cut = sample_path("cut");
	struct trace_writer_stat stat;
	struct trace_artifact artifact;
	struct sample sample = { 0 };
	struct trace_reader *reader;
	size_t size;
	auto_free uint8_t *data = NULL;

	(void)state;
	write_files(path, &sample, &stat);
	data = sample_load(path, &size);
	sample_store(cut, data, size / 100 * 95);
	assert_int_equal(trace_reader_open(cut, &reader), 0);
	assert_int_equal(trace_reader_find(reader, files[0].path, true, &artifact), 1);
	assert_file(&files[0], &artifact, true);
	trace_artifact_free(&artifact);
	assert_int_equal(trace_reader_find(reader, "/lib/empty-too", true, &artifact), -EPIPE);
	trace_reader_close(reader);
	sample_release(&sample);
}

static void embed_refuses_a_path_too_long(void **state)
{
	char path[5000];
	struct trace_writer *writer;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(trace_writer_create(sample_path("long"), NULL, &writer), 0);
	assert_int_equal(trace_writer_embed(writer, path, 0, "x", 1), -EINVAL);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
}

/* A range of a file in, holes out; it is not in memory in between. */
static void files_go_through(void **state)
{
	const uint64_t size = 64 << 20, at = 4096;
	const char *path = sample_path("through");
	struct trace_writer *writer;
	struct trace_reader *reader;
	auto_fd in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	char byte = 1;
	struct stat status;

	(void)state;
	assert_int_equal(ftruncate(in, (off_t)(at + size)), 0);
	assert_int_equal(pwrite(in, &byte, 1, 0), 1);
	assert_int_equal(pwrite(in, &byte, 1, (off_t)(at + 3000000)), 1);
	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	assert_int_equal(trace_writer_embed_file(writer, "/disk", 0444, in, at, size), 0);
	assert_int_equal(trace_writer_embed_file(writer, "/disk", 0444, in, at, size), 0);
	assert_int_equal(trace_writer_embed_file(writer, "/disk", 0444, in, 0, size), -EEXIST);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(trace_reader_open(path, &reader), 0);
	assert_int_equal(trace_reader_copy(reader, "/nowhere", out, UINT64_MAX), 0);
	assert_int_equal(trace_reader_copy(reader, "/disk", -1, 0), 1);
	assert_int_equal(trace_reader_copy(reader, "/disk", out, 4095), -EFBIG);
	assert_int_equal(ftruncate(out, 0), 0);
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	assert_int_equal(trace_reader_copy(reader, "/disk", out, 4096), 1);
	trace_reader_close(reader);
	assert_int_equal(fstat(out, &status), 0);
	assert_int_equal(status.st_size, size);
	assert_true(status.st_blocks * 512 < 1 << 20);
	byte = 0;
	assert_int_equal(pread(out, &byte, 1, 3000000), 1);
	assert_int_equal(byte, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_back),
		cmocka_unit_test(files_come_back_without_index),
		cmocka_unit_test(shared_content_has_one_number),
		cmocka_unit_test(find_in_a_trace_cut_off),
		cmocka_unit_test(embed_refuses_a_path_too_long),
		cmocka_unit_test(files_go_through),
	};

	return cmocka_run_group_tests_name("format: artifacts", tests, NULL, NULL);
}
