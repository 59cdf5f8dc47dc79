// SPDX-License-Identifier: BSD-3-Clause
/* The reader of traces. A trace is changed in its records: a writer has written it, whatever they
 * say. */
#include "tests/fuzz/trace/trace_input.h"
#include "tests/fuzz/trace/trace_read.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct fuzz_random random = { seed };
	size_t changed = 0;

	if (fuzz_random_below(&random, 16))
		changed = trace_mutate_record(data, size, max, &random);
	return changed ? changed : LLVMFuzzerMutate(data, size, max);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	trace_read_everything(data, size);
	return 0;
}
