// SPDX-License-Identifier: BSD-3-Clause
/* Why a turn ends the recording. */
#include "recorder/session/session_turn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "format/base/units.h"
#include "recorder/session/session_members.h"

static void describe(struct partition_fault *fault, const struct client *client,
		     const char *problem)
{
	const struct calendar *calendar = client->partition->calendar;
	const struct calendar_fault *found = calendar ? calendar_last_fault(calendar) : NULL;
	uint64_t id = calendar ? calendar_client_id(calendar, client->handle) : client->index;

	*fault = (struct partition_fault){ .time = problem ? partition_now(client->partition)
							   : found->now,
					   .id = id };
	if (id == WIRE_ID_NONE)
		snprintf(fault->who, sizeof(fault->who), "without an id");
	else
		snprintf(fault->who, sizeof(fault->who), "%" PRIu64, id);
	if (!problem)
		snprintf(fault->with, sizeof(fault->with), "%s",
			 wire_operation_text(found->message.op, (char[WIRE_NAME_TEXT]){ 0 }));
	snprintf(fault->text, sizeof(fault->text), "%s", problem ? problem : found->text);
}

void fault_found(struct turn *turn, struct client *client, const char *problem)
{
	struct partition *partition = client->partition;

	if (client->program) {
		members_fail_program(turn, client->program,
				     problem ? problem
					     : calendar_last_fault(partition->calendar)->text);
		return;
	}
	if (partition->state == PARTITION_FAULTED)
		return;
	describe(&partition->fault, client, problem);
	partition->state = PARTITION_FAULTED;
	if (turn->partition_count == 1)
		fault_report(turn);
}

/* Whether @a is reported instead of @b, which may be NULL. */
static bool is_earlier(const struct partition *a, const struct partition *b)
{
	if (!b || a->fault.time != b->fault.time)
		return !b || a->fault.time < b->fault.time;
	return a->fault.id < b->fault.id;
}

static const struct partition *find_first(const struct turn *turn)
{
	const struct partition *first = NULL;

	for (size_t i = 0; i < turn->partition_count; i++)
		if (turn->partition[i]->state == PARTITION_FAULTED &&
		    is_earlier(turn->partition[i], first))
			first = turn->partition[i];
	return first;
}

bool fault_report(struct turn *turn)
{
	const struct partition *partition = find_first(turn);
	const struct partition_fault *fault;
	char time[UNITS_TEXT], with[WIRE_NAME_TEXT + 16] = "";
	uint64_t position;

	if (!partition)
		return false;
	fault = &partition->fault;
	position = journal_position(&turn->journal, partition->number);
	/* It is the message of the last record. */
	if (*fault->with) {
		position -= position > 0;
		snprintf(with, sizeof(with), ", with %s", fault->with);
	}
	diagnose(outcome_reason(&turn->outcome), EXIT_PROTOCOL, -EPROTO,
		 "see the last records: ttdump show TRACE",
		 "client %s broke the protocol at record %" PRIu64 ", t=%s s%s: %s", fault->who,
		 position, duration_exact(fault->time, time), with, fault->text);
	outcome_finish(&turn->outcome, SESSION_FAULT);
	return true;
}

void fault_report_deadlock(struct turn *turn)
{
	char text[160], where[384] = "";
	size_t length = 0;

	for (size_t i = 0; i < turn->partition_count; i++) {
		const struct calendar *calendar = turn->partition[i]->calendar;
		uint32_t position = 0;

		while (length + sizeof(text) < sizeof(where) &&
		       calendar_describe(calendar, &position, text, sizeof(text)))
			length += (size_t)snprintf(where + length, sizeof(where) - length, "%s%s",
						   length ? "; " : "", text);
	}
	diagnose(outcome_reason(&turn->outcome), EXIT_DIVERGED, -EDEADLK,
		 "a finished guest should power off; --limit-virtual ends one that waits forever",
		 "all clients sleep forever: %s", where);
	outcome_finish(&turn->outcome, SESSION_DEADLOCK);
}

void fault_report_limit(struct turn *turn)
{
	char limit[UNITS_TEXT];

	diagnose(outcome_reason(&turn->outcome), EXIT_DIVERGED, -ETIME, "raise --limit-virtual",
		 "the limit of %s s of virtual time was reached",
		 duration_exact(turn->calendar.limit, limit));
	outcome_finish(&turn->outcome, SESSION_LIMIT);
}
