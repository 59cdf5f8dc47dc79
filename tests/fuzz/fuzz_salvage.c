// SPDX-License-Identifier: BSD-3-Clause
/* Salvaging a damaged trace: what it writes is a good one, and says what the damaged one says. */
#include <errno.h>
#include <unistd.h>

#include "tests/fuzz/trace/trace_input.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return trace_mutate(data, size, max, &(struct fuzz_random){ seed });
}

/* Up to the damage both are the same; what it lost is a note, which is compared with nothing. */
static void check_saved(const char *path, const char *saved)
{
	struct trace_difference first = { 0 };
	struct trace_reader *a = NULL, *b = NULL;
	struct trace_report report;

	fuzz_expect(!trace_verify(saved, &report));
	fuzz_expect(!trace_reader_open(saved, &b));
	if (!trace_reader_open(path, &a))
		fuzz_expect(trace_compare(a, b, NULL, &first) <= 0 || !first.there[1]);
	trace_reader_close(a);
	trace_reader_close(b);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	const char *path = fuzz_path("trace"), *saved = fuzz_path("saved");
	struct trace_report report;
	int err;

	fuzz_store(path, data, size);
	unlink(saved);
	err = trace_salvage(path, saved, &report);
	fuzz_expect(trace_input_is_answer(err));
	if (!err)
		check_saved(path, saved);
	return 0;
}
