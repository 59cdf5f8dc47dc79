// SPDX-License-Identifier: BSD-3-Clause
/* Is every bit of a file right? */
#include "format/trace/reader.h"

#include <errno.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "format/trace/index.h"

static void report_problem(struct trace_report *report, const char *problem)
{
	if (!report->problem[0])
		snprintf(report->problem, sizeof(report->problem), "%s", problem);
}

static int verify_records(struct trace_reader *reader, struct trace_report *report)
{
	struct trace_record record;
	unsigned int field_count;
	bool chained;
	int got;

	while ((got = reader_next_any(reader, &record, &field_count, &chained)) > 0)
		report->records++;
	report->frames = reader->frames.frames;
	report->good_bytes = reader->frames.offset;
	report->ended = reader->frames.ended;
	return got;
}

/* The last contents that were read, so that what many guests share is read once. */
#define CONTENTS_KEPT 64
struct contents {
	struct content {
		uint64_t origin, size;
		uint8_t sha256[32];
	} content[CONTENTS_KEPT];
	size_t count;
};

static bool contents_has(const struct contents *contents, const struct artifact_entry *entry)
{
	for (size_t i = 0; i < contents->count && i < CONTENTS_KEPT; i++) {
		const struct content *content = &contents->content[i];

		if (content->origin == entry->origin && content->size == entry->size &&
		    !memcmp(content->sha256, entry->sha256, sizeof(content->sha256)))
			return true;
	}
	return false;
}

static void contents_add(struct contents *contents, const struct artifact_entry *entry)
{
	struct content *content = &contents->content[contents->count++ % CONTENTS_KEPT];

	content->origin = entry->origin;
	content->size = entry->size;
	memcpy(content->sha256, entry->sha256, sizeof(content->sha256));
}

/* Only what lies before the first damage counts: without the index no frame is skipped. */
static int verify_artifacts(struct trace_reader *reader, struct trace_report *report)
{
	struct contents contents = { .count = 0 };
	struct artifact_entry entry;
	uint64_t position = 0;
	int got;

	while ((got = artifact_find(reader, &position, false, &entry)) > 0) {
		if (!contents_has(&contents, &entry)) {
			got = artifact_read(reader, &entry, NULL, NULL);
			/* It may be elsewhere: the trace itself is right. */
			if (got == -ENODATA || got == -ESTALE) {
				report->missing++;
				continue;
			}
			if (got)
				return got;
			contents_add(&contents, &entry);
		}
		report->artifacts++;
	}
	return got;
}

static int verify_index(struct trace_reader *reader, struct trace_report *report)
{
	const char *problem = NULL;
	int err = index_verify(reader->fd, reader->frames.offset, reader->frames.chain, &problem);

	report->indexed = !err;
	if (!err)
		report->good_bytes = report->file_bytes;
	else
		report_problem(report, problem ? problem : strerror(-err));
	return err;
}

static int verify_reader(struct trace_reader *reader, struct trace_report *report)
{
	int err, other;

	err = verify_records(reader, report);
	if (err)
		report_problem(report, trace_reader_error(reader));
	else
		err = verify_index(reader, report);
	other = verify_artifacts(reader, report);
	/* A failed check is worse than damage. */
	if (other && (!err || (other != -EBADMSG && other != -EPIPE))) {
		report->problem[0] = '\0';
		report_problem(report, trace_reader_error(reader));
		return other;
	}
	return err;
}

int trace_verify(const char *path, struct trace_report *report)
{
	auto_reader *reader = NULL;
	struct stat status;
	int err;

	memset(report, 0, sizeof(*report));
	err = trace_reader_open(path, &reader);
	if (reader && !fstat(reader->fd, &status))
		report->file_bytes = (uint64_t)status.st_size;
	if (!err)
		return verify_reader(reader, report);
	report_problem(report, reader ? trace_reader_error(reader) : strerror(-err));
	return err;
}
