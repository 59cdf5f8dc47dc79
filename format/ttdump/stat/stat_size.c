// SPDX-License-Identifier: BSD-3-Clause
/* ttdump stat: where the bytes of a trace go. */
#include <errno.h>
#include <sys/stat.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "format/base/write_error.h"
#include "format/ttdump/stat/stat.h"

/* Fast, and only proportions are wanted. */
#define SIZER_LEVEL 1

struct stat_sizer {
	uint64_t chunk;		    /* offset of the frame of the chunk that is decoded */
	const uint8_t *at[COLUMNS]; /* what was taken from each column */
	double weight[COLUMNS];	    /* stored bytes for each byte of it */
	ZSTD_CCtx *context;
	void *scratch;
	size_t room;
};

struct stat_sizer *stat_sizer_create(void)
{
	struct stat_sizer *sizer = calloc(1, sizeof(*sizer));

	if (!sizer)
		return NULL;
	sizer->room = ZSTD_compressBound(CHUNK_CONTENT_MAX);
	sizer->scratch = malloc(sizer->room);
	sizer->context = ZSTD_createCCtx();
	if (sizer->scratch && sizer->context)
		return sizer;
	stat_sizer_free(sizer);
	return NULL;
}

void stat_sizer_free(struct stat_sizer *sizer)
{
	if (!sizer)
		return;
	ZSTD_freeCCtx(sizer->context);
	free(sizer->scratch);
	free(sizer);
}

/* What @size bytes of a column take alone; as they are when that fails or is longer. */
static size_t column_cost(const struct stat_sizer *sizer, const uint8_t *column, size_t size)
{
	size_t cost = ZSTD_compressCCtx(sizer->context, sizer->scratch, sizer->room, column, size,
					SIZER_LEVEL);

	if (ZSTD_isError(cost) && ZSTD_getErrorCode(cost) == ZSTD_error_memory_allocation)
		output_incomplete(-ENOMEM);
	return ZSTD_isError(cost) || cost > size ? size : cost;
}

/* A chunk begins: what does a byte of each column take of its frame? */
static void begin_chunk(struct stat_sizer *sizer, const struct trace_reader *reader)
{
	const struct decoder *decoder = reader->decoder;
	size_t size[COLUMNS], cost[COLUMNS], total = 0;
	const uint8_t *at = decoder->columns;

	for (int i = 0; i < COLUMNS; i++) {
		sizer->at[i] = at;
		size[i] = (size_t)(decoder->column[i].end - at);
		cost[i] = size[i] ? column_cost(sizer, at, size[i]) : 0;
		total += cost[i];
		at = decoder->column[i].end;
	}
	for (int i = 0; i < COLUMNS; i++)
		sizer->weight[i] =
			size[i] ? (double)(reader->frames.offset - reader->frames.last_offset) *
					  (double)cost[i] / (double)total / (double)size[i]
				: 0;
	sizer->chunk = reader->frames.last_offset;
}

void stat_sizer_add(struct stat_sizer *sizer, const struct trace_reader *reader,
		    struct stat_kind *kind)
{
	const struct decoder *decoder = reader->decoder;

	if (sizer->chunk != reader->frames.last_offset)
		begin_chunk(sizer, reader);
	for (int i = 0; i < COLUMNS; i++) {
		size_t taken = (size_t)(decoder->column[i].at - sizer->at[i]);

		if (!taken)
			continue;
		sizer->at[i] = decoder->column[i].at;
		kind->encoded += taken;
		kind->stored += (double)taken * sizer->weight[i];
	}
}

int stat_frames(struct stat_data *stat, int fd)
{
	struct frame_reader frames;
	struct chunk chunk;
	struct stat status;
	int got;

	if (fstat(fd, &status))
		return -errno;
	got = frame_reader_init(&frames, fd);
	if (got)
		return got;
	stat->file_bytes = (uint64_t)status.st_size;
	/* No decoder: heads of chunks are enough. */
	frame_reader_follow(&frames, TRACE_GUEST_LIMIT);
	while ((got = frame_reader_next(&frames, &chunk)) > 0) {
		uint64_t size = frames.offset - chunk.offset;

		if (chunk.type == CHUNK_RECORDS)
			stat->record_bytes += size;
		else if (chunk.type == CHUNK_FILE || chunk.type == CHUNK_PART)
			stat->artifact_bytes += size;
	}
	stat->frame_count = frames.frames;
	frame_reader_release(&frames);
	return got;
}
