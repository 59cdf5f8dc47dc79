// SPDX-License-Identifier: BSD-3-Clause
/* Ends recordings for reasons other than events: limits, hangs, all clients asleep. */
#include "recorder/session/session_limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "format/base/units.h"
#include "kernel/guest/guest_processes.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/session_turn.h"
#include "recorder/session/session_members.h"

/* How long a client with nothing left to do may take to leave. */
#define IDLE_PATIENCE_NS NS_PER_S

bool limits_is_sign_of_life(const struct event *event)
{
	switch (event->kind) {
	case EVENT_CONSOLE:
	case EVENT_ENTROPY:
	case EVENT_RESUME:
	case EVENT_STOP:
		return false;
	default:
		return true;
	}
}

/* ---- Overdue messages ----------------------------------------------------------------------- */

static const struct client *find_owing(const struct turn *turn)
{
	for (size_t i = 0; i < turn->partition_count; i++) {
		const struct client *owing = partition_owing(turn->partition[i]);

		if (owing)
			return owing;
	}
	return NULL;
}

static bool has_token(const struct client *client)
{
	return partition_running(client->partition) == client;
}

/* Name the client whose message is overdue: a guest by its name, others by their id. */
static const char *client_text(const struct client *client, char text[96])
{
	uint64_t id = calendar_client_id(client->partition->calendar, client->handle);

	if (!client->guest && id == WIRE_ID_NONE)
		snprintf(text, 96, "a client without an id");
	else if (!client->guest)
		snprintf(text, 96, "client %" PRIu64, id);
	else if (client->guest->all->count > 1)
		snprintf(text, 96, "the guest %s", client->guest->guest->spec->name);
	else
		snprintf(text, 96, "the guest");
	return text;
}

/*
 * It has not connected, or has disconnected and still runs; under our own scheduler, it has not
 * sent START.
 */
static bool is_silent(const struct session_guest *guest)
{
	const struct client *client = guest->client;

	if (guest->state == GUEST_SETTLED)
		return false;
	if (!client || !client->partition->calendar)
		return !client;
	return calendar_client_state(client->partition->calendar, client->handle) ==
	       CALENDAR_CONNECTED;
}

/* A guest or timed program in that state; or NULL. */
static const char *find_silent(const struct turn *turn)
{
	for (size_t i = 0; i < turn->guests.count; i++)
		if (is_silent(turn->guests.guest[i]))
			return turn->guests.guest[i]->guest->spec->name;
	for (size_t i = 0; i < turn->program_count; i++)
		if (session_program_is_missing(turn->program[i]))
			return turn->program[i]->options.name;
	return NULL;
}

/* Which process a hanging guest was running, and at which address. */
static void describe_running(const struct client *running, char *text, size_t size)
{
	const struct guest *guest = running->guest ? running->guest->guest : NULL;
	auto_free struct guest_process *list = NULL;
	char name[GUEST_PROCESS_TEXT];
	const struct guest_process *process;
	size_t count;

	if (!guest || guest_processes_read(guest, &list, &count))
		return;
	process = guest_processes_stop(guest, list, count);
	if (process && process->ip)
		snprintf(text, size, ": its process %s computes at %#" PRIx64,
			 guest_process_text(process, name), process->ip);
	else if (process)
		snprintf(text, size, ": its process %s computes",
			 guest_process_text(process, name));
	else if (list->current && list->pid)
		snprintf(text, size, ": its kernel computes for %s",
			 guest_process_text(list, name));
}

/* ---- Hangs ---------------------------------------------------------------------------------- */

/* Computing takes no virtual time, so no timer of the guest can interrupt it. */
static void report_hang(const struct limits *limits, struct turn *turn, const struct client *owing,
			const char *silent)
{
	struct diagnosis *why = outcome_reason(&turn->outcome);
	char wall[UNITS_TEXT], time[UNITS_TEXT], who[96], what[160] = "";

	if (owing && has_token(owing))
		describe_running(owing, what, sizeof(what));
	diagnose(why, EXIT_PROTOCOL, -ETIMEDOUT,
		 *what ? "raise --hang-timeout if it only needs longer; a program that only "
			 "computes is not interrupted, as that takes no virtual time: let it make "
			 "a system call in its loop, such as sched_yield(2)"
		       : "raise --hang-timeout if it only needs longer; else find where it loops",
		 owing && has_token(owing)
			 ? "%s has run for %s of wall time without a message at t=%s s%s"
			 : "%s has sent no message for %s of wall time at t=%s s%s",
		 owing ? client_text(owing, who) : silent,
		 duration_short(limits->hang_timeout, wall), duration_exact(turn_now(turn), time),
		 what);
	printable(why->what);
	outcome_finish(&turn->outcome, SESSION_HUNG);
}

static void report_missing(struct turn *turn, const struct session_program *program)
{
	diagnose(outcome_reason(&turn->outcome), EXIT_PROTOCOL, -ETIMEDOUT,
		 "check its output; {time} in its command is the socket to connect to",
		 "the program %s has not connected to its time socket", program->options.name);
	outcome_finish(&turn->outcome, SESSION_HUNG);
}

/* Close the devices of @program whose guest awaits a reply. Returns whether there were any. */
static bool cut_silent_links(struct session_program *program, const char *wall)
{
	char name[VHOST_NAME_TEXT], problem[VHOST_PROBLEM_TEXT];
	bool found = false;

	for (size_t i = 0; i < program->device_count; i++) {
		uint32_t pending = program->device[i]->link->pending;

		if (!pending)
			continue;
		found = true;
		snprintf(problem, sizeof(problem), "no reply to %s for %s of wall time",
			 vhost_request_text(pending, name), wall);
		program_link_cut(program->device[i], problem);
	}
	return found;
}

/* A program that runs without sending a message, or has not connected. */
static bool end_silent_program(struct turn *turn, const char *wall)
{
	char problem[VHOST_PROBLEM_TEXT];

	for (size_t i = 0; i < turn->program_count; i++) {
		struct session_program *program = turn->program[i];

		if (session_program_is_missing(program)) {
			report_missing(turn, program);
			return true;
		}
		if (!program->client ||
		    !session_program_has_token(program->client->partition, program))
			continue;
		snprintf(problem, sizeof(problem), "it has run for %s of wall time", wall);
		members_fail_program(turn, program, problem);
		return true;
	}
	return false;
}

/* A message is overdue. If a program is the reason, continue without it. */
static bool is_programs_fault(const struct limits *limits, struct turn *turn)
{
	char wall[UNITS_TEXT];
	bool found = false;

	duration_short(limits->hang_timeout, wall);
	for (size_t i = 0; i < turn->program_count; i++)
		found |= cut_silent_links(turn->program[i], wall);
	found = found || end_silent_program(turn, wall);
	for (size_t i = 0; found && i < turn->partition_count; i++)
		turn_touched(turn, turn->partition[i]);
	return found;
}

/* A running client, or a guest that has not connected yet, owes a message. */
static void check_hang(struct limits *limits, struct turn *turn, uint64_t now)
{
	const struct client *owing;
	const char *silent;

	if (!limits->hang_timeout || now - limits->last_message < limits->hang_timeout)
		return;
	/* The window was not over because another client might have broken the protocol earlier. */
	if (fault_report(turn))
		return;
	silent = find_silent(turn);
	owing = silent ? NULL : find_owing(turn);
	if (!owing && !silent)
		return;
	if (is_programs_fault(limits, turn))
		limits->last_message = now;
	else
		report_hang(limits, turn, owing, silent);
}

/* ---- All of them ---------------------------------------------------------------------------- */

static void report_wall_limit(const struct limits *limits, struct turn *turn)
{
	char wall[UNITS_TEXT], time[UNITS_TEXT];

	diagnose(outcome_reason(&turn->outcome), EXIT_DIVERGED, -ETIME, "raise --limit-wall",
		 "the limit of %s of wall time was reached at t=%s s",
		 duration_short(limits->limit_wall, wall), duration_exact(turn_now(turn), time));
	outcome_finish(&turn->outcome, SESSION_TIMEOUT);
}

/* Clients that were started elsewhere may connect or leave at any time. */
static bool is_idle_for_long(struct limits *limits, const struct turn *turn, uint64_t now)
{
	if (!turn->idle)
		limits->idle_since = 0;
	else if (!limits->idle_since)
		limits->idle_since = now;
	return limits->idle_since && now - limits->idle_since >= IDLE_PATIENCE_NS;
}

void limits_check(struct limits *limits, struct turn *turn, uint64_t now)
{
	if (limits->limit_wall && now - limits->begin >= limits->limit_wall)
		report_wall_limit(limits, turn);
	if (is_idle_for_long(limits, turn, now))
		fault_report_deadlock(turn);
	else
		check_hang(limits, turn, now);
}
