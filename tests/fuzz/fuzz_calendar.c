// SPDX-License-Identifier: BSD-3-Clause
/*
 * Clients that send anything on their time sockets, through the wire to the calendar: a message is
 * accepted, or refused without a change; who runs is one; time does not go back.
 *
 * The input is a list of decisions: which client, and what it does. Answers are taken at once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "recorder/calendar/calendar.h"
#include "tests/fuzz/fuzz.h"

#define CLIENTS	  6
#define STEPS_MAX 400

struct client {
	bool connected;
	int fd[2]; /* ours, its */
	uint32_t handle, seq, sent, acknowledged;
	struct wire_input input;
};

struct crowd {
	struct calendar *calendar;
	struct client client[CLIENTS];
	bool windowed, devices;
	uint64_t now;
};

static struct client *client_of(struct crowd *crowd, uint32_t handle)
{
	for (size_t i = 0; i < CLIENTS; i++)
		if (crowd->client[i].connected && crowd->client[i].handle == handle)
			return &crowd->client[i];
	fuzz_expect(!"an action for nobody");
	return NULL;
}

static void take_actions(struct crowd *crowd)
{
	struct calendar_action action;

	while (calendar_next(crowd->calendar, &action)) {
		if (action.kind == CALENDAR_DEVICE_TURN)
			crowd->devices = true;
		if (action.kind != CALENDAR_SEND)
			continue;
		fuzz_expect(action.message.op < TRACE_OP_LIMIT);
		if (action.message.op != TRACE_OP_ACK)
			client_of(crowd, action.client)->sent = action.message.seq;
	}
}

static void check(struct crowd *crowd)
{
	unsigned int running = 0;

	for (size_t i = 0; i < CLIENTS; i++)
		running += crowd->client[i].connected &&
			   calendar_client_state(crowd->calendar, crowd->client[i].handle) ==
				   CALENDAR_RUNNING;
	fuzz_expect(running <= 1);
	fuzz_expect(calendar_now(crowd->calendar) >= crowd->now);
	crowd->now = calendar_now(crowd->calendar);
}

static void connect_client(struct crowd *crowd, struct client *client)
{
	*client = (struct client){ .connected = true };
	fuzz_expect(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, client->fd));
	fuzz_expect(!calendar_connect(crowd->calendar, &client->handle));
}

static void disconnect_client(struct crowd *crowd, struct client *client)
{
	calendar_check_leave(crowd->calendar, client->handle);
	calendar_disconnect(crowd->calendar, client->handle);
	client->connected = false;
	close(client->fd[0]);
	close(client->fd[1]);
}

/* A time near to now, mostly. */
static uint64_t some_time(const struct crowd *crowd, struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input);

	if (how == 255)
		return fuzz_u64(input);
	if (how == 254)
		return WIRE_TIME_NEVER;
	return crowd->now + 10ull * how;
}

static struct wire_message some_message(struct crowd *crowd, struct client *client,
					struct fuzz_input *input)
{
	uint8_t how = fuzz_byte(input);
	struct wire_message message = { .op = how % TRACE_OP_LIMIT, .seq = client->seq + 1 };

	if (calendar_client_state(crowd->calendar, client->handle) == CALENDAR_CONNECTED &&
	    how < 240)
		message = (struct wire_message){ TRACE_OP_START, client->seq + 1, how % 8 };
	else
		message.time = some_time(crowd, input);
	if (message.op == TRACE_OP_ACK)
		message.seq = client->acknowledged + 1;
	if (how >= 250)
		message.seq = fuzz_u32(input);
	if (how == 255)
		message.op = fuzz_u32(input);
	return message;
}

struct portrait {
	char text[2048];
	uint64_t now;
};

static void portray(const struct crowd *crowd, struct portrait *portrait)
{
	uint32_t position = 0;
	size_t used = 0;

	portrait->text[0] = '\0';
	while (calendar_describe(crowd->calendar, &position, portrait->text + used,
				 sizeof(portrait->text) - used))
		used += strlen(portrait->text + used);
	portrait->now = calendar_now(crowd->calendar);
}

static void receive(struct crowd *crowd, struct client *client, const struct wire_message *message)
{
	static struct portrait before, after;
	int err;

	portray(crowd, &before);
	err = calendar_receive(crowd->calendar, client->handle, message);
	fuzz_expect(!err || err == -EPROTO);
	if (err) {
		portray(crowd, &after);
		fuzz_expect(before.now == after.now && !strcmp(before.text, after.text));
		fuzz_expect(calendar_last_fault(crowd->calendar)->text[0]);
		return;
	}
	if (message->op == TRACE_OP_ACK)
		client->acknowledged++;
	else
		client->seq++;
}

/* Whole messages, or bytes; what is left of one waits for the rest. */
static void send_something(struct crowd *crowd, struct client *client, struct fuzz_input *input)
{
	struct wire_message message;
	size_t size = sizeof(message);
	const void *data = &message;

	if (fuzz_byte(input) < 250)
		message = some_message(crowd, client, input);
	else
		data = fuzz_bytes(input, fuzz_byte(input), &size);
	if (size)
		fuzz_expect(write(client->fd[1], data, size) == (ssize_t)size);
	do {
		long got = wire_input_fill(&client->input, client->fd[0]);

		fuzz_expect(got > 0 || got == -EAGAIN || got == -ENOBUFS);
		while (wire_input_take(&client->input, &message))
			receive(crowd, client, &message);
		if (got == -EAGAIN)
			break;
	} while (true);
	fuzz_expect(wire_input_partial(&client->input) < sizeof(message));
}

static void change_device_turn(struct crowd *crowd, struct fuzz_input *input)
{
	uint64_t time = some_time(crowd, input);

	if (crowd->devices) {
		crowd->devices = false;
		fuzz_expect(!calendar_device_turn_done(crowd->calendar));
	} else if (time >= crowd->now) {
		fuzz_expect(!calendar_set_device_turn(crowd->calendar, time));
	}
	calendar_is_bound_acknowledged(crowd->calendar);
}

static void change_window(struct crowd *crowd, struct fuzz_input *input)
{
	uint64_t end = some_time(crowd, input);

	if (!crowd->windowed)
		return;
	if (calendar_window_done(crowd->calendar) && end >= calendar_window_end(crowd->calendar))
		fuzz_expect(!calendar_open_window(crowd->calendar, end));
	else if (end > crowd->now)
		fuzz_expect(!calendar_narrow_window(crowd->calendar, end));
	calendar_next_event(crowd->calendar);
}

static void do_something(struct crowd *crowd, struct fuzz_input *input)
{
	unsigned int what = fuzz_byte(input);
	struct client *client = &crowd->client[what % CLIENTS];

	if (what >= 248)
		change_window(crowd, input);
	else if (what >= 236)
		change_device_turn(crowd, input);
	else if (!client->connected)
		connect_client(crowd, client);
	else if (what >= 230)
		disconnect_client(crowd, client);
	else
		send_something(crowd, client, input);
	take_actions(crowd);
	check(crowd);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t how = fuzz_byte(&input);
	const struct calendar_options options = {
		.grant = how & 1 ? CALENDAR_GRANT_WINDOW : CALENDAR_GRANT_EACH,
		.expected = 1 + (how >> 1) % 4,
		.limit = how & 8 ? 5000 : 0,
		.windowed = how & 16,
	};
	struct crowd crowd = { .windowed = options.windowed };

	fuzz_expect(!calendar_create(&options, &crowd.calendar));
	for (int i = 0; input.left && i < STEPS_MAX; i++)
		do_something(&crowd, &input);
	for (size_t i = 0; i < CLIENTS; i++)
		if (crowd.client[i].connected)
			disconnect_client(&crowd, &crowd.client[i]);
	calendar_destroy(crowd.calendar);
	return 0;
}
