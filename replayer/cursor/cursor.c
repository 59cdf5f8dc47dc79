// SPDX-License-Identifier: BSD-3-Clause
/* The cursor: walks one guest's records and holds the running guest to them. */
#include "replayer/cursor/cursor.h"

#include <inttypes.h>
#include <string.h>

#include "format/trace/meta.h"
#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "kernel/host/process.h"
#include "replayer/cursor/cursor_internal.h"

static int replay_note(struct cursor *cursor, const struct trace_record *record)
{
	/* The recording went on. */
	if (!record->note.status)
		return 0;
	snprintf(cursor->report->note, sizeof(cursor->report->note), "%.*s",
		 (int)record->payload_size, (const char *)record->payload);
	printable(cursor->report->note);
	return 0;
}

static int replay_wall(struct cursor *cursor, const struct trace_record *record)
{
	cursor->report->recorded_wall_ns = record->wall.elapsed;
	return 0;
}

bool cursor_read_unreplayable(const struct trace_record *record, char why[CURSOR_WHY])
{
	size_t start = strlen("no");
	struct meta meta;

	if (!meta_parse(record, &meta) || meta.key != META_REPLAYABLE || meta.size < start ||
	    memcmp(meta.value, "no", start))
		return false;
	while (start < meta.size && meta.value[start] == ' ')
		start++;
	snprintf(why, CURSOR_WHY, "%.*s", (int)(meta.size - start), meta.value + start);
	if (start == meta.size)
		snprintf(why, CURSOR_WHY, "the recording does not give a reason");
	printable(why);
	return true;
}

/*
 * The recording's probe saw no more from here on; or a device turned out to be one whose interrupts
 * cannot be recorded, and the walk ends here.
 */
static int replay_meta(struct cursor *cursor, const struct trace_record *record)
{
	bool probed;

	if (cursor_read_probed(record, &probed) && !probed)
		cursor_probe_stop(cursor,
				  "compared up to record %" PRIu64 ": the recording has no more",
				  record->number);
	return cursor_read_unreplayable(record, cursor->report->unreplayable);
}

/*
 * The handler of each kind of record; kinds without one are ignored by a replay. So is a detach,
 * which the guest does not wait for: its next action reveals it.
 */
static cursor_step *const replay_kind[TRACE_KIND_LIMIT] = {
	[TRACE_from] = cursor_replay_from,
	[TRACE_to] = cursor_replay_to,
	[TRACE_console] = cursor_replay_console,
	[TRACE_entropy] = cursor_replay_entropy,
	[TRACE_digest] = cursor_replay_digest,
	[TRACE_exit] = cursor_replay_exit,
	[TRACE_leave] = cursor_replay_leave,
	[TRACE_meta] = replay_meta,
	[TRACE_note] = replay_note,
	[TRACE_wall] = replay_wall,
	[TRACE_attach] = cursor_replay_attach,
	[TRACE_request] = cursor_replay_request,
	[TRACE_reply] = cursor_replay_reply,
	[TRACE_kick] = cursor_replay_kick,
	[TRACE_used] = cursor_replay_used,
	[TRACE_call] = cursor_replay_call,
	[TRACE_called] = cursor_replay_called,
	[TRACE_cut] = cursor_replay_cut,
	[TRACE_irq] = cursor_replay_irq,
	[TRACE_wrote] = cursor_replay_wrote,
	[TRACE_taken] = cursor_replay_taken,
};

/* About the whole run, whatever its guest number. */
static bool is_of_everybody(const struct trace_record *record)
{
	return record->kind == TRACE_note || record->kind == TRACE_wall ||
	       record->kind == TRACE_fault;
}

/* A flip happens while the guest is blocked: before what it is waiting for is sent. */
static int prepare(struct cursor *cursor, const struct trace_record *record)
{
	const struct cursor_flip *flip = &cursor->options->flip;
	int stop = 0;

	if (flip->wanted && record->number == flip->record) {
		stop = cursor_flip_bit(cursor);
		cursor->report->flipped = !stop;
	}
	if (!stop && record->kind != TRACE_taken)
		stop = cursor_finish_kick(cursor, record);
	if (!stop && record->kind != TRACE_to)
		stop = cursor_flush(cursor);
	cursor->report->virtual_ns = record->now;
	return stop;
}

static int replay_record(struct cursor *cursor, const struct trace_record *record)
{
	cursor_step *replay = record->kind < TRACE_KIND_LIMIT ? replay_kind[record->kind] : NULL;
	int stop;

	if (cursor->killed && !is_of_everybody(record))
		return 0;
	stop = is_of_everybody(record) ? 0 : prepare(cursor, record);

	if (!stop && replay)
		stop = replay(cursor, record);
	return stop;
}

static bool is_wanted(const struct cursor *cursor, const struct trace_record *record)
{
	return record->guest == cursor->options->guest || is_of_everybody(record);
}

/* Progress is meaningful only relative to the total. */
static void count_rest(struct cursor *cursor)
{
	struct trace_record record;

	cursor->report->records = cursor->report->next_record + 1;
	while (trace_reader_next(cursor->reader, &record) == 1)
		cursor->report->records = record.number + 1;
}

static int walk(struct cursor *cursor)
{
	const struct cursor_options *options = cursor->options;
	struct trace_record record;
	int got = 1, stop = 0;

	while (!stop && (got = trace_reader_next(cursor->reader, &record)) == 1) {
		cursor->report->next_record = record.number;
		if (!is_wanted(cursor, &record))
			continue;
		if (record.number >= options->until_record) {
			cursor->report->stopped = true;
			return 0;
		}
		stop = cursor_visit(cursor, &record);
		if (!stop)
			stop = replay_record(cursor, &record);
	}
	if (!stop && got < 0 && diagnosis_trace_status(got) != EXIT_DAMAGED)
		return got;
	if (!stop)
		cursor->report->trace_error = got;
	if (stop >= 0 && !cursor->report->stopped)
		stop = cursor_visit_end(cursor);
	if (cursor->report->diverged && options->replaced)
		count_rest(cursor);
	return stop < 0 ? stop : 0;
}

static int run(struct cursor *cursor)
{
	int err = trace_reader_seek(cursor->reader, 0);

	if (err)
		return err;
	err = interfaces_open(&cursor->interfaces, cursor->guest, cursor->options->printer);
	if (!err && cursor->probing)
		err = interfaces_watch_probe(&cursor->interfaces, cursor->options->probe);
	if (!err)
		err = walk(cursor);
	interfaces_close(&cursor->interfaces);
	return err;
}

int cursor_run(struct trace_reader *reader, struct guest *guest,
	       const struct cursor_options *options, struct cursor_report *report,
	       struct diagnosis *why)
{
	struct cursor *cursor = calloc(1, sizeof(*cursor));
	uint64_t start = process_wall_ns();
	int err = -ENOMEM;

	*report = (struct cursor_report){ 0 };
	if (cursor) {
		cursor->reader = reader;
		cursor->guest = guest;
		cursor->options = options;
		cursor->report = report;
		cursor->why = why;
		cursor->probing = options->probe;
		err = run(cursor);
		cursor_probe_release(cursor);
		free(cursor->console);
		free(cursor->block_hashes);
		free(cursor);
	}
	if (err < 0 && !why->status)
		diagnose(why, EXIT_CANNOT, err, NULL, "cannot replay: %s", strerror(-err));
	report->wall_ns = process_wall_ns() - start;
	return err;
}
