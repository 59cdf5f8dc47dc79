// SPDX-License-Identifier: BSD-3-Clause
/* How a recording was started: written to a trace and read back; what earlier recorders left out.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "recorder/run/run_settings.h"

static char trace_path[] = "/tmp/ttrec-settings.XXXXXX";

static int make_path(void **state)
{
	int fd = mkstemp(trace_path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(trace_path);
}

static void append(struct trace_writer *writer, const char *line)
{
	struct trace_record record = { .kind = TRACE_meta,
				       .payload = line,
				       .payload_size = strlen(line) };

	assert_int_equal(trace_writer_append(writer, &record, NULL), 0);
}

/* Read the settings of a trace that has these meta lines. */
static int read_lines(const char *const *line, struct run_settings *settings)
{
	struct run_options options = { .session.digest = DIGEST_UNSET };
	struct trace_writer *writer;
	struct trace_reader *reader;
	int err;

	assert_int_equal(trace_writer_create(trace_path, NULL, &writer), 0);
	while (*line)
		append(writer, *line++);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(trace_reader_open(trace_path, &reader), 0);
	err = run_settings_read(reader, &options, settings);
	trace_reader_close(reader);
	return err;
}

/* Disks took no time unless the file said so: recorded again, they must not take any. */
static void test_disks_of_an_earlier_recorder(void **state)
{
	const char *const lines[] = { "verb=run", "lab=/somewhere/lab.yaml", "disk=0 512 1", NULL };
	struct run_settings settings;

	(void)state;
	assert_int_equal(read_lines(lines, &settings), 0);
	assert_int_equal(settings.disk_model, LAB_DISK_TIMELESS);
	assert_int_equal(settings.disk_count, 1);
	run_settings_free(&settings);
}

static void test_disks_of_a_later_recorder(void **state)
{
	const char *const lines[] = { "verb=run", "disk-model=4711", NULL };
	const char *const nonsense[] = { "verb=run", "disk-model=x", NULL };
	struct run_settings settings;

	(void)state;
	assert_int_equal(read_lines(lines, &settings), -ENOTSUP);
	assert_int_equal(settings.disk_model, 4711);
	run_settings_free(&settings);
	assert_int_equal(read_lines(nonsense, &settings), -EBADMSG);
	run_settings_free(&settings);
}

/* What is written now is read as it was. */
static void test_disks_of_this_recorder(void **state)
{
	static const char text[] = "guests: []\n";
	struct lab lab = { .path = (char *)(uintptr_t)"/lab.yaml",
			   .text = (char *)(uintptr_t)text,
			   .text_size = strlen(text),
			   .disk_model = LAB_DISK_MODEL };
	struct run_options options = { .session.digest = DIGEST_UNSET };
	struct run_settings settings;
	struct trace_writer *writer;
	struct trace_reader *reader;

	(void)state;
	assert_int_equal(trace_writer_create(trace_path, NULL, &writer), 0);
	assert_int_equal(run_settings_write_lab(&lab, writer), 0);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(trace_reader_open(trace_path, &reader), 0);
	assert_int_equal(run_settings_read(reader, &options, &settings), 0);
	assert_int_equal(settings.disk_model, LAB_DISK_MODEL);
	assert_string_equal(settings.lab_path, "/lab.yaml");
	run_settings_free(&settings);
	trace_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disks_of_an_earlier_recorder),
		cmocka_unit_test(test_disks_of_a_later_recorder),
		cmocka_unit_test(test_disks_of_this_recorder),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
