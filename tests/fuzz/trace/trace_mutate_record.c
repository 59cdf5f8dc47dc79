// SPDX-License-Identifier: BSD-3-Clause
/* Changes the records of a trace, and writes it anew: all of it is as a recorder would write it. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/trace/trace_input.h"

#define RECORDS_MAX   2048
#define FILES_MAX     8
#define PAYLOAD_GROWS 64
#define PAYLOAD_LIMIT (64u << 10) /* of the payloads that are copied here */

struct story {
	struct trace_record record[RECORDS_MAX + 1];
	size_t count;
	struct trace_artifact file[FILES_MAX];
	size_t files;
};

static void story_free(struct story *story)
{
	for (size_t i = 0; i < story->count; i++)
		free((void *)story->record[i].payload);
	for (size_t i = 0; i < story->files; i++)
		trace_artifact_free(&story->file[i]);
	free(story);
}

/* A copy of its own, with room to grow. */
static bool own_payload(struct trace_record *record)
{
	uint8_t *copy = malloc(record->payload_size + PAYLOAD_GROWS);

	if (!copy)
		return false;
	if (record->payload_size)
		memcpy(copy, record->payload, record->payload_size);
	record->payload = copy;
	return true;
}

static void read_files(struct story *story, struct trace_reader *reader)
{
	uint64_t position = 0;

	while (story->files < FILES_MAX &&
	       trace_reader_artifact(reader, &position, true, &story->file[story->files]) > 0)
		story->files++;
}

static struct story *read_story(const char *path)
{
	struct story *story = calloc(1, sizeof(*story));
	struct trace_reader *reader = NULL;
	struct trace_record record;

	if (!story)
		return NULL;
	if (!trace_reader_open(path, &reader)) {
		while (story->count < RECORDS_MAX && trace_reader_next(reader, &record) > 0) {
			if (record.payload_size > PAYLOAD_LIMIT || !own_payload(&record))
				break;
			story->record[story->count++] = record;
		}
		read_files(story, reader);
	}
	trace_reader_close(reader);
	return story;
}

static void change_payload(struct trace_record *record)
{
	size_t space = record->payload_size + PAYLOAD_GROWS;
	uint8_t *grown = realloc((void *)record->payload, space);

	if (!grown)
		return;
	record->payload = grown;
	record->payload_size = LLVMFuzzerMutate(grown, record->payload_size, space);
}

static void change_number(struct trace_record *record, struct fuzz_random *random)
{
	size_t field = fuzz_random_below(random, TRACE_FIELDS_MAX + 2);

	if (field < TRACE_FIELDS_MAX)
		record->field[field] = fuzz_random_number(random, record->field[field]);
	else if (field == TRACE_FIELDS_MAX)
		record->now = fuzz_random_number(random, record->now);
	else
		record->guest = (uint32_t)fuzz_random_number(random, record->guest) %
				(fuzz_random_below(random, 64) ? 4 : TRACE_GUEST_LIMIT);
}

static void repeat_record(struct story *story, size_t from, size_t to)
{
	struct trace_record copy = story->record[from];

	if (story->count == RECORDS_MAX || !own_payload(&copy))
		return;
	memmove(&story->record[to + 1], &story->record[to], (story->count - to) * sizeof(copy));
	story->record[to] = copy;
	story->count++;
}

static void remove_record(struct story *story, size_t at)
{
	free((void *)story->record[at].payload);
	story->count--;
	memmove(&story->record[at], &story->record[at + 1],
		(story->count - at) * sizeof(story->record[0]));
}

static void change_file(struct story *story, struct fuzz_random *random)
{
	struct trace_artifact *file = &story->file[fuzz_random_below(random, story->files)];

	if (!fuzz_random_below(random, 2) || !file->size)
		file->mode = (uint32_t)fuzz_random_number(random, file->mode);
	else
		file->size = LLVMFuzzerMutate(file->data, file->size, file->size);
}

static void change(struct story *story, struct fuzz_random *random)
{
	size_t at = fuzz_random_below(random, story->count);
	struct trace_record *record = &story->record[at];

	switch (fuzz_random_below(random, 12)) {
	case 0:
		repeat_record(story, at, fuzz_random_below(random, story->count));
		break;
	case 1:
		remove_record(story, at);
		break;
	case 2:
		record->kind = (uint32_t)fuzz_random_below(random, TRACE_KIND_LIMIT);
		break;
	case 3:
		if (story->files)
			change_file(story, random);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		change_number(record, random);
		break;
	default:
		change_payload(record);
	}
}

static bool write_story(const struct story *story, const char *path)
{
	/* Never by time: the same records make the same chunks. */
	const struct trace_writer_options options = { .size = sizeof(options),
						      .flush_ns = 3600000000000,
						      .level = 1 };
	struct trace_writer *writer;

	if (trace_writer_create(path, &options, &writer))
		return false;
	for (size_t i = 0; i < story->files; i++)
		trace_writer_embed(writer, story->file[i].path, story->file[i].mode & 07777,
				   story->file[i].data, story->file[i].size);
	for (size_t i = 0; i < story->count; i++)
		trace_writer_append(writer, &story->record[i], NULL);
	return !trace_writer_close(writer, NULL);
}

size_t trace_mutate_record(uint8_t *data, size_t size, size_t max, struct fuzz_random *random)
{
	const char *path = fuzz_path("mutated");
	struct story *story;
	size_t changed = 0;

	fuzz_store(path, data, size);
	story = read_story(path);
	if (!story)
		return 0;
	if (story->count) {
		for (size_t changes = 1 + fuzz_random_below(random, 3); changes && story->count;
		     changes--)
			change(story, random);
		if (write_story(story, path))
			changed = trace_input_load(path, data, max);
	}
	story_free(story);
	return changed;
}
