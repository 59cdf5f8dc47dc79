// SPDX-License-Identifier: BSD-3-Clause
/* The cursor's records of interfaces that every guest has: time, console, entropy, exit. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "format/base/array.h"
#include "kernel/probe/probe.h"
#include "replayer/cursor/cursor_internal.h"

int cursor_replay_from(struct cursor *cursor, const struct trace_record *record)
{
	struct interface_event expected = { .kind = INTERFACE_MESSAGE,
					    .message = { .op = (uint32_t)record->from.op,
							 .seq = (uint32_t)record->from.seq,
							 .time = record->from.time } };
	struct interface_event event;
	char text[CURSOR_TEXT], got[CURSOR_TEXT];
	int stop = cursor_await(cursor, record, &expected, &event);

	if (stop)
		return stop;
	cursor->report->messages++;
	/* After an ACK the guest continues to run: its output is not yet complete. */
	stop = expected.message.op == TRACE_OP_ACK ? 0 : cursor_compare_past(cursor, record);
	if (event.message.op == TRACE_OP_START)
		cursor_probe_attach(cursor);
	if (stop || !memcmp(&expected.message, &event.message, sizeof(event.message)))
		return stop;
	cursor_describe(&expected, text);
	cursor_describe(&event, got);
	if (!strcmp(text, got))
		snprintf(got + strlen(got), sizeof(got) - strlen(got), " (seq %u, not %u)",
			 event.message.seq, expected.message.seq);
	return cursor_diverge(cursor, record, expected.message.op == event.message.op, text, got);
}

int cursor_sent(struct cursor *cursor, int err)
{
	switch (err) {
	case 0:
	case -EPIPE:
	case -ECONNRESET:
	case -ESRCH:
	case -EAGAIN: /* it does not read what it was sent */
		return 0;
	}
	return diagnose(cursor->why, EXIT_CANNOT, err, diagnosis_shortage(err),
			"cannot send to the guest %s: %s", cursor->guest->spec->name,
			strerror(-err));
}

int cursor_flush(struct cursor *cursor)
{
	int err = 0;

	if (cursor->batch_count && cursor->guest->time_fd >= 0)
		err = wire_send(cursor->guest->time_fd, cursor->batch, cursor->batch_count);
	cursor->batch_count = 0;
	return cursor_sent(cursor, err);
}

/*
 * Kept until the next record is not one to send: what was recorded as one write is sent in one
 * write.
 */
int cursor_replay_to(struct cursor *cursor, const struct trace_record *record)
{
	int err;
	struct wire_message message = { .op = (uint32_t)record->to.op,
					.seq = (uint32_t)record->to.seq,
					.time = record->to.time };

	cursor->report->messages++;
	if (!cursor->start_acked && message.op == TRACE_OP_ACK) {
		cursor->start_acked = true;
		err = wire_send_start_ack(cursor->guest->time_fd, &message);
		return cursor_sent(cursor, err);
	}
	err = cursor->batch_count == CURSOR_BATCH ? cursor_flush(cursor) : 0;
	cursor->batch[cursor->batch_count++] = message;
	return err;
}

int cursor_replay_console(struct cursor *cursor, const struct trace_record *record)
{
	size_t need = cursor->console_size + record->payload_size;

	/* What it had printed when its recorder ended it is up to a look more. */
	if (need > 2 * GUEST_CONSOLE_MAX)
		return cursor_doubt(cursor, record, "more console output than allowed at once");
	if (array_room(cursor->console, cursor->console_space, need, 256))
		return -ENOMEM;
	if (record->payload_size)
		memcpy(cursor->console + cursor->console_size, record->payload,
		       record->payload_size);
	cursor->console_size = need;
	return 0;
}

int cursor_replay_entropy(struct cursor *cursor, const struct trace_record *record)
{
	struct interface_event expected = { .kind = INTERFACE_ENTROPY,
					    .entropy.requested = record->entropy.requested };
	struct interface_event event;
	char text[CURSOR_TEXT], got[CURSOR_TEXT];
	int stop = cursor_await(cursor, record, &expected, &event);

	if (stop)
		return stop;
	if (event.entropy.source != record->entropy.source ||
	    event.entropy.requested != record->entropy.requested ||
	    record->payload_size > event.entropy.requested) {
		cursor_describe(&expected, text);
		cursor_describe(&event, got);
		return cursor_diverge(cursor, record, false, text, got);
	}
	return guest_answer_entropy(cursor->guest, &event.entropy, record->payload,
				    record->payload_size);
}

/*
 * Is the end at @record, of its connection or of itself, that by a SIGKILL? No guest ends so by
 * itself: the recording machine ended it at some moment, which is not recorded.
 */
static int find_kill(struct cursor *cursor, const struct trace_record *record)
{
	uint64_t next = record->number + 1;
	struct trace_record end = *record;
	int got = 1, err;

	while (got == 1 && (end.kind != TRACE_exit || end.guest != record->guest))
		got = trace_reader_next(cursor->reader, &end);
	cursor->killed = got == 1 && end.exit.signal == SIGKILL;
	if (cursor->killed) {
		snprintf(cursor->report->end, sizeof(cursor->report->end), "killed");
		snprintf(cursor->report->note, sizeof(cursor->report->note),
			 "%s was killed on that machine", cursor->guest->spec->name);
	}
	err = record->kind == TRACE_exit ? 0 : trace_reader_seek(cursor->reader, next);
	if (got < 0 && !err)
		err = got;
	/* That the trace ends here, or is damaged behind it, is for the walk to find. */
	return err == -ERANGE || (err && diagnosis_trace_status(err) == EXIT_DAMAGED) ? 0 : err;
}

int cursor_replay_leave(struct cursor *cursor, const struct trace_record *record)
{
	struct interface_event expected = { .kind = INTERFACE_LEFT }, event;
	int stop = find_kill(cursor, record);

	if (stop || cursor->killed)
		return stop;
	stop = cursor_await(cursor, record, &expected, &event);
	return stop ? stop : cursor_compare_past(cursor, record);
}

int cursor_replay_exit(struct cursor *cursor, const struct trace_record *record)
{
	struct interface_event expected = { .kind = INTERFACE_EXIT,
					    .status = (int)record->exit.status,
					    .signal = (int)record->exit.signal };
	struct interface_event event;
	char text[CURSOR_TEXT], got[CURSOR_TEXT];
	int stop = find_kill(cursor, record);

	if (stop || cursor->killed)
		return stop;
	stop = cursor_await(cursor, record, &expected, &event);
	cursor_describe(&expected, text);
	snprintf(cursor->report->end, sizeof(cursor->report->end), "%.63s", text);
	probe_detach(cursor->options->probe, 0);
	if (!stop)
		stop = cursor_compare_past(cursor, record);
	if (stop || ((uint64_t)event.status == record->exit.status &&
		     (uint64_t)event.signal == record->exit.signal))
		return stop;
	cursor_describe(&event, got);
	return cursor_diverge(cursor, record, true, text, got);
}
