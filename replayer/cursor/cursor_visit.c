// SPDX-License-Identifier: BSD-3-Clause
/* The cursor's stops: brings the guest to rest for a visitor. */
#include "replayer/cursor/cursor_internal.h"

#include <errno.h>

/* Actions of the guest itself: it may be running at a record of these. */
static bool is_move(const struct trace_record *record)
{
	return record->kind == TRACE_irq || trace_kind_info(record->kind)->direction == TRACE_IN;
}

/*
 * Does the guest rest before it? Not before what is about the run, is part of the move before, or
 * is done without waiting, such as to end; nor before an ACK, over which it does not wait. In a
 * request for random bytes it is held by its host, which takes the request back when the guest is
 * stopped.
 */
static bool is_place(const struct trace_record *record)
{
	switch (record->kind) {
	case TRACE_from:
		return record->from.op != TRACE_OP_ACK;
	case TRACE_entropy:
	case TRACE_taken:
	case TRACE_detach:
	case TRACE_leave:
	case TRACE_exit:
		return false;
	default:
		return record->kind < TRACE_KIND_LIMIT && trace_kind_info(record->kind) &&
		       trace_kind_info(record->kind)->direction != TRACE_SIDE;
	}
}

static bool rests_over(const struct interface_event *event)
{
	switch (event->kind) {
	case INTERFACE_LEFT:
	case INTERFACE_EXIT:
	case INTERFACE_SILENCE:
	case INTERFACE_FLOOD:
	case INTERFACE_STOP:
		return false;
	default:
		return true;
	}
}

/*
 * A guest that is about to make a move is let make it, and rests over it; it is done nothing with.
 * Returns 1 when it rests, 0 when it ends, or does not come.
 */
static int await_rest(struct cursor *cursor, const struct trace_record *next)
{
	struct interface_event event;
	int err = 0;

	if (is_move(next)) {
		err = interfaces_peek(&cursor->interfaces, INTERFACE_MESSAGE,
				      cursor_patience(cursor), &event);
		if (err || !rests_over(&event))
			return err;
	}
	err = guest_await_blocked(cursor->guest);
	if (err)
		return err == -ESRCH ? 0 : err;
	return 1;
}

int cursor_visit(struct cursor *cursor, const struct trace_record *next)
{
	struct cursor_visitor *visitor = cursor->options->visitor;
	int rests, stop;

	if (!visitor || !is_place(next) || !visitor->wants(visitor, next))
		return 0;
	stop = cursor_flush(cursor);
	if (!stop && is_move(next))
		stop = cursor_finish_kick(cursor, next);
	if (stop)
		return stop;
	rests = await_rest(cursor, next);
	if (rests <= 0)
		return rests;
	stop = visitor->visit(visitor, next, cursor->report, cursor->why);
	cursor->report->stopped = stop == 1;
	if (!stop && visitor->end_fd >= 0)
		stop = interfaces_watch_end(&cursor->interfaces, visitor->end_fd);
	return stop;
}

int cursor_visit_end(struct cursor *cursor)
{
	struct cursor_visitor *visitor = cursor->options->visitor;

	return visitor ? visitor->visit(visitor, NULL, cursor->report, cursor->why) : 0;
}
