// SPDX-License-Identifier: BSD-3-Clause
/* Which records `ttdump show` shows. */
#include "format/ttdump/show/show.h"

#include <string.h>

#include "format/pattern/pattern.h"
#include "format/base/units.h"
#include "format/base/words.h"
#include "format/base/array.h"

#define ALL UINT64_MAX

void show_filter_init(struct show_filter *filter)
{
	*filter = (struct show_filter){ .to = ALL, .last = ALL, .kinds = ALL, .operations = ALL };
}

void show_filter_release(struct show_filter *filter)
{
	for (size_t i = 0; i < filter->guest_count; i++)
		free(filter->guest[i].word);
	free(filter->guest);
	pattern_free(filter->pattern);
	line_free(&filter->text);
}

/* ---- Options --------------------------------------------------------------------------------- */

/* Have @take look at each word of a list that commas part. */
static void split(struct show_filter *filter, const char *list, struct argp_state *state,
		  void (*take)(struct show_filter *, const char *, struct argp_state *))
{
	auto_free char *copy = strdup(list);
	char *rest = copy, *word;

	if (!copy)
		argp_failure(state, EXIT_CANNOT, ENOMEM, "cannot read the command line");
	while ((word = strsep(&rest, ",")))
		take(filter, word, state);
}

static void want_guest(struct show_filter *filter, const char *word, struct argp_state *state)
{
	struct wanted_guest wanted = { strdup(word), 0 };

	if (!wanted.word || array_push(filter->guest, filter->guest_count, wanted))
		argp_failure(state, EXIT_CANNOT, ENOMEM, "cannot read the command line");
}

static void take_guests(char *list, void *input, struct argp_state *state)
{
	struct show_filter *filter = input;

	split(filter, list, state, want_guest);
}

/* The names of operations, which come first, and of kinds. */
struct names {
	const char *name[TRACE_OP_LIMIT + TRACE_KIND_LIMIT];
	size_t count;
};

static void list_names(struct names *names)
{
	names->count = 0;
	for (uint64_t op = 0; op < TRACE_OP_LIMIT; op++)
		names->name[names->count++] = trace_operation_name(op);
	for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++)
		if (trace_kind_info(kind))
			names->name[names->count++] = trace_kind_info(kind)->name;
}

static void refuse_name(const char *word, struct argp_state *state)
{
	struct line line = { 0 };
	struct names names;
	const char *meant;

	list_names(&names);
	meant = word_nearest(word, names.name, names.count, sizeof(*names.name));
	line_format(&line, "unknown operation or kind of record \"%s\"", word);
	if (meant)
		line_format(&line, "; did you mean %s?", meant);
	line_text(&line, "\n"
			 "known:");
	for (size_t i = 0; i < names.count; i++)
		line_format(&line, "%s%s", i % 12 ? " " : "\n  ", names.name[i]);
	line_char(&line, '\0');
	argp_error(state, "%s", line.failed ? word : line.text);
	line_free(&line);
}

/* False: nothing has that name. */
static bool find_operation(struct show_filter *filter, const char *word,
			   int (*compare)(const char *, const char *))
{
	for (uint64_t op = 0; op < TRACE_OP_LIMIT; op++)
		if (!compare(trace_operation_name(op), word)) {
			filter->operations |= UINT64_C(1) << op;
			return true;
		}
	for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++)
		if (trace_kind_info(kind) && !compare(trace_kind_info(kind)->name, word)) {
			filter->kinds |= UINT64_C(1) << kind;
			return true;
		}
	return false;
}

/* REQUEST is a message, request a kind: as it is written comes first. */
static void want_operation(struct show_filter *filter, const char *word, struct argp_state *state)
{
	if (!find_operation(filter, word, strcmp) && !find_operation(filter, word, strcasecmp))
		refuse_name(word, state);
}

static void take_operations(char *list, void *input, struct argp_state *state)
{
	struct show_filter *filter = input;

	if (filter->kinds == ALL)
		filter->kinds = filter->operations = 0;
	split(filter, list, state, want_operation);
}

/* "A..B", "A..", "..B" or "A" */
static bool parse_range(const char *text, uint64_t *first, uint64_t *last)
{
	bool from_start = !strncmp(text, "..", 2);

	*first = 0;
	if (!from_start && number_take(&text, 10, UINT64_MAX, first))
		return false;
	*last = *first;
	if (!*text)
		return true;
	if (strncmp(text, "..", 2) != 0)
		return false;
	text += 2;
	*last = ALL;
	if (!*text)
		return !from_start;
	return !number_take(&text, 10, UINT64_MAX, last) && !*text && *first <= *last;
}

static void take_records(char *range, void *input, struct argp_state *state)
{
	struct show_filter *filter = input;

	if (!parse_range(range, &filter->first, &filter->last))
		argp_error(state, "invalid range of records \"%s\": expected e.g. 100..200", range);
}

static void take_grep(char *regex, void *input, struct argp_state *state)
{
	struct show_filter *filter = input;
	char problem[PATTERN_REASON];
	int err;

	if (filter->pattern)
		argp_error(state, "--grep given twice; use (A|B) to match either");
	err = pattern_compile(regex, &filter->pattern, problem);
	if (err)
		argp_error(state, "invalid regular expression \"%s\": %s", regex, problem);
}

#define FIELD(member) OPTION_FIELD(struct show_filter, member)

const struct option_row show_filter_rows[] = {
	{ .doc = "Records to show (all conditions must match):", .group = 1 },
	{ "guest", 'g', "GUEST", "show this guest, by name or number; A,B for several", 1,
	  OPTION_CALL, .take = take_guests },
	{ "op", 'o', "NAME",
	  "show messages of this operation (REQUEST) or records of this kind (console); A,B for "
	  "several",
	  1, OPTION_CALL, .take = take_operations },
	{ "irq", 0, NULL, "show interrupts: calls of devices, and those the probe saw", 1,
	  OPTION_FLAG, FIELD(interrupts) },
	{ "from", 0, "TIME", "show records from this virtual time on (1.5s, 20ms, 3us)", 1,
	  OPTION_TIME, FIELD(from) },
	{ "to", 0, "TIME", "show records up to this virtual time", 1, OPTION_TIME, FIELD(to) },
	{ "records", 'r', "A..B", "show records with these numbers; also A.., ..B and A", 1,
	  OPTION_CALL, .take = take_records },
	{ "grep", 0, "REGEX", "show records whose description matches this regular expression", 1,
	  OPTION_CALL, .take = take_grep },
	{ 0 },
};

/* ---- Records --------------------------------------------------------------------------------- */

bool show_filter_resolve(struct show_filter *filter, const struct name_table *names,
			 const char **unknown)
{
	for (size_t i = 0; i < filter->guest_count; i++)
		if (!name_table_find(names, filter->guest[i].word, &filter->guest[i].index)) {
			*unknown = filter->guest[i].word;
			return false;
		}
	return true;
}

static bool is_wanted_guest(const struct show_filter *filter, uint32_t guest)
{
	for (size_t i = 0; i < filter->guest_count; i++)
		if (filter->guest[i].index == guest)
			return true;
	return !filter->guest_count;
}

static bool is_wanted_kind(const struct show_filter *filter, const struct trace_record *record)
{
	if (filter->kinds >> record->kind & 1)
		return true;
	return (record->kind == TRACE_from || record->kind == TRACE_to) &&
	       record->from.op < TRACE_OP_LIMIT && filter->operations >> record->from.op & 1;
}

static bool is_interrupt(const struct trace_record *record)
{
	return record->kind == TRACE_call || record->kind == TRACE_called ||
	       record->kind == TRACE_irq;
}

/* Without memory it is shown: the error is reported later. */
static bool matches(struct show_filter *filter, const struct record_view *view,
		    const struct trace_record *record)
{
	filter->text.size = 0;
	record_describe(view, record, &filter->text);
	line_char(&filter->text, '\0');
	return filter->text.failed ||
	       pattern_match(filter->pattern, filter->text.text, false, NULL) == 1;
}

bool show_filter_passes(struct show_filter *filter, const struct record_view *view,
			const struct trace_record *record)
{
	return record->number >= filter->first && record->now >= filter->from &&
	       is_wanted_kind(filter, record) && is_wanted_guest(filter, record->guest) &&
	       (!filter->interrupts || is_interrupt(record)) &&
	       (!filter->pattern || matches(filter, view, record));
}
