// SPDX-License-Identifier: BSD-3-Clause
/* The recorder's side of writing: into the ring, and out of the way. */
#include "format/trace/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "format/base/cleanup.h"
#include "format/trace_files.h"
#include "format/trace/codec/table.h"

/* Columns for the next record, waiting until some have been written if all are queued. */
static int take_empty(struct trace_writer *writer)
{
	struct columns *columns;

	while (!writer->empty && !writer->error)
		pthread_cond_wait(&writer->done, &writer->lock);
	if (writer->error)
		return writer->error;
	columns = writer->empty;
	writer->empty = columns->next;
	encoder_begin(&writer->encoder, columns);
	return 0;
}

static void hand_over(struct trace_writer *writer)
{
	struct columns *columns = writer->encoder.columns;

	columns->next = NULL;
	*writer->full_end = columns;
	writer->full_end = &columns->next;
	writer->encoder.columns = NULL;
	pthread_cond_signal(&writer->work);
}

static int append_locked(struct trace_writer *writer, const struct trace_record *record,
			 unsigned int field_count, bool chained)
{
	struct encoder *encoder = &writer->encoder;
	int err;

	if (writer->error)
		return writer->error;
	if (encoder->columns && columns_full(encoder->columns, record->payload_size))
		hand_over(writer);
	if (!encoder->columns) {
		err = take_empty(writer);
		if (err)
			return err;
	}
	err = encoder_add(encoder, record, field_count, chained);
	if (!err && columns_full(encoder->columns, 0))
		hand_over(writer);
	return err;
}

int writer_append(struct trace_writer *writer, const struct trace_record *record,
		  unsigned int field_count, bool chained, uint64_t *number)
{
	int err;

	pthread_mutex_lock(&writer->lock);
	err = append_locked(writer, record, field_count, chained);
	if (!err && number)
		*number = writer->encoder.number - 1;
	pthread_mutex_unlock(&writer->lock);
	return err;
}

int trace_writer_append(struct trace_writer *writer, const struct trace_record *record,
			uint64_t *number)
{
	const struct trace_kind_info *info = table_kind(record->kind);

	if (!info || record->payload_size > TRACE_PAYLOAD_MAX || record->guest >= TRACE_GUEST_LIMIT)
		return -EINVAL;
	return writer_append(writer, record, info->field_count, info->direction != TRACE_SIDE,
			     number);
}

/* Without the lock: only the embedding thread adds to the list, and its entries stay. */
static const struct embed *find_embed(const struct trace_writer *writer, const char *path)
{
	const struct embed *embed = writer->embeds;

	while (embed && strcmp(embed->path, path))
		embed = embed->next;
	return embed;
}

static bool embed_same(const struct embed *one, const struct embed *other)
{
	if (one->mode != other->mode || one->size != other->size || !one->data != !other->data)
		return false;
	if (!one->data)
		return one->fd == other->fd && one->offset == other->offset;
	return !one->size || one->data == other->data || !memcmp(one->data, other->data, one->size);
}

static int add_embed(struct trace_writer *writer, const char *path, const struct embed *wanted)
{
	const struct embed *other = find_embed(writer, path);
	struct embed *embed;
	int err;

	if (other)
		return embed_same(other, wanted) ? 0 : -EEXIST;
	if (wanted->size > ARTIFACT_SIZE_MAX || strlen(path) > ARTIFACT_PATH_MAX)
		return -EINVAL;
	embed = malloc(sizeof(*embed));
	if (!embed)
		return -ENOMEM;
	*embed = *wanted;
	embed->path = strdup(path);
	if (!embed->path) {
		free(embed);
		return -ENOMEM;
	}
	pthread_mutex_lock(&writer->lock);
	*writer->embeds_end = embed;
	writer->embeds_end = &embed->next;
	writer->embeds_wanted++;
	err = writer->error;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	return err;
}

int trace_writer_embed(struct trace_writer *writer, const char *path, uint32_t mode,
		       const void *data, size_t size)
{
	const struct embed embed = {
		.mode = mode, .fd = -1, .data = data ?: "", .size = size, .step = EMBED_HASH
	};

	return add_embed(writer, path, &embed);
}

int trace_writer_embed_file(struct trace_writer *writer, const char *path, uint32_t mode, int fd,
			    uint64_t offset, uint64_t size)
{
	const struct embed embed = {
		.mode = mode, .fd = fd, .offset = offset, .size = size, .step = EMBED_HASH
	};

	return add_embed(writer, path, &embed);
}

int writer_embed_stored(struct trace_writer *writer, const char *path, uint32_t mode, uint64_t size,
			const uint8_t sha256[32])
{
	struct embed embed = { .mode = mode, .fd = -1, .size = size, .stored = true };

	memcpy(embed.sha256, sha256, sizeof(embed.sha256));
	return add_embed(writer, path, &embed);
}

int trace_writer_flush(struct trace_writer *writer)
{
	int err;

	pthread_mutex_lock(&writer->lock);
	writer->flush_wanted = writer->encoder.number;
	pthread_cond_signal(&writer->work);
	while (writer->flushed < writer->flush_wanted && !writer->error)
		pthread_cond_wait(&writer->done, &writer->lock);
	err = writer->error;
	pthread_mutex_unlock(&writer->lock);
	return err;
}

void trace_writer_stat(struct trace_writer *writer, struct trace_writer_stat *stat)
{
	pthread_mutex_lock(&writer->lock);
	stat->records = writer->encoder.number;
	stat->file_bytes = writer->file_bytes;
	stat->artifact_bytes = writer->artifact_bytes;
	stat->stored_bytes = writer->stored_bytes;
	stat->files_missing = writer->embeds_wanted - writer->embeds_done;
	pthread_mutex_unlock(&writer->lock);
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

/* Signals are the program's; SIGXFSZ, blocked, leaves write() to say -EFBIG. */
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

static void columns_free(struct columns *columns)
{
	while (columns) {
		struct columns *next = columns->next;

		columns_destroy(columns);
		columns = next;
	}
}

static void writer_free(struct trace_writer *writer)
{
	while (writer->embeds) {
		struct embed *embed = writer->embeds;

		writer->embeds = embed->next;
		writer_embed_free(embed);
	}
	free(writer->piece);
	free(writer->other);
	free(writer->store);
	store_close(writer->checked);
	store_discard(writer->kept);
	columns_free(writer->empty);
	columns_free(writer->full);
	columns_destroy(writer->encoder.columns);
	encoder_release(&writer->encoder);
	frame_writer_release(&writer->frames);
	pthread_cond_destroy(&writer->work);
	pthread_cond_destroy(&writer->done);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

static int writer_alloc(const struct trace_writer_options *options, struct trace_writer **made)
{
	struct trace_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return -ENOMEM;
	writer_init_locks(writer);
	writer->embeds_end = &writer->embeds;
	writer->full_end = &writer->full;
	if (options && options->store) {
		writer->store = strdup(options->store);
		writer->store_least = options->store_least;
	}
	if (options && options->store && !writer->store) {
		writer_free(writer);
		return -ENOMEM;
	}
	writer->flush_ns = options && options->flush_ns ? options->flush_ns : WRITER_FLUSH_NS;
	for (int i = 0; i < WRITER_COLUMNS; i++) {
		struct columns *columns;

		if (columns_create(&columns)) {
			writer_free(writer);
			return -ENOMEM;
		}
		columns->pack = options && options->size >= sizeof(*options) && options->pack;
		columns->next = writer->empty;
		writer->empty = columns;
	}
	*made = writer;
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
	writer->file_bytes = writer->frames.offset;
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
	static const char names[] = FEATURE_STORE_NAME;
	bool store = options && options->store;
	struct trace_header header = { .features_required = store ? FEATURE_STORE : 0 };

	if (options && options->size < sizeof(*options))
		return -EINVAL;
	if (getrandom(header.uuid, sizeof(header.uuid), 0) != sizeof(header.uuid))
		return -errno;
	header.uuid[6] = (header.uuid[6] & 0x0f) | 0x40; /* RFC 9562: version 4, random */
	header.uuid[8] = (header.uuid[8] & 0x3f) | 0x80;
	return writer_create(path, options, &header, names, store ? sizeof(names) : 0, writer);
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
	err = writer->error;
	if (close(writer->frames.fd) && !err)
		err = -errno;
	if (stat)
		trace_writer_stat(writer, stat);
	writer_free(writer);
	return err;
}
