// SPDX-License-Identifier: BSD-3-Clause
/* ttdump show: the records of a trace, one a line. */
#include <inttypes.h>
#include <string.h>

#include "format/ttdump/show/show.h"
#include "format/base/command_line.h"
#include "format/base/units.h"
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

enum { KEY_FROM = 256, KEY_TO, KEY_IRQ, KEY_GREP, KEY_CSV, KEY_COLOUR, KEY_NO_PAGER };

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "Records to show (all conditions must match):", 1 },
	{ "guest", 'g', "GUEST", 0, "show this guest, by name or number; A,B for several", 1 },
	{ "op", 'o', "NAME", 0,
	  "show messages of this operation (REQUEST) or records of this kind (console); A,B for "
	  "several",
	  1 },
	{ "irq", KEY_IRQ, NULL, 0, "show interrupts: calls of devices, and those the probe saw",
	  1 },
	{ "from", KEY_FROM, "TIME", 0, "show records from this virtual time on (1.5s, 20ms, 3us)",
	  1 },
	{ "to", KEY_TO, "TIME", 0, "show records up to this virtual time", 1 },
	{ "records", 'r', "A..B", 0, "show records with these numbers; also A.., ..B and A", 1 },
	{ "grep", KEY_GREP, "REGEX", 0,
	  "show records whose description matches this extended regular expression", 1 },
	{ NULL, 0, NULL, 0, "Output format:", 2 },
	{ "json", 'j', NULL, 0, "print one JSON object per line", 2 },
	{ "csv", KEY_CSV, NULL, 0, "print comma-separated values", 2 },
	{ "color", KEY_COLOUR, "WHEN", 0, "use colours: auto (terminal), always or never", 2 },
	{ "no-pager", KEY_NO_PAGER, NULL, 0, "do not use a pager on a terminal", 2 },
	{ 0 },
};

static const char doc[] = "Show a trace, one record per line: number, virtual time in seconds, "
			  "time since the previous line, guest, direction (<- from the guest, -> "
			  "to the guest, == checked in replay, -- side data), description.";

static void parse_colour(struct argp_state *state, const char *word, enum show_colour *colour)
{
	static const char *const words[] = {
		[COLOUR_AUTO] = "auto",
		[COLOUR_ALWAYS] = "always",
		[COLOUR_NEVER] = "never",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], word)) {
			*colour = (enum show_colour)i;
			return;
		}
	argp_error(state, "invalid --color \"%s\": expected auto, always or never", word);
}

static error_t parse_filter(int key, char *argument, struct argp_state *state)
{
	struct show_filter *filter = &((struct show *)state->input)->filter;

	switch (key) {
	case 'g':
		show_filter_guests(filter, argument, state);
		return 0;
	case 'o':
		show_filter_operations(filter, argument, state);
		return 0;
	case 'r':
		show_filter_records(filter, argument, state);
		return 0;
	case KEY_FROM:
		filter->from = option_time(argument, "--from", state);
		return 0;
	case KEY_TO:
		filter->to = option_time(argument, "--to", state);
		return 0;
	case KEY_IRQ:
		filter->interrupts = true;
		return 0;
	case KEY_GREP:
		show_filter_grep(filter, argument, state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void choose_format(struct argp_state *state, enum show_format *format,
			  enum show_format wanted)
{
	if (*format != SHOW_TEXT && *format != wanted)
		argp_error(state, "--json and --csv are mutually exclusive");
	*format = wanted;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct show *show = state->input;

	switch (key) {
	case 'j':
		choose_format(state, &show->output.format, SHOW_JSON);
		return 0;
	case KEY_CSV:
		choose_format(state, &show->output.format, SHOW_CSV);
		return 0;
	case KEY_COLOUR:
		parse_colour(state, argument, &show->output.colour);
		return 0;
	case KEY_NO_PAGER:
		show->output.no_pager = true;
		return 0;
	case ARGP_KEY_ARG:
		if (show->path)
			argp_error(state, "more than one trace given");
		show->path = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "missing trace file");
		return 0;
	case ARGP_KEY_END:
		if (show->filter.to < show->filter.from)
			argp_error(state, "--to is earlier than --from");
		return 0;
	}
	return parse_filter(key, argument, state);
}

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
	static const struct argp argp = { options, parse, "TRACE", doc, NULL, NULL, NULL };
	struct show show = { 0 };
	auto_trace *reader = NULL;
	int err;

	show_filter_init(&show.filter);
	command_line_parse(&argp, argc, argv, 0, &show);
	err = dump_open(show.path, &reader, diagnosis);
	if (!err)
		err = show_trace(&show, reader, diagnosis);
	show_filter_release(&show.filter);
	name_table_free(&show.names);
	return err;
}
