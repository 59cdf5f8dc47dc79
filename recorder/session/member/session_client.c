// SPDX-License-Identifier: BSD-3-Clause
/* Clients: their state, and their records. */
#include "recorder/session/member/session_client.h"

#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "recorder/session/member/session_guest.h"
#include "recorder/session/member/session_program.h"

int clients_take_place(struct clients *clients, struct client **client)
{
	for (size_t i = 0; i < clients->count; i++)
		if (clients->client[i]->state == CLIENT_GONE) {
			*client = clients->client[i];
			return 0;
		}
	*client = calloc(1, sizeof(**client));
	if (*client && !array_push(clients->client, clients->count, *client))
		return 0;
	free(*client);
	return -ENOMEM;
}

void clients_release(struct clients *clients)
{
	for (size_t i = 0; i < clients->count; i++) {
		struct client *client = clients->client[i];

		/* The descriptor of a guest belongs to the guest. */
		if (client->state != CLIENT_GONE && !client->guest)
			close(client->fd);
		if (client->state != CLIENT_GONE)
			close_fd(&client->upstream_fd);
		free(client);
	}
	free(clients->client);
}

bool client_is_admitted(const struct client *client)
{
	return client->state >= CLIENT_ADMITTED;
}

/* "" for one without an owner. */
static const char *client_name(const struct client *client)
{
	if (client->guest)
		return client->guest->guest->spec->name;
	return client->program ? client->program->options.name : "";
}

static struct trace_record record_of(const struct client *client, enum trace_kind kind)
{
	return (struct trace_record){ .kind = kind,
				      .guest = client->index,
				      .now = partition_now(client->partition) };
}

void client_record_join(struct client *client, uint64_t id, uint64_t offset)
{
	const char *name = client_name(client);
	struct trace_record record = record_of(client, TRACE_join);

	client->state = CLIENT_ADMITTED;
	client->id = id;
	record.payload = name;
	record.payload_size = strlen(name);
	record.join.id = id;
	record.join.offset = offset;
	partition_record(client->partition, &record);
}

void client_record_message(struct client *client, enum trace_kind kind,
			   const struct wire_message *message)
{
	struct trace_record record = record_of(client, kind);

	record.from.op = message->op;
	record.from.seq = message->seq;
	record.from.time = message->time;
	client->partition->outcome->result->messages++;
	/* Output about the host that it printed before time started does not explain its end. */
	if (client->guest && !client->guest->result.messages++)
		final_output_forget(&client->guest->final_output);
	partition_record(client->partition, &record);
}

void client_record_leave(const struct client *client)
{
	struct trace_record record = record_of(client, TRACE_leave);

	partition_record(client->partition, &record);
}

void client_send(struct client *client, const struct wire_message *message)
{
	bool is_start = client->state == CLIENT_ADMITTED && message->op == TRACE_OP_ACK;

	if (client->guest)
		session_guest_harvest(client->guest);
	client_record_message(client, TRACE_to, message);
	if (is_start)
		client->state = CLIENT_RUNNING;
	effects_add(client->partition->effects,
		    &(struct effect){ .kind = is_start ? EFFECT_SEND_START : EFFECT_SEND,
				      .client = client,
				      .message = *message });
}
