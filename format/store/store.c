// SPDX-License-Identifier: BSD-3-Clause
/* Contents of large files by their hash, in a directory that traces share. */
#include "format/store/store.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "format/base/cleanup.h"
#include "format/base/transfer.h"
#include "format/base/units.h"

/* Its initrds are compressed already: more effort saves nothing. */
#define LEVEL 1

int store_path(char **path)
{
	const char *chosen = secure_getenv(STORE_ENVIRONMENT);
	const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
	int length;

	*path = NULL;
	if (chosen && *chosen)
		length = asprintf(path, "%s", chosen);
	else if (cache && *cache == '/')
		length = asprintf(path, "%s/ttrec/store", cache);
	else if (home && *home == '/')
		length = asprintf(path, "%s/.cache/ttrec/store", home);
	else
		return -ENOENT;
	if (length >= 0)
		return 0;
	*path = NULL;
	return -ENOMEM;
}

static void name_content(const uint8_t hash[STORE_HASH_SIZE], char name[STORE_NAME_SIZE])
{
	hex_text(hash, STORE_HASH_SIZE, name);
	strcpy(name + 2 * STORE_HASH_SIZE, ".zst");
}

/* ---- Reading -------------------------------------------------------------------------------- */

struct store_reader {
	int fd;
	ZSTD_DStream *stream;
	uint8_t *data;
	ZSTD_inBuffer in;
	size_t left; /* what zstd expects: 0 at the end of a frame */
};

/* Whatever has that name, it must not keep us waiting. */
static int open_regular(const char *directory, const char *name)
{
	auto_fd at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd = at < 0 ? -1 : openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return -errno;
	return S_ISREG(status.st_mode) ? take_fd(&fd) : -ENOENT;
}

int store_open(const char *directory, const uint8_t hash[STORE_HASH_SIZE],
	       struct store_reader **opened)
{
	char name[STORE_NAME_SIZE];
	struct store_reader *reader;
	int fd;

	name_content(hash, name);
	fd = open_regular(directory, name);
	if (fd < 0)
		return fd;
	reader = calloc(1, sizeof(*reader));
	if (!reader) {
		close(fd);
		return -ENOMEM;
	}
	reader->fd = fd;
	reader->left = 1;
	reader->stream = ZSTD_createDStream();
	reader->data = malloc(ZSTD_DStreamInSize());
	reader->in.src = reader->data;
	if (!reader->stream || !reader->data) {
		store_close(reader);
		return -ENOMEM;
	}
	*opened = reader;
	return 0;
}

int store_find(const char *beside, const uint8_t hash[STORE_HASH_SIZE],
	       struct store_reader **reader)
{
	auto_free char *own = NULL;
	int err = beside ? store_open(beside, hash, reader) : -ENOENT;

	if (!err || err == -ENOMEM)
		return err;
	err = store_path(&own);
	return err ? err : store_open(own, hash, reader);
}

static int refill(struct store_reader *reader)
{
	ssize_t got;

	do
		got = read(reader->fd, reader->data, ZSTD_DStreamInSize());
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	reader->in.pos = 0;
	reader->in.size = (size_t)got;
	return 0;
}

ssize_t store_read(struct store_reader *reader, void *data, size_t size)
{
	ZSTD_outBuffer out = { data, size, 0 };

	while (out.pos < out.size) {
		if (reader->in.pos == reader->in.size) {
			int err = refill(reader);

			if (err)
				return err;
			if (!reader->in.size)
				break;
		}
		reader->left = ZSTD_decompressStream(reader->stream, &out, &reader->in);
		if (ZSTD_isError(reader->left))
			return ZSTD_getErrorCode(reader->left) == ZSTD_error_memory_allocation
				       ? -ENOMEM
				       : -EBADMSG;
	}
	return out.pos < out.size && reader->left ? -EPIPE : (ssize_t)out.pos;
}

void store_close(struct store_reader *reader)
{
	if (!reader)
		return;
	close_fd(&reader->fd);
	ZSTD_freeDStream(reader->stream);
	free(reader->data);
	free(reader);
}

/* ---- Writing -------------------------------------------------------------------------------- */

struct store_writer {
	int directory, fd;
	ZSTD_CStream *stream;
	uint8_t *data;
	char name[STORE_NAME_SIZE];
	char part[STORE_NAME_SIZE + 24]; /* until it is complete; then empty */
};

static int make_directories(const char *path)
{
	auto_free char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		/* What fails here fails below. */
		mkdir(copy, 0777);
		*slash = '/';
	}
	return mkdir(copy, 0777) && errno != EEXIST ? -errno : 0;
}

static int create_part(struct store_writer *writer)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	snprintf(writer->part, sizeof(writer->part), "%s.%016llx", writer->name,
		 (unsigned long long)random);
	writer->fd = openat(writer->directory, writer->part,
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (writer->fd >= 0)
		return 0;
	writer->part[0] = '\0';
	return -errno;
}

static int open_writer(struct store_writer *writer, const char *directory)
{
	int err = make_directories(directory);

	if (err)
		return err;
	writer->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (writer->directory < 0)
		return -errno;
	writer->stream = ZSTD_createCStream();
	writer->data = malloc(ZSTD_CStreamOutSize());
	if (!writer->stream || !writer->data)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(writer->stream, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(writer->stream, ZSTD_c_checksumFlag, 1);
	return create_part(writer);
}

int store_create(const char *directory, const uint8_t hash[STORE_HASH_SIZE],
		 struct store_writer **created)
{
	struct store_writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	writer->directory = writer->fd = -1;
	name_content(hash, writer->name);
	err = open_writer(writer, directory);
	if (err)
		store_discard(writer);
	else
		*created = writer;
	return err;
}

static int compress(struct store_writer *writer, ZSTD_inBuffer in, ZSTD_EndDirective end)
{
	bool more = true;
	int err = 0;

	while (!err && more) {
		ZSTD_outBuffer out = { writer->data, ZSTD_CStreamOutSize(), 0 };
		size_t rest = ZSTD_compressStream2(writer->stream, &out, &in, end);

		if (ZSTD_isError(rest))
			return -ENOMEM;
		err = transfer_all(out.dst, out.pos, write(writer->fd, place, left));
		more = end == ZSTD_e_end ? rest : in.pos < in.size;
	}
	return err;
}

int store_write(struct store_writer *writer, const void *data, size_t size)
{
	return compress(writer, (ZSTD_inBuffer){ data, size, 0 }, ZSTD_e_continue);
}

/* Flushed before it has its name: after a crash of the machine, what has it is complete. */
int store_commit(struct store_writer *writer)
{
	int err = compress(writer, (ZSTD_inBuffer){ NULL, 0, 0 }, ZSTD_e_end);

	if (err)
		return err;
	if (fdatasync(writer->fd) ||
	    renameat(writer->directory, writer->part, writer->directory, writer->name))
		return -errno;
	writer->part[0] = '\0';
	return 0;
}

void store_discard(struct store_writer *writer)
{
	if (!writer)
		return;
	if (writer->part[0])
		unlinkat(writer->directory, writer->part, 0);
	close_fd(&writer->fd);
	close_fd(&writer->directory);
	ZSTD_freeCStream(writer->stream);
	free(writer->data);
	free(writer);
}

void store_touch(const char *directory, const uint8_t hash[STORE_HASH_SIZE])
{
	auto_fd at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[STORE_NAME_SIZE];

	name_content(hash, name);
	if (at >= 0)
		utimensat(at, name, NULL, 0);
}
