// SPDX-License-Identifier: BSD-3-Clause
/* ttdump diff: how both were started, which may be why they differ. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/base/array.h"
#include "format/ttdump/diff/diff.h"
#include "format/base/units.h"

/* Names that come late are not waited for. */
#define NAMED_RECORDS 16384
/* No guest is described by more than a few hundred bytes. */
#define LINES_MAX 65536

static int add_line(struct diff_start *start, int s, int64_t guest, const char *text, size_t size)
{
	struct diff_line line = { .guest = guest };

	if (start->count[s] == LINES_MAX)
		return 0;
	line.text = strndup(size ? text : "", size);
	if (line.text && !array_push(start->line[s], start->count[s], line))
		return 0;
	free(line.text);
	return -ENOMEM;
}

/* "linux 5f3c...": of an embedded file, what it is called and what is in it. */
static int add_file(struct diff_start *start, int s, const struct trace_artifact *artifact)
{
	char line[ARTIFACT_PATH_MAX + 128], sha256[65];
	int size;

	hex_text(artifact->sha256, sizeof(artifact->sha256), sha256);
	size = snprintf(line, sizeof(line), "embedded %s %" PRIu64 " bytes, SHA-256 %.16s...",
			artifact->path, artifact->size, sha256);
	return add_line(start, s, DIFF_ALL_GUESTS, line, (size_t)size);
}

static int read_files(struct diff *diff, int s, struct diff_start *start)
{
	struct trace_artifact artifact;
	uint64_t position = 0;
	int err = 0, got = 0;

	while (!err &&
	       (got = trace_reader_artifact(diff->reader[s], &position, false, &artifact)) > 0) {
		err = add_file(start, s, &artifact);
		trace_artifact_free(&artifact);
	}
	return err ? err : diagnosis_host_error(got);
}

/* With its name the lines of a guest begin; those before are of the whole lab. */
static bool is_name(const struct trace_record *record)
{
	return record->payload_size > 5 && !memcmp(record->payload, "name=", 5);
}

static int read_head(struct diff *diff, int s, struct diff_start *start)
{
	int64_t guest = DIFF_ALL_GUESTS;
	struct trace_record record;
	bool head = true;
	int err = 0, got;

	for (uint64_t i = 0; i < NAMED_RECORDS && !err; i++) {
		got = trace_reader_next(diff->reader[s], &record);
		if (got <= 0)
			return diagnosis_host_error(got);
		head &= record.kind == TRACE_meta;
		if (record.guest || is_name(&record))
			guest = record.guest;
		if (head)
			err = add_line(start, s, guest, record.payload, record.payload_size);
		if (!err)
			err = name_table_learn(&diff->names[s], &record);
	}
	return err;
}

static int compare_lines(const void *x, const void *y)
{
	const struct diff_line *a = x, *b = y;

	if (a->guest != b->guest)
		return a->guest < b->guest ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* Drop what is in both; the lines are sorted. */
static void drop_common(struct diff_start *start)
{
	size_t at[2] = { 0, 0 }, kept[2] = { 0, 0 };

	while (at[0] < start->count[0] || at[1] < start->count[1]) {
		int order = at[0] == start->count[0] ? 1
			    : at[1] == start->count[1]
				    ? -1
				    : compare_lines(&start->line[0][at[0]], &start->line[1][at[1]]);

		for (int s = 0; s < 2; s++) {
			struct diff_line *line = start->line[s];

			if (order && (order > 0) != s)
				continue;
			if (order)
				line[kept[s]++] = line[at[s]];
			else
				free(line[at[s]].text);
			at[s]++;
		}
	}
	start->count[0] = kept[0];
	start->count[1] = kept[1];
}

int diff_start_read(struct diff *diff, struct diff_start *start)
{
	int err = 0;

	for (int s = 0; s < 2 && !err; s++) {
		err = read_head(diff, s, start);
		if (!err)
			err = read_files(diff, s, start);
		if (start->count[s])
			qsort(start->line[s], start->count[s], sizeof(*start->line[s]),
			      compare_lines);
	}
	if (!err)
		drop_common(start);
	return err;
}

void diff_start_free(struct diff_start *start)
{
	for (int s = 0; s < 2; s++) {
		for (size_t i = 0; i < start->count[s]; i++)
			free(start->line[s][i].text);
		free(start->line[s]);
	}
}
