// SPDX-License-Identifier: BSD-3-Clause
/* Merges the records of guests that run in parallel. */
#include "recorder/weave.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STRAND_SPACE (64u * 1024)
/* A strand that was longer gives its memory back when it is empty. */
#define STRAND_KEEP (4u * 1024 * 1024)

/* Records one after the other, each followed by its payload, at multiples of their alignment. */
struct strand {
	uint8_t *data;
	size_t begin, end, space;
};

struct weave {
	struct trace_writer *writer;
	weave_observer *observer; /* may be NULL */
	void *context;
	struct strand *strand;
	size_t count;
	size_t kept; /* bytes */
	uint64_t written;
};

static size_t record_space(const struct trace_record *record)
{
	size_t align = _Alignof(struct trace_record);

	return sizeof(*record) + (record->payload_size + align - 1) / align * align;
}

int weave_create(size_t strands, struct trace_writer *writer, struct weave **out)
{
	struct weave *weave = calloc(1, sizeof(*weave));

	if (weave)
		weave->strand = calloc(strands, sizeof(*weave->strand));
	if (!weave || !weave->strand) {
		free(weave);
		return -ENOMEM;
	}
	weave->writer = writer;
	weave->count = strands;
	*out = weave;
	return 0;
}

void weave_destroy(struct weave *weave)
{
	if (!weave)
		return;
	for (size_t i = 0; i < weave->count; i++)
		free(weave->strand[i].data);
	free(weave->strand);
	free(weave);
}

void weave_observe(struct weave *weave, weave_observer *observer, void *context)
{
	weave->observer = observer;
	weave->context = context;
}

static int write_record(struct weave *weave, const struct trace_record *record)
{
	int err = trace_writer_append(weave->writer, record, NULL);

	weave->written += !err;
	if (!err && weave->observer)
		weave->observer(weave->context, record);
	return err;
}

static int strand_reserve(struct strand *strand, size_t size)
{
	size_t space = strand->space ? strand->space : STRAND_SPACE;
	uint8_t *grown;

	if (strand->space - strand->end >= size)
		return 0;
	while (space - strand->end < size)
		space *= 2;
	grown = realloc(strand->data, space);
	if (!grown)
		return -ENOMEM;
	strand->data = grown;
	strand->space = space;
	return 0;
}

int weave_add(struct weave *weave, size_t number, const struct trace_record *record)
{
	struct strand *strand = &weave->strand[number];
	size_t size = record_space(record);
	int err;

	if (weave->count == 1)
		return write_record(weave, record);
	err = strand_reserve(strand, size);
	if (err)
		return err;
	memcpy(strand->data + strand->end, record, sizeof(*record));
	if (record->payload_size)
		memcpy(strand->data + strand->end + sizeof(*record), record->payload,
		       record->payload_size);
	strand->end += size;
	weave->kept += size;
	return 0;
}

static const struct trace_record *strand_first(const struct strand *strand)
{
	return strand->begin == strand->end ? NULL : (const void *)(strand->data + strand->begin);
}

static void strand_drop(struct weave *weave, struct strand *strand)
{
	size_t size = record_space(strand_first(strand));

	strand->begin += size;
	weave->kept -= size;
	if (strand->begin < strand->end)
		return;
	strand->begin = strand->end = 0;
	if (strand->space > STRAND_KEEP) {
		free(strand->data);
		*strand = (struct strand){ 0 };
	}
}

/* The strand whose first record is next; NULL when none has one before @time. */
static struct strand *next_strand(struct weave *weave, uint64_t time)
{
	struct strand *next = NULL;

	for (size_t i = 0; i < weave->count; i++) {
		const struct trace_record *first = strand_first(&weave->strand[i]);

		if (!first || (first->now >= time && time != UINT64_MAX))
			continue;
		if (!next || first->now < strand_first(next)->now)
			next = &weave->strand[i];
	}
	return next;
}

/* All of @strand that comes before what the others have; most often that is many records. */
static int write_run(struct weave *weave, struct strand *strand, uint64_t time)
{
	uint64_t end = time;
	int err = 0;

	for (size_t i = 0; i < weave->count; i++) {
		const struct trace_record *first = strand_first(&weave->strand[i]);
		uint64_t limit = first ? first->now + (&weave->strand[i] > strand) : UINT64_MAX;

		if (&weave->strand[i] != strand && limit < end)
			end = limit;
	}
	while (!err) {
		const struct trace_record *first = strand_first(strand);
		struct trace_record record;

		if (!first || (first->now >= end && end != UINT64_MAX))
			break;
		record = *first;
		record.payload = first + 1;
		err = write_record(weave, &record);
		strand_drop(weave, strand);
	}
	return err;
}

int weave_write(struct weave *weave, uint64_t time)
{
	struct strand *strand;
	int err = 0;

	while (!err && (strand = next_strand(weave, time)))
		err = write_run(weave, strand, time);
	return err;
}

size_t weave_size(const struct weave *weave)
{
	return weave->kept;
}

uint64_t weave_written(const struct weave *weave)
{
	return weave->written;
}
