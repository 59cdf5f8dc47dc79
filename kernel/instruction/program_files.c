// SPDX-License-Identifier: BSD-3-Clause
/* The programs and libraries in a file, a directory or an archive. */
#include "kernel/instruction/program_files.h"

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"

#define PROGRAM_MAX (1u << 30) /* bytes */
#define BLOCK	    65536u

static const char name_one[] = "give a program, a directory, or an archive such as an initrd";

struct walk {
	program_found *found;
	void *context;
	struct diagnosis *why;
};

static int cannot_read(const struct walk *walk, const char *path, int error)
{
	return diagnose(walk->why, exit_status_of_file(error), error, name_one,
			"cannot read %s: %s", path, strerror(-error));
}

static bool is_program(const void *data, size_t size)
{
	return size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

/* ---- Files and directories ------------------------------------------------------------------ */

/* Returns 1 when it is not a program. */
static int look_at_file(const struct walk *walk, const char *path, const char *name)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	void *data;
	int err = 1;

	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || !status.st_size || status.st_size > PROGRAM_MAX)
		return 1;
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	if (is_program(data, (size_t)status.st_size))
		err = walk->found(walk->context, name, data, (size_t)status.st_size);
	munmap(data, (size_t)status.st_size);
	return err;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Unreadable files are not part of an initrd: they are left out. */
static int walk_directory(const struct walk *walk, const char *path)
{
	char *const paths[] = { (char *)(uintptr_t)path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
	FTSENT *entry;
	int err = 0;

	if (!tree)
		return -errno;
	while (!err && (entry = fts_read(tree))) {
		if (entry->fts_info != FTS_F)
			continue;
		err = look_at_file(walk, entry->fts_accpath, entry->fts_path + strlen(path));
		if (err == 1 || err == -EACCES || err == -EPERM || err == -ENOENT)
			err = 0;
	}
	fts_close(tree);
	return err;
}

/* ---- Archives ------------------------------------------------------------------------------- */

static void close_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

static int look_at_entry(const struct walk *walk, struct archive *archive,
			 struct archive_entry *entry)
{
	auto_free uint8_t *data = NULL;
	int64_t size = archive_entry_size(entry);
	const char *path = archive_entry_pathname(entry);

	if (archive_entry_filetype(entry) != AE_IFREG || size < SELFMAG || size > PROGRAM_MAX ||
	    !path)
		return 0;
	data = malloc((size_t)size);
	if (!data)
		return -ENOMEM;
	if (archive_read_data(archive, data, (size_t)size) != size)
		return -EBADMSG;
	return is_program(data, (size_t)size) ? walk->found(walk->context, path, data, (size_t)size)
					      : 0;
}

static struct archive *new_archive(void)
{
	struct archive *archive = archive_read_new();

	if (!archive)
		return NULL;
	archive_read_support_filter_all(archive);
	archive_read_support_format_cpio(archive);
	archive_read_support_format_tar(archive);
	return archive;
}

/* Returns 1 when the archive is not read to its end: archive_error_string() says why. */
static int walk_entries(const struct walk *walk, struct archive *archive)
{
	struct archive_entry *entry;
	int got = ARCHIVE_OK, err = 0;

	while (!err && (got = archive_read_next_header(archive, &entry)) == ARCHIVE_OK)
		err = look_at_entry(walk, archive, entry);
	return err ? err : got != ARCHIVE_EOF;
}

static int walk_archive(const struct walk *walk, const char *path)
{
	cleanup(close_archive) struct archive *archive = new_archive();
	int err;

	if (!archive)
		return -ENOMEM;
	err = archive_read_open_filename(archive, path, BLOCK) ? 1 : walk_entries(walk, archive);
	if (err <= 0)
		return err;
	return diagnose(walk->why, EXIT_CANNOT, -EBADMSG, name_one,
			"%s is neither a program of this machine nor an archive: %s", path,
			archive_error_string(archive));
}

int program_files_walk_archive(const void *data, size_t size, program_found *found, void *context)
{
	cleanup(close_archive) struct archive *archive = new_archive();
	const struct walk walk = { found, context, NULL };
	int err;

	if (!archive)
		return -ENOMEM;
	err = archive_read_open_memory(archive, data, size) ? 1 : walk_entries(&walk, archive);
	return err > 0 ? -EBADMSG : err;
}

int program_files_walk(const char *path, program_found *found, void *context, struct diagnosis *why)
{
	const struct walk walk = { found, context, why };
	struct stat status;
	int err;

	if (stat(path, &status))
		return cannot_read(&walk, path, -errno);
	if (S_ISDIR(status.st_mode)) {
		err = walk_directory(&walk, path);
	} else {
		auto_free char *real = realpath(path, NULL);

		err = look_at_file(&walk, real ?: path, path);
		if (err == 1)
			err = walk_archive(&walk, path);
	}
	return err && !why->status ? cannot_read(&walk, path, err) : err;
}
