// SPDX-License-Identifier: BSD-3-Clause
/* The recorder's side of writing: into the ring, and out of the way. */
#include "format/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "format/cleanup.h"

static void writer_wake(struct trace_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->poke = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	writer->wake_at = writer->tail + WRITER_WAKE_SIZE;
}

/* Wait until @need bytes are free. Returns 0 or the error that stays. */
static int ring_wait(struct trace_writer *writer, uint64_t need)
{
	pthread_mutex_lock(&writer->lock);
	for (;;) {
		writer->tail_limit = atomic_load(&writer->consumed) + WRITER_RING_SIZE;
		if (writer->tail + need <= writer->tail_limit || atomic_load(&writer->error))
			break;
		writer->poke = true;
		pthread_cond_signal(&writer->work);
		pthread_cond_wait(&writer->done, &writer->lock);
	}
	pthread_mutex_unlock(&writer->lock);
	return atomic_load(&writer->error);
}

static inline int ring_reserve(struct trace_writer *writer, uint64_t need)
{
	if (writer->tail + need <= writer->tail_limit)
		return 0;
	writer->tail_limit =
		atomic_load_explicit(&writer->consumed, memory_order_acquire) + WRITER_RING_SIZE;
	if (writer->tail + need <= writer->tail_limit)
		return 0;
	return ring_wait(writer, need);
}

/* Where the next entry of @size bytes goes; *@skip is what is left unused before it. */
static inline struct ring_entry *ring_place(struct trace_writer *writer, uint64_t size,
					    uint64_t *skip)
{
	uint64_t at = writer->tail % WRITER_RING_SIZE;

	*skip = at + size > WRITER_RING_SIZE ? WRITER_RING_SIZE - at : 0;
	return (struct ring_entry *)(writer->ring + at);
}

int writer_append(struct trace_writer *writer, const struct trace_record *record,
		  unsigned int field_count, bool chained, uint64_t *number)
{
	size_t fields = 8 * (size_t)field_count;
	uint64_t size = sizeof(struct ring_entry) + fields + ((record->payload_size + 7) & ~7ULL);
	struct ring_entry *entry;
	uint64_t skip;
	int err = atomic_load_explicit(&writer->error, memory_order_relaxed);

	if (err)
		return err;
	entry = ring_place(writer, size, &skip);
	err = ring_reserve(writer, size + skip);
	if (err)
		return err;
	if (skip) {
		entry->kind = 0;
		writer->tail += skip;
		entry = (struct ring_entry *)writer->ring;
	}
	entry->now = record->now;
	entry->payload_size = (uint32_t)record->payload_size;
	entry->guest = (uint16_t)record->guest;
	entry->kind = (uint8_t)record->kind;
	entry->field_count = field_count & 0x7f;
	entry->chained = chained;
	for (unsigned int i = 0; i < field_count; i++)
		entry->field[i] = record->field[i];
	if (record->payload_size)
		memcpy(&entry->field[field_count], record->payload, record->payload_size);
	writer->tail += size;
	atomic_store_explicit(&writer->published, writer->tail, memory_order_release);
	if (writer->tail >= writer->wake_at)
		writer_wake(writer);
	if (number)
		*number = writer->next_number;
	writer->next_number++;
	return 0;
}

int trace_writer_append(struct trace_writer *writer, const struct trace_record *record,
			uint64_t *number)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	if (!info || record->payload_size > TRACE_PAYLOAD_MAX ||
	    record->guest >= TRACE_GUEST_LIMIT)
		return -EINVAL;
	return writer_append(writer, record, info->field_count, info->direction != TRACE_SIDE,
			     number);
}

int trace_writer_embed(struct trace_writer *writer, const char *path, uint32_t mode,
		       const void *data, size_t size)
{
	struct embed *embed;

	if (size > ARTIFACT_SIZE_MAX || strlen(path) > ARTIFACT_PATH_MAX)
		return -EINVAL;
	embed = calloc(1, sizeof(*embed));
	if (!embed)
		return -ENOMEM;
	embed->path = strdup(path);
	embed->mode = mode;
	embed->data = data;
	embed->size = size;
	if (!embed->path) {
		free(embed);
		return -ENOMEM;
	}
	pthread_mutex_lock(&writer->lock);
	*writer->embeds_end = embed;
	writer->embeds_end = &embed->next;
	writer->embeds_wanted++;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	return atomic_load(&writer->error);
}

int trace_writer_flush(struct trace_writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->flush_wanted = writer->tail;
	pthread_cond_signal(&writer->work);
	while (writer->flushed < writer->flush_wanted && !atomic_load(&writer->error))
		pthread_cond_wait(&writer->done, &writer->lock);
	pthread_mutex_unlock(&writer->lock);
	return atomic_load(&writer->error);
}

void trace_writer_stat(struct trace_writer *writer, struct trace_writer_stat *stat)
{
	stat->records = writer->next_number;
	stat->file_bytes = atomic_load(&writer->file_bytes);
	stat->artifact_bytes = atomic_load(&writer->artifact_bytes);
}

/* The head is written at once, so that a full disk is found out before anything starts. */
static int writer_put_head(struct trace_writer *writer, const struct trace_header *header,
			   const char *names, size_t names_size)
{
	uint8_t head[CHUNK_HEAD_SIZE + TRACE_HEAD_SIZE + FEATURE_NAMES_MAX];
	uint8_t *out = put_chunk_head(head, CHUNK_HEAD, 0, 0, 0, 0, 0);
	struct index_entry entry = { 0 };

	out = put_bytes(out, LAYOUT_MAGIC, LAYOUT_MAGIC_SIZE);
	out = put_le16(out, LAYOUT_VERSION);
	out = put_le16(out, 0);
	out = put_le32(out, (uint32_t)names_size);
	out = put_le64(out, header->features_required);
	out = put_le64(out, header->features_optional);
	out = put_bytes(out, header->uuid, sizeof(header->uuid));
	out = put_bytes(out, names, names_size);
	return frame_write(&writer->frames, writer->frames.records,
			   &(struct segment){ head, (size_t)(out - head) }, 1, &entry);
}

/* Signals are for the threads of the program; one that hits a write() would be taken for SIGXFSZ. */
static int writer_start(struct trace_writer *writer)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&writer->thread, NULL, writer_run, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!err)
		pthread_setname_np(writer->thread, "trace-writer");
	return -err;
}

static void writer_init_locks(struct trace_writer *writer)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, &monotonic);
	pthread_cond_init(&writer->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void writer_free(struct trace_writer *writer)
{
	while (writer->embeds) {
		struct embed *embed = writer->embeds;

		writer->embeds = embed->next;
		writer_embed_free(embed);
	}
	encoder_destroy(writer->encoder);
	frame_writer_release(&writer->frames);
	pthread_cond_destroy(&writer->work);
	pthread_cond_destroy(&writer->done);
	pthread_mutex_destroy(&writer->lock);
	free(writer->ring);
	free(writer);
}

static int writer_alloc(const struct trace_writer_options *options, struct trace_writer **writer)
{
	struct trace_writer *made = aligned_alloc(
		CACHE_LINE, (sizeof(*made) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

	if (!made)
		return -ENOMEM;
	memset(made, 0, sizeof(*made));
	writer_init_locks(made);
	made->frames.fd = -1;
	made->embeds_end = &made->embeds;
	made->wake_at = WRITER_WAKE_SIZE;
	made->tail_limit = WRITER_RING_SIZE;
	made->flush_ns = options && options->flush_ns ? options->flush_ns : WRITER_FLUSH_NS;
	made->ring = aligned_alloc(CACHE_LINE, WRITER_RING_SIZE + CACHE_LINE);
	if (!made->ring || encoder_create(&made->encoder)) {
		writer_free(made);
		return -ENOMEM;
	}
	*writer = made;
	return 0;
}

int writer_create(const char *path, const struct trace_writer_options *options,
		  const struct trace_header *header, const char *names, size_t names_size,
		  struct trace_writer **created)
{
	int level = options && options->level ? options->level : WRITER_LEVEL;
	struct trace_writer *writer;
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int err;

	if (fd < 0)
		return -errno;
	err = writer_alloc(options, &writer);
	if (err)
		return err;
	err = frame_writer_init(&writer->frames, fd, level);
	if (!err)
		err = writer_put_head(writer, header, names, names_size);
	atomic_store(&writer->file_bytes, writer->frames.offset);
	if (!err)
		err = writer_start(writer);
	if (err) {
		writer_free(writer);
		return err;
	}
	take_fd(&fd);
	*created = writer;
	return 0;
}

int trace_writer_create(const char *path, const struct trace_writer_options *options,
			struct trace_writer **writer)
{
	struct trace_header header = { 0 };

	if (options && options->size < sizeof(*options))
		return -EINVAL;
	if (getrandom(header.uuid, sizeof(header.uuid), 0) != sizeof(header.uuid))
		return -errno;
	header.uuid[6] = (header.uuid[6] & 0x0f) | 0x40; /* RFC 9562: version 4, random */
	header.uuid[8] = (header.uuid[8] & 0x3f) | 0x80;
	return writer_create(path, options, &header, NULL, 0, writer);
}

int trace_writer_close(struct trace_writer *writer, struct trace_writer_stat *stat)
{
	int err;

	if (!writer)
		return 0;
	pthread_mutex_lock(&writer->lock);
	writer->closing = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	pthread_join(writer->thread, NULL);
	err = atomic_load(&writer->error);
	if (close(writer->frames.fd) && !err)
		err = -errno;
	if (stat)
		trace_writer_stat(writer, stat);
	writer_free(writer);
	return err;
}
