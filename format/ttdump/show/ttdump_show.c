// SPDX-License-Identifier: BSD-3-Clause
/* ttdump show: the records of a trace, one a line. */
#include <inttypes.h>

#include "format/ttdump/show/show.h"
#include "format/base/command_line.h"
#include "format/base/words.h"

/* How many records at the beginning name all guests of most traces. */
#define MEET_RECORDS 4096

struct show {
	const char *path;
	struct show_filter filter;
	struct show_output output;
	struct name_table names;
	uint64_t met; /* the guests of all records before this one are known */
};

/* These two exclude each other. */
static void choose_format(struct argp_state *state, enum show_format *format,
			  enum show_format wanted)
{
	if (*format != SHOW_TEXT && *format != wanted)
		argp_error(state, "--json and --csv are mutually exclusive");
	*format = wanted;
}

static void take_json(char *text, void *input, struct argp_state *state)
{
	(void)text;
	choose_format(state, &((struct show *)input)->output.format, SHOW_JSON);
}

static void take_csv(char *text, void *input, struct argp_state *state)
{
	(void)text;
	choose_format(state, &((struct show *)input)->output.format, SHOW_CSV);
}

static void check(void *input, struct argp_state *state)
{
	const struct show *show = input;

	if (show->filter.to < show->filter.from)
		argp_error(state, "--to is earlier than --from");
}

static const char *const colours[] = { "auto", "always", "never", NULL };

static const struct option_row format_rows[] = {
	{ .doc = "Output format:", .group = 2 },
	{ "json", 'j', NULL, "print one JSON object per line", 2, OPTION_CALL, .take = take_json },
	{ "csv", 0, NULL, "print comma-separated values", 2, OPTION_CALL, .take = take_csv },
	{ "color", 0, "WHEN", "use colours: auto (terminal), always or never", 2, OPTION_CHOICE,
	  OPTION_FIELD(struct show, output.colour), .names = colours },
	{ "no-pager", 0, NULL, "do not use a pager on a terminal", 2, OPTION_FLAG,
	  OPTION_FIELD(struct show, output.no_pager) },
	{ 0 },
};

static const struct command_line command = {
	.usage = "TRACE",
	.doc = "Show a trace, one record per line: number, virtual time in seconds, time since the "
	       "previous line, guest, direction (<- from the guest, -> to the guest, == checked "
	       "in replay, -- side data), description.",
	.table = { { show_filter_rows, offsetof(struct show, filter) }, { format_rows, 0 } },
	.least = 1,
	.most = 1,
	.argument = { offsetof(struct show, path) },
	.check = check,
};

/* ---- Names --------------------------------------------------------------------------------- */

static int meet(struct show *show, const struct trace_record *record)
{
	if (record->number < show->met)
		return 0;
	show->met = record->number + 1;
	return name_table_meet(&show->names, record);
}

static int refuse_guest(const struct show *show, const char *word, struct diagnosis *diagnosis)
{
	const struct name_table *name_table = &show->names;
	auto_free const char **names = calloc(name_table->count + 1, sizeof(*names));
	char advice[sizeof(diagnosis->advice)] = "";
	struct line list = { 0 };
	const char *meant;

	for (size_t i = 0; names && i < name_table->count; i++) {
		names[i] = name_table->guest[i].name;
		line_format(&list, "%s%s", i ? ", " : "", names[i]);
	}
	meant = names ? word_nearest(word, names, name_table->count, sizeof(*names)) : NULL;
	if (meant)
		snprintf(advice, sizeof(advice), "did you mean %s?", meant);
	else
		snprintf(advice, sizeof(advice), "there are: %.*s", (int)list.size,
			 list.text ?: "");
	line_free(&list);
	return diagnose(diagnosis, EXIT_USAGE, -ENOENT, advice, "no guest %s in %s", word,
			show->path);
}

/*
 * All guests are read before the first line, so that names are known and columns fit;
 * the requested guests, however far that is.
 */
static int meet_guests(struct show *show, struct trace_reader *reader, struct diagnosis *diagnosis)
{
	struct trace_record record;
	const char *unknown = NULL;
	size_t known = 0; /* guests when it was last looked for those who are wanted */
	int got;

	while ((got = trace_reader_next(reader, &record)) > 0) {
		if (meet(show, &record))
			return dump_no_memory(diagnosis);
		if (show->met < MEET_RECORDS ||
		    (known == show->names.count && record.kind != TRACE_join))
			continue;
		if (show_filter_resolve(&show->filter, &show->names, &unknown))
			return 0;
		known = show->names.count;
	}
	if (diagnosis_host_error(got))
		return dump_damaged(show->path, reader, got, diagnosis);
	if (show_filter_resolve(&show->filter, &show->names, &unknown))
		return 0;
	if (got < 0)
		return dump_damaged(show->path, reader, got, diagnosis);
	return refuse_guest(show, unknown, diagnosis);
}

/* ---- The records ----------------------------------------------------------------------------- */

/* Damage on the way there is for who reads from there to meet. */
static int go_to_start(const struct show *show, struct trace_reader *reader,
		       struct diagnosis *diagnosis)
{
	const struct show_filter *filter = &show->filter;
	uint64_t number = 0;
	int err;

	if (filter->guest_count == 1)
		trace_reader_follow(reader, filter->guest[0].index);
	err = trace_reader_seek_time(reader, filter->from, &number);
	if (!err && filter->first > number)
		err = trace_reader_seek(reader, filter->first);
	if (err == -ERANGE)
		return diagnose(diagnosis, EXIT_USAGE, err,
				"\"ttdump stat\" shows how many there are",
				"no record %" PRIu64 " in %s", filter->first, show->path);
	if (diagnosis_host_error(err))
		return dump_damaged(show->path, reader, err, diagnosis);
	return 0;
}

static int show_records(struct show *show, struct trace_reader *reader, struct diagnosis *diagnosis)
{
	struct trace_record record;
	int got;

	while ((got = trace_reader_next(reader, &record)) > 0 &&
	       record.number <= show->filter.last && record.now <= show->filter.to) {
		if (meet(show, &record))
			return dump_no_memory(diagnosis);
		name_table_follow(&show->names, &record);
		if (!show_filter_passes(&show->filter, &show->output.view, &record))
			continue;
		if (show_output_record(&show->output, &record))
			return dump_no_memory(diagnosis);
		if (show_output_failed(&show->output))
			return 0;
	}
	return got < 0 ? dump_damaged(show->path, reader, got, diagnosis) : 0;
}

static int show_trace(struct show *show, struct trace_reader *reader, struct diagnosis *diagnosis)
{
	int err = meet_guests(show, reader, diagnosis), closed;

	if (!err)
		err = go_to_start(show, reader, diagnosis);
	if (!err)
		err = show_output_open(&show->output, &show->names, diagnosis);
	if (err)
		return err;
	show_output_head(&show->output, trace_reader_header(reader));
	err = show_records(show, reader, diagnosis);
	closed = show_output_close(&show->output, err ? NULL : diagnosis);
	return err ? err : closed;
}

int dump_show(int argc, char **argv, struct diagnosis *diagnosis)
{
	struct show show = { 0 };
	auto_trace *reader = NULL;
	int err;

	show_filter_init(&show.filter);
	command_line_parse(&command, argc, argv, &show);
	err = trace_open(show.path, &reader, diagnosis);
	if (!err)
		err = show_trace(&show, reader, diagnosis);
	show_filter_release(&show.filter);
	name_table_free(&show.names);
	return err;
}
