// SPDX-License-Identifier: BSD-3-Clause
/* What can be saved of a damaged file: everything up to the first damage, as a whole trace. */
#include "format/trace/reader.h"
#include "format/trace/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "format/trace_files.h"
#include "format/base/diagnosis.h"
#include "format/trace/trace_output.h"

/* What whole files contain, one after the other, until the writer has embedded them. */
struct kept {
	int fd;
	uint64_t size;
	bool all; /* what is in a store as well */
};

/* What else keeps a trace from being read is no reason to leave out what follows. */
static bool is_damage(int err)
{
	return err == -EBADMSG || err == -EPIPE;
}

/* A file without a name where the output is written: there may be more of it than memory. */
static int kept_open(const char *output)
{
	auto_free char *directory = strdup(output);
	char *slash = directory ? strrchr(directory, '/') : NULL;
	int fd;

	if (!directory)
		return -ENOMEM;
	if (slash)
		slash[slash == directory] = '\0';
	fd = open(slash ? directory : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = memfd_create("salvage", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int keep_artifact(struct trace_reader *reader, struct trace_writer *writer,
			 const struct artifact_entry *entry, struct kept *kept)
{
	int err;

	if (entry->stored && !kept->all)
		return writer_embed_stored(writer, entry->path, entry->mode, entry->size,
					   entry->sha256);
	if (lseek(kept->fd, (off_t)kept->size, SEEK_SET) < 0)
		return -errno;
	err = artifact_copy(reader, entry, kept->fd, UINT64_MAX);
	/* One that is not whole is lost, those after it need not be. */
	if (err && is_damage(err))
		return ftruncate(kept->fd, (off_t)kept->size) ? -errno : 0;
	if (err)
		return err;
	err = trace_writer_embed_file(writer, entry->path, entry->mode, kept->fd, kept->size,
				      entry->size);
	kept->size += entry->size;
	/* No recorder writes two files under one path; the first is the one that is found. */
	return err == -EEXIST ? 0 : err;
}

static int salvage_artifacts(struct trace_reader *reader, struct trace_writer *writer,
			     struct kept *kept)
{
	struct artifact_entry entry;
	uint64_t position = 0;
	int err = 0, got = 0;

	while (!err && (got = artifact_find(reader, &position, false, &entry)) > 0)
		err = keep_artifact(reader, writer, &entry, kept);
	return !err && got < 0 && !is_damage(got) ? got : err;
}

static int salvage_note(struct trace_writer *writer, uint64_t now, const char *problem)
{
	char text[sizeof(((struct trace_report *)0)->problem) + 64];
	struct trace_record note = {
		.kind = TRACE_note,
		.now = now,
		.note = { .status = EXIT_DAMAGED },
		.payload = text,
	};

	note.payload_size = (size_t)snprintf(text, sizeof(text),
					     "salvaged; what followed is lost: %s", problem);
	return trace_writer_append(writer, &note, NULL);
}

static int salvage_records(struct trace_reader *reader, struct trace_writer *writer,
			   const struct trace_report *report)
{
	struct trace_record record = { 0 };
	unsigned int field_count;
	uint64_t now = 0;
	bool chained;
	int err = 0, got = 0;

	while (!err && (got = reader_next_any(reader, &record, &field_count, &chained)) > 0) {
		err = writer_append(writer, &record, field_count, chained, NULL);
		now = record.now;
	}
	if (!err && got < 0 && !is_damage(got))
		err = got;
	if (!err && report->problem[0])
		err = salvage_note(writer, now, report->problem);
	return err;
}

/* The header of the copy: one that has everything needs no store. */
static struct trace_header copy_header(const struct trace_reader *reader, bool all,
				       const char **names, size_t *names_size)
{
	struct trace_header header = reader->header;

	*names = reader->names;
	*names_size = reader->names_size;
	if (all && header.features_required & FEATURE_STORE &&
	    *names_size >= sizeof(FEATURE_STORE_NAME)) {
		header.features_required &= ~FEATURE_STORE;
		*names += sizeof(FEATURE_STORE_NAME);
		*names_size -= sizeof(FEATURE_STORE_NAME);
	}
	return header;
}

static int salvage_copy(struct trace_reader *reader, const char *output, bool all,
			const struct trace_report *report)
{
	const char *names;
	size_t names_size;
	const struct trace_header header = copy_header(reader, all, &names, &names_size);
	struct trace_writer *writer;
	struct trace_output written;
	auto_fd fd = kept_open(output);
	struct kept kept = { .fd = fd, .all = all };
	int err = fd < 0 ? fd : trace_output_open(output, &written), closed;

	if (err)
		return err;
	err = writer_create(written.part, NULL, &header, names, names_size, &writer);
	if (err) {
		trace_output_discard(&written);
		return err;
	}
	err = salvage_artifacts(reader, writer, &kept);
	if (!err)
		err = salvage_records(reader, writer, report);
	closed = trace_writer_close(writer, NULL);
	if (!err)
		err = closed;
	if (!err)
		return trace_output_keep(&written);
	trace_output_discard(&written);
	return err;
}

static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int trace_salvage(const char *input, const char *output, struct trace_report *report)
{
	auto_reader *reader = NULL;
	int err = trace_verify(input, report);

	if (err && !is_damage(err))
		return err;
	err = trace_reader_open(input, &reader);
	if (err)
		return err;
	if (same_file(reader->fd, output))
		return -EINVAL;
	return salvage_copy(reader, output, false, report);
}

int trace_pack(const char *input, const char *output, struct trace_report *report)
{
	auto_reader *reader = NULL;
	int err = trace_verify(input, report);

	if (err)
		return err;
	err = trace_reader_open(input, &reader);
	if (!err && same_file(reader->fd, output))
		err = -EINVAL;
	if (!err)
		err = salvage_copy(reader, output, true, report);
	if (err == -ENODATA || err == -ESTALE)
		snprintf(report->problem, sizeof(report->problem), "%s",
			 trace_reader_error(reader));
	return err;
}
