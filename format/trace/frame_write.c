// SPDX-License-Identifier: BSD-3-Clause
/* Frames onto the end of a file. */
#include "format/trace/frame_write.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd_errors.h>

#include "format/base/transfer.h"
#include "format/trace/codec/chain.h"
#include "format/base/array.h"
#include "format/base/cleanup.h"

/* Artifacts are large and their time is the recorder's start: speed before ratio. */
#define ARTIFACT_LEVEL 1

/* Columns from this size on get a zstd block, and so an entropy table, of their own. */
#define SEGMENT_OWN_BLOCK 512

static ZSTD_CCtx *context_create(int level)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();

	if (!context)
		return NULL;
	if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1))) {
		ZSTD_freeCCtx(context);
		return NULL;
	}
	return context;
}

int frame_writer_init(struct frame_writer *writer, int fd, int level)
{
	*writer = (struct frame_writer){ .fd = fd, .frame_room = FRAME_SIZE_MAX };
	writer->records = context_create(level);
	writer->artifacts = context_create(ARTIFACT_LEVEL);
	writer->frame = malloc(writer->frame_room);
	if (writer->records && writer->artifacts && writer->frame)
		return 0;
	frame_writer_release(writer);
	return -ENOMEM;
}

void frame_writer_release(struct frame_writer *writer)
{
	ZSTD_freeCCtx(writer->records);
	ZSTD_freeCCtx(writer->artifacts);
	free(writer->frame);
	free(writer->index);
	writer->records = writer->artifacts = NULL;
	writer->frame = NULL;
	writer->index = NULL;
}

/* The bytes behind the last whole frame are of no use to anybody: drop them. */
static int frame_writer_fail(struct frame_writer *writer, int error)
{
	writer->error = error;
	if (ftruncate(writer->fd, (off_t)writer->offset) == 0)
		lseek(writer->fd, (off_t)writer->offset, SEEK_SET);
	return error;
}

static int frame_append(struct frame_writer *writer, const uint8_t *frame, size_t size)
{
	int err = transfer_all(frame, size, write(writer->fd, place, left));

	if (err)
		return frame_writer_fail(writer, err);
	writer->chain = chain_frame(writer->chain, frame, size);
	writer->offset += size;
	return 0;
}

/*
 * A block ends before and after each large segment, because columns have nothing in common: one
 * entropy table for all of them would fit none.
 */
static ZSTD_EndDirective segment_directive(const struct segment *segments, size_t count, size_t i)
{
	if (i + 1 == count)
		return ZSTD_e_end;
	if (segments[i].size >= SEGMENT_OWN_BLOCK || segments[i + 1].size >= SEGMENT_OWN_BLOCK)
		return ZSTD_e_flush;
	return ZSTD_e_continue;
}

static int frame_compress(struct frame_writer *writer, ZSTD_CCtx *context,
			  const struct segment *segments, size_t count, size_t *size)
{
	ZSTD_outBuffer out = { writer->frame, writer->frame_room, 0 };
	uint64_t content = 0;

	for (size_t i = 0; i < count; i++)
		content += segments[i].size;
	assert(content <= CHUNK_CONTENT_MAX);
	ZSTD_CCtx_reset(context, ZSTD_reset_session_only);
	ZSTD_CCtx_setPledgedSrcSize(context, content);
	for (size_t i = 0; i < count; i++) {
		ZSTD_inBuffer in = { segments[i].data, segments[i].size, 0 };
		ZSTD_EndDirective directive = segment_directive(segments, count, i);
		size_t left;

		do {
			left = ZSTD_compressStream2(context, &out, &in, directive);
			if (ZSTD_isError(left))
				return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation
					       ? -ENOMEM
					       : -EIO;
		} while (in.pos < in.size || (directive != ZSTD_e_continue && left));
	}
	*size = out.pos;
	return 0;
}

static int index_push(struct frame_writer *writer, const struct index_entry *entry,
		      enum chunk_type type)
{
	if (array_room(writer->index, writer->index_room, writer->index_count + 1, 64))
		return -ENOMEM;
	writer->index[writer->index_count] = *entry;
	writer->index[writer->index_count].offset = writer->offset;
	writer->index[writer->index_count].type = (uint8_t)type;
	writer->index_count++;
	return 0;
}

int frame_write(struct frame_writer *writer, ZSTD_CCtx *context, const struct segment *segments,
		size_t count, const struct index_entry *entry)
{
	enum chunk_type type = *(const uint8_t *)segments[0].data;
	size_t size;
	int err;

	if (writer->error)
		return writer->error;
	err = frame_compress(writer, context, segments, count, &size);
	if (!err)
		err = index_push(writer, entry, type);
	if (err)
		return frame_writer_fail(writer, err);
	return frame_append(writer, writer->frame, size);
}

/* Footer: entries, offset of this frame, chain over all frames before, hash, magic. */
static uint8_t *put_index(const struct frame_writer *writer, uint8_t *start, uint32_t content)
{
	uint8_t *out = put_le32(put_le32(start, INDEX_FRAME_MAGIC), content);

	for (size_t i = 0; i < writer->index_count; i++) {
		const struct index_entry *entry = &writer->index[i];

		out = put_le64(out, entry->offset);
		out = put_le64(out, entry->number);
		out = put_le64(out, entry->now);
		out = put_le32(out, entry->content);
		out = put_le32(out, entry->type);
	}
	out = put_le64(out, writer->index_count);
	out = put_le64(out, writer->offset);
	out = put_le64(out, writer->chain);
	out = put_le64(out, chain_frame(writer->chain, start, (size_t)(out - start)));
	return put_bytes(out, INDEX_MAGIC, 8);
}

int frame_write_index(struct frame_writer *writer)
{
	uint64_t content = (uint64_t)writer->index_count * INDEX_ENTRY_SIZE + INDEX_FOOTER_SIZE;
	auto_free uint8_t *frame = NULL;

	if (writer->error)
		return writer->error;
	/* An index is a cache: a trace too long for one frame of it does without. */
	if (content > UINT32_MAX)
		return 0;
	frame = malloc(INDEX_HEAD_SIZE + content);
	if (!frame)
		return frame_writer_fail(writer, -ENOMEM);
	put_index(writer, frame, (uint32_t)content);
	return frame_append(writer, frame, INDEX_HEAD_SIZE + content);
}
