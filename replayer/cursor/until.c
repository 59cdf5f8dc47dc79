// SPDX-License-Identifier: BSD-3-Clause
/* Points of a trace that a replay can stop at, found from the trace alone. */
#include "replayer/cursor/until.h"

#include <inttypes.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "format/pattern/pattern.h"
#include "format/base/units.h"

#define INTERRUPT "irq:"
#define CONSOLE	  "console:"
/* Longer lines are matched only up to this length, bytes. */
#define LINE_MAX_SIZE 1024

/* ---- What is meant -------------------------------------------------------------------------- */

static const char advice[] =
	"give a record (812), a time (0.41s), irq:N or console:REGEX, for one guest n2:irq:N";

/* The text after "irq:" or "console:" at the start of @text or after a name; else NULL. */
static const char *find_word(const char *text, const char *word, size_t *name_size)
{
	const char *at = text;

	*name_size = 0;
	while ((at = strstr(at, word)) && at != text && (at[-1] != ':' || at == text + 1))
		at++;
	if (!at)
		return NULL;
	if (at != text)
		*name_size = (size_t)(at - text) - 1;
	return at + strlen(word);
}

static int parse_interrupt(const char *rest, struct until *until, struct diagnosis *why)
{
	until->kind = UNTIL_INTERRUPT;
	if (!count_parse(rest, &until->number) && until->number)
		return 0;
	return diagnose(why, EXIT_USAGE, -EINVAL, "interrupts are counted from 1, as in irq:5",
			"invalid interrupt '%s'", until->text);
}

static int compile(const struct until *until, struct pattern **pattern, struct diagnosis *why)
{
	char reason[PATTERN_REASON];
	int err = pattern_compile(until->regex, pattern, reason);

	if (err != -EINVAL)
		return err;
	return diagnose(why, EXIT_USAGE, err, PATTERN_HINT, "invalid regular expression '%s': %s",
			until->regex, reason);
}

static int parse_console(const char *rest, struct until *until, struct diagnosis *why)
{
	struct pattern *pattern;
	int err;

	until->kind = UNTIL_CONSOLE;
	until->regex = rest;
	err = compile(until, &pattern, why);
	if (!err)
		pattern_free(pattern);
	return err;
}

/* A bare number is a record; anything with a unit or a point is a time. */
static int parse_place(const char *rest, struct until *until, struct diagnosis *why)
{
	int err = count_parse(rest, &until->number);

	until->kind = err == -EINVAL ? UNTIL_TIME : UNTIL_RECORD;
	if (err == -EINVAL)
		err = duration_parse(rest, &until->number);
	if (!err)
		return 0;
	return diagnose(why, EXIT_USAGE, -EINVAL, advice, "invalid point '%s'", until->text);
}

int until_parse(const char *text, struct until *until, struct diagnosis *why)
{
	size_t interrupt_name, console_name;
	const char *interrupt = find_word(text, INTERRUPT, &interrupt_name);
	const char *console = find_word(text, CONSOLE, &console_name);

	*until = (struct until){ .text = text, .ahead = *text == '+' };
	/* The first of the two counts: the other is part of the search text. */
	if (console && (!interrupt || console < interrupt)) {
		until->guest_size = console_name;
		return parse_console(console, until, why);
	}
	if (interrupt) {
		until->guest_size = interrupt_name;
		return parse_interrupt(interrupt, until, why);
	}
	return parse_place(text + until->ahead, until, why);
}

/* ---- Where it is ---------------------------------------------------------------------------- */

/* The current line of a guest's console. */
struct line {
	char text[LINE_MAX_SIZE];
	size_t length;
};

struct search {
	const struct until *until;
	const struct until_scope *scope;
	bool *counts;	   /* by place in the scope: is this guest searched? */
	struct line *line; /* the same, for consoles */
	struct pattern *pattern;
	uint64_t number; /* as in until, or where it lies when it was ahead */
	uint64_t seen;	 /* interrupts, lines, or records ahead */
	uint64_t probed; /* interrupts that only the probe saw */
	struct trace_record last;
	bool found;
};

static bool has_name(const struct replay_guest *guest, const char *name, size_t size)
{
	return strlen(guest->name) == size && !memcmp(guest->name, name, size);
}

/* By name, or by number where no guest has that name, as for --only. */
static bool choose_named(struct search *search)
{
	const struct until *until = search->until;
	char name[32];
	uint64_t number;
	bool chosen = false;

	memset(search->counts, 0, search->scope->count * sizeof(*search->counts));
	for (size_t i = 0; i < search->scope->count && !chosen; i++)
		chosen = search->counts[i] =
			has_name(&search->scope->guest[i], until->text, until->guest_size);
	snprintf(name, sizeof(name), "%.*s", (int)until->guest_size, until->text);
	if (chosen || count_parse(name, &number))
		return chosen;
	for (size_t i = 0; i < search->scope->count; i++)
		chosen |= search->counts[i] = search->scope->guest[i].index == number;
	return chosen;
}

static int choose_guests(struct search *search, struct diagnosis *why)
{
	const struct until *until = search->until;

	search->counts = calloc(search->scope->count, sizeof(*search->counts));
	search->line = calloc(search->scope->count, sizeof(*search->line));
	if (!search->counts || !search->line)
		return -ENOMEM;
	for (size_t i = 0; i < search->scope->count; i++)
		search->counts[i] = search->scope->guest[i].wanted;
	if (!until->guest_size || choose_named(search))
		return 0;
	return diagnose(why, EXIT_USAGE, -ERANGE, "give a guest of the trace",
			"'%s': no guest %.*s in the trace", until->text, (int)until->guest_size,
			until->text);
}

/* The place of @record's guest if its records count, else SIZE_MAX. */
static size_t place_of(const struct search *search, const struct trace_record *record)
{
	for (size_t i = 0; i < search->scope->count; i++)
		if (search->scope->guest[i].index == record->guest)
			return search->counts[i] ? i : SIZE_MAX;
	return SIZE_MAX;
}

/* "[    0.020000] text" is also matched as "text". */
static bool matches(const struct search *search, const struct line *line)
{
	const char *text = console_line_text(line->text);

	return pattern_match(search->pattern, line->text, false, NULL) == 1 ||
	       (text != line->text && pattern_match(search->pattern, text, false, NULL) == 1);
}

static void add_character(struct line *line, char character)
{
	if (character == '\r' || !character || line->length == LINE_MAX_SIZE - 1)
		return;
	line->text[line->length++] = character;
	line->text[line->length] = '\0';
}

/* Also incomplete lines, such as prompts. */
static bool look_at_console(struct search *search, const struct trace_record *record)
{
	size_t place = place_of(search, record);
	const char *text = record->payload;
	struct line *line;
	bool found = false;

	if (place == SIZE_MAX)
		return false;
	line = &search->line[place];
	for (size_t i = 0; i < record->payload_size; i++) {
		if (text[i] != '\n') {
			add_character(line, text[i]);
			continue;
		}
		search->seen++;
		found |= matches(search, line);
		line->length = 0;
		*line->text = '\0';
	}
	return found || (line->length && matches(search, line));
}

static bool look_at_interrupt(struct search *search, const struct trace_record *record)
{
	if (place_of(search, record) == SIZE_MAX)
		return false;
	search->probed += record->kind == TRACE_irq && record->irq.source == TRACE_IRQ_ENTRY;
	return record->kind == TRACE_call && ++search->seen == search->number;
}

static bool is_ahead(struct search *search, const struct trace_record *record)
{
	if (record->number < search->scope->first || record->guest != search->scope->here)
		return false;
	return ++search->seen == search->number;
}

static bool look_at(struct search *search, const struct trace_record *record)
{
	switch (search->until->kind) {
	case UNTIL_RECORD:
		return search->until->ahead ? is_ahead(search, record)
					    : record->number == search->number;
	case UNTIL_TIME:
		return record->now >= search->number;
	case UNTIL_INTERRUPT:
		return look_at_interrupt(search, record);
	case UNTIL_CONSOLE:
		return record->kind == TRACE_console && look_at_console(search, record) &&
		       record->number >= search->scope->first;
	case UNTIL_NEVER:
		break;
	}
	return false;
}

static int scan(struct search *search, struct trace_reader *reader, uint64_t from)
{
	struct trace_record record;
	int got = trace_reader_seek(reader, from);

	if (got)
		return got;
	while (!search->found && (got = trace_reader_next(reader, &record)) == 1) {
		search->last = record;
		search->found = look_at(search, &record);
	}
	return got < 0 ? got : 0;
}

/*
 * A point that needs no count of previous records is found with the index. If there is no such
 * record, all are read to report the last one.
 */
static int look_for(struct search *search, struct trace_reader *reader)
{
	const struct until *until = search->until;

	if (until->kind != UNTIL_RECORD)
		return scan(search, reader, 0);
	if (until->ahead)
		return scan(search, reader, search->scope->first);
	scan(search, reader, until->number);
	return search->found ? 0 : scan(search, reader, 0);
}

/* ---- What there is instead ------------------------------------------------------------------- */

static void describe(const struct search *search, char *text, size_t size)
{
	const struct until *until = search->until;
	char number[UNITS_TEXT], probed[UNITS_TEXT];

	switch (until->kind) {
	case UNTIL_RECORD:
		if (until->ahead)
			snprintf(text, size, "the guest has %s more",
				 count_text(search->seen, number));
		else
			snprintf(text, size, "the last one is %" PRIu64, search->last.number);
		break;
	case UNTIL_TIME:
		snprintf(text, size, "the trace ends at %s s",
			 duration_exact(search->last.now, number));
		break;
	case UNTIL_INTERRUPT:
		snprintf(text, size, "there are %s device interrupts",
			 count_text(search->seen, number));
		if (search->probed)
			snprintf(text + strlen(text), size - strlen(text),
				 ", not counting the %s that only the probe saw",
				 count_text(search->probed, probed));
		break;
	case UNTIL_CONSOLE:
		snprintf(text, size, "none of %s lines matches", count_text(search->seen, number));
		break;
	case UNTIL_NEVER:
		*text = '\0';
		break;
	}
}

static int refuse_missing(const struct search *search, bool cut, struct diagnosis *why)
{
	char what[256];

	describe(search, what, sizeof(what));
	return diagnose(why, EXIT_USAGE, -ERANGE, "`ttdump show` lists the records of a trace",
			"'%s' is not in the trace: %s%s", search->until->text, what,
			cut ? ", as far as it can be read" : "");
}

static int refuse_passed(const struct search *search, struct diagnosis *why)
{
	return diagnose(why, EXIT_USAGE, -ERANGE, "restart the replay to see it",
			"'%s' is record %" PRIu64 ", which has passed: a replay cannot go back",
			search->until->text, search->last.number);
}

static int find(struct search *search, struct trace_reader *reader, uint64_t *record,
		struct diagnosis *why)
{
	int err = choose_guests(search, why);

	if (err)
		return err;
	err = look_for(search, reader);
	if (!search->found && (!err || err == -ERANGE || err == -EBADMSG || err == -EPIPE))
		return refuse_missing(search, err == -EBADMSG || err == -EPIPE, why);
	if (err)
		return err;
	if (search->last.number < search->scope->first)
		return refuse_passed(search, why);
	*record = search->last.number;
	return 0;
}

int until_find(const struct until *until, const struct until_scope *scope,
	       struct trace_reader *reader, uint64_t *record, struct diagnosis *why)
{
	struct search search = { .until = until, .scope = scope, .number = until->number };
	int err = 0;

	if (until->kind == UNTIL_TIME && until->ahead)
		search.number += scope->now;
	if (until->kind == UNTIL_CONSOLE)
		err = compile(until, &search.pattern, why);
	if (err)
		return err;
	err = find(&search, reader, record, why);
	pattern_free(search.pattern);
	free(search.counts);
	free(search.line);
	return err;
}
