// SPDX-License-Identifier: BSD-3-Clause
/* The fields of records of devices and interrupts as text, with names where there are names. */
#include <inttypes.h>

#include "format/cleanup.h"
#include "format/text/record_text.h"
#include "format/units.h"

/* What stands in the flags of every message: the version; of a kick also that it wants a reply. */
#define FLAGS_REQUEST 0x1
#define FLAGS_KICK    0x9

/* Source: docs/interop/vhost-user.rst of QEMU 9, "Front-end message types". */
static const char *const requests[] = {
	[1] = "GET_FEATURES",
	[2] = "SET_FEATURES",
	[3] = "SET_OWNER",
	[4] = "RESET_OWNER",
	[5] = "SET_MEM_TABLE",
	[6] = "SET_LOG_BASE",
	[7] = "SET_LOG_FD",
	[8] = "SET_VRING_NUM",
	[9] = "SET_VRING_ADDR",
	[10] = "SET_VRING_BASE",
	[11] = "GET_VRING_BASE",
	[12] = "SET_VRING_KICK",
	[13] = "SET_VRING_CALL",
	[14] = "SET_VRING_ERR",
	[15] = "GET_PROTOCOL_FEATURES",
	[16] = "SET_PROTOCOL_FEATURES",
	[17] = "GET_QUEUE_NUM",
	[18] = "SET_VRING_ENABLE",
	[19] = "SEND_RARP",
	[20] = "NET_SET_MTU",
	[21] = "SET_BACKEND_REQ_FD",
	[24] = "GET_CONFIG",
	[25] = "SET_CONFIG",
	[34] = "RESET_DEVICE",
	[35] = "VRING_KICK",
	[36] = "GET_MAX_MEM_SLOTS",
	[37] = "ADD_MEM_REG",
	[38] = "REM_MEM_REG",
	[39] = "SET_STATUS",
	[40] = "GET_STATUS",
};

/* Of the device: "Back-end message types". */
enum { CONFIG_CHANGE = 2, BACKEND_CALL = 4 };

static const char *const sources[] = {
	[TRACE_IRQ_ENTRY] = "interrupt",
	[TRACE_IRQ_PANIC] = "panic",
	[TRACE_IRQ_WARN] = "warning",
};

static const char *const losses[] = {
	[TRACE_LOSS_RANDOM] = "by the link",
	[TRACE_LOSS_NO_BUFFER] = "no buffer",
	[TRACE_LOSS_NOBODY] = "nobody there",
};

static void print_name(const char *const *names, size_t count, uint64_t number, FILE *out)
{
	if (number < count && names[number])
		fprintf(out, " %s", names[number]);
	else
		fprintf(out, " %" PRIu64, number);
}

static void print_ring(uint64_t device, uint64_t queue, FILE *out)
{
	fprintf(out, " dev%" PRIu64 " vring %" PRIu64, device, queue);
}

static void print_request(uint64_t device, uint64_t request, FILE *out)
{
	fprintf(out, " dev%" PRIu64, device);
	print_name(requests, ARRAY_SIZE(requests), request, out);
}

static void print_call(const struct trace_record *record, FILE *out)
{
	if (record->call.request == BACKEND_CALL) {
		print_ring(record->call.device, record->call.queue, out);
	} else {
		fprintf(out, " dev%" PRIu64, record->call.device);
		if (record->call.request == CONFIG_CHANGE)
			fputs(" configuration", out);
		else
			fprintf(out, " request %" PRIu64, record->call.request);
	}
	fprintf(out, " #%" PRIu64, record->call.sequence);
}

static void print_irq(const struct trace_record *record, FILE *out)
{
	char time[UNITS_TEXT];

	print_name(sources, ARRAY_SIZE(sources), record->irq.source, out);
	if (record->irq.source == TRACE_IRQ_ENTRY)
		fprintf(out, " %" PRIu64, record->irq.irq);
	if (record->irq.time == UINT64_MAX)
		fputs(" at an unknown time", out);
	else
		fprintf(out, " at %s", duration_exact(record->irq.time, time));
}

static void print_flags(uint64_t flags, uint64_t usual, FILE *out)
{
	if (flags != usual)
		fprintf(out, " flags=0x%" PRIx64, flags);
}

static void print_value(uint64_t value, FILE *out)
{
	fprintf(out, " 0x%" PRIx64, value);
}

bool record_print_device(const struct trace_record *record, FILE *out)
{
	switch (record->kind) {
	case TRACE_attach:
	case TRACE_detach:
	case TRACE_cut:
		fprintf(out, " dev%" PRIu64, record->attach.device);
		return true;
	case TRACE_request:
		print_request(record->request.device, record->request.request, out);
		print_flags(record->request.flags, FLAGS_REQUEST, out);
		return true;
	case TRACE_reply:
		print_request(record->reply.device, record->reply.request, out);
		if (!record->payload_size)
			print_value(record->reply.value, out);
		return true;
	case TRACE_kick:
		print_ring(record->kick.device, record->kick.queue, out);
		print_flags(record->kick.flags, FLAGS_KICK, out);
		fprintf(out, " done %" PRIu64, record->kick.done);
		return true;
	case TRACE_used:
		print_ring(record->used.device, record->used.queue, out);
		fprintf(out, " head %" PRIu64 " skip %" PRIu64, record->used.head,
			record->used.skip);
		return true;
	case TRACE_wrote:
		print_ring(record->wrote.device, record->wrote.queue, out);
		fprintf(out, " head %" PRIu64 " offset %" PRIu64, record->wrote.head,
			record->wrote.offset);
		return true;
	case TRACE_taken:
		print_ring(record->taken.device, record->taken.queue, out);
		return true;
	case TRACE_call:
		print_call(record, out);
		return true;
	case TRACE_called:
		fprintf(out, " dev%" PRIu64, record->called.device);
		if (record->called.value)
			print_value(record->called.value, out);
		return true;
	case TRACE_irq:
		print_irq(record, out);
		return true;
	case TRACE_lost:
		fprintf(out, " dev%" PRIu64, record->lost.device);
		print_name(losses, ARRAY_SIZE(losses), record->lost.reason, out);
		return true;
	}
	return false;
}
