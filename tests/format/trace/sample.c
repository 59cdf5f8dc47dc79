// SPDX-License-Identifier: BSD-3-Clause
/* Records to test with, and how they get to a file and back. */
#include "tests/format/trace/sample.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

/* splitmix64 */
uint64_t sample_random(struct sample_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t sample_below(struct sample_random *random, uint64_t limit)
{
	return sample_random(random) % limit;
}

void sample_add(struct sample *sample, const struct trace_record *record)
{
	struct trace_record *copy;
	void *payload = NULL;

	if (sample->count == sample->room) {
		sample->room = sample->room ? sample->room * 2 : 256;
		sample->record = realloc(sample->record, sample->room * sizeof(*record));
		assert_non_null(sample->record);
	}
	copy = &sample->record[sample->count];
	*copy = *record;
	copy->number = sample->count++;
	if (record->payload_size) {
		payload = malloc(record->payload_size);
		assert_non_null(payload);
		memcpy(payload, record->payload, record->payload_size);
	}
	copy->payload = payload;
}

void sample_release(struct sample *sample)
{
	for (size_t i = 0; i < sample->count; i++)
		free((void *)sample->record[i].payload);
	free(sample->record);
	*sample = (struct sample){ 0 };
}

static void add_message(struct sample *sample, enum trace_kind kind, uint32_t guest, uint64_t now,
			enum trace_operation op, uint64_t seq, uint64_t time)
{
	sample_add(sample,
		   &(struct trace_record){
			   .now = now, .guest = guest, .kind = kind, .from = { op, seq, time } });
}

void sample_exchange(struct sample *sample, uint32_t guest, uint64_t offset, uint64_t now,
		     uint64_t time, uint64_t *seq, uint64_t *run_seq)
{
	add_message(sample, TRACE_from, guest, now, TRACE_OP_REQUEST, ++*seq, time - offset);
	add_message(sample, TRACE_to, guest, now, TRACE_OP_ACK, *seq, 0);
	add_message(sample, TRACE_from, guest, now, TRACE_OP_WAIT, ++*seq, UINT64_MAX);
	add_message(sample, TRACE_to, guest, now, TRACE_OP_ACK, *seq, 0);
	add_message(sample, TRACE_to, guest, time, TRACE_OP_RUN, ++*run_seq, time - offset);
	add_message(sample, TRACE_from, guest, time, TRACE_OP_ACK, *run_seq, 0);
}

static void add_text(struct sample *sample, enum trace_kind kind, uint32_t guest, uint64_t now,
		     const char *text)
{
	sample_add(sample, &(struct trace_record){ .now = now,
						   .guest = guest,
						   .kind = kind,
						   .payload = text,
						   .payload_size = strlen(text) });
}

static void add_join(struct sample *sample, uint32_t guest, uint64_t seq[2])
{
	char name[32];

	snprintf(name, sizeof(name), "guest%" PRIu32, guest);
	sample_add(sample, &(struct trace_record){ .kind = TRACE_join,
						   .guest = guest,
						   .payload = name,
						   .payload_size = strlen(name),
						   .join = { guest + 1, 0 } });
	add_message(sample, TRACE_from, guest, 0, TRACE_OP_START, ++seq[0], guest + 1);
	add_message(sample, TRACE_to, guest, 0, TRACE_OP_ACK, seq[0], 0);
	add_message(sample, TRACE_from, guest, 0, TRACE_OP_GET_TOD, ++seq[0], UINT64_MAX);
	add_message(sample, TRACE_to, guest, 0, TRACE_OP_ACK, seq[0], 1700000000 * NS_PER_S);
}

/* What a guest does besides its timers. */
static void add_life(struct sample *sample, struct sample_random *random, uint32_t guest,
		     uint64_t now, uint64_t *seq)
{
	uint8_t bytes[48];
	char line[64];

	switch (sample_below(random, 8)) {
	case 0:
		snprintf(line, sizeof(line), "[%5" PRIu64 ".%06" PRIu64 "] tick\r\n",
			 now / NS_PER_S, now % NS_PER_S / 1000);
		add_text(sample, TRACE_console, guest, now, line);
		break;
	case 1:
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)sample_random(random);
		sample_add(sample, &(struct trace_record){ .now = now,
							   .guest = guest,
							   .kind = TRACE_entropy,
							   .entropy = { 1, sizeof(bytes) },
							   .payload = bytes,
							   .payload_size = sizeof(bytes) });
		break;
	case 2:
		sample_add(sample,
			   &(struct trace_record){ .now = now,
						   .guest = guest,
						   .kind = TRACE_digest,
						   .digest = { 0, 4096, sample_random(random),
							       sample_random(random) } });
		break;
	case 3:
		add_message(sample, TRACE_from, guest, now, TRACE_OP_UPDATE, ++*seq, now);
		add_message(sample, TRACE_to, guest, now, TRACE_OP_ACK, *seq, 0);
		break;
	case 4:
		add_message(sample, TRACE_from, guest, now, TRACE_OP_GET, ++*seq, UINT64_MAX);
		add_message(sample, TRACE_to, guest, now, TRACE_OP_ACK, *seq, now);
		break;
	}
}

void sample_recording(struct sample *sample, uint32_t guests, unsigned int events, uint64_t seed)
{
	struct sample_random random = { seed };
	uint64_t seq[64][2] = { { 0 } }, now = 0;

	assert_true(guests <= 64);
	add_text(sample, TRACE_meta, 0, 0, "grant=each");
	for (uint32_t guest = 0; guest < guests; guest++)
		add_join(sample, guest, seq[guest]);
	for (unsigned int i = 0; i < events; i++) {
		uint32_t guest = (uint32_t)sample_below(&random, guests);
		uint64_t time = now + 1000 + sample_below(&random, 4) * NS_PER_MS;

		sample_exchange(sample, guest, 0, now, time, &seq[guest][0], &seq[guest][1]);
		now = time;
		add_life(sample, &random, guest, now, &seq[guest][0]);
	}
	for (uint32_t guest = 0; guest < guests; guest++)
		sample_add(sample, &(struct trace_record){
					   .now = now, .guest = guest, .kind = TRACE_exit });
}

/* Small, huge, near the edges: numbers as one would not expect them. */
static uint64_t absurd_number(struct sample_random *random)
{
	static const uint64_t edges[] = {
		0,
		1,
		127,
		128,
		255,
		256,
		65535,
		65536,
		UINT32_MAX,
		1ULL << 32,
		INT64_MAX,
		1ULL << 63,
		UINT64_MAX - 1,
		UINT64_MAX,
	};
	uint64_t number = sample_random(random);

	if (number & 1)
		return edges[sample_below(random, ARRAY_SIZE(edges))];
	return sample_random(random) >> (number >> 1) % 64;
}

void sample_absurd(struct sample_random *random, struct trace_record *record)
{
	static uint8_t payload[TRACE_PAYLOAD_MAX];
	const struct trace_kind_info *info;

	memset(record, 0, sizeof(*record));
	do {
		record->kind = (uint32_t)sample_below(random, TRACE_KIND_LIMIT);
		/* Messages more often than the rest. */
		if (record->kind > 32)
			record->kind = TRACE_from + (record->kind & 1);
		info = trace_kind_info(record->kind);
	} while (!info);
	record->guest =
		(uint32_t)sample_below(random, sample_below(random, 50) ? 3 : TRACE_GUEST_LIMIT);
	record->now = absurd_number(random);
	for (unsigned int i = 0; i < info->field_count; i++)
		record->field[i] = absurd_number(random);
	if (info->field_count && info->field[0].unit == TRACE_UNIT_OP && sample_below(random, 50))
		record->field[0] = sample_below(random, TRACE_OP_LIMIT);
	if (sample_below(random, 16))
		return;
	record->payload_size =
		sample_below(random, sample_below(random, 64) ? 64 : TRACE_PAYLOAD_MAX + 1);
	for (size_t i = 0; i < record->payload_size && i < 64; i++)
		payload[sample_below(random, record->payload_size)] =
			(uint8_t)sample_random(random);
	record->payload = record->payload_size ? payload : NULL;
}

bool sample_equal(const struct trace_record *a, const struct trace_record *b)
{
	if (a->number != b->number || a->now != b->now || a->guest != b->guest ||
	    a->kind != b->kind || a->payload_size != b->payload_size ||
	    memcmp(a->field, b->field, sizeof(a->field)))
		return false;
	return !a->payload_size || !memcmp(a->payload, b->payload, a->payload_size);
}

static void print_record(const char *what, const struct trace_record *record)
{
	print_error("%s: number %" PRIu64 " now %" PRIu64 " guest %" PRIu32 " kind %" PRIu32
		    " fields %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " payload %zu\n",
		    what, record->number, record->now, record->guest, record->kind,
		    record->field[0], record->field[1], record->field[2], record->field[3],
		    record->payload_size);
}

void sample_assert_equal(const struct trace_record *expected, const struct trace_record *actual)
{
	if (sample_equal(expected, actual))
		return;
	print_record("expected", expected);
	print_record("actual  ", actual);
	fail();
}

void sample_write(const struct sample *sample, const char *path)
{
	struct trace_writer *writer;
	uint64_t number;

	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	for (size_t i = 0; i < sample->count; i++) {
		assert_int_equal(trace_writer_append(writer, &sample->record[i], &number), 0);
		assert_int_equal(number, i);
	}
	assert_int_equal(trace_writer_close(writer, NULL), 0);
}

void *sample_content(size_t size, uint64_t seed)
{
	struct sample_random random = { seed };
	uint8_t *data = malloc(size + 1);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(sample_random(&random) & 0x0f);
	return data;
}

void sample_write_small(struct sample *sample, const char *path)
{
	struct trace_writer *writer;
	auto_free void *content = sample_content(300, 1);

	sample_recording(sample, 2, 12, 5);
	assert_int_equal(trace_writer_create(path, NULL, &writer), 0);
	assert_int_equal(trace_writer_embed(writer, "/boot/linux", 0755, content, 300), 0);
	for (size_t i = 0; i < sample->count; i++) {
		assert_int_equal(trace_writer_append(writer, &sample->record[i], NULL), 0);
		if (i == sample->count / 2)
			assert_int_equal(trace_writer_flush(writer), 0);
	}
	assert_int_equal(trace_writer_close(writer, NULL), 0);
}

size_t sample_read(const struct sample *sample, const char *path, int *end)
{
	struct trace_reader *reader;
	struct trace_record record;
	size_t count = 0;

	*end = trace_reader_open(path, &reader);
	while (!*end) {
		int got = trace_reader_next(reader, &record);

		if (got <= 0) {
			*end = got;
			break;
		}
		assert_true(count < sample->count);
		sample_assert_equal(&sample->record[count++], &record);
	}
	trace_reader_close(reader);
	return count;
}

static char directory[64];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static pid_t directory_owner;

static void remove_directory(void)
{
	if (getpid() == directory_owner)
		nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *sample_directory(void)
{
	if (!directory[0]) {
		strcpy(directory, "/tmp/ttrec-test-XXXXXX");
		if (!mkdtemp(directory))
			abort();
		directory_owner = getpid();
		atexit(remove_directory);
	}
	return directory;
}

const char *sample_path(const char *name)
{
	static char paths[32][128];
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", sample_directory(), name);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!paths[i][0])
			strcpy(paths[i], path);
		if (!strcmp(paths[i], path))
			return paths[i];
	}
	abort();
}

void *sample_load(const char *path, size_t *size)
{
	auto_file *file = fopen(path, "rb");
	struct stat status;
	void *data;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*size = (size_t)status.st_size;
	data = malloc(*size + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *size, file), *size);
	return data;
}

/* Overwrites in place: replacing thousands of files by truncation is slow on some file systems. */
void sample_store(const char *path, const void *data, size_t size)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
}
