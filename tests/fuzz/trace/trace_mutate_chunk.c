// SPDX-License-Identifier: BSD-3-Clause
/* Changes what the frames of a trace contain. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "format/base/cleanup.h"
#include "format/trace/frame_write.h"
#include "tests/fuzz/trace/trace_input.h"

#define CHUNKS_MAX  64
#define CHUNK_GROWS 128

struct chunks {
	struct {
		uint8_t *data; /* with room for CHUNK_GROWS more */
		size_t size;
	} chunk[CHUNKS_MAX];
	size_t count;
};

static void chunks_free(struct chunks *chunks)
{
	for (size_t i = 0; i < chunks->count; i++)
		free(chunks->chunk[i].data);
}

static bool take_chunk(struct chunks *chunks, const uint8_t *frame, size_t frame_size)
{
	unsigned long long size = ZSTD_getFrameContentSize(frame, frame_size);
	uint8_t *data;

	if (chunks->count == CHUNKS_MAX || size > CHUNK_CONTENT_MAX)
		return false;
	data = malloc(size + CHUNK_GROWS);
	if (!data)
		return false;
	if (ZSTD_decompress(data, size, frame, frame_size) != size) {
		free(data);
		return false;
	}
	chunks->chunk[chunks->count].data = data;
	chunks->chunk[chunks->count++].size = size;
	return true;
}

/* All frames up to the index, or to the first bytes that are no frame. */
static void take_apart(struct chunks *chunks, const uint8_t *data, size_t size)
{
	while (size) {
		size_t frame = ZSTD_findFrameCompressedSize(data, size);

		if (ZSTD_isError(frame) || get_le32(data) == INDEX_FRAME_MAGIC ||
		    !take_chunk(chunks, data, frame))
			return;
		data += frame;
		size -= frame;
	}
}

static void swap_chunks(struct chunks *chunks, size_t a, size_t b)
{
	typeof(chunks->chunk[0]) kept = chunks->chunk[a];

	chunks->chunk[a] = chunks->chunk[b];
	chunks->chunk[b] = kept;
}

static void repeat_chunk(struct chunks *chunks, size_t at)
{
	size_t size = chunks->chunk[at].size;
	uint8_t *copy;

	if (chunks->count == CHUNKS_MAX || !(copy = malloc(size + CHUNK_GROWS)))
		return;
	memcpy(copy, chunks->chunk[at].data, size);
	memmove(&chunks->chunk[at + 1], &chunks->chunk[at],
		(chunks->count - at) * sizeof(chunks->chunk[0]));
	chunks->chunk[at].data = copy;
	chunks->count++;
}

static void change(struct chunks *chunks, struct fuzz_random *random)
{
	size_t at = fuzz_random_below(random, chunks->count);
	size_t size = chunks->chunk[at].size;

	switch (fuzz_random_below(random, 12)) {
	case 0:
		repeat_chunk(chunks, at);
		break;
	case 1:
		free(chunks->chunk[at].data);
		chunks->count--;
		memmove(&chunks->chunk[at], &chunks->chunk[at + 1],
			(chunks->count - at) * sizeof(chunks->chunk[0]));
		break;
	case 2:
		swap_chunks(chunks, at, fuzz_random_below(random, chunks->count));
		break;
	default:
		chunks->chunk[at].size =
			LLVMFuzzerMutate(chunks->chunk[at].data, size, size + CHUNK_GROWS);
	}
}

static int put_chunk(struct frame_writer *writer, uint8_t *data, size_t size, uint64_t *number,
		     bool numbered)
{
	const struct segment segment = { data, size };
	struct index_entry entry = { 0 };

	if (size >= CHUNK_HEAD_SIZE) {
		put_le64(data + 24, writer->chain);
		if (numbered)
			put_le64(data + 8, *number);
		entry.number = get_le64(data + 8);
		entry.now = get_le64(data + 16);
		if (data[0] == CHUNK_RECORDS)
			*number += get_le32(data + 4);
	}
	return size ? frame_write(writer, writer->records, &segment, 1, &entry) : 0;
}

/* Numbers and chains are made right; once in a while numbers and index are not. */
static size_t put_together(const struct chunks *chunks, uint8_t *data, size_t max,
			   struct fuzz_random *random)
{
	auto_fd fd = memfd_create("trace", MFD_CLOEXEC);
	bool numbered = fuzz_random_below(random, 16), indexed = fuzz_random_below(random, 16);
	struct frame_writer writer;
	uint64_t number = 0;
	ssize_t size = 0;
	int err;

	if (fd < 0 || frame_writer_init(&writer, fd, 1))
		return 0;
	err = 0;
	for (size_t i = 0; i < chunks->count && !err; i++)
		err = put_chunk(&writer, chunks->chunk[i].data, chunks->chunk[i].size, &number,
				numbered);
	if (!err && indexed)
		err = frame_write_index(&writer);
	if (!err && writer.offset <= max)
		size = pread(fd, data, max, 0);
	frame_writer_release(&writer);
	return size > 0 ? (size_t)size : 0;
}

size_t trace_mutate_chunk(uint8_t *data, size_t size, size_t max, struct fuzz_random *random)
{
	struct chunks chunks = { .count = 0 };
	size_t changed = 0;

	take_apart(&chunks, data, size);
	if (chunks.count) {
		change(&chunks, random);
		changed = put_together(&chunks, data, max, random);
	}
	chunks_free(&chunks);
	return changed;
}
