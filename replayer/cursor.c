// SPDX-License-Identifier: BSD-3-Clause
/* The cursor: walks one guest's records and holds the running guest to them. */
#include "replayer/cursor.h"

#include <inttypes.h>
#include <string.h>

#include "format/cleanup.h"
#include "format/units.h"
#include "kernel/printable.h"
#include "kernel/process.h"
#include "replayer/doors.h"

#define BATCH_MAX 16
/* Parts of one ladder together, bytes: that of a guest with 100 GB of memory. */
#define LADDER_MAX (256u << 20)

struct cursor {
	struct trace_reader *reader;
	struct guest *guest;
	const struct cursor_options *options;
	struct cursor_report *report;
	struct diagnosis *why;
	struct doors doors;
	struct wire_message batch[BATCH_MAX];
	size_t batch_count;
	bool start_acked, flipped;
	/*
	 * Console output the recording has up to here and the guest has not been checked for yet.
	 */
	char *console;
	size_t console_size;
	uint8_t *ladder; /* parts of a digest's ladder whose end is still to come */
	size_t ladder_size;
	struct trace_record recent[CURSOR_HISTORY]; /* ring of the last records, payloads dropped */
	uint64_t recent_count;
};

static void describe_message(const struct wire_message *message, char *text, size_t size)
{
	char op[WIRE_NAME_TEXT], time[UNITS_TEXT];

	if (message->op == TRACE_OP_WAIT || message->op == TRACE_OP_GET ||
	    message->op == TRACE_OP_GET_TOD)
		snprintf(text, size, "%s", wire_operation_text(message->op, op));
	else if (message->op == TRACE_OP_ACK)
		snprintf(text, size, "ACK of seq %u", message->seq);
	else
		snprintf(text, size, "%s %s", wire_operation_text(message->op, op),
			 message->time == WIRE_TIME_NEVER ? "never"
							  : duration_exact(message->time, time));
}

static void keep_history(struct cursor *cursor)
{
	uint64_t count = cursor->recent_count;
	uint64_t first = count > CURSOR_HISTORY ? count - CURSOR_HISTORY : 0;

	cursor->report->history_count = (size_t)(count - first);
	for (uint64_t i = first; i < count; i++)
		cursor->report->history[i - first] = cursor->recent[i % CURSOR_HISTORY];
}

/* Note a difference; only the first is described. Returns 1 when the walk must end. */
static int diverge(struct cursor *cursor, const struct trace_record *record, bool can_go_on)
{
	struct cursor_report *report = cursor->report;

	report->divergences++;
	if (!report->diverged) {
		report->diverged = true;
		report->record = record->number;
		report->now = record->now;
		keep_history(cursor);
	}
	return !(can_go_on && cursor->options->keep_going);
}

static int diverge_text(struct cursor *cursor, const struct trace_record *record, bool can_go_on,
			const char *expected, const char *got)
{
	if (!cursor->report->diverged) {
		snprintf(cursor->report->expected, sizeof(cursor->report->expected), "%s",
			 expected);
		snprintf(cursor->report->got, sizeof(cursor->report->got), "%s", got);
		printable(cursor->report->expected);
		printable(cursor->report->got);
	}
	return diverge(cursor, record, can_go_on);
}

static void describe_event(const struct door_event *event, char *text, size_t size)
{
	switch (event->kind) {
	case DOOR_MESSAGE:
		describe_message(&event->message, text, size);
		break;
	case DOOR_ENTROPY:
		snprintf(text, size, "a request for %" PRIu64 " random bytes",
			 event->entropy.requested);
		break;
	case DOOR_LEFT:
		snprintf(text, size, "the end of its connection");
		break;
	case DOOR_EXIT:
		snprintf(text, size,
			 event->signal ? "its end by signal %d" : "its end with status %d",
			 event->signal ? event->signal : event->status);
		break;
	case DOOR_STOP:
		snprintf(text, size, "SIG%s", sigabbrev_np(event->signal));
		break;
	case DOOR_SILENCE:
		snprintf(text, size, "nothing: it computes and does not come back");
		break;
	}
}

/*
 * Wait for the guest's next move; a difference in kind is a divergence the walk cannot go on after.
 */
static int await(struct cursor *cursor, const struct trace_record *record,
		 enum door_event_kind kind, const char *expected, struct door_event *event)
{
	char got[160];
	int err = doors_next(&cursor->doors, cursor->options->hang_timeout, event);

	if (err)
		return diagnose(cursor->why, EXIT_CANNOT, err, NULL,
				"cannot wait for the guest: %s", strerror(-err));
	if (event->kind == kind)
		return 0;
	if (event->kind == DOOR_STOP) {
		cursor->report->stop_signal = event->signal;
		return diagnose(cursor->why, EXIT_DIVERGED, -EINTR, NULL, "stopped by SIG%s",
				sigabbrev_np(event->signal));
	}
	describe_event(event, got, sizeof(got));
	return diverge_text(cursor, record, false, expected, got);
}

static void describe_console(const char *text, size_t size, char *out, size_t out_size)
{
	size_t length = 0;

	while (length < size && length < 60 && text[length] != '\n')
		length++;
	snprintf(out, out_size, "console \"%.*s\"", (int)length, text);
}

/* The guest is blocked: what it wrote since is complete and must be what the recording has. */
static int compare_console(struct cursor *cursor, const struct trace_record *record)
{
	struct doors *doors = &cursor->doors;
	size_t same = 0, shorter;
	char expected[160], got[160];
	int stop = 0;

	if (doors_drain_console(doors))
		return -ENOMEM;
	shorter = doors->console_size < cursor->console_size ? doors->console_size
							     : cursor->console_size;
	while (same < shorter && doors->console[same] == cursor->console[same])
		same++;
	if (same != doors->console_size || same != cursor->console_size) {
		while (same && doors->console[same - 1] != '\n')
			same--;
		describe_console(cursor->console + same, cursor->console_size - same, expected,
				 sizeof(expected));
		describe_console(doors->console + same, doors->console_size - same, got,
				 sizeof(got));
		stop = diverge_text(cursor, record, true, expected, got);
	}
	doors->console_size = 0;
	cursor->console_size = 0;
	return stop;
}

static int replay_from(struct cursor *cursor, const struct trace_record *record)
{
	struct wire_message expected = { .op = (uint32_t)record->from.op,
					 .seq = (uint32_t)record->from.seq,
					 .time = record->from.time };
	struct door_event event;
	char text[160], got[160];
	int stop;

	describe_message(&expected, text, sizeof(text));
	stop = await(cursor, record, DOOR_MESSAGE, text, &event);
	if (stop)
		return stop;
	cursor->report->messages++;
	/* After an ACK the guest runs on: what it has printed by now is not yet all. */
	stop = expected.op == TRACE_OP_ACK ? 0 : compare_console(cursor, record);
	if (stop || !memcmp(&expected, &event.message, sizeof(expected)))
		return stop;
	describe_message(&event.message, got, sizeof(got));
	if (!strcmp(text, got))
		snprintf(got + strlen(got), sizeof(got) - strlen(got), " (seq %u, not %u)",
			 event.message.seq, expected.seq);
	return diverge_text(cursor, record, expected.op == event.message.op, text, got);
}

static int flush_batch(struct cursor *cursor)
{
	if (cursor->batch_count && cursor->guest->time_fd >= 0)
		wire_send(cursor->guest->time_fd, cursor->batch, cursor->batch_count);
	cursor->batch_count = 0;
	return 0;
}

/*
 * Kept until the next record is not one to send: what was written at once is written at once again.
 */
static int replay_to(struct cursor *cursor, const struct trace_record *record)
{
	struct wire_message message = { .op = (uint32_t)record->to.op,
					.seq = (uint32_t)record->to.seq,
					.time = record->to.time };

	cursor->report->messages++;
	if (!cursor->start_acked && message.op == TRACE_OP_ACK) {
		cursor->start_acked = true;
		wire_send_start_ack(cursor->guest->time_fd, &message);
		return 0;
	}
	if (cursor->batch_count == BATCH_MAX)
		flush_batch(cursor);
	cursor->batch[cursor->batch_count++] = message;
	return 0;
}

static int replay_console(struct cursor *cursor, const struct trace_record *record)
{
	char *grown = realloc(cursor->console, cursor->console_size + record->payload_size + 1);

	if (!grown)
		return -ENOMEM;
	memcpy(grown + cursor->console_size, record->payload, record->payload_size);
	cursor->console = grown;
	cursor->console_size += record->payload_size;
	return 0;
}

static int replay_entropy(struct cursor *cursor, const struct trace_record *record)
{
	struct door_event event;
	char expected[96], got[96];
	int stop;

	snprintf(expected, sizeof(expected), "a request for %" PRIu64 " random bytes",
		 record->entropy.requested);
	stop = await(cursor, record, DOOR_ENTROPY, expected, &event);
	if (stop)
		return stop;
	if (event.entropy.source != record->entropy.source ||
	    event.entropy.requested != record->entropy.requested ||
	    record->payload_size > event.entropy.requested) {
		describe_event(&event, got, sizeof(got));
		return diverge_text(cursor, record, false, expected, got);
	}
	return guest_answer_entropy(cursor->guest, &event.entropy, record->payload,
				    record->payload_size);
}

static void note_memory(struct cursor *cursor, const struct trace_record *record,
			const struct memory_digest *digest, bool located, uint64_t address)
{
	struct cursor_memory *memory = &cursor->report->memory;

	cursor->report->digests_unequal++;
	if (memory->differs)
		return;
	*memory = (struct cursor_memory){ .differs = true,
					  .record = record->number,
					  .now = record->now,
					  .region = digest->region,
					  .block_size = digest->block_size,
					  .located = located,
					  .address = address };
}

static int collect_ladder(struct cursor *cursor, const struct trace_record *record)
{
	uint8_t *grown;

	if (record->payload_size > LADDER_MAX - cursor->ladder_size)
		return -EBADMSG;
	grown = realloc(cursor->ladder, cursor->ladder_size + record->payload_size + 1);
	if (!grown)
		return -ENOMEM;
	if (record->payload_size)
		memcpy(grown + cursor->ladder_size, record->payload, record->payload_size);
	cursor->ladder = grown;
	cursor->ladder_size += record->payload_size;
	return 0;
}

/* Hash and compare. */
static int replay_whole_digest(struct cursor *cursor, const struct trace_record *record)
{
	unsigned int region = (unsigned int)record->digest.region;
	struct memory_digest digest;
	const void *ladder;
	uint64_t address = 0;
	size_t size;
	int differs;

	if (guest_hash_memory(cursor->guest, region, &digest, &ladder, &size))
		return diverge_text(cursor, record, true, "memory that can be read",
				    "none: the guest's memory cannot be found");
	differs = memory_compare(cursor->guest->memory, region, cursor->ladder, cursor->ladder_size,
				 &address);
	if (differs < 0)
		return differs;
	cursor->report->digests++;
	if (digest.low == record->digest.low && digest.high == record->digest.high)
		return 0;
	note_memory(cursor, record, &digest, differs == 1, address);
	return cursor->options->compare_memory
		       ? diverge_text(cursor, record, true, "the recorded memory", "other memory")
		       : 0;
}

/* Parts of a ladder that are not the last are only collected. */
static int replay_digest(struct cursor *cursor, const struct trace_record *record)
{
	int err;

	if (record->digest.region >= MEMORY_REGIONS)
		return 0; /* a later version's */
	err = collect_ladder(cursor, record);
	if (!err && record->digest.block_size) {
		err = replay_whole_digest(cursor, record);
		cursor->ladder_size = 0;
	}
	if (err == -EBADMSG)
		return diagnose(cursor->why, EXIT_DAMAGED, err, "`ttdump verify` the trace",
				"the ladder of the digest in record %" PRIu64 " makes no sense",
				record->number);
	return err;
}

static int replay_leave(struct cursor *cursor, const struct trace_record *record)
{
	struct door_event event;
	int stop = await(cursor, record, DOOR_LEFT, "the end of its connection", &event);

	return stop ? stop : compare_console(cursor, record);
}

static int replay_exit(struct cursor *cursor, const struct trace_record *record)
{
	struct door_event event = { .kind = DOOR_EXIT,
				    .status = (int)record->exit.status,
				    .signal = (int)record->exit.signal };
	char expected[96], got[96];
	int stop;

	describe_event(&event, expected, sizeof(expected));
	stop = await(cursor, record, DOOR_EXIT, expected, &event);
	if (!stop)
		stop = compare_console(cursor, record);
	if (stop || ((uint64_t)event.status == record->exit.status &&
		     (uint64_t)event.signal == record->exit.signal))
		return stop;
	describe_event(&event, got, sizeof(got));
	return diverge_text(cursor, record, true, expected, got);
}

static int replay_note(struct cursor *cursor, const struct trace_record *record)
{
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

/* What is done with each kind of record; a kind without an entry is nothing to a replay. */
static int (*const replay_kind[TRACE_KIND_LIMIT])(struct cursor *, const struct trace_record *) = {
	[TRACE_from] = replay_from,	  [TRACE_to] = replay_to,
	[TRACE_console] = replay_console, [TRACE_entropy] = replay_entropy,
	[TRACE_digest] = replay_digest,	  [TRACE_exit] = replay_exit,
	[TRACE_leave] = replay_leave,	  [TRACE_note] = replay_note,
	[TRACE_wall] = replay_wall,
};

static int flip_bit(struct cursor *cursor)
{
	const struct cursor_flip *flip = &cursor->options->flip;
	uint8_t byte;
	int err;

	if (!cursor->guest->memory)
		return diagnose(cursor->why, EXIT_USAGE, -EINVAL,
				"name a record after the first memory digest",
				"there is no memory to flip a bit of before record %" PRIu64,
				flip->record);
	err = memory_read(cursor->guest->memory, flip->region, flip->address, &byte, 1);
	byte ^= (uint8_t)(1u << flip->bit);
	if (!err)
		err = memory_write(cursor->guest->memory, flip->region, flip->address, &byte, 1);
	return err ? diagnose(cursor->why, EXIT_USAGE, err, "see `--help`",
			      "cannot flip a bit at %#" PRIx64 ": %s", flip->address,
			      strerror(-err))
		   : 0;
}

static int replay_record(struct cursor *cursor, const struct trace_record *record)
{
	const struct cursor_options *options = cursor->options;
	int (*replay)(struct cursor *, const struct trace_record *) =
		record->kind < TRACE_KIND_LIMIT ? replay_kind[record->kind] : NULL;
	int stop = 0;

	/* A flip happens while the guest is blocked: before what it is waiting for is sent. */
	if (options->flip.wanted && record->number == options->flip.record) {
		stop = flip_bit(cursor);
		cursor->flipped = true;
	}
	if (!stop && record->kind != TRACE_to)
		stop = flush_batch(cursor);
	if (!stop && replay)
		stop = replay(cursor, record);
	cursor->recent[cursor->recent_count % CURSOR_HISTORY] = *record;
	cursor->recent[cursor->recent_count++ % CURSOR_HISTORY].payload = NULL;
	cursor->report->virtual_ns = record->now;
	return stop;
}

static bool is_of_guest(const struct cursor *cursor, const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	return record->guest == cursor->options->guest || (info && info->direction == TRACE_SIDE);
}

static int walk(struct cursor *cursor)
{
	const struct cursor_options *options = cursor->options;
	struct trace_record record;
	int got, stop = 0;

	while (!stop && (got = trace_reader_next(cursor->reader, &record)) == 1) {
		cursor->report->next_record = record.number;
		if (record.number >= options->until_record || record.now >= options->until_time) {
			cursor->report->stopped = true;
			return 0;
		}
		if (is_of_guest(cursor, &record))
			stop = replay_record(cursor, &record);
	}
	if (!stop)
		cursor->report->trace_error = got;
	return stop < 0 ? stop : 0;
}

int cursor_run(struct trace_reader *reader, struct guest *guest,
	       const struct cursor_options *options, struct cursor_report *report,
	       struct diagnosis *why)
{
	struct cursor cursor = {
		.reader = reader, .guest = guest, .options = options, .report = report, .why = why
	};
	uint64_t start = process_wall_ns();
	int err;

	*report = (struct cursor_report){ 0 };
	err = trace_reader_seek(reader, 0);
	if (!err)
		err = doors_open(&cursor.doors, guest, options->show_console);
	if (!err)
		err = walk(&cursor);
	if (!err && options->flip.wanted && !cursor.flipped)
		err = diagnose(why, EXIT_USAGE, -ERANGE,
			       "name a record of the guest, see `ttdump show`",
			       "no bit was flipped: the replay did not come to record %" PRIu64,
			       options->flip.record);
	if (err < 0 && !why->status)
		diagnose(why, EXIT_CANNOT, err, NULL, "cannot replay: %s", strerror(-err));
	report->wall_ns = process_wall_ns() - start;
	doors_close(&cursor.doors);
	free(cursor.console);
	free(cursor.ladder);
	return err;
}
