// SPDX-License-Identifier: BSD-3-Clause
/*
 * What frames cost in a trace of a network: bench-frames IN WITH WITHOUT writes the records of IN
 * twice, once with and once without those of devices, and prints how many frames were received and
 * their own bytes. Both are packed, as traces of networks are. How much longer WITH is when
 * unpacked, beyond those bytes, is the cost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/tttrace.h"

/* Of the virtio header before a frame, what is not left out as zeros. */
#define HEADER_REST 2

struct copy {
	struct trace_reader *reader;
	struct trace_writer *with, *without;
	uint64_t frames, bytes;
};

static bool is_of_device(uint32_t kind)
{
	switch (kind) {
	case TRACE_attach:
	case TRACE_request:
	case TRACE_reply:
	case TRACE_kick:
	case TRACE_used:
	case TRACE_call:
	case TRACE_called:
	case TRACE_detach:
	case TRACE_sent:
		return true;
	default:
		return false;
	}
}

static int copy_record(struct copy *copy, const struct trace_record *record)
{
	int err = trace_writer_append(copy->with, record, NULL);

	if (!err && !is_of_device(record->kind))
		err = trace_writer_append(copy->without, record, NULL);
	if (record->kind == TRACE_used && record->payload_size > HEADER_REST) {
		copy->frames++;
		copy->bytes += record->payload_size - HEADER_REST;
	}
	return err;
}

static int copy_all(struct copy *copy)
{
	struct trace_record record;
	int got, err = 0;

	while (!err && (got = trace_reader_next(copy->reader, &record)) == 1)
		err = copy_record(copy, &record);
	return err ? err : got;
}

int main(int argc, char **argv)
{
	const struct trace_writer_options options = { .size = sizeof(options), .pack = true };
	struct copy copy = { 0 };
	int err;

	if (argc != 4) {
		fprintf(stderr, "usage: bench-frames IN WITH WITHOUT\n");
		return 2;
	}
	err = trace_reader_open(argv[1], &copy.reader);
	if (!err)
		err = trace_writer_create(argv[2], &options, &copy.with);
	if (!err)
		err = trace_writer_create(argv[3], &options, &copy.without);
	if (!err)
		err = copy_all(&copy);
	trace_reader_close(copy.reader);
	if (!err)
		err = trace_writer_close(copy.with, NULL);
	if (!err)
		err = trace_writer_close(copy.without, NULL);
	if (err) {
		fprintf(stderr, "bench-frames: cannot copy %s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	printf("%" PRIu64 " %" PRIu64 "\n", copy.frames, copy.bytes);
	return 0;
}
