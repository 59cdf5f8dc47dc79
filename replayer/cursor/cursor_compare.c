// SPDX-License-Identifier: BSD-3-Clause
/* Differences between a recording and its replay: found, put into words, noted. */
#include <inttypes.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/base/printable.h"
#include "kernel/guest/guest_shortage.h"
#include "replayer/cursor/cursor_internal.h"

/*
 * Identify the process if the guest still exists. For one that has ended, its program is still
 * known.
 */
static void look_at_guest(const struct cursor *cursor, struct cursor_report *report)
{
	const unsigned int wanted = cursor->options->instructions;
	auto_free struct guest_process *process = NULL;
	size_t count;

	if (!guest_processes_read(cursor->guest, &process, &count)) {
		report->process = process[0];
		report->suspects = guest_suspects_find(process, count, wanted, report->suspect);
	}
	if (!report->suspects)
		report->suspects = guest_suspects_in_initrd(&cursor->guest->spec->files, wanted,
							    report->suspect);
}

/*
 * A guest that the host refused something has not diverged. Returns what was refused, a negative
 * errno, or 0.
 */
static int find_shortage(struct cursor *cursor, const struct trace_record *record)
{
	struct interfaces *interfaces = &cursor->interfaces;
	char when[48];
	size_t at;
	int err = interfaces_drain_console(interfaces);

	if (!err)
		err = guest_shortage_find(interfaces->console.text, interfaces->console.size, &at);
	if (!err)
		return 0;
	snprintf(when, sizeof(when), "before record %" PRIu64, record->number);
	return guest_shortage_diagnose(err, cursor->guest->spec->name, when, cursor->why);
}

int cursor_diverge(struct cursor *cursor, const struct trace_record *record, bool can_go_on,
		   const char *expected, const char *got)
{
	struct cursor_report *report = cursor->report;
	int err = report->diverged ? 0 : find_shortage(cursor, record);

	if (err)
		return err;
	report->divergences++;
	if (!report->diverged) {
		report->diverged = true;
		report->record = record->number;
		report->now = record->now;
		snprintf(report->expected, sizeof(report->expected), "%s", expected);
		snprintf(report->got, sizeof(report->got), "%s", got);
		printable(report->expected);
		printable(report->got);
		look_at_guest(cursor, report);
	}
	return !(can_go_on && cursor->options->keep_going);
}

int cursor_doubt(struct cursor *cursor, const struct trace_record *record, const char *what)
{
	return diagnose(cursor->why, EXIT_DAMAGED, -EBADMSG, "`ttdump verify` the trace",
			"%s in record %" PRIu64 " is invalid", what, record->number);
}

static void describe_message(const struct wire_message *message, char text[CURSOR_TEXT])
{
	char op[WIRE_NAME_TEXT], time[UNITS_TEXT];

	if (message->op == TRACE_OP_WAIT || message->op == TRACE_OP_GET ||
	    message->op == TRACE_OP_GET_TOD)
		snprintf(text, CURSOR_TEXT, "%s", wire_operation_text(message->op, op));
	else if (message->op == TRACE_OP_ACK)
		snprintf(text, CURSOR_TEXT, "ACK of seq %u", message->seq);
	else
		snprintf(text, CURSOR_TEXT, "%s %s", wire_operation_text(message->op, op),
			 message->time == WIRE_TIME_NEVER ? "never"
							  : duration_exact(message->time, time));
}

static void describe_request(const struct interface_event *event, char text[CURSOR_TEXT])
{
	const struct vhost_message *request = event->request;
	char name[VHOST_NAME_TEXT];
	uint32_t queue;

	vhost_request_text(request->request, name);
	if (request->request == VHOST_VRING_KICK && request->size >= sizeof(queue)) {
		memcpy(&queue, request->body, sizeof(queue));
		snprintf(text, CURSOR_TEXT, "a kick of queue %u of device %u", queue,
			 event->device);
	} else if (request->size == sizeof(uint64_t)) {
		uint64_t value;

		memcpy(&value, request->body, sizeof(value));
		snprintf(text, CURSOR_TEXT, "%s %#" PRIx64 " to device %u", name, value,
			 event->device);
	} else {
		snprintf(text, CURSOR_TEXT, "%s to device %u", name, event->device);
	}
}

static void describe_end(const struct interface_event *event, char text[CURSOR_TEXT])
{
	if (!event->signal)
		snprintf(text, CURSOR_TEXT, "its end with status %d", event->status);
	else if (event->exceeded && *event->exceeded)
		snprintf(text, CURSOR_TEXT, "its end by signal %d, for %s", event->signal,
			 event->exceeded);
	else
		snprintf(text, CURSOR_TEXT, "its end by signal %d", event->signal);
}

void cursor_describe(const struct interface_event *event, char text[CURSOR_TEXT])
{
	switch (event->kind) {
	case INTERFACE_MESSAGE:
		describe_message(&event->message, text);
		break;
	case INTERFACE_ENTROPY:
		snprintf(text, CURSOR_TEXT, "a request for %" PRIu64 " random bytes",
			 event->entropy.requested);
		break;
	case INTERFACE_ATTACH:
		snprintf(text, CURSOR_TEXT, "a connection to device %u", event->device);
		break;
	case INTERFACE_REQUEST:
		describe_request(event, text);
		break;
	case INTERFACE_CALLED:
		snprintf(text, CURSOR_TEXT, "its reply %" PRIu64 " to a call of device %u",
			 event->value, event->device);
		break;
	case INTERFACE_INVALID:
		snprintf(text, CURSOR_TEXT, "invalid message to device %u", event->device);
		break;
	case INTERFACE_LEFT:
		snprintf(text, CURSOR_TEXT, "the end of its connection");
		break;
	case INTERFACE_EXIT:
		describe_end(event, text);
		break;
	case INTERFACE_STOP:
		snprintf(text, CURSOR_TEXT, "SIG%s", sigabbrev_np(event->signal));
		break;
	case INTERFACE_SILENCE:
		snprintf(text, CURSOR_TEXT, "nothing: it is computing");
		break;
	case INTERFACE_FLOOD:
		snprintf(text, CURSOR_TEXT, "only console output, more than %u MiB",
			 GUEST_CONSOLE_MAX >> 20);
		break;
	}
}

uint64_t cursor_patience(const struct cursor *cursor)
{
	const struct cursor_visitor *visitor = cursor->options->visitor;

	return visitor && visitor->debugs ? 0 : cursor->options->hang_timeout;
}

int cursor_await(struct cursor *cursor, const struct trace_record *record,
		 const struct interface_event *expected, struct interface_event *event)
{
	char wanted[CURSOR_TEXT], got[CURSOR_TEXT];
	int err = interfaces_next(&cursor->interfaces, expected->kind, cursor_patience(cursor),
				  event);

	if (err)
		return diagnose(cursor->why, EXIT_CANNOT, err, NULL,
				"cannot wait for the guest: %s", strerror(-err));
	if (event->kind == expected->kind)
		return 0;
	if (event->kind == INTERFACE_STOP && !event->signal) {
		cursor->report->stopped = true;
		return 1;
	}
	if (event->kind == INTERFACE_STOP) {
		cursor->report->stop_signal = event->signal;
		return diagnose(cursor->why, EXIT_DIVERGED, -EINTR, NULL, "stopped by SIG%s",
				sigabbrev_np(event->signal));
	}
	cursor_describe(expected, wanted);
	cursor_describe(event, got);
	return cursor_diverge(cursor, record, false, wanted, got);
}

/* @text from @from on; before anything was printed it is NULL. */
static void describe_console(const char *text, size_t size, size_t from, char out[CURSOR_TEXT])
{
	size_t length = 0;

	while (from + length < size && length < 60 && text[from + length] != '\n')
		length++;
	snprintf(out, CURSOR_TEXT, "console \"%.*s\"", (int)length, length ? text + from : "");
}

void cursor_compare_text(struct cursor *cursor, const struct trace_record *record,
			 const char *expected, size_t expected_size, const char *got,
			 size_t got_size)
{
	console_compare(&cursor->report->console, record->number, expected, expected_size, got,
			got_size);
}

/* Console output differs. */
static int diverge_console(struct cursor *cursor, const struct trace_record *record, size_t same)
{
	struct interfaces *interfaces = &cursor->interfaces;
	char expected[CURSOR_TEXT], got[CURSOR_TEXT];

	while (same && interfaces->console.text[same - 1] != '\n')
		same--;
	describe_console(cursor->console, cursor->console_size, same, expected);
	describe_console(interfaces->console.text, interfaces->console.size, same, got);
	return cursor_diverge(cursor, record, true, expected, got);
}

static int compare_console(struct cursor *cursor, const struct trace_record *record)
{
	struct interfaces *interfaces = &cursor->interfaces;
	size_t same = 0, shorter;
	int stop = 0;

	if (interfaces_drain_console(interfaces))
		return -ENOMEM;
	shorter = interfaces->console.size < cursor->console_size ? interfaces->console.size
								  : cursor->console_size;
	while (same < shorter && interfaces->console.text[same] == cursor->console[same])
		same++;
	if (cursor->options->replaced)
		cursor_compare_text(cursor, record, cursor->console, cursor->console_size,
				    interfaces->console.text, interfaces->console.size);
	else if (same != interfaces->console.size || same != cursor->console_size)
		stop = diverge_console(cursor, record, same);
	interfaces->console.size = 0;
	cursor->console_size = 0;
	return stop;
}

int cursor_compare_past(struct cursor *cursor, const struct trace_record *record)
{
	int stop = cursor_compare_irqs(cursor, record);

	return stop ? stop : compare_console(cursor, record);
}
