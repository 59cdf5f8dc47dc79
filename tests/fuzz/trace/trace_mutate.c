// SPDX-License-Identifier: BSD-3-Clause
/* Which mutation of a trace. */
#include "tests/fuzz/trace/trace_input.h"

size_t trace_mutate(uint8_t *data, size_t size, size_t max, struct fuzz_random *random)
{
	size_t dice = fuzz_random_below(random, 16), changed = 0;

	if (dice < 8)
		changed = trace_mutate_record(data, size, max, random);
	else if (dice < 15)
		changed = trace_mutate_chunk(data, size, max, random);
	return changed ? changed : LLVMFuzzerMutate(data, size, max);
}
