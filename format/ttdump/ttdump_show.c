// SPDX-License-Identifier: BSD-3-Clause
/* ttdump show: every record on a line. */
#include "format/ttdump/ttdump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/text/record_json.h"
#include "format/units.h"

struct show {
	struct record_view view;
	struct cast cast;
	const char *path;
	uint64_t from, to;     /* ns */
	uint64_t first, last;  /* record numbers */
	uint64_t guest;	       /* UINT64_MAX = all */
	uint64_t leading_meta; /* records before this one stood in the head */
	bool json;
};

enum { KEY_FROM = 256, KEY_TO };

static const struct argp_option options[] = {
	{ "guest", 'g', "N", 0, "Only records of guest N", 0 },
	{ "from", KEY_FROM, "TIME", 0, "Only from this virtual time on (1.5s, 20ms, 3us)", 0 },
	{ "to", KEY_TO, "TIME", 0, "Only up to this virtual time", 0 },
	{ "records", 'r', "A..B", 0, "Only the records with these numbers; A.. and A work too", 0 },
	{ "json", 'j', NULL, 0, "One JSON object a line", 0 },
	{ 0 },
};

static const char doc[] =
	"Show a trace, one record a line: number, virtual time in seconds, guest, direction "
	"(<- from the guest, -> to the guest, == checked in replay, -- side data), what it is.";

static bool parse_number(const char **text, uint64_t *number)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, &end, 10);
	*text = end;
	return !errno;
}

static bool parse_range(const char *text, uint64_t *first, uint64_t *last)
{
	if (!parse_number(&text, first))
		return false;
	*last = *first;
	if (!*text)
		return true;
	if (strncmp(text, "..", 2))
		return false;
	text += 2;
	*last = UINT64_MAX;
	return !*text || (parse_number(&text, last) && !*text && *first <= *last);
}

static void parse_time(struct argp_state *state, const char *text, uint64_t *ns)
{
	if (duration_parse(text, ns))
		argp_error(state, "\"%s\" is no time; 1.5s, 20ms, 3us are", text);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct show *show = state->input;
	const char *text = argument;

	switch (key) {
	case 'g':
		if (!parse_number(&text, &show->guest) || *text)
			argp_error(state, "\"%s\" is no number of a guest", argument);
		return 0;
	case KEY_FROM:
		parse_time(state, argument, &show->from);
		return 0;
	case KEY_TO:
		parse_time(state, argument, &show->to);
		return 0;
	case 'r':
		if (!parse_range(argument, &show->first, &show->last))
			argp_error(state, "\"%s\" is no range of records; 100..200 is", argument);
		return 0;
	case 'j':
		show->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (show->path)
			argp_error(state, "only one trace can be shown");
		show->path = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a trace is missing");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static void show_head_json(const struct trace_header *header)
{
	char uuid[UUID_TEXT];

	dump_json(json_pack("{s:i, s:s}", "version", header->version, "uuid",
			    uuid_text(header->uuid, uuid)));
}

/* How the recording was started stands in front, whatever is selected. */
static void show_head(struct show *show, struct trace_reader *reader)
{
	const struct trace_header *header = trace_reader_header(reader);
	struct trace_record record;
	char uuid[UUID_TEXT];

	if (show->json) {
		show_head_json(header);
		return;
	}
	printf("# trace version %u, %s\n", header->version, uuid_text(header->uuid, uuid));
	while (trace_reader_next(reader, &record) > 0 && record.kind == TRACE_meta) {
		fputs("# ", stdout);
		cast_learn(&show->cast, &record);
		record_print(&show->view, &record, stdout);
		show->leading_meta = record.number + 1;
	}
}

static bool selected(const struct show *show, const struct trace_record *record)
{
	return record->number >= show->leading_meta && record->now >= show->from &&
	       record->now <= show->to &&
	       (show->guest == UINT64_MAX || record->guest == show->guest);
}

static void show_record(struct show *show, const struct trace_record *record)
{
	if (show->json)
		dump_json(record_json(&show->cast, record));
	else
		record_print(&show->view, record, stdout);
}

static int show_records(struct show *show, struct trace_reader *reader, struct diagnosis *diagnosis)
{
	struct trace_record record;
	int got = trace_reader_seek(reader, show->first);

	if (got == -ERANGE)
		return diagnose(diagnosis, EXIT_USAGE, got,
				"\"ttdump stat\" says how many there are",
				"there is no record %" PRIu64 " in %s", show->first, show->path);
	if (got)
		return dump_damaged(show->path, reader, got, diagnosis);
	while ((got = trace_reader_next(reader, &record)) > 0 && record.number <= show->last) {
		if (record.number >= show->leading_meta)
			cast_learn(&show->cast, &record);
		if (selected(show, &record))
			show_record(show, &record);
		if (ferror(stdout))
			return -EIO;
	}
	return got < 0 ? dump_damaged(show->path, reader, got, diagnosis) : 0;
}

int dump_show(int argc, char **argv, struct diagnosis *diagnosis)
{
	static const struct argp argp = { options, parse, "TRACE", doc, NULL, NULL, NULL };
	struct show show = { .to = UINT64_MAX, .last = UINT64_MAX, .guest = UINT64_MAX };
	auto_trace *reader = NULL;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &show);
	show.view.cast = &show.cast;
	err = dump_open(show.path, &reader, diagnosis);
	if (err)
		return err;
	show_head(&show, reader);
	return show_records(&show, reader, diagnosis);
}
