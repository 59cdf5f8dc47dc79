// SPDX-License-Identifier: BSD-3-Clause
/*
 * Files into frames, a piece at a time: first the hash, then, if it is new, the bytes, which
 * may go into a store.
 */
#include "format/trace/writer.h"

#include <stdlib.h>
#include <unistd.h>

#include "format/base/transfer.h"

void writer_embed_free(struct embed *embed)
{
	free(embed->path);
	free(embed);
}

/* An earlier file with the same bytes: its content is stored already, or being stored. */
static const struct embed *embed_twin(const struct trace_writer *writer, const struct embed *embed)
{
	for (const struct embed *twin = writer->embeds; twin != embed; twin = twin->next)
		if (twin->size == embed->size && !memcmp(twin->sha256, embed->sha256, 32))
			return twin;
	return NULL;
}

static int write_part(struct trace_writer *writer, const uint8_t *head, size_t head_size,
		      const void *data, size_t size, uint32_t content)
{
	struct segment segments[2] = { { head, head_size }, { data, size } };
	struct index_entry entry = {
		.number = writer->flushed,
		.now = writer->now,
		.content = content,
	};

	return frame_write(&writer->frames, writer->frames.artifacts, segments, 2, &entry);
}

static uint8_t *put_head(struct trace_writer *writer, uint8_t *out, enum chunk_type type)
{
	return put_chunk_head(out, type, 0, 0, writer->flushed, writer->now, writer->frames.chain);
}

/* Name, mode, size and hash go first, so that a reader knows what the parts are of. */
static int write_file(struct trace_writer *writer, struct embed *embed)
{
	const struct embed *twin = embed_twin(writer, embed);
	uint8_t head[CHUNK_HEAD_SIZE + FILE_HEAD_SIZE];
	uint8_t *out = put_head(writer, head, CHUNK_FILE);

	embed->content = twin ? twin->content : writer->contents++;
	embed->origin = twin ? twin->origin : writer->frames.offset;
	embed->stored = twin ? twin->stored : embed->stored;
	embed->step = twin || embed->stored || !embed->size ? EMBED_DONE : EMBED_STORE;
	embed->done = 0;
	writer->artifacts++;
	out = put_le32(out, embed->content);
	out = put_le32(out, embed->mode | (embed->stored ? FILE_STORED : 0));
	out = put_le64(out, embed->size);
	out = put_le64(out, embed->origin);
	put_bytes(out, embed->sha256, sizeof(embed->sha256));
	return write_part(writer, head, sizeof(head), embed->path, strlen(embed->path),
			  embed->content);
}

static size_t next_piece(const struct embed *embed)
{
	uint64_t left = embed->size - embed->done;

	return left < CHUNK_PART_MAX ? (size_t)left : CHUNK_PART_MAX;
}

/* A file that became shorter has zeros there: it is not what is replayed, but complete. */
static int read_piece(struct trace_writer *writer, const struct embed *embed, size_t size)
{
	int err;

	if (!writer->piece)
		writer->piece = malloc(CHUNK_PART_MAX);
	if (!writer->piece)
		return -ENOMEM;
	err = transfer_all(writer->piece, size,
			   pread(embed->fd, place, left,
				 (off_t)(embed->offset + embed->done + (size - left))));
	if (err == -EPIPE) {
		memset(writer->piece, 0, size);
		return 0;
	}
	return err;
}

/* The next @size bytes of @embed. */
static int take_piece(struct trace_writer *writer, const struct embed *embed, size_t size,
		      const uint8_t **data)
{
	int err = embed->data ? 0 : read_piece(writer, embed, size);

	*data = embed->data ? embed->data + embed->done : writer->piece;
	return err;
}

/* ---- The store ------------------------------------------------------------------------------ */

/* Files given by a descriptor are disks, which the user wants in the trace. */
static bool is_for_store(const struct trace_writer *writer, const struct embed *embed)
{
	return writer->store && embed->data && embed->size && embed->size >= writer->store_least &&
	       !embed_twin(writer, embed);
}

static int embed_stored(struct trace_writer *writer, struct embed *embed)
{
	embed->stored = true;
	pthread_mutex_lock(&writer->lock);
	writer->stored_bytes += embed->size;
	pthread_mutex_unlock(&writer->lock);
	return write_file(writer, embed);
}

/* Without it, for whatever reason, the content is in the trace. */
static int begin_keep(struct trace_writer *writer, struct embed *embed)
{
	embed->done = 0;
	embed->step = EMBED_KEEP;
	if (!store_create(writer->store, embed->sha256, &writer->kept))
		return 0;
	return write_file(writer, embed);
}

static int begin_check(struct trace_writer *writer, struct embed *embed)
{
	embed->done = 0;
	embed->step = EMBED_CHECK;
	if (!writer->other)
		writer->other = malloc(CHUNK_PART_MAX);
	if (writer->other && !store_open(writer->store, embed->sha256, &writer->checked))
		return 0;
	return begin_keep(writer, embed);
}

/* The next piece in the store: 1 if it is as expected, 0 if not. At its end nothing follows. */
static bool is_in_store(struct trace_writer *writer, const struct embed *embed, size_t piece)
{
	bool last = embed->done + piece == embed->size;
	uint8_t more;

	if (store_read(writer->checked, writer->other, piece) != (ssize_t)piece ||
	    memcmp(writer->other, embed->data + embed->done, piece) != 0)
		return false;
	return !last || !store_read(writer->checked, &more, 1);
}

static int embed_check(struct trace_writer *writer, struct embed *embed)
{
	size_t piece = next_piece(embed);
	bool same = is_in_store(writer, embed, piece);

	embed->done += piece;
	if (same && embed->done < embed->size)
		return 0;
	store_close(writer->checked);
	writer->checked = NULL;
	if (!same)
		return begin_keep(writer, embed);
	store_touch(writer->store, embed->sha256);
	return embed_stored(writer, embed);
}

static int embed_keep(struct trace_writer *writer, struct embed *embed)
{
	size_t piece = next_piece(embed);
	int err = store_write(writer->kept, embed->data + embed->done, piece);

	embed->done += piece;
	if (!err && embed->done < embed->size)
		return 0;
	if (!err)
		err = store_commit(writer->kept);
	store_discard(writer->kept);
	writer->kept = NULL;
	return err ? write_file(writer, embed) : embed_stored(writer, embed);
}

/* ---- Steps ---------------------------------------------------------------------------------- */

static int embed_hash(struct trace_writer *writer, struct embed *embed)
{
	size_t piece = next_piece(embed);
	const uint8_t *data;
	int err = take_piece(writer, embed, piece, &data);

	if (err)
		return err;
	if (!embed->done)
		sha256_init(&embed->hash);
	sha256_update(&embed->hash, piece, data);
	embed->done += piece;
	if (embed->done < embed->size)
		return 0;
	sha256_digest(&embed->hash, sizeof(embed->sha256), embed->sha256);
	return is_for_store(writer, embed) ? begin_check(writer, embed) : write_file(writer, embed);
}

static int embed_store(struct trace_writer *writer, struct embed *embed)
{
	uint8_t head[CHUNK_HEAD_SIZE + PART_HEAD_SIZE];
	uint8_t *out = put_head(writer, head, CHUNK_PART);
	size_t piece = next_piece(embed);
	const uint8_t *data;
	int err = take_piece(writer, embed, piece, &data);

	if (err)
		return err;
	out = put_le32(out, embed->content);
	out = put_le32(out, 0);
	put_le64(out, embed->done);
	err = write_part(writer, head, sizeof(head), data, piece, embed->content);
	embed->done += piece;
	if (embed->done == embed->size)
		embed->step = EMBED_DONE;
	return err;
}

int writer_embed_step(struct trace_writer *writer, struct embed *embed)
{
	switch (embed->step) {
	case EMBED_REFERENCE:
		return write_file(writer, embed);
	case EMBED_HASH:
		return embed_hash(writer, embed);
	case EMBED_CHECK:
		return embed_check(writer, embed);
	case EMBED_KEEP:
		return embed_keep(writer, embed);
	case EMBED_STORE:
		return embed_store(writer, embed);
	case EMBED_DONE:
		break;
	}
	return 0;
}
