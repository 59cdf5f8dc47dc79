// SPDX-License-Identifier: BSD-3-Clause
/*
 * A client of `ttrec serve` that breaks the protocol in one way, or keeps to it.
 *
 *	rogue_client SOCKET ID SCENARIO
 *
 * After its deed it waits until the scheduler ends the connection. Exit status: 0 when that happens
 * within 30 s, or when the scenario is to leave; 1 otherwise.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "format/tttrace.h"
#include "kernel/wire/wire.h"

#define TICK	   1000000ull /* ns */
#define PATIENCE   30000      /* ms */
#define NO_TIME	   UINT64_MAX
#define HALF_BYTES 7

struct client {
	int fd;
	uint64_t id, now;
	uint32_t seq;
	bool running; /* was told RUN since its last WAIT */
};

/* The scheduler ended the connection: for most scenarios that is success. */
static void ended(const struct client *client)
{
	printf("client %llu: the scheduler has ended the connection\n",
	       (unsigned long long)client->id);
	exit(0);
}

static void give_up(const char *what)
{
	fprintf(stderr, "rogue_client: %s\n", what);
	exit(1);
}

static void tell(struct client *client, uint32_t op, uint32_t seq, uint64_t time)
{
	const struct wire_message message = { .op = op, .seq = seq, .time = time };

	if (wire_send(client->fd, &message, 1))
		ended(client);
}

static struct wire_message hear(struct client *client)
{
	struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
	struct wire_message message;
	size_t done = 0;

	while (done < sizeof(message)) {
		ssize_t got;

		if (poll(&poll_fd, 1, PATIENCE) != 1)
			give_up("nothing came");
		got = read(client->fd, (char *)&message + done, sizeof(message) - done);
		if (got <= 0)
			ended(client);
		done += (size_t)got;
	}
	return message;
}

/* What the scheduler sends by itself is acknowledged at once. */
static void answer(struct client *client, const struct wire_message *message)
{
	if (message->op == TRACE_OP_RUN) {
		client->now = message->time;
		client->running = true;
	}
	tell(client, TRACE_OP_ACK, message->seq, 0);
}

static void ask(struct client *client, uint32_t op, uint64_t time)
{
	uint32_t seq = ++client->seq;

	tell(client, op, seq, time);
	for (;;) {
		struct wire_message message = hear(client);

		if (message.op == TRACE_OP_ACK && message.seq == seq)
			return;
		answer(client, &message);
	}
}

static void start(struct client *client)
{
	ask(client, TRACE_OP_START, client->id);
}

static void wait_at(struct client *client, uint64_t time)
{
	ask(client, TRACE_OP_REQUEST, time);
	client->running = false;
	ask(client, TRACE_OP_WAIT, NO_TIME);
}

static void run_at(struct client *client, uint64_t time)
{
	wait_at(client, time);
	while (!client->running) {
		struct wire_message message = hear(client);

		answer(client, &message);
	}
}

/* ---- Keeping to the protocol -------------------------------------------------------------------
 */

/* Until the scheduler ends it. */
static void do_steady(struct client *client)
{
	start(client);
	for (;;)
		run_at(client, client->now + TICK);
}

static void do_short(struct client *client)
{
	start(client);
	for (int i = 0; i < 100; i++)
		run_at(client, client->now + TICK);
	exit(0);
}

/* Asks for no event, so that it is never run again. */
static void do_never(struct client *client)
{
	start(client);
	wait_at(client, WIRE_TIME_NEVER);
}

/* ---- Breaking it -------------------------------------------------------------------------------
 */

static void do_half(struct client *client)
{
	const struct wire_message message = { .op = TRACE_OP_GET, .seq = 2 };

	start(client);
	if (write(client->fd, &message, HALF_BYTES) != HALF_BYTES)
		give_up("write");
	exit(0);
}

static void do_unknown(struct client *client)
{
	start(client);
	tell(client, 17, ++client->seq, 0);
}

static void do_run(struct client *client)
{
	start(client);
	tell(client, TRACE_OP_RUN, ++client->seq, 0);
}

static void do_wait_twice(struct client *client)
{
	start(client);
	wait_at(client, 1000 * TICK);
	tell(client, TRACE_OP_WAIT, ++client->seq, NO_TIME);
}

static void do_past_request(struct client *client)
{
	start(client);
	run_at(client, 10 * TICK);
	tell(client, TRACE_OP_REQUEST, ++client->seq, TICK);
}

static void do_past_update(struct client *client)
{
	start(client);
	run_at(client, 10 * TICK);
	tell(client, TRACE_OP_UPDATE, ++client->seq, TICK);
}

static void do_start_twice(struct client *client)
{
	start(client);
	tell(client, TRACE_OP_START, ++client->seq, client->id);
}

static void do_no_start(struct client *client)
{
	tell(client, TRACE_OP_GET, ++client->seq, NO_TIME);
}

static void do_ack(struct client *client)
{
	start(client);
	tell(client, TRACE_OP_ACK, 4711, 0);
}

/* Says nothing more, and does not go. */
static void do_silent(struct client *client)
{
	start(client);
}

/* ---- Disappearing ------------------------------------------------------------------------------
 */

static void do_leave_connected(struct client *client)
{
	(void)client;
	exit(0);
}

static void do_leave_starting(struct client *client)
{
	tell(client, TRACE_OP_START, ++client->seq, client->id);
	exit(0);
}

static void do_leave_waiting(struct client *client)
{
	start(client);
	wait_at(client, 1000 * TICK);
	exit(0);
}

static void do_leave_idle(struct client *client)
{
	start(client);
	wait_at(client, WIRE_TIME_NEVER);
	usleep(200000); /* by then the scheduler knows */
	exit(0);
}

/* With a RUN that it has read and not acknowledged. */
static void do_leave_told(struct client *client)
{
	start(client);
	wait_at(client, 10 * TICK);
	while (hear(client).op != TRACE_OP_RUN)
		;
	exit(0);
}

static const struct {
	const char *name;
	void (*run)(struct client *client);
} scenarios[] = {
	{ "steady", do_steady },
	{ "short", do_short },
	{ "never", do_never },
	{ "half", do_half },
	{ "unknown", do_unknown },
	{ "run", do_run },
	{ "wait-twice", do_wait_twice },
	{ "past-request", do_past_request },
	{ "past-update", do_past_update },
	{ "start-twice", do_start_twice },
	{ "no-start", do_no_start },
	{ "ack", do_ack },
	{ "silent", do_silent },
	{ "leave-connected", do_leave_connected },
	{ "leave-starting", do_leave_starting },
	{ "leave-waiting", do_leave_waiting },
	{ "leave-idle", do_leave_idle },
	{ "leave-told", do_leave_told },
};

int main(int argc, char **argv)
{
	struct client client = { .fd = -1 };

	if (argc != 4) {
		fprintf(stderr, "usage: rogue_client SOCKET ID SCENARIO\n");
		return 2;
	}
	client.id = strtoull(argv[2], NULL, 0);
	/* A socket is there a moment before it is listened at. */
	for (int i = 0; i < 200 && wire_connect(argv[1], &client.fd) == -ECONNREFUSED; i++)
		usleep(10000);
	if (client.fd < 0)
		give_up("cannot connect");
	printf("client %llu: connected\n", (unsigned long long)client.id);
	fflush(stdout);
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (strcmp(argv[3], scenarios[i].name))
			continue;
		scenarios[i].run(&client);
		for (;;)
			hear(&client);
	}
	give_up("there is no such scenario");
	return 1;
}
