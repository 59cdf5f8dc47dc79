// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a message costs in a trace: bytes, time to write, time to read.
 *
 * A million messages of a timing-only recording in several shapes, against two twins in the same
 * run: the messages as they are on the wire (16 bytes each), and with guest and direction (24),
 * both compressed by zstd at level 3 in one go.
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zstd.h>

#include "format/base/cleanup.h"
#include "format/tttrace.h"
#include "format/base/units.h"

#define MESSAGES    1000000u
#define REPEATS_MAX 31

#define BAR_BYTES 0.5	     /* a message */
#define BAR_READ  20000000.0 /* messages a second */

struct wire {
	uint32_t op, seq;
	uint64_t time;
};

struct flat {
	struct wire wire;
	uint32_t guest, to;
};

/* One recording: guests with their own seq, one controller. */
struct recording {
	struct flat *flat;
	struct wire *wire;
	size_t count;
	uint64_t now;
	uint64_t random;
	uint32_t seq[2];
	uint32_t run_seq;
};

struct result {
	double bytes, twin_bytes, flat_bytes; /* a message */
	double write_wall[REPEATS_MAX], write_cpu[REPEATS_MAX], append[REPEATS_MAX];
	double twin[REPEATS_MAX], flat[REPEATS_MAX];
	double read[REPEATS_MAX]; /* messages a second */
};

static uint64_t next_random(struct recording *recording)
{
	uint64_t z = recording->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void add(struct recording *recording, uint32_t guest, bool to, uint32_t op, uint32_t seq,
		uint64_t time)
{
	if (recording->count == MESSAGES)
		return;
	recording->wire[recording->count] = (struct wire){ op, seq, time };
	recording->flat[recording->count++] = (struct flat){ { op, seq, time }, guest, to };
}

/* One timer event: ask for @time, wait, be run there. */
static void add_event(struct recording *recording, uint32_t guest, uint64_t time)
{
	uint32_t *seq = &recording->seq[guest];

	add(recording, guest, false, TRACE_OP_REQUEST, ++*seq, time);
	add(recording, guest, true, TRACE_OP_ACK, *seq, 0);
	add(recording, guest, false, TRACE_OP_WAIT, ++*seq, UINT64_MAX);
	add(recording, guest, true, TRACE_OP_ACK, *seq, 0);
	add(recording, guest, true, TRACE_OP_RUN, ++recording->run_seq, time);
	add(recording, guest, false, TRACE_OP_ACK, recording->run_seq, 0);
	recording->now = time;
}

static uint64_t random_step(struct recording *recording)
{
	return NS_PER_US + next_random(recording) % (NS_PER_MS - NS_PER_US);
}

static void make_periodic(struct recording *recording)
{
	add_event(recording, 0, recording->now + 4 * NS_PER_MS);
}

static void make_random(struct recording *recording)
{
	add_event(recording, 0, recording->now + random_step(recording));
}

static void make_two_periodic(struct recording *recording)
{
	add_event(recording, 0, recording->now + 3 * NS_PER_MS);
	add_event(recording, 1, recording->now + NS_PER_MS);
}

static void make_two_random(struct recording *recording)
{
	add_event(recording, next_random(recording) & 1, recording->now + random_step(recording));
}

static const struct shape {
	const char *name;
	void (*make)(struct recording *recording);
} shapes[] = {
	{ "periodic timer", make_periodic },
	{ "random timers", make_random },
	{ "two guests alternating", make_two_periodic },
	{ "two guests, random", make_two_random },
};

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(int err, const char *what)
{
	if (err >= 0)
		return;
	fprintf(stderr, "bench-format: %s: %s\n", what, strerror(-err));
	exit(EXIT_FAILURE);
}

static void append_all(struct trace_writer *writer, const struct recording *recording)
{
	struct trace_record record = { 0 };

	for (size_t i = 0; i < recording->count; i++) {
		const struct flat *flat = &recording->flat[i];

		record.kind = flat->to ? TRACE_to : TRACE_from;
		record.guest = flat->guest;
		record.from.op = flat->wire.op;
		record.from.seq = flat->wire.seq;
		record.from.time = flat->wire.time;
		if (flat->wire.op == TRACE_OP_RUN)
			record.now = flat->wire.time;
		check(trace_writer_append(writer, &record, NULL), "append");
	}
}

static void measure_write(const struct recording *recording, const char *path,
			  struct result *result, int i)
{
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	double thread = seconds(CLOCK_THREAD_CPUTIME_ID);
	struct trace_writer *writer;
	struct trace_writer_stat stat;

	check(trace_writer_create(path, NULL, &writer), "create");
	append_all(writer, recording);
	result->append[i] = (seconds(CLOCK_THREAD_CPUTIME_ID) - thread) * 1e9 / MESSAGES;
	check(trace_writer_close(writer, &stat), "close");
	result->write_wall[i] = (seconds(CLOCK_MONOTONIC) - wall) * 1e9 / MESSAGES;
	result->write_cpu[i] = (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e9 / MESSAGES;
	result->bytes = (double)stat.file_bytes / MESSAGES;
}

static double measure_twin(const void *data, size_t size, double *bytes)
{
	size_t room = ZSTD_compressBound(size);
	auto_free void *out = malloc(room);
	double start;

	if (!out)
		check(-ENOMEM, "twin");
	memset(out, 0, room); /* page faults are not what is measured */
	start = seconds(CLOCK_PROCESS_CPUTIME_ID);
	*bytes = (double)ZSTD_compress(out, room, data, size, 3) / MESSAGES;
	return (seconds(CLOCK_PROCESS_CPUTIME_ID) - start) * 1e9 / MESSAGES;
}

static double measure_read(const char *path)
{
	double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct trace_reader *reader;
	struct trace_record record;
	uint64_t count = 0;
	int got;

	check(trace_reader_open(path, &reader), "open");
	while ((got = trace_reader_next(reader, &record)) > 0)
		count++;
	check(got, trace_reader_error(reader));
	trace_reader_close(reader);
	if (count != MESSAGES)
		check(-EBADMSG, "reading");
	return MESSAGES / (seconds(CLOCK_PROCESS_CPUTIME_ID) - start);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *samples, int count)
{
	double sorted[REPEATS_MAX];

	memcpy(sorted, samples, sizeof(*samples) * (size_t)count);
	qsort(sorted, (size_t)count, sizeof(*sorted), compare);
	return sorted[count / 2];
}

struct options {
	const char *path;
	int repeats;
	bool json;
};

static void print_samples(const char *name, const double *samples, const struct options *options)
{
	if (options->json)
		printf(", \"%s\": [", name);
	else
		printf("    %-28s median %12.2f   samples", name,
		       median(samples, options->repeats));
	for (int i = 0; i < options->repeats; i++)
		printf(options->json ? "%s%.3f" : "%s%.2f",
		       !options->json ? " "
		       : i	      ? ", "
				      : "",
		       samples[i]);
	printf(options->json ? "]" : "\n");
}

static void print_result(const struct shape *shape, const struct result *result,
			 const struct options *options)
{
	if (options->json)
		printf("{\"shape\": \"%s\", \"messages\": %u, \"bytes_per_message\": %.4f, "
		       "\"wire_zstd3_bytes\": %.4f, \"flat_zstd3_bytes\": %.4f",
		       shape->name, MESSAGES, result->bytes, result->twin_bytes,
		       result->flat_bytes);
	else
		printf("%s\n    bytes per message %.4f (bar %.1f); wire zstd -3 %.4f, flat zstd -3 "
		       "%.4f\n",
		       shape->name, result->bytes, BAR_BYTES, result->twin_bytes,
		       result->flat_bytes);
	print_samples("write_cpu_ns", result->write_cpu, options);
	print_samples("write_wall_ns", result->write_wall, options);
	print_samples("append_cpu_ns", result->append, options);
	print_samples("wire_zstd3_ns", result->twin, options);
	print_samples("flat_zstd3_ns", result->flat, options);
	print_samples("read_per_s", result->read, options);
	if (options->json)
		printf("}\n");
}

static bool print_verdict(const struct result *result, const struct options *options)
{
	double write = median(result->write_cpu, options->repeats);
	double twin = median(result->twin, options->repeats);
	double read = median(result->read, options->repeats);
	bool met = result->bytes <= BAR_BYTES && write <= twin && read >= BAR_READ;

	if (!options->json)
		printf("    %s: size %s, write %.2f of the wire twin, read %.1f million/s\n",
		       met ? "met" : "MISSED", result->bytes <= BAR_BYTES ? "met" : "MISSED",
		       write / twin, read / 1e6);
	return met;
}

static bool run_shape(const struct shape *shape, const struct options *options)
{
	auto_free struct flat *flat = malloc(MESSAGES * sizeof(*flat));
	auto_free struct wire *wire = malloc(MESSAGES * sizeof(*wire));
	struct recording recording = { .flat = flat, .wire = wire, .random = 1 };
	struct result result = { 0 };

	if (!flat || !wire)
		check(-ENOMEM, "records");
	while (recording.count < MESSAGES)
		shape->make(&recording);
	for (int i = 0; i < options->repeats; i++) {
		measure_write(&recording, options->path, &result, i);
		result.twin[i] = measure_twin(wire, MESSAGES * sizeof(*wire), &result.twin_bytes);
		result.flat[i] = measure_twin(flat, MESSAGES * sizeof(*flat), &result.flat_bytes);
		result.read[i] = measure_read(options->path);
	}
	print_result(shape, &result, options);
	return print_verdict(&result, options);
}

static const struct argp_option argp_options[] = {
	{ "json", 'j', NULL, 0, "print one JSON object a shape instead of a table", 0 },
	{ "repeats", 'r', "N", 0, "Measure everything N times (default 7)", 0 },
	{ "file", 'f', "FILE", 0, "Where to write (default: a file in /tmp)", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'j':
		options->json = true;
		return 0;
	case 'r':
		options->repeats = atoi(argument);
		if (options->repeats < 1 || options->repeats > REPEATS_MAX)
			argp_error(state, "N is 1 to %d", REPEATS_MAX);
		return 0;
	case 'f':
		options->path = argument;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		argp_options, parse, NULL, "What a message costs in a trace", NULL, NULL, NULL
	};
	char path[] = "/tmp/bench-format-XXXXXX";
	struct options options = { .path = path, .repeats = 7 };
	auto_fd fd = mkstemp(path);
	bool met = true;

	if (fd < 0)
		check(-errno, path);
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		met &= run_shape(&shapes[i], &options);
	unlink(path);
	return met ? EXIT_SUCCESS : EXIT_FAILURE;
}
