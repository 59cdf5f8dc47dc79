// SPDX-License-Identifier: BSD-3-Clause
/* The words for a record: the messages of the protocol, and all others by the table of kinds. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "format/base/cleanup.h"
#include "format/text/record_internal.h"
#include "format/base/units.h"

/* The names of operations and kinds are in a column: FREE_UNTIL. */
#define WORD_WIDTH 10

/* So many bytes of binary payload fit a line. */
#define TEXT_BYTES_MAX 32

const struct named_guest *record_guest(const struct record_view *view,
				       const struct trace_record *record)
{
	if (!view->names || record->guest >= view->names->count)
		return NULL;
	return &view->names->guest[record->guest];
}

/* ---- Messages -------------------------------------------------------------------------------- */

static void add_seq(struct line *line, uint64_t seq)
{
	line_text(line, " #");
	line_number(line, seq);
}

/* A point in time in a message, relative to now and on the trace's clock. */
static void add_moment(struct line *line, const struct trace_record *record, uint64_t offset)
{
	uint64_t time = record->from.time + offset;

	line_char(line, ' ');
	line_difference(line, record->now, time);
	line_text(line, " (");
	line_seconds(line, time);
	line_char(line, ')');
}

static void add_date(struct line *line, uint64_t ns)
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm date;
	char text[64];

	if (!gmtime_r(&seconds, &date) || !strftime(text, sizeof(text), "%FT%T", &date))
		return;
	line_format(line, " %s.%09uZ", text, (unsigned int)(ns % NS_PER_S));
}

/* Most ids are small; -1 is shown in hexadecimal. */
static void add_id(struct line *line, uint64_t id)
{
	line_text(line, " id ");
	if (id > UINT32_MAX)
		line_hex(line, id);
	else
		line_number(line, id);
}

/* The contents of an ACK depend on the message that it answers. */
static void add_answer(struct line *line, const struct trace_record *record, uint64_t asked,
		       uint64_t offset)
{
	if (asked == TRACE_OP_GET_TOD) {
		add_date(line, record->to.time);
	} else if (asked == TRACE_OP_GET) {
		line_char(line, ' ');
		line_seconds(line, record->to.time + offset);
	} else if (record->to.time) {
		line_char(line, ' ');
		line_seconds(line, record->to.time);
	}
}

static void add_message_time(struct line *line, const struct trace_record *record,
			     const struct named_guest *guest)
{
	uint64_t time = record->from.time, offset = guest ? guest->offset : 0;

	switch (record->from.op) {
	case TRACE_OP_BROADCAST:
		line_char(line, ' ');
		line_hex(line, time);
		return;
	case TRACE_OP_START:
		add_id(line, time);
		return;
	case TRACE_OP_ACK:
		if (record->kind == TRACE_to)
			add_answer(line, record, guest ? guest->asked : TRACE_OP_ACK, offset);
		else if (time)
			add_moment(line, record, offset);
		return;
	}
	if (time == UINT64_MAX)
		return;
	if (time == INT64_MAX)
		line_text(line, " never");
	else if (time + offset != record->now || record->from.op == TRACE_OP_REQUEST ||
		 record->from.op == TRACE_OP_FREE_UNTIL)
		add_moment(line, record, offset);
}

static void add_word(struct line *line, const char *word)
{
	size_t start = line->size;

	line_text(line, word);
	line_align_left(line, start, WORD_WIDTH);
}

static void add_message(struct line *line, const struct trace_record *record,
			const struct named_guest *guest)
{
	const char *name = trace_operation_name(record->from.op);

	if (name)
		add_word(line, name);
	else
		line_format(line, "operation %" PRIu64, record->from.op);
	add_message_time(line, record, guest);
	add_seq(line, record->from.seq);
}

/* ---- Everything else ------------------------------------------------------------------------- */

static void add_time(struct line *line, uint64_t ns)
{
	if (ns == UINT64_MAX)
		line_text(line, "none");
	else if (ns == INT64_MAX)
		line_text(line, "never");
	else
		line_seconds(line, ns);
}

static void add_value(struct line *line, enum trace_unit unit, uint64_t value)
{
	switch (unit) {
	case TRACE_UNIT_OP:
	case TRACE_UNIT_COUNT:
	case TRACE_UNIT_BYTES:
		line_number(line, value);
		break;
	case TRACE_UNIT_NS:
		add_time(line, value);
		break;
	case TRACE_UNIT_HEX:
		line_hex(line, value);
		break;
	case TRACE_UNIT_SIGNED:
		line_format(line, "%" PRId64, (int64_t)value);
		break;
	}
}

/* Fields as in the table, for kinds without a description. */
static void add_fields(struct line *line, const struct trace_record *record,
		       const struct trace_kind_info *info)
{
	for (unsigned int i = 0; i < info->field_count; i++) {
		line_char(line, ' ');
		line_text(line, info->field[i].name);
		line_char(line, '=');
		add_value(line, info->field[i].unit, record->field[i]);
	}
}

void record_add_bytes(struct line *line, const void *data, size_t size)
{
	line_char(line, ' ');
	line_digits(line, data, size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX);
	if (size > TEXT_BYTES_MAX)
		line_text(line, "...");
}

static void add_text(struct line *line, const struct trace_record *record, bool utf8)
{
	line_text(line, " \"");
	line_escaped(line, record->payload, record->payload_size, utf8);
	line_char(line, '"');
}

static void add_entropy(struct line *line, const struct trace_record *record)
{
	const char *source = record_field_name(record, 0);

	if (source)
		line_format(line, " %s", source);
	else
		line_format(line, " source %" PRIu64, record->entropy.source);
	if (record->entropy.requested != record->payload_size)
		line_format(line, " %" PRIu64 " wanted,", record->entropy.requested);
}

static void add_digest(struct line *line, const struct trace_record *record)
{
	const char *region = record_field_name(record, 0);

	if (region)
		line_format(line, " %s", region);
	else
		line_format(line, " region %" PRIu64, record->digest.region);
	if (record->digest.block_size)
		line_format(line, " %016" PRIx64 "%016" PRIx64 ", %" PRIu64 "-byte blocks,",
			    record->digest.high, record->digest.low, record->digest.block_size);
	line_format(line, " block hashes, %zu bytes%s", record->payload_size,
		    record->digest.block_size ? "" : ", goes on");
}

static void add_exit(struct line *line, const struct trace_record *record)
{
	const char *name =
		record->exit.signal < 128 ? sigabbrev_np((int)record->exit.signal) : NULL;

	if (!record->exit.signal)
		line_format(line, " status %" PRIu64, record->exit.status);
	else
		line_format(line, " by signal %" PRIu64 "%s%s", record->exit.signal,
			    name ? " SIG" : "", name ? name : "");
}

static void add_join(struct line *line, const struct trace_record *record)
{
	add_id(line, record->join.id);
	if (!record->join.offset)
		return;
	line_text(line, ", clock ");
	line_difference(line, 0, record->join.offset);
}

static void add_wall(struct line *line, const struct trace_record *record)
{
	line_char(line, ' ');
	line_seconds(line, record->wall.elapsed);
	line_text(line, " of wall clock");
}

static void add_note(struct line *line, const struct trace_record *record)
{
	if (record->note.status)
		line_format(line, " status %" PRIu64, record->note.status);
}

static void add_fault(struct line *line, const struct trace_record *record)
{
	line_format(line, " %" PRIu64 " %s", record->fault.fault,
		    record->fault.ends ? "ends:" : "begins:");
}

static void add_rest(struct line *line, const struct trace_record *record,
		     const struct trace_kind_info *info)
{
	static void (*const adders[])(struct line *, const struct trace_record *) = {
		[TRACE_entropy] = add_entropy, [TRACE_digest] = add_digest, [TRACE_exit] = add_exit,
		[TRACE_join] = add_join,       [TRACE_wall] = add_wall,	    [TRACE_note] = add_note,
		[TRACE_fault] = add_fault,
	};

	if (record->kind < ARRAY_SIZE(adders) && adders[record->kind])
		adders[record->kind](line, record);
	else
		add_fields(line, record, info);
}

static void add_payload(struct line *line, const struct trace_record *record,
			const struct trace_kind_info *info, bool utf8)
{
	if (!record->payload_size || record->kind == TRACE_digest)
		return;
	if (record->payload && info->payload == TRACE_PAYLOAD_TEXT) {
		add_text(line, record, utf8);
		return;
	}
	line_format(line, " %zu bytes", record->payload_size);
	if (record->payload)
		record_add_bytes(line, record->payload, record->payload_size);
}

/* Words are as wide as their column, also where nothing follows. */
static void trim(struct line *line)
{
	while (line->size && line->text[line->size - 1] == ' ')
		line->size--;
}

void record_describe(const struct record_view *view, const struct trace_record *record,
		     struct line *line)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	if (!info) {
		line_format(line, "kind %" PRIu32, record->kind);
		return;
	}
	if (record->kind == TRACE_from || record->kind == TRACE_to) {
		add_message(line, record, record_guest(view, record));
		return;
	}
	add_word(line, info->name);
	if (!record_describe_device(view, record, line))
		add_rest(line, record, info);
	if (!record_has_device(record))
		add_payload(line, record, info, view->utf8);
	trim(line);
}
