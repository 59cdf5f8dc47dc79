// SPDX-License-Identifier: BSD-3-Clause
/* The writer's thread: out of the ring, into columns, into frames, into the file. */
#include "format/writer.h"

#include <errno.h>
#include <time.h>

#include "format/units.h"

/* The producer gets room back in steps of this. */
#define RING_RELEASE_STEP (64u * 1024)

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The first error stays, and whoever waits for room or a flush must learn of it. */
static void writer_fail(struct trace_writer *writer, int error)
{
	pthread_mutex_lock(&writer->lock);
	if (!atomic_load(&writer->error))
		atomic_store(&writer->error, error);
	pthread_cond_broadcast(&writer->done);
	pthread_mutex_unlock(&writer->lock);
}

static int write_chunk(struct trace_writer *writer)
{
	struct encoder *encoder = writer->encoder;
	struct segment segments[ENCODER_SEGMENTS];
	struct index_entry entry = {
		.number = encoder->first_number,
		.now = encoder->first_now,
	};
	int err;

	if (!encoder->count)
		return 0;
	encoder_finish(encoder, writer->frames.chain, segments);
	err = frame_write(&writer->frames, writer->frames.records, segments, ENCODER_SEGMENTS,
			  &entry);
	atomic_store(&writer->file_bytes, writer->frames.offset);
	return err;
}

static inline int encode_entry(struct trace_writer *writer, const struct ring_entry *entry)
{
	struct trace_record record = {
		.now = entry->now,
		.guest = entry->guest,
		.kind = entry->kind,
		.payload = &entry->field[entry->field_count],
		.payload_size = entry->payload_size,
	};
	int err;

	for (unsigned int i = 0; i < entry->field_count; i++)
		record.field[i] = entry->field[i];
	if (encoder_full(writer->encoder, record.payload_size)) {
		err = write_chunk(writer);
		if (err)
			return err;
	}
	return encoder_add(writer->encoder, &record, entry->field_count, entry->chained);
}

static uint64_t entry_size(const struct ring_entry *entry)
{
	return sizeof(*entry) + 8u * entry->field_count + ((entry->payload_size + 7ULL) & ~7ULL);
}

static void ring_release(struct trace_writer *writer, uint64_t head)
{
	pthread_mutex_lock(&writer->lock);
	atomic_store(&writer->consumed, head);
	pthread_cond_broadcast(&writer->done);
	pthread_mutex_unlock(&writer->lock);
}

/* Encode what had been published when it was called, so that embedding gets its turn. */
static int ring_drain(struct trace_writer *writer)
{
	uint64_t head = atomic_load_explicit(&writer->consumed, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&writer->published, memory_order_acquire);
	uint64_t released = head;
	int err = 0;

	while (head != tail && !err) {
		uint64_t at = head % WRITER_RING_SIZE;
		const struct ring_entry *entry = (const void *)(writer->ring + at);

		if (!entry->kind) {
			head += WRITER_RING_SIZE - at;
			continue;
		}
		err = encode_entry(writer, entry);
		head += entry_size(entry);
		if (head - released >= RING_RELEASE_STEP) {
			ring_release(writer, head);
			released = head;
		}
	}
	ring_release(writer, head);
	return err;
}

static bool writer_idle(const struct trace_writer *writer)
{
	return !writer->closing && !writer->poke && writer->embeds_done == writer->embeds_wanted &&
	       writer->flushed >= writer->flush_wanted;
}

/* Sleep until there is something to do or @deadline; says which of the requests are open. */
static void writer_sleep(struct trace_writer *writer, uint64_t deadline, bool *flush, bool *closing)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline / NS_PER_S),
		.tv_nsec = (long)(deadline % NS_PER_S),
	};

	pthread_mutex_lock(&writer->lock);
	while (writer_idle(writer))
		if (pthread_cond_timedwait(&writer->work, &writer->lock, &until) == ETIMEDOUT)
			break;
	writer->poke = false;
	*flush = writer->flushed < writer->flush_wanted;
	*closing = writer->closing;
	if (!writer->embedding)
		writer->embedding = writer->embeds;
	else if (writer->embedding->step == EMBED_DONE && writer->embedding->next)
		writer->embedding = writer->embedding->next;
	pthread_mutex_unlock(&writer->lock);
}

static int writer_flush(struct trace_writer *writer)
{
	int err = write_chunk(writer);

	if (err)
		return err;
	pthread_mutex_lock(&writer->lock);
	writer->flushed = atomic_load(&writer->consumed);
	pthread_cond_broadcast(&writer->done);
	pthread_mutex_unlock(&writer->lock);
	return 0;
}

static int writer_embed(struct trace_writer *writer)
{
	struct embed *embed = writer->embedding;
	uint64_t before = writer->frames.offset;
	int err;

	if (!embed || embed->step == EMBED_DONE)
		return 0;
	err = writer_embed_step(writer, embed);
	if (err)
		return err;
	atomic_fetch_add(&writer->artifact_bytes, writer->frames.offset - before);
	atomic_store(&writer->file_bytes, writer->frames.offset);
	if (embed->step != EMBED_DONE)
		return 0;
	pthread_mutex_lock(&writer->lock);
	writer->embeds_done++;
	pthread_mutex_unlock(&writer->lock);
	return 0;
}

/* Totals: artifacts, then the chain of every guest. */
static int writer_put_end(struct trace_writer *writer)
{
	struct encoder *encoder = writer->encoder;
	struct predictor *predictor = &encoder->predictor;
	struct index_entry entry = { .number = encoder->number, .now = predictor->now };
	/* The columns lie behind the head and are empty by now: there is room for every guest. */
	uint8_t *start = encoder->head;
	uint8_t *out = put_le64(start + CHUNK_HEAD_SIZE, writer->artifacts);
	uint32_t guests = 0;

	for (uint32_t i = 0; i < predictor->guest_limit; i++) {
		if (!predictor->guests[i].known)
			continue;
		out = put_le64(put_le32(out, i), predictor->guests[i].chain);
		guests++;
	}
	put_chunk_head(start, CHUNK_END, 0, guests, encoder->number, predictor->now,
		       writer->frames.chain);
	return frame_write(&writer->frames, writer->frames.records,
			   &(struct segment){ start, (size_t)(out - start) }, 1, &entry);
}

static int writer_finish(struct trace_writer *writer)
{
	int err = writer_put_end(writer);

	if (!err)
		err = frame_write_index(&writer->frames);
	atomic_store(&writer->file_bytes, writer->frames.offset);
	return err;
}

/* One round: what came, a flush when it is time, a piece of a file. *@more says that it goes on. */
static int writer_round(struct trace_writer *writer, uint64_t *flushed_at, bool *more)
{
	/* A little early, so that the time which writing takes is part of the promise. */
	uint64_t deadline = *flushed_at + writer->flush_ns * 3 / 4;
	bool flush, closing, finished;
	int err;

	writer_sleep(writer, deadline, &flush, &closing);
	err = ring_drain(writer);
	if (err)
		return err;
	if (flush || closing || clock_ns() >= deadline) {
		err = writer_flush(writer);
		if (err)
			return err;
		*flushed_at = clock_ns();
	}
	err = writer_embed(writer);
	if (err)
		return err;
	pthread_mutex_lock(&writer->lock);
	finished = closing && writer->embeds_done == writer->embeds_wanted;
	pthread_mutex_unlock(&writer->lock);
	if (!finished)
		return 0;
	*more = false;
	return writer_finish(writer);
}

void *writer_run(void *argument)
{
	struct trace_writer *writer = argument;
	uint64_t flushed_at = clock_ns();
	bool more = true;

	while (more) {
		int err = writer_round(writer, &flushed_at, &more);

		if (err) {
			writer_fail(writer, err);
			break;
		}
	}
	return NULL;
}
