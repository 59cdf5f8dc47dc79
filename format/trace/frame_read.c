// SPDX-License-Identifier: BSD-3-Clause
/* Chunks out of a file. Nothing in the file is trusted. */
#include "format/trace/frame_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd_errors.h>

#include "format/base/transfer.h"
#include "format/base/array.h"
#include "format/trace/codec/chain.h"
#include "format/trace/index.h"
#include "format/base/printable.h"
#include "format/base/units.h"

#define WINDOW_MIN (256u * 1024)

static size_t problem_place(struct frame_reader *reader, uint64_t frame, uint64_t offset)
{
	char number[UNITS_TEXT], byte[UNITS_TEXT];

	return (size_t)snprintf(reader->problem, sizeof(reader->problem),
				"frame %s at byte %s: ", count_text(frame, number),
				count_text(offset, byte));
}

int frame_problem(struct frame_reader *reader, int error, const char *format, ...)
{
	size_t length = problem_place(reader, reader->frames, reader->offset);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->problem + length, sizeof(reader->problem) - length, format, arguments);
	va_end(arguments);
	/* Some of it may be a name out of the file: nothing of that may command a terminal. */
	printable(reader->problem);
	return error;
}

int frame_reader_init(struct frame_reader *reader, int fd)
{
	*reader = (struct frame_reader){ .fd = fd, .guest = TRACE_GUEST_ALL };
	reader->window_room = WINDOW_MIN;
	reader->window = malloc(reader->window_room);
	reader->content = malloc(CHUNK_CONTENT_MAX);
	reader->context = ZSTD_createDCtx();
	if (reader->window && reader->content && reader->context)
		return 0;
	frame_reader_release(reader);
	return -ENOMEM;
}

void frame_reader_release(struct frame_reader *reader)
{
	free(reader->window);
	free(reader->content);
	ZSTD_freeDCtx(reader->context);
	reader->window = reader->content = NULL;
	reader->context = NULL;
}

void frame_reader_follow(struct frame_reader *reader, uint32_t guest)
{
	reader->guest = guest;
}

void frame_reader_jump(struct frame_reader *reader, uint64_t offset, uint64_t frame)
{
	reader->offset = reader->last_offset = offset;
	reader->jumped = offset != 0;
	reader->number = reader->chain = 0;
	reader->ended = false;
	reader->frames = frame;
	reader->problem[0] = '\0';
}

int read_at(int fd, uint64_t offset, void *data, size_t size)
{
	return transfer_all(data, size, pread(fd, place, left, (off_t)(offset + size - left)));
}

/* Drop the bytes before the next frame and read until @want bytes or the end of the file. */
static int window_fill(struct frame_reader *reader, size_t want)
{
	uint64_t skip = reader->offset - reader->window_offset;

	if (reader->offset < reader->window_offset || skip > reader->window_size)
		skip = reader->window_size;
	reader->window_size -= (size_t)skip;
	memmove(reader->window, reader->window + skip, reader->window_size);
	reader->window_offset = reader->offset;
	if (array_room(reader->window, reader->window_room, want, want))
		return -ENOMEM;
	while (reader->window_size < want) {
		ssize_t got = pread(reader->fd, reader->window + reader->window_size,
				    reader->window_room - reader->window_size,
				    (off_t)(reader->offset + reader->window_size));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		reader->window_size += (size_t)got;
	}
	return 0;
}

static const uint8_t *window_frame(const struct frame_reader *reader, size_t *available)
{
	uint64_t skip = reader->offset - reader->window_offset;

	if (reader->offset < reader->window_offset || skip > reader->window_size)
		skip = reader->window_size;
	*available = reader->window_size - (size_t)skip;
	return reader->window + skip;
}

/*
 * The file ends here without an end chunk. Where it carries an index it was complete once, so that
 * something before it must be damaged.
 */
static int frame_short(struct frame_reader *reader, const char *what)
{
	if (index_footer_present(reader->fd))
		return frame_problem(reader, -EBADMSG, "invalid length");
	return frame_problem(reader, -EPIPE, "the file ends %s", what);
}

/* Whether the buffer begins like a zstd frame; it may have fewer bytes than the magic number. */
static bool zstd_magic(const uint8_t *frame, size_t available)
{
	static const uint8_t magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

	return !memcmp(frame, magic, available < sizeof(magic) ? available : sizeof(magic));
}

/* Have one whole frame in the window. Returns 0, or -EPIPE, -EBADMSG with the reason. */
static int frame_locate(struct frame_reader *reader, const uint8_t **frame, size_t *size)
{
	size_t want = 16, available;
	int err;

	for (;;) {
		*frame = window_frame(reader, &available);
		if (available < want) {
			err = window_fill(reader, want);
			if (err)
				return err;
			*frame = window_frame(reader, &available);
		}
		if (!available)
			return frame_short(reader, "before the recorder closed it");
		if (!zstd_magic(*frame, available))
			return frame_problem(reader, -EBADMSG, "not a frame of a trace");
		*size = ZSTD_findFrameCompressedSize(*frame, available);
		if (!ZSTD_isError(*size))
			return *size <= FRAME_SIZE_MAX
				       ? 0
				       : frame_problem(reader, -EBADMSG, "frame too large");
		if (ZSTD_getErrorCode(*size) != ZSTD_error_srcSize_wrong)
			return frame_problem(reader, -EBADMSG, "damaged frame (%s)",
					     ZSTD_getErrorName(*size));
		if (available < want)
			return frame_short(reader, "within a frame");
		if (available >= FRAME_SIZE_MAX)
			return frame_problem(reader, -EBADMSG, "frame too large");
		want = available < WINDOW_MIN / 2 ? WINDOW_MIN : available * 2;
		if (want > FRAME_SIZE_MAX)
			want = FRAME_SIZE_MAX;
	}
}

static int frame_decompress(struct frame_reader *reader, const uint8_t *frame, size_t size,
			    size_t *content_size)
{
	unsigned long long declared = ZSTD_getFrameContentSize(frame, size);
	size_t got;

	if (declared > CHUNK_CONTENT_MAX || declared < CHUNK_HEAD_SIZE)
		return frame_problem(reader, -EBADMSG, "content size out of bounds");
	got = ZSTD_decompressDCtx(reader->context, reader->content, CHUNK_CONTENT_MAX, frame, size);
	if (ZSTD_isError(got) && ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
		return frame_problem(reader, -ENOMEM, "%s", strerror(ENOMEM));
	if (ZSTD_isError(got))
		return frame_problem(reader, -EBADMSG, "damaged frame (%s)",
				     ZSTD_getErrorName(got));
	*content_size = got;
	return 0;
}

/*
 * Decompress the frame's first @want bytes. Missing or damaged bytes are reported when all of it is
 * decompressed.
 */
static bool decompress_start(struct frame_reader *reader, ZSTD_inBuffer *in, ZSTD_outBuffer *out,
			     size_t want)
{
	out->size = want;
	while (out->pos < want) {
		size_t before = out->pos, left = in->size - in->pos;

		if (ZSTD_isError(ZSTD_decompressStream(reader->context, out, in)) ||
		    (out->pos == before && in->size - in->pos == left))
			return false;
	}
	return true;
}

/*
 * Whether it is a records chunk without a record of the followed guest, or a part of a file. Only
 * the head and the table of guests are decompressed for that; the chain over the frames covers
 * every bit.
 */
static bool frame_unwanted(struct frame_reader *reader, const uint8_t *frame, size_t size)
{
	ZSTD_inBuffer in = { frame, size, 0 };
	ZSTD_outBuffer out = { reader->content, 0, 0 };
	const uint8_t *table = reader->content + CHUNK_HEAD_SIZE;
	size_t guests;

	if (reader->guest == TRACE_GUEST_ALL)
		return false;
	ZSTD_DCtx_reset(reader->context, ZSTD_reset_session_only);
	if (!decompress_start(reader, &in, &out, CHUNK_HEAD_SIZE))
		return false;
	if (reader->content[0] != CHUNK_RECORDS)
		return reader->content[0] == CHUNK_PART;
	guests = get_le16(reader->content + 2);
	if (!decompress_start(reader, &in, &out, CHUNK_HEAD_SIZE + guests * GUEST_ENTRY_SIZE))
		return false;
	for (size_t i = 0; i < guests; i++)
		if (get_le32(table + i * GUEST_ENTRY_SIZE) == reader->guest)
			return false;
	return true;
}

/*
 * The frame carries the hash of what lies before it. What lies before the previous frame was right,
 * so that it is that one which is damaged, in a bit that its own checksum does not cover.
 */
static int check_chain(struct frame_reader *reader, uint64_t chain)
{
	size_t length;

	if (reader->chain == chain)
		return 0;
	length = problem_place(reader, reader->frames - 1, reader->last_offset);
	snprintf(reader->problem + length, sizeof(reader->problem) - length,
		 "its hash differs from the one in the next frame");
	reader->offset = reader->last_offset;
	return -EBADMSG;
}

static int check_records(struct frame_reader *reader, const struct chunk *chunk)
{
	uint64_t room = CHUNK_RECORDS_MAX - chunk->number % CHUNK_RECORDS_MAX;

	if (!chunk->count || chunk->count > room)
		return frame_problem(reader, -EBADMSG, "invalid number of records");
	if (chunk->number + chunk->count < chunk->number)
		return frame_problem(reader, -EBADMSG, "invalid record numbers");
	return 0;
}

static int check_chunk(struct frame_reader *reader, const struct chunk *chunk)
{
	bool head = chunk->type == CHUNK_HEAD;

	if (head != (chunk->offset == 0))
		return frame_problem(reader, -EBADMSG,
				     head ? "a second head" : "the head is missing");
	if (chunk->number != reader->number)
		return frame_problem(reader, -EBADMSG, "invalid record numbers");
	switch (chunk->type) {
	case CHUNK_HEAD:
	case CHUNK_FILE:
	case CHUNK_PART:
	case CHUNK_END:
		return 0;
	case CHUNK_RECORDS:
		return check_records(reader, chunk);
	}
	return frame_problem(reader, -EBADMSG, "unknown chunk type");
}

int frame_reader_next(struct frame_reader *reader, struct chunk *chunk)
{
	const uint8_t *frame = NULL;
	size_t size = 0;
	int err;

	if (reader->ended)
		return 0;
	err = frame_locate(reader, &frame, &size);
	if (err)
		return err;
	chunk->size = CHUNK_HEAD_SIZE;
	chunk->skipped = frame_unwanted(reader, frame, size);
	if (!chunk->skipped)
		err = frame_decompress(reader, frame, size, &chunk->size);
	if (err)
		return err;
	chunk->content = reader->content;
	chunk->type = chunk->content[0];
	chunk->offset = reader->offset;
	chunk->count = get_le32(chunk->content + 4);
	chunk->number = get_le64(chunk->content + 8);
	chunk->now = get_le64(chunk->content + 16);
	if (reader->jumped) {
		reader->chain = get_le64(chunk->content + 24);
		reader->number = chunk->number;
		reader->jumped = false;
	}
	err = check_chunk(reader, chunk);
	if (!err)
		err = check_chain(reader, get_le64(chunk->content + 24));
	if (err)
		return err;
	reader->last_offset = reader->offset;
	reader->chain = chain_frame(reader->chain, frame, size);
	reader->offset += size;
	reader->frames++;
	if (chunk->type == CHUNK_RECORDS)
		reader->number += chunk->count;
	reader->ended = chunk->type == CHUNK_END;
	return 1;
}
