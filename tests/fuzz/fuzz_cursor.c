// SPDX-License-Identifier: BSD-3-Clause
/*
 * The cursor of ttreplay, against a guest that does anything at any moment, and a trace of which
 * records say something else.
 *
 * The guest is that of the cursor's tests. Before each thing that it does it takes a decision from
 * the input; what is not decided is done as the trace has it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox_internal.h"
#include "replayer/cursor/cursor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/replayer/cursor/fake_guest.h"

/* What a guest that does nothing costs. */
#define HANG_NS 50000000u

static struct fuzz_input decisions;

/* The other end may be closed by now. */
static void push(int fd, const void *data, size_t size)
{
	if (fd >= 0)
		send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void push_bytes(int fd)
{
	size_t size;
	const uint8_t *data = fuzz_bytes(&decisions, fuzz_below(&decisions, 64), &size);

	push(fd, data, size);
}

static void push_message(int fd)
{
	const struct wire_message message = { fuzz_below(&decisions, TRACE_OP_LIMIT + 1),
					      fuzz_byte(&decisions), fuzz_u16(&decisions) };

	push(fd, &message, sizeof(message));
}

static void push_request(int fd)
{
	uint32_t size = fuzz_below(&decisions, 64);
	const uint32_t head[3] = { fuzz_below(&decisions, 40), fuzz_below(&decisions, 16), size };
	uint8_t message[sizeof(head) + 64] = { 0 };
	size_t got;
	const uint8_t *body = fuzz_bytes(&decisions, size, &got);

	memcpy(message, head, sizeof(head));
	if (got)
		memcpy(message + sizeof(head), body, got);
	push(fd, message, sizeof(head) + size);
}

static void push_report(int fd)
{
	const struct sandbox_report report = { .step = fuzz_byte(&decisions),
					       .value = (int)fuzz_u16(&decisions) };

	push(fd, &report, sizeof(report));
}

static void scribble(struct fake_guest *fake)
{
	size_t size, at = fuzz_u16(&decisions);
	const uint8_t *data = fuzz_bytes(&decisions, fuzz_below(&decisions, 64), &size);

	if (size && at + size <= fake->memory.size)
		memcpy(fake->memory.data + at, data, size);
}

static void close_interface(struct fake_interfaces *interfaces)
{
	int *const interface[] = { &interfaces->time, &interfaces->device, &interfaces->calls,
				   &interfaces->console, &interfaces->supervisor };

	close_fd(interface[fuzz_below(&decisions, ARRAY_SIZE(interface))]);
}

static void disturb(struct fake_guest *fake, struct fake_interfaces *interfaces)
{
	switch (fuzz_byte(&decisions)) {
	case 1:
		push_bytes(interfaces->time);
		break;
	case 2:
		push_message(interfaces->time);
		break;
	case 3:
		push_bytes(interfaces->device);
		break;
	case 4:
		push_request(interfaces->device);
		break;
	case 5:
		push_bytes(interfaces->calls);
		break;
	case 6:
		push_request(interfaces->calls);
		break;
	case 7:
		push_bytes(interfaces->console);
		break;
	case 8:
		push_bytes(interfaces->supervisor);
		break;
	case 9:
		push_report(interfaces->supervisor);
		break;
	case 10:
		scribble(fake);
		break;
	case 11:
		if (ftruncate(fake->memory.fd, 4096 * (off_t)fuzz_below(&decisions, 16)))
			_exit(1);
		break;
	case 12:
		close_interface(interfaces);
		break;
	case 13:
		_exit(0);
	case 14:
		pause();
	}
}

static void change_trace(struct fake_trace *trace, struct fuzz_input *input)
{
	for (unsigned int changes = fuzz_below(input, 4); changes; changes--) {
		struct trace_record *record =
			&trace->record[fuzz_below(input, (unsigned int)trace->count)];
		unsigned int what = fuzz_below(input, TRACE_FIELDS_MAX + 3);

		if (what < TRACE_FIELDS_MAX)
			record->field[what] =
				fuzz_byte(input) < 200 ? fuzz_byte(input) : fuzz_u64(input);
		else if (what == TRACE_FIELDS_MAX)
			record->kind = 1 + fuzz_below(input, 26);
		else if (what == TRACE_FIELDS_MAX + 1)
			record->payload_size =
				record->payload_size ? fuzz_byte(input) % record->payload_size : 0;
		else if (trace->count < FAKE_RECORDS_MAX)
			fake_trace_insert(trace, (size_t)(record - trace->record),
					  &(struct trace_record){ .kind = record->kind });
	}
}

int fuzz_one(const uint8_t *data, size_t size)
{
	static struct fake_trace trace;
	static struct cursor_report report;
	struct fuzz_input input = { data, size };
	struct cursor_options options = { .until_record = UINT64_MAX, .hang_timeout = HANG_NS };
	struct diagnosis why = { .status = 0 };
	struct trace_reader *reader;
	struct fake_guest fake;
	int err;

	fake_trace_make(&trace);
	options.keep_going = fuzz_byte(&input) & 1;
	change_trace(&trace, &input);
	decisions = input;
	memset(&report, 0, sizeof(report));
	reader = fake_trace_open(&trace);
	fake_guest_start_disturbed(&fake, FAKE_TRUE, disturb);
	err = cursor_run(reader, &fake.guest, &options, &report, &why);
	fuzz_expect(!err || why.what[0]);
	fuzz_expect(!report.diverged || (report.expected[0] && report.got[0]));
	fake_guest_end(&fake);
	trace_reader_close(reader);
	return 0;
}
