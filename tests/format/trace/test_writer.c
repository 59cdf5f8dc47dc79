// SPDX-License-Identifier: BSD-3-Clause
/* What the writer promises when things go wrong: kills, full disks, slow disks. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec time = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	nanosleep(&time, NULL);
}

/* Append the time of appending, as fast as @pause allows, until killed. */
static void append_until_killed(const char *path, uint64_t pause)
{
	struct trace_writer *writer;

	if (trace_writer_create(path, NULL, &writer))
		_exit(1);
	for (;;) {
		struct trace_record record = { .kind = TRACE_wall };

		record.wall.elapsed = clock_ns();
		if (trace_writer_append(writer, &record, NULL))
			_exit(2);
		if (pause)
			sleep_ns(pause);
	}
}

/* Records of a killed recorder: consecutive, ending early. Returns the time in the last. */
static uint64_t read_killed(const char *path)
{
	struct trace_reader *reader;
	struct trace_record record;
	uint64_t number = 0, last = 0;
	int got;

	assert_int_equal(trace_reader_open(path, &reader), 0);
	while ((got = trace_reader_next(reader, &record)) > 0) {
		assert_int_equal(record.number, number++);
		assert_true(record.wall.elapsed >= last);
		last = record.wall.elapsed;
	}
	assert_int_equal(got, -EPIPE);
	trace_reader_close(reader);
	return last;
}

static void killed_recorder_loses_a_quarter_second_at_most(void **state)
{
	struct sample_random random = { test_seed(SEED_OF_CLOCK) };
	const char *path = sample_path("killed");

	(void)state;
	for (int round = 0, late = 0; round < 12; round++) {
		uint64_t started = clock_ns();
		uint64_t life = 260 * NS_PER_MS + sample_below(&random, 300) * NS_PER_MS;
		uint64_t pause = round % 3 * 20 * NS_PER_US, killed, last;
		pid_t child;
		int status;

		unlink(path);
		child = fork();
		assert_true(child >= 0);
		if (!child)
			append_until_killed(path, pause);
		sleep_ns(life);
		killed = clock_ns();
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		last = read_killed(path);
		/* Where sleeping takes much longer than asked for, no thread can keep a promise. */
		if (killed - started > life + 50 * NS_PER_MS && ++late < 20) {
			round--;
			continue;
		}
		if (last + 250 * NS_PER_MS < killed) {
			print_error("round %d: lost %" PRIu64 " ms\n", round,
				    (killed - last) / NS_PER_MS);
			fail();
		}
	}
}

static uint64_t count_records(const char *path, int *end)
{
	struct trace_reader *reader;
	struct trace_record record;
	uint64_t count = 0;
	int got;

	assert_int_equal(trace_reader_open(path, &reader), 0);
	while ((got = trace_reader_next(reader, &record)) > 0)
		count++;
	trace_reader_close(reader);
	*end = got;
	return count;
}

static void quiet_recorder_is_flushed_too(void **state)
{
	struct trace_record record = { .kind = TRACE_leave };
	struct trace_writer *writer;
	const char *path = sample_path("quiet");
	int end;

	(void)state;
	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(trace_writer_append(writer, &record, NULL), 0);
		sleep_ns(250 * NS_PER_MS);
		assert_int_equal(count_records(path, &end), i);
		assert_int_equal(end, -EPIPE);
	}
	assert_int_equal(trace_writer_append(writer, &record, NULL), 0);
	assert_int_equal(trace_writer_flush(writer), 0);
	assert_int_equal(count_records(path, &end), 4);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(count_records(path, &end), 4);
	assert_int_equal(end, 0);
}

static void zstd_reads_every_trace(void **state)
{
	const char *path = sample_path("zstd.ttrace");
	struct sample sample = { 0 };
	struct trace_writer *writer;
	char command[512];

	(void)state;
	if (system("zstd --version >/dev/null 2>&1")) {
		print_message("SKIPPED: the zstd command is not there\n");
		skip();
	}
	snprintf(command, sizeof(command), "zstd -qt %s && zstd -qdc %s >/dev/null", path, path);
	sample_recording(&sample, 3, 5000, 1);
	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < sample.count; i++) {
		assert_int_equal(trace_writer_append(writer, &sample.record[i], NULL), 0);
		if (i % 7000 == 6999) {
			assert_int_equal(trace_writer_flush(writer), 0);
			assert_int_equal(system(command), 0);
		}
	}
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	assert_int_equal(system(command), 0);
	sample_release(&sample);
}

/* Append random bytes until the writer refuses. Returns its error; it must stay. */
static int append_until_full(const char *path)
{
	struct sample_random random = { test_seed(1) };
	uint8_t bytes[4096];
	struct trace_record record = { .kind = TRACE_input,
				       .payload = bytes,
				       .payload_size = sizeof(bytes) };
	struct trace_writer *writer;
	int err = trace_writer_create(path, NULL, &writer);

	if (err)
		return err;
	for (int i = 0; i < 100000 && !err; i++) {
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)sample_random(&random);
		err = trace_writer_append(writer, &record, NULL);
	}
	if (trace_writer_append(writer, &record, NULL) != err ||
	    trace_writer_flush(writer) != err || trace_writer_close(writer, NULL) != err)
		return 1;
	return err;
}

/* What a full disk leaves is a trace that only lacks its end. */
static int check_prefix(const char *path)
{
	struct trace_report report;
	int err = trace_verify(path, &report);

	return err == -EPIPE && report.records > 0 && report.good_bytes == report.file_bytes;
}

static int child_status(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void file_size_limit_is_an_error_that_stays(void **state)
{
	const char *path = sample_path("limit");
	pid_t child = fork();

	(void)state;
	if (!child) {
		struct rlimit limit = { 300000, 300000 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(append_until_full(path) == -EFBIG ? 0 : 1);
	}
	assert_int_equal(child_status(child), 0);
	assert_true(check_prefix(path));
}

static void full_disk_is_an_error_that_stays(void **state)
{
	const char *mount_point = sample_path("full");
	pid_t child;
	int status;

	(void)state;
	mkdir(mount_point, 0777);
	child = fork();
	if (!child) {
		char path[300];

		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("tmpfs", mount_point, "tmpfs", 0, "size=256k"))
			_exit(77);
		snprintf(path, sizeof(path), "%s/trace", mount_point);
		_exit(append_until_full(path) == -ENOSPC && check_prefix(path) ? 0 : 1);
	}
	status = child_status(child);
	if (status == 77) {
		print_message("SKIPPED: mounting a small tmpfs is not permitted here\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void full_device_is_found_out_at_once(void **state)
{
	struct trace_writer *writer;

	(void)state;
	assert_int_equal(trace_writer_create("/dev/full", NULL, &writer), -ENOSPC);
	assert_int_equal(trace_writer_create("/nowhere/at/all", NULL, &writer), -ENOENT);
}

static void *drain_slowly(void *argument)
{
	auto_fd from = open(((char **)argument)[0], O_RDONLY | O_CLOEXEC);
	auto_fd to = open(((char **)argument)[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	char bytes[65536];
	ssize_t got;

	while ((got = read(from, bytes, sizeof(bytes))) > 0) {
		sleep_ns(5 * NS_PER_MS);
		if (write(to, bytes, (size_t)got) != got)
			break;
	}
	return NULL;
}

/* More than all buffers hold goes through a pipe that is read slowly: append waits, nothing is
 * lost. */
static void slow_disk_makes_append_wait(void **state)
{
	const char *paths[2] = { sample_path("pipe"), sample_path("drained") };
	struct sample_random random = { test_seed(2) };
	auto_free uint8_t *bytes = malloc(TRACE_PAYLOAD_MAX);
	struct trace_record record = { .kind = TRACE_input,
				       .payload = bytes,
				       .payload_size = TRACE_PAYLOAD_MAX };
	struct trace_writer *writer;
	pthread_t thread;
	int end;

	(void)state;
	for (size_t i = 0; i < TRACE_PAYLOAD_MAX; i++)
		bytes[i] = (uint8_t)sample_random(&random);
	assert_int_equal(mkfifo(paths[0], 0666), 0);
	assert_int_equal(pthread_create(&thread, NULL, drain_slowly, paths), 0);
	assert_int_equal(trace_writer_create(paths[0], NULL, &writer), 0);
	for (int i = 0; i < 24; i++)
		assert_int_equal(trace_writer_append(writer, &record, NULL), 0);
	assert_int_equal(trace_writer_close(writer, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(count_records(paths[1], &end), 24);
	assert_int_equal(end, 0);
}

/* Flushes, statistics and files while records come: for the thread sanitizer above all. */
static void everything_at_once(void **state)
{
	const struct trace_writer_options options = { .size = sizeof(options),
						      .flush_ns = NS_PER_MS };
	auto_free void *content = sample_content(3000000, 1);
	const char *path = sample_path("busy");
	struct sample sample = { 0 };
	struct trace_writer_stat stat;
	struct trace_writer *writer;
	struct trace_report report;
	char name[32];

	(void)state;
	sample_recording(&sample, 2, 6000, 1);
	assert_int_equal(trace_writer_create(path, &options, &writer), 0);
	for (size_t i = 0; i < sample.count; i++) {
		assert_int_equal(trace_writer_append(writer, &sample.record[i], NULL), 0);
		if (i % 500 == 0) {
			snprintf(name, sizeof(name), "/file%zu", i);
			assert_int_equal(
				trace_writer_embed(writer, name, 0644, content, 3000000 - i % 1000),
				0);
		}
		if (i % 300 == 0)
			assert_int_equal(trace_writer_flush(writer), 0);
		if (i % 10 == 0)
			trace_writer_stat(writer, &stat);
	}
	assert_int_equal(trace_writer_close(writer, &stat), 0);
	assert_int_equal(stat.records, sample.count);
	assert_int_equal(trace_verify(path, &report), 0);
	assert_int_equal(report.file_bytes, stat.file_bytes);
	assert_int_equal(report.records, sample.count);
	sample_release(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_recorder_loses_a_quarter_second_at_most),
		cmocka_unit_test(quiet_recorder_is_flushed_too),
		cmocka_unit_test(zstd_reads_every_trace),
		cmocka_unit_test(file_size_limit_is_an_error_that_stays),
		cmocka_unit_test(full_disk_is_an_error_that_stays),
		cmocka_unit_test(full_device_is_found_out_at_once),
		cmocka_unit_test(slow_disk_makes_append_wait),
		cmocka_unit_test(everything_at_once),
	};

	return cmocka_run_group_tests_name("format: writer", tests, NULL, NULL);
}
