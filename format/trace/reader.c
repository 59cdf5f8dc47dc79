// SPDX-License-Identifier: BSD-3-Clause
/* Records out of a file, in order. */
#include "format/trace/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "format/trace/index.h"

static int reader_fail(struct trace_reader *reader, int error)
{
	reader->error = error;
	memcpy(reader->problem, reader->frames.problem, sizeof(reader->problem));
	if (!reader->problem[0])
		snprintf(reader->problem, sizeof(reader->problem), "%s", strerror(-error));
	return error;
}

/* What is wrong with a chunk is the decoder's to say, all else the host's. */
static const char *decoder_error(const struct decoder *decoder, int error)
{
	return error == -EBADMSG && decoder->problem ? decoder->problem : strerror(-error);
}

/* The name of required feature @bit: names are in the order of the bits that are set. */
static const char *feature_name(const struct trace_reader *reader, unsigned int bit)
{
	const char *name = reader->names, *end = reader->names + reader->names_size;

	for (unsigned int i = 0; i < bit; i++)
		if (reader->header.features_required >> i & 1)
			name += name < end ? strnlen(name, (size_t)(end - name)) + 1 : 0;
	return name < end ? name : "without a name";
}

static int check_features(struct trace_reader *reader)
{
	uint64_t unknown = reader->header.features_required & ~FEATURES_REQUIRED;

	if (reader->header.version != LAYOUT_VERSION)
		return frame_problem(&reader->frames, -EPROTONOSUPPORT,
				     "unsupported format version %u, expected %u",
				     reader->header.version, LAYOUT_VERSION);
	if (!unknown)
		return 0;
	return frame_problem(&reader->frames, -EPROTONOSUPPORT,
			     "the trace needs the unsupported feature \"%.64s\" (bit %d)",
			     feature_name(reader, (unsigned int)__builtin_ctzll(unknown)),
			     __builtin_ctzll(unknown));
}

static int parse_head(struct trace_reader *reader, const struct chunk *chunk)
{
	const uint8_t *in = chunk->content + CHUNK_HEAD_SIZE;
	size_t size = chunk->size - CHUNK_HEAD_SIZE;

	if (size < TRACE_HEAD_SIZE || memcmp(in, LAYOUT_MAGIC, LAYOUT_MAGIC_SIZE))
		return frame_problem(&reader->frames, -EBADMSG, "this is no trace");
	reader->header.version = get_le16(in + 8);
	reader->names_size = get_le32(in + 12);
	reader->header.features_required = get_le64(in + 16);
	reader->header.features_optional = get_le64(in + 24);
	memcpy(reader->header.uuid, in + 32, sizeof(reader->header.uuid));
	if (reader->names_size > sizeof(reader->names) ||
	    reader->names_size > size - TRACE_HEAD_SIZE)
		return frame_problem(&reader->frames, -EBADMSG, "truncated feature names");
	memcpy(reader->names, in + TRACE_HEAD_SIZE, reader->names_size);
	if (reader->names_size && reader->names[reader->names_size - 1])
		return frame_problem(&reader->frames, -EBADMSG, "unterminated feature names");
	return check_features(reader);
}

static int reader_head(struct trace_reader *reader)
{
	struct chunk chunk;
	int got = frame_reader_next(&reader->frames, &chunk);

	if (got < 0)
		return got;
	return parse_head(reader, &chunk);
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/*
 * A reader of an open file; takes @fd, also when it fails. A reader is handed back even when the
 * head is refused, so that its error can be asked for.
 */
static int open_fd(int fd, const char *path, struct trace_reader **opened)
{
	struct trace_reader *reader = calloc(1, sizeof(*reader));
	int err;

	*opened = NULL;
	if (!reader) {
		close_fd(&fd);
		return -ENOMEM;
	}
	reader->fd = fd;
	reader->directory = directory_of(path);
	err = reader->directory ? 0 : -ENOMEM;
	if (!err)
		err = frame_reader_init(&reader->frames, fd);
	if (!err)
		err = decoder_create(&reader->decoder);
	if (err) {
		trace_reader_close(reader);
		return err;
	}
	*opened = reader;
	err = reader_head(reader);
	reader->usable = !err;
	return err ? reader_fail(reader, err) : 0;
}

int trace_reader_open(const char *path, struct trace_reader **reader)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*reader = NULL;
	if (fd < 0)
		return -errno;
	return open_fd(fd, path, reader);
}

const struct trace_header *trace_reader_header(const struct trace_reader *reader)
{
	return &reader->header;
}

const char *trace_reader_error(const struct trace_reader *reader)
{
	return reader ? reader->problem : "the file cannot be opened";
}

void trace_reader_close(struct trace_reader *reader)
{
	if (!reader)
		return;
	frame_reader_release(&reader->frames);
	frame_reader_release(&reader->artifacts);
	decoder_destroy(reader->decoder);
	artifact_forget(reader);
	free(reader->directory);
	close_fd(&reader->fd);
	free(reader);
}

static int check_end(struct trace_reader *reader, const struct chunk *chunk)
{
	const uint8_t *table = chunk->content + CHUNK_HEAD_SIZE + 8;
	size_t room = chunk->size - CHUNK_HEAD_SIZE;
	int err;

	if (room < 8 || (room - 8) / GUEST_ENTRY_SIZE != chunk->count ||
	    (room - 8) % GUEST_ENTRY_SIZE)
		return frame_problem(&reader->frames, -EBADMSG, "invalid size of the end chunk");
	if (!reader->decoder->partial &&
	    get_le64(chunk->content + CHUNK_HEAD_SIZE) != reader->files)
		return frame_problem(&reader->frames, -EBADMSG, "invalid number of files");
	predictor_begin(&reader->decoder->predictor, chunk->now);
	err = decoder_chains(reader->decoder, table, chunk->count);
	if (err)
		return frame_problem(&reader->frames, err, "%s",
				     decoder_error(reader->decoder, err));
	return 0;
}

/* Go to the next chunk with records. Returns 1, 0 at the end, or an error. */
static int next_records(struct trace_reader *reader)
{
	struct chunk chunk;
	int got, err;

	for (;;) {
		got = frame_reader_next(&reader->frames, &chunk);
		if (got <= 0)
			return got;
		if (chunk.type == CHUNK_END)
			return check_end(reader, &chunk);
		if (chunk.type == CHUNK_RECORDS && !chunk.skipped)
			break;
		if (chunk.type == CHUNK_FILE)
			reader->files++;
	}
	err = decoder_begin(reader->decoder, chunk.content, chunk.size);
	if (err)
		return frame_problem(&reader->frames, err, "%s",
				     decoder_error(reader->decoder, err));
	return 1;
}

int reader_next_any(struct trace_reader *reader, struct trace_record *record,
		    unsigned int *field_count, bool *chained)
{
	int got;

	if (reader->error)
		return reader->error;
	for (;;) {
		got = decoder_next(reader->decoder, record, field_count, chained);
		if (got > 0) {
			reader->at = record->number + 1;
			return 1;
		}
		if (got < 0) {
			frame_problem(&reader->frames, got, "%s",
				      decoder_error(reader->decoder, got));
			return reader_fail(reader, got);
		}
		got = next_records(reader);
		if (got < 0)
			return reader_fail(reader, got);
		if (!got)
			return 0;
	}
}

static bool followed(const struct trace_reader *reader, const struct trace_record *record)
{
	return reader->frames.guest == TRACE_GUEST_ALL || reader->frames.guest == record->guest;
}

int trace_reader_next(struct trace_reader *reader, struct trace_record *record)
{
	unsigned int field_count;
	bool chained;
	int got;

	do {
		got = reader_next_any(reader, record, &field_count, &chained);
	} while (got > 0 && (record->number < reader->skip || !trace_kind_info(record->kind) ||
			     !followed(reader, record)));
	return got;
}

int trace_reader_follow(struct trace_reader *reader, uint32_t guest)
{
	if (guest >= TRACE_GUEST_LIMIT && guest != TRACE_GUEST_ALL)
		return -EINVAL;
	if (!reader->usable)
		return reader->error;
	frame_reader_follow(&reader->frames, guest);
	decoder_follow(reader->decoder, guest);
	return 0;
}

static void reader_jump(struct trace_reader *reader, const struct index_item *item)
{
	frame_reader_jump(&reader->frames, item->offset, item->frame);
	decoder_restart(reader->decoder);
	reader->decoder->partial = item->offset != 0 || reader->frames.guest != TRACE_GUEST_ALL;
	reader->error = 0;
	reader->files = 0;
	reader->problem[0] = '\0';
}

int reader_go(struct trace_reader *reader, const struct index_item *start, uint32_t guest)
{
	int err = trace_reader_follow(reader, guest);

	if (err)
		return err;
	reader_jump(reader, start);
	reader->at = start->number;
	reader->skip = 0;
	return 0;
}

/* Jump to a chunk at or before @number: by the index if it is right, else to the start. */
static void seek_jump(struct trace_reader *reader, uint64_t number)
{
	static const struct index_item start;
	struct index_footer footer;
	struct index_item item;
	struct chunk chunk;

	if (!index_open(reader->fd, &footer) && !index_find(reader->fd, &footer, number, &item) &&
	    item.number) {
		reader_jump(reader, &item);
		if (frame_reader_next(&reader->frames, &chunk) == 1 &&
		    chunk.type == CHUNK_RECORDS && chunk.number == item.number) {
			reader_jump(reader, &item);
			return;
		}
	}
	reader_jump(reader, &start);
}

/* Go on to the chunk with @number, or to the end when @number is the one after the last. */
static int seek_forward(struct trace_reader *reader, uint64_t number)
{
	for (;;) {
		int got = next_records(reader);

		if (got < 0)
			return reader_fail(reader, got);
		if (!got)
			return reader->frames.number >= number ? 0 : -ERANGE;
		if (reader->frames.number > number)
			return 0;
		/* Its records are not wanted, and so the chains are no longer whole. */
		decoder_restart(reader->decoder);
	}
}

int trace_reader_seek(struct trace_reader *reader, uint64_t number)
{
	if (!reader->usable)
		return reader->error;
	seek_jump(reader, number);
	reader->skip = number;
	return seek_forward(reader, number);
}

int trace_reader_seek_time(struct trace_reader *reader, uint64_t now, uint64_t *number)
{
	struct index_footer footer;
	struct index_item item;
	uint64_t first = 0;

	if (!reader->usable)
		return reader->error;
	if (!index_open(reader->fd, &footer) && !index_find_time(reader->fd, &footer, now, &item))
		first = item.number;
	if (number)
		*number = first;
	return trace_reader_seek(reader, first);
}

/* After a jump a guest's past may be unknown: read it from the start. */
static int chain_from_start(const struct trace_reader *reader, uint32_t guest, uint64_t *chain)
{
	struct trace_reader *other;
	struct trace_record record;
	unsigned int field_count;
	bool chained;
	int fd = fcntl(reader->fd, F_DUPFD_CLOEXEC, 0);
	int got;

	if (fd < 0)
		return -errno;
	got = open_fd(fd, "", &other); /* its files are not read */
	while (!got && other->at < reader->at) {
		got = reader_next_any(other, &record, &field_count, &chained);
		got = got < 0 ? got : !got;
	}
	if (!got)
		got = trace_reader_chain(other, guest, chain);
	trace_reader_close(other);
	return got > 0 ? -ENOENT : got;
}

int trace_reader_chain(struct trace_reader *reader, uint32_t guest, uint64_t *chain)
{
	const struct predictor *predictor = &reader->decoder->predictor;
	const struct guest *known =
		guest < predictor->guest_limit ? &predictor->guests[guest] : NULL;

	if (known && known->known) {
		/* It is in the table of its first chunk before it has a record: 0 then. */
		*chain = known->chain;
		return known->chain ? 0 : -ENOENT;
	}
	return reader->decoder->partial ? chain_from_start(reader, guest, chain) : -ENOENT;
}
