// SPDX-License-Identifier: BSD-3-Clause
/* What can be saved of a damaged file: everything up to the first damage, as a whole trace. */
#include "format/trace/reader.h"
#include "format/trace/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "format/base/diagnosis.h"
#include "format/trace/trace_output.h"

/* The files that are whole, kept until the writer has embedded them. */
struct kept {
	struct trace_artifact *artifact;
	size_t count;
};

/* What else keeps a trace from being read is no reason to leave out what follows. */
static bool is_damage(int err)
{
	return err == -EBADMSG || err == -EPIPE;
}

static void kept_release(struct kept *kept)
{
	for (size_t i = 0; i < kept->count; i++)
		trace_artifact_free(&kept->artifact[i]);
	free(kept->artifact);
}

static int keep_artifact(struct trace_reader *reader, const struct artifact_entry *entry,
			 struct kept *kept)
{
	struct trace_artifact *artifact = array_add(kept->artifact, kept->count);
	int err;

	if (!artifact)
		return -ENOMEM;
	err = artifact_fill(reader, entry, true, artifact);
	if (err)
		kept->count--;
	/* One that is not whole is lost, those after it need not be. */
	return is_damage(err) ? 0 : err;
}

static int salvage_artifacts(struct trace_reader *reader, struct trace_writer *writer,
			     struct kept *kept)
{
	struct artifact_entry entry;
	uint64_t position = 0;
	int err = 0, got = 0;

	while (!err && (got = artifact_find(reader, &position, false, &entry)) > 0)
		err = keep_artifact(reader, &entry, kept);
	if (!err && got < 0 && !is_damage(got))
		err = got;
	for (size_t i = 0; !err && i < kept->count; i++) {
		err = trace_writer_embed(writer, kept->artifact[i].path, kept->artifact[i].mode,
					 kept->artifact[i].data, kept->artifact[i].size);
		/* No recorder writes two files under one path; the first is the one that is found.
		 */
		if (err == -EEXIST)
			err = 0;
	}
	return err;
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

static int salvage_copy(struct trace_reader *reader, const char *output,
			const struct trace_report *report)
{
	struct trace_writer *writer;
	struct trace_output written;
	struct kept kept = { 0 };
	int err = trace_output_open(output, &written), closed;

	if (err)
		return err;
	err = writer_create(written.part, NULL, &reader->header, reader->names, reader->names_size,
			    &writer);
	if (err) {
		trace_output_discard(&written);
		return err;
	}
	err = salvage_artifacts(reader, writer, &kept);
	if (!err)
		err = salvage_records(reader, writer, report);
	closed = trace_writer_close(writer, NULL);
	kept_release(&kept);
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
	return salvage_copy(reader, output, report);
}
