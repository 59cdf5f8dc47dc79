// SPDX-License-Identifier: BSD-3-Clause
/* The loop of a recording: read, handle events, carry out effects, until something ends it. */
#include "recorder/session/session_loop.h"

#include <errno.h>
#include <string.h>

#include "kernel/host/process.h"
#include "recorder/session/session_window.h"

/* How often limits are checked, whether or not something arrives. */
#define LOOK_MS 20
#define LOOK_NS (LOOK_MS * 1000000ull)

/*
 * Handle all events that may be taken, in order. Each is handled once and has bounded consequences,
 * so a round ends, and signals, limits and overdue messages are checked after it.
 */
static void take_events(struct session *session)
{
	struct turn *turn = &session->turn;
	struct event event;
	bool alive = false;

	while (!turn->outcome.over && inbox_take(&turn->inbox, turn_may_take, turn, &event)) {
		alive |= limits_is_sign_of_life(&event);
		turn_take(turn, &event);
		delivery_carry_out(&turn->effects, &session->sources);
	}
	if (alive)
		session->limits.last_message = process_wall_ns();
}

/* Work that does not depend on events: limits, the status line. */
static void look_around(struct session *session)
{
	struct turn *turn = &session->turn;
	uint64_t now = process_wall_ns();

	if (now - session->looked_wall < LOOK_NS)
		return;
	session->looked_wall = now;
	limits_check(&session->limits, turn, now);
	delivery_carry_out(&turn->effects, &session->sources);
	status_line_update(&session->status, now - session->limits.begin, turn_now(turn),
			   turn->outcome.result->messages);
}

static void check_sources(struct session *session)
{
	int err = session->sources.error;

	if (err == -ENOMEM)
		outcome_no_memory(&session->turn.outcome);
	else if (err)
		outcome_host_failed(&session->turn.outcome, err, "receive from a guest");
}

/* A connection that leaves without START does not end the simulation. */
static void check_done(struct turn *turn)
{
	if (!turn->guests.left && !turn->clients.left &&
	    (turn->guests.count || turn->clients.admitted))
		outcome_finish(&turn->outcome, SESSION_DONE);
}

/*
 * Each round handles an event, opens the next window, or waits at most LOOK_MS. limits_check()
 * detects that many rounds made no progress.
 */
static void loop(struct session *session)
{
	struct turn *turn = &session->turn;
	bool more = false;

	while (!turn->outcome.over) {
		more = more || inbox_has(&turn->inbox, turn_may_take, turn);
		sources_read(&session->sources, more ? 0 : LOOK_MS);
		take_events(session);
		sources_pause(&session->sources);
		more = window_advance(turn);
		delivery_carry_out(&turn->effects, &session->sources);
		look_around(session);
		check_sources(session);
		check_done(turn);
	}
}

/* The host ends it, whatever its guests were doing. */
static bool was_interrupted(const struct session_result *result)
{
	return result->end == SESSION_SIGNAL || result->end == SESSION_TIMEOUT ||
	       result->end == SESSION_HUNG || result->end == SESSION_STORAGE;
}

/* Record what guests have printed since their last messages. */
static void record_consoles(struct session_guests *guests)
{
	for (size_t i = 0; i < guests->count; i++) {
		guest_fill_console(guests->guest[i]->guest, &guests->guest[i]->console);
		session_guest_record_console(guests->guest[i]);
	}
}

static void record_note(struct turn *turn, uint64_t now, const struct diagnosis *diagnosis)
{
	struct trace_record record = { .kind = TRACE_note,
				       .now = now,
				       .payload = diagnosis->what,
				       .payload_size = strlen(diagnosis->what) };

	record.note.status = (uint64_t)diagnosis->status;
	journal_append(&turn->journal, 0, &record);
}

static void record_end(struct turn *turn, const struct session_result *result)
{
	struct trace_record record = { .kind = TRACE_wall, .now = result->virtual_ns };

	journal_finish(&turn->journal);
	record.wall.elapsed = result->wall_ns;
	journal_append(&turn->journal, 0, &record);
	if (result->diagnosis.status)
		record_note(turn, result->virtual_ns, &result->diagnosis);
	journal_finish(&turn->journal);
}

int session_run(struct session *session, struct session_result *result)
{
	struct turn *turn = &session->turn;
	int err;

	*result = (struct session_result){ .end = SESSION_DONE };
	turn->outcome.result = result;
	session->limits.begin = session->limits.last_message = process_wall_ns();
	err = journal_open(&turn->journal, turn->partition_count, session->writer, &turn->outcome);
	if (err) {
		outcome_no_memory(&turn->outcome);
		return err;
	}
	journal_plan(&turn->journal, session->planned, session->planned_count);
	journal_observe(&turn->journal, session->observer, session->observer_context);
	for (size_t i = 0; i < turn->partition_count; i++)
		turn_touched(turn, turn->partition[i]);
	status_line_init(&session->status, session->options.show_status);
	loop(session);
	if (was_interrupted(result))
		journal_observe(&turn->journal, NULL, NULL);
	record_consoles(&turn->guests);
	status_line_clear(&session->status);
	result->virtual_ns = turn_now(turn);
	result->wall_ns = process_wall_ns() - session->limits.begin;
	record_end(turn, result);
	return 0;
}
