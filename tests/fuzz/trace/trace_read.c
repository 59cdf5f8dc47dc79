// SPDX-License-Identifier: BSD-3-Clause
/* Reads a trace in every way the library has, and checks that the ways agree. */
#include "tests/fuzz/trace/trace_read.h"

#include <errno.h>

#include "tests/fuzz/trace/trace_input.h"

#define GUEST 1 /* the one that is followed */

struct count {
	uint64_t all, of_guest;
	uint64_t chain; /* of GUEST, 0: none */
	int end;	/* 0: the proper one */
};

static struct count count_records(struct trace_reader *reader)
{
	struct count count = { 0 };
	struct trace_record record;
	int got;

	while ((got = trace_reader_next(reader, &record)) > 0) {
		fuzz_expect(record.guest < TRACE_GUEST_LIMIT && trace_kind_info(record.kind));
		fuzz_expect(record.payload_size <= TRACE_PAYLOAD_MAX);
		count.all++;
		count.of_guest += record.guest == GUEST;
	}
	fuzz_expect(trace_input_is_answer(got));
	fuzz_expect(got == trace_reader_next(reader, &record));
	count.end = got;
	if (trace_reader_chain(reader, GUEST, &count.chain))
		count.chain = 0;
	return count;
}

/* A reader that follows one guest gets the same records of it, if the trace is good. */
static void read_followed(struct trace_reader *reader, const struct count *whole, bool good)
{
	struct count followed;

	if (trace_reader_follow(reader, GUEST) || trace_reader_seek(reader, 0))
		return;
	followed = count_records(reader);
	fuzz_expect(followed.all == followed.of_guest);
	if (!good)
		return;
	fuzz_expect(!followed.end && followed.all == whole->of_guest);
	fuzz_expect(followed.chain == whole->chain);
}

static void read_from(struct trace_reader *reader, const struct count *whole, uint64_t number,
		      bool good)
{
	struct trace_record record;
	struct count rest;

	trace_reader_follow(reader, TRACE_GUEST_ALL);
	if (trace_reader_seek(reader, number))
		return;
	rest = count_records(reader);
	if (good)
		fuzz_expect(!rest.end && rest.all <= whole->all && rest.chain == whole->chain);
	trace_reader_seek_time(reader, record.now = number * 1000, NULL);
	trace_reader_next(reader, &record);
}

static void read_files(struct trace_reader *reader, const struct trace_report *report, bool good)
{
	struct trace_artifact artifact;
	uint64_t position = 0, files = 0;
	int got;

	while ((got = trace_reader_artifact(reader, &position, true, &artifact)) > 0) {
		struct trace_artifact again;

		files++;
		if (trace_reader_find(reader, artifact.path, false, &again) > 0)
			trace_artifact_free(&again);
		else
			fuzz_expect(!good);
		trace_artifact_free(&artifact);
		if (files > 64)
			return;
	}
	fuzz_expect(trace_input_is_answer(got));
	if (good)
		fuzz_expect(!got && files == report->artifacts);
}

void trace_read_everything(const uint8_t *data, size_t size)
{
	const char *path = fuzz_path("trace");
	struct trace_reader *reader;
	struct trace_report report;
	struct count whole;
	bool good;
	int err;

	fuzz_store(path, data, size);
	err = trace_verify(path, &report);
	fuzz_expect(trace_input_is_answer(err));
	good = !err;
	err = trace_reader_open(path, &reader);
	fuzz_expect(trace_input_is_answer(err));
	fuzz_expect(!err || (!good && *trace_reader_error(reader)));
	if (!err) {
		whole = count_records(reader);
		fuzz_expect(!good || !whole.end);
		read_from(reader, &whole, whole.all / 2, good);
		read_followed(reader, &whole, good);
		read_files(reader, &report, good);
	}
	trace_reader_close(reader);
}
