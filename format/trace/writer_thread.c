// SPDX-License-Identifier: BSD-3-Clause
/* The writer's thread: columns into frames, frames into the file, files in between. */
#include "format/trace/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "format/base/units.h"

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Columns go out a little early, so that the time which writing takes is part of the promise. */
static uint64_t next_deadline(const struct trace_writer *writer)
{
	return clock_ns() + writer->flush_ns / 4 * 3;
}

/* The first error stays, and a thread that waits for space or a flush gets it. */
static void writer_fail(struct trace_writer *writer, int error)
{
	pthread_mutex_lock(&writer->lock);
	writer->error = error;
	pthread_cond_broadcast(&writer->done);
	pthread_mutex_unlock(&writer->lock);
}

static bool writer_busy(const struct trace_writer *writer)
{
	return writer->full || writer->closing || writer->embeds_done != writer->embeds_wanted ||
	       writer->flushed < writer->flush_wanted;
}

/* Take the columns of the current chunk away from the recorder, who goes on with others. */
static struct columns *take_current(struct trace_writer *writer)
{
	struct columns *columns = writer->encoder.columns;

	if (!columns || !columns->count)
		return NULL;
	writer->encoder.columns = NULL;
	return columns;
}

static struct columns *take_full(struct trace_writer *writer)
{
	struct columns *columns = writer->full;

	writer->full = columns->next;
	if (!writer->full)
		writer->full_end = &writer->full;
	return columns;
}

static void next_embed(struct trace_writer *writer)
{
	if (!writer->embedding)
		writer->embedding = writer->embeds;
	else if (writer->embedding->step == EMBED_DONE && writer->embedding->next)
		writer->embedding = writer->embedding->next;
}

/*
 * Sleep until there is something to do, and return it: columns to write, or NULL. *@finish means
 * that nothing more will come.
 */
static struct columns *writer_wait(struct trace_writer *writer, bool *finish)
{
	struct timespec until = {
		.tv_sec = (time_t)(writer->deadline / NS_PER_S),
		.tv_nsec = (long)(writer->deadline % NS_PER_S),
	};
	struct columns *columns = NULL;

	pthread_mutex_lock(&writer->lock);
	while (!writer_busy(writer))
		if (pthread_cond_timedwait(&writer->work, &writer->lock, &until) == ETIMEDOUT)
			break;
	if (writer->full) {
		columns = take_full(writer);
	} else if (writer->closing || writer->flushed < writer->flush_wanted ||
		   clock_ns() >= writer->deadline) {
		columns = take_current(writer);
		writer->deadline = next_deadline(writer);
	}
	next_embed(writer);
	*finish = !columns && writer->closing && writer->embeds_done == writer->embeds_wanted;
	pthread_mutex_unlock(&writer->lock);
	return columns;
}

static int write_columns(struct trace_writer *writer, struct columns *columns)
{
	struct segment segments[COLUMNS_SEGMENTS];
	struct index_entry entry = { .number = columns->first_number, .now = columns->first_now };
	int err;

	columns_content(columns, &writer->predictor, writer->frames.chain, segments);
	err = frame_write(&writer->frames, writer->frames.records, segments, COLUMNS_SEGMENTS,
			  &entry);
	writer->now = columns->first_now;
	pthread_mutex_lock(&writer->lock);
	if (!err)
		writer->flushed = columns->first_number + columns->count;
	writer->file_bytes = writer->frames.offset;
	columns->next = writer->empty;
	writer->empty = columns;
	pthread_cond_broadcast(&writer->done);
	pthread_mutex_unlock(&writer->lock);
	return err;
}

static int write_embed(struct trace_writer *writer)
{
	struct embed *embed = writer->embedding;
	uint64_t before = writer->frames.offset;
	int err;

	if (!embed || embed->step == EMBED_DONE)
		return 0;
	err = writer_embed_step(writer, embed);
	pthread_mutex_lock(&writer->lock);
	writer->artifact_bytes += writer->frames.offset - before;
	writer->file_bytes = writer->frames.offset;
	if (embed->step == EMBED_DONE)
		writer->embeds_done++;
	pthread_mutex_unlock(&writer->lock);
	return err;
}

/* Totals: artifacts, then the chain of every guest. The recorder waits in trace_writer_close. */
static int write_end(struct trace_writer *writer)
{
	const struct encoder *encoder = &writer->encoder;
	const struct predictor *predictor = &encoder->predictor;
	struct index_entry entry = { .number = encoder->number, .now = predictor->now };
	uint8_t *content = malloc(CHUNK_HEAD_SIZE + 8 + predictor->guest_limit * GUEST_ENTRY_SIZE);
	uint32_t guests = 0;
	uint8_t *out;
	int err;

	if (!content)
		return -ENOMEM;
	out = put_le64(content + CHUNK_HEAD_SIZE, writer->artifacts);
	for (uint32_t i = 0; i < predictor->guest_limit; i++) {
		if (!predictor->guests[i].known)
			continue;
		out = put_le64(put_le32(out, i), predictor->guests[i].chain);
		guests++;
	}
	put_chunk_head(content, CHUNK_END, 0, guests, encoder->number, predictor->now,
		       writer->frames.chain);
	err = frame_write(&writer->frames, writer->frames.records,
			  &(struct segment){ content, (size_t)(out - content) }, 1, &entry);
	free(content);
	return err;
}

static int writer_finish(struct trace_writer *writer)
{
	int err = write_end(writer);

	if (!err)
		err = frame_write_index(&writer->frames);
	writer->file_bytes = writer->frames.offset;
	return err;
}

/* One thing to do. *@more: there is more to do. */
static int writer_round(struct trace_writer *writer, bool *more)
{
	bool finish;
	struct columns *columns = writer_wait(writer, &finish);
	int err = 0;

	if (columns)
		err = write_columns(writer, columns);
	if (!err)
		err = write_embed(writer);
	if (err || !finish)
		return err;
	*more = false;
	return writer_finish(writer);
}

void *writer_run(void *argument)
{
	struct trace_writer *writer = argument;
	bool more = true;

	writer->deadline = next_deadline(writer);
	while (more) {
		int err = writer_round(writer, &more);

		if (err) {
			writer_fail(writer, err);
			break;
		}
	}
	return NULL;
}
