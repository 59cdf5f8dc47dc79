// SPDX-License-Identifier: BSD-3-Clause
/* A controller for one client: the calendar, a socket, and a list of what was said. */
#include "tests/system/conformance/conformance_exchange.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "recorder/calendar/calendar.h"
#include "tests/system/conformance/conformance_steps.h"

/* A kernel boots within this, and says something at least this often afterwards. */
#define PATIENCE_MS 60000

void exchange_row_add(struct exchange_row *row, uint64_t run)
{
	bool follows = run > CONFORMANCE_BOOT && run == row->run + CONFORMANCE_READING;

	row->count = follows ? row->count + 1 : 0;
	row->run = run;
}

unsigned int exchange_next_mark(const struct exchange *exchange, size_t *position)
{
	struct exchange_row row = { 0 };
	size_t last = *position;

	for (size_t i = *position + 1; i < exchange->count; i++) {
		unsigned int count = row.count;

		if (exchange->lines[i].message.op != TRACE_OP_RUN)
			continue;
		exchange_row_add(&row, exchange->lines[i].message.time);
		if (!row.count && count >= MARK_STEP) {
			*position = last;
			return count;
		}
		last = i;
	}
	return 0;
}

struct controller {
	int fd;
	struct calendar *calendar;
	uint32_t client;
	struct wire_input input;
	struct exchange_row row;
	struct exchange *exchange;
};

static int write_down(struct controller *controller, bool from_client,
		      const struct wire_message *message)
{
	struct exchange *exchange = controller->exchange;
	struct exchange_line *lines;

	lines = reallocarray(exchange->lines, exchange->count + 1, sizeof(*lines));
	if (!lines)
		return -ENOMEM;
	exchange->lines = lines;
	lines[exchange->count++] =
		(struct exchange_line){ from_client, calendar_now(controller->calendar), *message };
	return 0;
}

static bool answers_start(const struct controller *controller, const struct wire_message *message)
{
	const struct exchange *exchange = controller->exchange;

	return message->op == TRACE_OP_ACK && exchange->count == 1 &&
	       exchange->lines[0].message.op == TRACE_OP_START;
}

static int say(struct controller *controller, const struct wire_message *message)
{
	int err = answers_start(controller, message) ? wire_send_start_ack(controller->fd, message)
						     : wire_send(controller->fd, message, 1);

	return err ? err : write_down(controller, false, message);
}

/* Not the calendar's: it counts up from 1. */
#define WINDOW_SEQ UINT32_MAX

/* The client finds it when it next waits for an ACK: before it passes time. */
static int open_window(struct controller *controller)
{
	const struct wire_message message = { .op = TRACE_OP_FREE_UNTIL,
					      .seq = WINDOW_SEQ,
					      .time = controller->row.run +
						      CONFORMANCE_WINDOW_SIZE };

	return say(controller, &message);
}

static int speak(struct controller *controller, const struct wire_message *message)
{
	int err = say(controller, message);

	if (err || message->op != TRACE_OP_RUN)
		return err;
	exchange_row_add(&controller->row, message->time);
	return controller->row.count == MARK_WINDOW ? open_window(controller) : 0;
}

/* Returns 1 when the simulation is at its end. */
static int act(struct controller *controller)
{
	struct calendar_action action;
	int err = 0;

	while (!err && calendar_next(controller->calendar, &action)) {
		if (action.kind == CALENDAR_SEND)
			err = speak(controller, &action.message);
		else if (action.kind != CALENDAR_ADMIT)
			return 1;
	}
	return err;
}

static int handle(struct controller *controller, const struct wire_message *message)
{
	int err = write_down(controller, true, message);

	if (err || (message->op == TRACE_OP_ACK && message->seq == WINDOW_SEQ))
		return err;
	err = calendar_receive(controller->calendar, controller->client, message);
	if (err == -EPROTO)
		fprintf(stderr, "%s\n", calendar_last_fault(controller->calendar)->text);
	return err;
}

static int hear(struct controller *controller)
{
	struct wire_message message;
	long size = wire_input_fill(&controller->input, controller->fd);
	int err = 0;

	if (size == 0 || size == -ECONNRESET)
		return 1;
	if (size < 0)
		return size == -EAGAIN ? 0 : (int)size;
	while (!err && wire_input_take(&controller->input, &message)) {
		err = handle(controller, &message);
		if (!err)
			err = act(controller);
	}
	return err;
}

static int wait_readable(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	int ready;

	do {
		ready = poll(&readable, 1, PATIENCE_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -errno;
	return ready ? 0 : -ETIMEDOUT;
}

static int control(struct controller *controller)
{
	int err = calendar_connect(controller->calendar, &controller->client);

	while (!err) {
		err = act(controller);
		if (!err)
			err = wait_readable(controller->fd);
		if (!err)
			err = hear(controller);
	}
	return err > 0 ? 0 : err;
}

int exchange_record(int listener, struct exchange *exchange)
{
	const struct calendar_options options = { .grant = CALENDAR_GRANT_EACH, .expected = 1 };
	struct controller controller = { .exchange = exchange };
	auto_fd fd = -1;
	int err = wait_readable(listener);

	if (err)
		return err;
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	controller.fd = fd;
	err = calendar_create(&options, &controller.calendar);
	if (err)
		return err;
	err = control(&controller);
	calendar_destroy(controller.calendar);
	return err;
}

void exchange_free(struct exchange *exchange)
{
	free(exchange->lines);
	*exchange = (struct exchange){ 0 };
}
