// SPDX-License-Identifier: BSD-3-Clause
/* Clients of another scheduler: relays their messages. */
#include "recorder/session/member/session_upstream.h"

#include <errno.h>

#include "format/base/units.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"
#include "recorder/session/member/session_program.h"

static void see_time(struct partition *partition, uint64_t time)
{
	if (time > partition->now && time < WIRE_TIME_NEVER)
		partition->now = time;
}

static void report(const struct client *client, const char *what)
{
	struct outcome *outcome = client->partition->outcome;
	char time[UNITS_TEXT];

	diagnose(outcome_reason(outcome), EXIT_PROTOCOL, -EPIPE,
		 "check its output; what was recorded so far can be replayed",
		 "the scheduler at %s %s %s, t=%s s", client->partition->upstream, what,
		 client->guest ? client->guest->guest->spec->name : "a client",
		 duration_exact(partition_now(client->partition), time));
	outcome_finish(outcome, SESSION_FAULT);
}

void upstream_left(const struct client *client)
{
	report(client, "closed its connection to");
}

void upstream_refused(const struct client *client)
{
	report(client, "does not read what is sent to it by");
}

void upstream_forward(struct client *client, const struct wire_message *message)
{
	if (message->op == TRACE_OP_START && !client_is_admitted(client))
		client_record_join(client, message->time, 0);
	client_record_message(client, TRACE_from, message);
	if (message->op == TRACE_OP_UPDATE)
		see_time(client->partition, message->time);
	if (message->op == TRACE_OP_WAIT) {
		client->wait_seq = message->seq;
		if (client->state >= CLIENT_RUNNING)
			client->state = CLIENT_ASKS_WAIT;
		if (client->guest && client_is_admitted(client))
			session_guest_digest(client->guest);
	}
	effects_add(client->partition->effects, &(struct effect){ .kind = EFFECT_SEND_UPSTREAM,
								  .client = client,
								  .message = *message });
}

bool upstream_may_run(const struct client *client)
{
	const struct session_guest *guest = client->guest;

	for (size_t i = 0; guest && i < guest->guest->spec->device_count; i++)
		if (guest->device[i].device && session_device_is_called(&guest->device[i]))
			return false;
	return true;
}

void upstream_deliver(struct client *client, const struct wire_message *message)
{
	if (client->guest)
		session_guest_harvest(client->guest);
	if (message->op == TRACE_OP_RUN) {
		see_time(client->partition, message->time);
		if (client->state == CLIENT_WAITING)
			client->state = CLIENT_RUNNING;
	}
	client_send(client, message);
	if (message->op != TRACE_OP_ACK || client->state != CLIENT_ASKS_WAIT ||
	    message->seq != client->wait_seq)
		return;
	client->state = CLIENT_WAITING;
	session_programs_release(client->partition);
}
