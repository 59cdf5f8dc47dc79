// SPDX-License-Identifier: BSD-3-Clause
/* Merges the records of guests that run at the same time into one order. */
#include "recorder/session/journal/session_merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"

#define STRAND_SPACE (64u * 1024)
/* Free the memory of an empty strand that was larger than this. */
#define STRAND_KEEP (4u * 1024 * 1024)

/* Records one after the other, each followed by its payload, at multiples of their alignment. */
struct strand {
	uint8_t *data;
	size_t begin, end, space;
};

struct merge {
	struct trace_writer *writer;
	merge_observer *observer; /* may be NULL */
	void *context;
	const struct trace_record *planned; /* the next one; the caller's */
	size_t planned_count;
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

int merge_create(size_t strands, struct trace_writer *writer, struct merge **out)
{
	struct merge *merge = calloc(1, sizeof(*merge));

	if (merge)
		merge->strand = calloc(strands, sizeof(*merge->strand));
	if (!merge || !merge->strand) {
		free(merge);
		return -ENOMEM;
	}
	merge->writer = writer;
	merge->count = strands;
	*out = merge;
	return 0;
}

void merge_destroy(struct merge *merge)
{
	if (!merge)
		return;
	for (size_t i = 0; i < merge->count; i++)
		free(merge->strand[i].data);
	free(merge->strand);
	free(merge);
}

void merge_plan(struct merge *merge, const struct trace_record *records, size_t count)
{
	merge->planned = records;
	merge->planned_count = count;
}

void merge_observe(struct merge *merge, merge_observer *observer, void *context)
{
	merge->observer = observer;
	merge->context = context;
}

static int write_one(struct merge *merge, const struct trace_record *record)
{
	int err = trace_writer_append(merge->writer, record, NULL);

	merge->written += !err;
	if (!err && merge->observer)
		merge->observer(merge->context, record);
	return err;
}

static int write_record(struct merge *merge, const struct trace_record *record)
{
	int err = 0;

	while (!err && merge->planned_count && merge->planned->now <= record->now) {
		merge->planned_count--;
		err = write_one(merge, merge->planned++);
	}
	return err ? err : write_one(merge, record);
}

int merge_add(struct merge *merge, size_t number, const struct trace_record *record)
{
	struct strand *strand = &merge->strand[number];
	size_t size = record_space(record);
	int err;

	if (merge->count == 1)
		return write_record(merge, record);
	err = array_room(strand->data, strand->space, strand->end + size, STRAND_SPACE);
	if (err)
		return err;
	memcpy(strand->data + strand->end, record, sizeof(*record));
	if (record->payload_size)
		memcpy(strand->data + strand->end + sizeof(*record), record->payload,
		       record->payload_size);
	strand->end += size;
	merge->kept += size;
	return 0;
}

static const struct trace_record *strand_first(const struct strand *strand)
{
	return strand->begin == strand->end ? NULL : (const void *)(strand->data + strand->begin);
}

static void strand_drop(struct merge *merge, struct strand *strand)
{
	size_t size = record_space(strand_first(strand));

	strand->begin += size;
	merge->kept -= size;
	if (strand->begin < strand->end)
		return;
	strand->begin = strand->end = 0;
	if (strand->space > STRAND_KEEP) {
		free(strand->data);
		*strand = (struct strand){ 0 };
	}
}

/* The strand whose first record is next; NULL when none has one before @time. */
static struct strand *next_strand(struct merge *merge, uint64_t time)
{
	struct strand *next = NULL;

	for (size_t i = 0; i < merge->count; i++) {
		const struct trace_record *first = strand_first(&merge->strand[i]);

		if (!first || (first->now >= time && time != UINT64_MAX))
			continue;
		if (!next || first->now < strand_first(next)->now)
			next = &merge->strand[i];
	}
	return next;
}

/* Write the records of @strand that precede those of the others, usually many. */
static int write_run(struct merge *merge, struct strand *strand, uint64_t time)
{
	uint64_t end = time;
	int err = 0;

	for (size_t i = 0; i < merge->count; i++) {
		const struct trace_record *first = strand_first(&merge->strand[i]);
		uint64_t limit = first ? first->now + (&merge->strand[i] > strand) : UINT64_MAX;

		if (&merge->strand[i] != strand && limit < end)
			end = limit;
	}
	while (!err) {
		const struct trace_record *first = strand_first(strand);
		struct trace_record record;

		if (!first || (first->now >= end && end != UINT64_MAX))
			break;
		record = *first;
		record.payload = first + 1;
		err = write_record(merge, &record);
		strand_drop(merge, strand);
	}
	return err;
}

int merge_write(struct merge *merge, uint64_t time)
{
	struct strand *strand;
	int err = 0;

	while (!err && (strand = next_strand(merge, time)))
		err = write_run(merge, strand, time);
	return err;
}

int merge_write_strand(struct merge *merge, size_t number)
{
	const struct strand *strand = &merge->strand[number];
	struct strand *next;
	int err = 0;

	while (!err && strand_first(strand) && (next = next_strand(merge, UINT64_MAX))) {
		const struct trace_record *first = strand_first(next);
		struct trace_record record = *first;

		record.payload = first + 1;
		err = write_record(merge, &record);
		strand_drop(merge, next);
	}
	return err;
}

size_t merge_size(const struct merge *merge)
{
	return merge->kept;
}

uint64_t merge_written(const struct merge *merge)
{
	return merge->written;
}
