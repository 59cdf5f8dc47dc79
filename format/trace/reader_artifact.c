// SPDX-License-Identifier: BSD-3-Clause
/* Embedded files out of a trace. What a file states about itself is checked before it is used. */
#include "format/trace/reader.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "format/trace_files.h"
#include "format/base/transfer.h"
#include "format/base/units.h"
#include "format/store/store.h"
#include "format/trace/index.h"

static int artifact_fail(struct trace_reader *reader, int error)
{
	memcpy(reader->problem, reader->artifacts.problem, sizeof(reader->problem));
	return error;
}

static int parse_file(const struct trace_reader *reader, struct frame_reader *frames,
		      const struct chunk *chunk, struct artifact_entry *entry)
{
	const uint8_t *in = chunk->content + CHUNK_HEAD_SIZE;
	size_t size = chunk->size - CHUNK_HEAD_SIZE, length;

	if (size < FILE_HEAD_SIZE || size > FILE_HEAD_SIZE + ARTIFACT_PATH_MAX)
		return frame_problem(frames, -EBADMSG, "invalid size of a file head");
	length = size - FILE_HEAD_SIZE;
	entry->content = get_le32(in);
	entry->mode = get_le32(in + 4) & ~FILE_STORED;
	entry->stored =
		get_le32(in + 4) & FILE_STORED && reader->header.features_required & FEATURE_STORE;
	entry->size = get_le64(in + 8);
	entry->origin = get_le64(in + 16);
	memcpy(entry->sha256, in + 24, sizeof(entry->sha256));
	memcpy(entry->path, in + FILE_HEAD_SIZE, length);
	entry->path[length] = '\0';
	entry->next = frames->offset;
	if (strlen(entry->path) != length)
		return frame_problem(frames, -EBADMSG, "NUL in the path of a file");
	if (entry->size > ARTIFACT_SIZE_MAX || entry->origin > chunk->offset)
		return frame_problem(frames, -EBADMSG, "file size out of bounds");
	return 1;
}

/* The first entry of the index at or after @position; there are many where there are many files. */
static uint64_t index_place(struct trace_reader *reader, const struct index_footer *footer,
			    uint64_t position)
{
	uint64_t low = 0, high = footer->entries;
	struct index_item item;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (index_get(reader->fd, footer, middle, &item))
			return footer->entries;
		if (item.offset < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Skip what is not a file by the index. A wrong index costs time: the scan goes on from there. */
static uint64_t index_skip(struct trace_reader *reader, uint64_t position)
{
	struct index_footer footer;
	struct index_item item;

	if (index_open(reader->fd, &footer))
		return position;
	for (uint64_t i = index_place(reader, &footer, position); i < footer.entries; i++) {
		if (index_get(reader->fd, &footer, i, &item))
			return position;
		if (item.offset >= position && (item.type == CHUNK_FILE || item.type == CHUNK_END))
			return item.offset;
	}
	return position;
}

static int walk_init(struct trace_reader *reader)
{
	if (!reader->usable)
		return reader->error;
	if (reader->artifacts.window)
		return 0;
	return frame_reader_init(&reader->artifacts, reader->fd);
}

int artifact_find(struct trace_reader *reader, uint64_t *position, bool index,
		  struct artifact_entry *entry)
{
	struct frame_reader *frames = &reader->artifacts;
	struct chunk chunk;
	int got = walk_init(reader);

	if (got)
		return got;
	frame_reader_jump(frames, index ? index_skip(reader, *position) : *position, 0);
	while ((got = frame_reader_next(frames, &chunk)) > 0) {
		if (chunk.type != CHUNK_FILE)
			continue;
		*position = frames->offset;
		got = parse_file(reader, frames, &chunk, entry);
		break;
	}
	return got < 0 ? artifact_fail(reader, got) : got;
}

/* The next part of @entry's content from the current position. */
static int next_part(struct frame_reader *frames, const struct artifact_entry *entry, uint64_t done,
		     const uint8_t **data, size_t *size)
{
	struct chunk chunk;
	int got;

	while ((got = frame_reader_next(frames, &chunk)) > 0) {
		const uint8_t *in = chunk.content + CHUNK_HEAD_SIZE;

		if (chunk.type != CHUNK_PART)
			continue;
		if (chunk.size <= CHUNK_HEAD_SIZE + PART_HEAD_SIZE)
			return frame_problem(frames, -EBADMSG, "empty part of a file");
		if (get_le32(in) != entry->content)
			continue;
		*data = in + PART_HEAD_SIZE;
		*size = chunk.size - CHUNK_HEAD_SIZE - PART_HEAD_SIZE;
		if (get_le64(in + 8) != done || *size > entry->size - done)
			return frame_problem(frames, -EBADMSG, "misplaced part of a file");
		return 0;
	}
	return got ? got : frame_problem(frames, -EBADMSG, "missing part of a file");
}

/* Where the bytes of a content come from, and what they add up to. */
struct content {
	const struct artifact_entry *entry;
	artifact_sink *sink;
	void *context;
	struct sha256_ctx hash;
	uint64_t done;
};

static int take_bytes(struct content *content, const uint8_t *data, size_t size)
{
	sha256_update(&content->hash, size, data);
	content->done += size;
	return content->sink ? content->sink(content->context, data, size) : 0;
}

static int read_parts(struct frame_reader *frames, struct content *content)
{
	const uint8_t *data = NULL;
	size_t size = 0;
	int err = 0;

	frame_reader_jump(frames, content->entry->origin, 0);
	while (!err && content->done < content->entry->size) {
		err = next_part(frames, content->entry, content->done, &data, &size);
		if (!err)
			err = take_bytes(content, data, size);
	}
	return err;
}

/* Not a byte more than it should have: what is in a store may be anything. */
static int read_store(struct store_reader *store, struct content *content)
{
	auto_free uint8_t *data = malloc(CHUNK_PART_MAX);
	ssize_t got = data ? (ssize_t)CHUNK_PART_MAX : -ENOMEM;
	int err = 0;

	while (!err && got == (ssize_t)CHUNK_PART_MAX) {
		got = store_read(store, data, CHUNK_PART_MAX);
		if (got > 0 && (uint64_t)got > content->entry->size - content->done)
			return -EBADMSG;
		err = got > 0 ? take_bytes(content, data, (size_t)got) : 0;
	}
	return got < 0 ? (int)got : err;
}

/* Not of the trace, so without a place in it: -ENODATA, -ESTALE or @err. */
static int stored_problem(struct trace_reader *reader, const struct artifact_entry *entry, int err)
{
	char *problem = reader->artifacts.problem, hex[2 * sizeof(entry->sha256) + 1];
	const size_t size = sizeof(reader->artifacts.problem);
	auto_free char *own = NULL;

	hex_text(entry->sha256, sizeof(entry->sha256), hex);
	if (err == -ENOENT) {
		store_path(&own);
		snprintf(problem, size,
			 "%.40s is in a store, as %s.zst, which is neither beside the trace nor in "
			 "%.80s",
			 entry->path, hex, own ?: "a store of this user");
		err = -ENODATA;
	} else if (err == -EBADMSG || err == -EPIPE) {
		snprintf(problem, size, "%.40s is in a store, as %s.zst, and that file is damaged",
			 entry->path, hex);
		err = -ESTALE;
	} else {
		snprintf(problem, size, "cannot read %s.zst: %s", hex, strerror(-err));
	}
	printable(problem);
	return err;
}

static int read_stored(struct trace_reader *reader, struct content *content)
{
	struct store_reader *store;
	int err = store_find(reader->directory, content->entry->sha256, &store);

	if (err)
		return stored_problem(reader, content->entry, err);
	err = read_store(store, content);
	store_close(store);
	if (!err && content->done != content->entry->size)
		err = -EPIPE;
	return err == -EBADMSG || err == -EPIPE ? stored_problem(reader, content->entry, err) : err;
}

static int check_content(struct trace_reader *reader, struct content *content)
{
	const struct artifact_entry *entry = content->entry;
	uint8_t sha256[SHA256_DIGEST_SIZE];

	sha256_digest(&content->hash, sizeof(sha256), sha256);
	if (!memcmp(sha256, entry->sha256, sizeof(entry->sha256)))
		return 0;
	if (entry->stored)
		return stored_problem(reader, entry, -EBADMSG);
	return frame_problem(&reader->artifacts, -EBADMSG, "SHA-256 mismatch of %.128s",
			     entry->path);
}

int artifact_read(struct trace_reader *reader, const struct artifact_entry *entry,
		  artifact_sink *sink, void *context)
{
	struct content content = { .entry = entry, .sink = sink, .context = context };
	int err = walk_init(reader);

	if (err)
		return err;
	sha256_init(&content.hash);
	err = entry->stored ? read_stored(reader, &content)
			    : read_parts(&reader->artifacts, &content);
	if (!err)
		err = check_content(reader, &content);
	return err ? artifact_fail(reader, err) : 0;
}

/* ---- Into files ------------------------------------------------------------------------------ */

#define BLOCK 4096u

struct copy {
	int fd;
	bool holes; /* zeros need not be written */
	uint64_t left;
};

static bool is_zero(const uint8_t *data, size_t size)
{
	return !data[0] && !memcmp(data, data + 1, size - 1);
}

/* How many bytes from @data on are in blocks of zeros, or in blocks that are not. */
static size_t run_length(const uint8_t *data, size_t size, bool zero)
{
	size_t run = 0;

	while (run < size) {
		size_t block = size - run < BLOCK ? size - run : BLOCK;

		if (is_zero(data + run, block) != zero)
			break;
		run += block;
	}
	return run;
}

static int write_run(struct copy *copy, const uint8_t *data, size_t size, bool zero)
{
	if (zero && copy->holes)
		return lseek(copy->fd, (off_t)size, SEEK_CUR) < 0 ? -errno : 0;
	if (!zero && size > copy->left)
		return -EFBIG;
	copy->left -= zero ? 0 : size;
	return transfer_all(data, size, write(copy->fd, place, left));
}

static int write_part(void *context, const uint8_t *data, size_t size)
{
	struct copy *copy = context;
	int err = 0;

	for (size_t run; !err && size; data += run, size -= run) {
		bool zero = is_zero(data, size < BLOCK ? size : BLOCK);

		run = run_length(data, size, zero);
		err = write_run(copy, data, run, zero);
	}
	return err;
}

int artifact_copy(struct trace_reader *reader, const struct artifact_entry *entry, int fd,
		  uint64_t max_bytes)
{
	struct copy copy = { .fd = fd, .left = max_bytes };
	struct stat status;
	off_t end;
	int err;

	copy.holes = !fstat(fd, &status) && S_ISREG(status.st_mode);
	err = artifact_read(reader, entry, write_part, &copy);
	if (err || !copy.holes)
		return err;
	/* Zeros at the end. */
	end = lseek(fd, 0, SEEK_CUR);
	if (end < 0 || fstat(fd, &status) || (status.st_size < end && ftruncate(fd, end)))
		return -errno;
	return 0;
}

/* ---- Into memory ----------------------------------------------------------------------------- */

/* Memory grows with what really comes, not with what the file claims. */
struct loaded {
	uint8_t *data;
	size_t size, room;
};

static int load_part(void *context, const uint8_t *data, size_t size)
{
	struct loaded *loaded = context;

	if (array_room(loaded->data, loaded->room, loaded->size + size, 4096))
		return -ENOMEM;
	memcpy(loaded->data + loaded->size, data, size);
	loaded->size += size;
	return 0;
}

static int artifact_fill(struct trace_reader *reader, const struct artifact_entry *entry, bool load,
			 struct trace_artifact *artifact)
{
	struct loaded loaded = { 0 };
	int err = 0;

	memset(artifact, 0, sizeof(*artifact));
	if (load)
		err = artifact_read(reader, entry, load_part, &loaded);
	if (!err && load && !loaded.data)
		err = (loaded.data = malloc(1)) ? 0 : -ENOMEM;
	if (!err)
		err = (artifact->path = strdup(entry->path)) ? 0 : -ENOMEM;
	if (err) {
		free(loaded.data);
		return err;
	}
	artifact->mode = entry->mode;
	artifact->size = entry->size;
	artifact->content = entry->content;
	artifact->data = loaded.data;
	memcpy(artifact->sha256, entry->sha256, sizeof(artifact->sha256));
	return 0;
}

int trace_reader_artifact(struct trace_reader *reader, uint64_t *position, bool load,
			  struct trace_artifact *artifact)
{
	struct artifact_entry entry;
	int got = artifact_find(reader, position, true, &entry);

	if (got <= 0)
		return got;
	got = artifact_fill(reader, &entry, load, artifact);
	return got ? got : 1;
}

static int add_place(struct trace_reader *reader, uint64_t position, const char *path)
{
	struct artifact_place place = { strdup(path), position };

	if (place.path && !array_push(reader->places, reader->place_count, place))
		return 0;
	free(place.path);
	return -ENOMEM;
}

/* By path, and those of one path as they are in the file: the first one counts. */
static int compare_places(const void *one, const void *other)
{
	const struct artifact_place *first = one, *second = other;
	int order = strcmp(first->path, second->path);

	return order ? order
		     : (first->position > second->position) - (first->position < second->position);
}

static void find_places(struct trace_reader *reader)
{
	struct artifact_entry entry;
	uint64_t position = 0, before = 0;
	int got;

	reader->places_searched = true;
	while ((got = artifact_find(reader, &position, true, &entry)) > 0) {
		got = add_place(reader, before, entry.path);
		if (got)
			break;
		before = position;
	}
	reader->places_error = got;
	if (reader->place_count)
		qsort(reader->places, reader->place_count, sizeof(*reader->places), compare_places);
}

/* Returns the number of the first place that is not before @path. */
static size_t find_place(const struct trace_reader *reader, const char *path)
{
	size_t low = 0, high = reader->place_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(reader->places[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void artifact_forget(struct trace_reader *reader)
{
	for (size_t i = 0; i < reader->place_count; i++)
		free(reader->places[i].path);
	free(reader->places);
	reader->places = NULL;
	reader->place_count = 0;
}

static int locate(struct trace_reader *reader, const char *path, struct artifact_entry *entry)
{
	uint64_t position;
	size_t place;

	if (!reader->usable)
		return reader->error;
	if (!reader->places_searched)
		find_places(reader);
	place = find_place(reader, path);
	if (place == reader->place_count || strcmp(reader->places[place].path, path))
		return reader->places_error;
	position = reader->places[place].position;
	return artifact_find(reader, &position, true, entry);
}

int trace_reader_find(struct trace_reader *reader, const char *path, bool load,
		      struct trace_artifact *artifact)
{
	struct artifact_entry entry;
	int got = locate(reader, path, &entry);

	if (got != 1)
		return got;
	got = artifact_fill(reader, &entry, load, artifact);
	return got ? got : 1;
}

int trace_reader_copy(struct trace_reader *reader, const char *path, int fd, uint64_t max_bytes)
{
	struct artifact_entry entry;
	int got = locate(reader, path, &entry);

	if (got != 1)
		return got;
	got = fd < 0 ? artifact_read(reader, &entry, NULL, NULL)
		     : artifact_copy(reader, &entry, fd, max_bytes);
	return got ? got : 1;
}

void trace_artifact_free(struct trace_artifact *artifact)
{
	free(artifact->path);
	free(artifact->data);
	artifact->path = NULL;
	artifact->data = NULL;
}
