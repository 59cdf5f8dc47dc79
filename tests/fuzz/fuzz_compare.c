// SPDX-License-Identifier: BSD-3-Clause
/*
 * Comparing two traces. The input is the first, then the second; its first four bytes say how long
 * the first is.
 */
#include <errno.h>
#include <string.h>

#include "format/trace/codec/layout.h"
#include "tests/fuzz/trace/trace_input.h"

#define HEAD 4

static size_t first_size(const uint8_t *data, size_t size)
{
	size_t first = size < HEAD ? 0 : get_le32(data);

	return size < HEAD ? 0 : first < size - HEAD ? first : size - HEAD;
}

/* One of the two is changed: at the end of the input, where there is room. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static uint8_t kept[TRACE_INPUT_MAX];
	struct fuzz_random random = { seed };
	size_t first = first_size(data, size), second, changed;

	if (size < HEAD || size > sizeof(kept) || !fuzz_random_below(&random, 32))
		return LLVMFuzzerMutate(data, size, max);
	second = size - HEAD - first;
	if (fuzz_random_below(&random, 2)) {
		changed = trace_mutate(data + HEAD + first, second, max - HEAD - first, &random);
		return HEAD + first + changed;
	}
	memcpy(kept, data + HEAD + first, second);
	changed = trace_mutate(data + HEAD, first, max - HEAD - second, &random);
	memcpy(data + HEAD + changed, kept, second);
	put_le32(data, (uint32_t)changed);
	return HEAD + changed + second;
}

static int compare(struct trace_reader *a, struct trace_reader *b, struct trace_difference *first)
{
	struct trace_compare_options ignoring = { .size = sizeof(ignoring), .guest = 1 };
	int err = trace_compare(a, b, NULL, first);

	fuzz_expect(err == 1 || trace_input_is_answer(err));
	ignoring.ignore[TRACE_console] = TRACE_IGNORE_PAYLOAD;
	ignoring.ignore[TRACE_from] = TRACE_IGNORE_RECORD;
	ignoring.ignore[TRACE_to] = 0x04;
	fuzz_expect(trace_compare(a, b, &ignoring, &(struct trace_difference){ 0 }) <= 1);
	return err;
}

static uint64_t earliest(const struct trace_difference *difference)
{
	if (!difference->there[0] || !difference->there[1])
		return difference->now[!difference->there[0]];
	return difference->now[0] < difference->now[1] ? difference->now[0] : difference->now[1];
}

/*
 * Which is the first trace and which the second makes no difference, if both are good; but of
 * guests that part at the same time the one is named that comes first in the first trace.
 */
static void compare_both_ways(struct trace_reader *a, struct trace_reader *b, bool good)
{
	struct trace_difference one, other;
	int err = compare(a, b, &one), back = compare(b, a, &other);

	fuzz_expect(!good || (err >= 0 && err == back));
	if (!good || !err)
		return;
	fuzz_expect(one.there[0] || one.there[1]);
	if (one.guest != other.guest) {
		fuzz_expect(earliest(&one) == earliest(&other));
		return;
	}
	fuzz_expect(one.there[0] == other.there[1] && one.there[1] == other.there[0]);
	fuzz_expect(one.number[0] == other.number[1] && one.number[1] == other.number[0]);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	const char *path[] = { fuzz_path("a"), fuzz_path("b") };
	struct trace_reader *a = NULL, *b = NULL, *again = NULL;
	size_t first = first_size(data, size);
	struct trace_report report;
	bool good;

	if (size < HEAD)
		return -1;
	fuzz_store(path[0], data + HEAD, first);
	fuzz_store(path[1], data + HEAD + first, size - HEAD - first);
	good = !trace_verify(path[0], &report) && !trace_verify(path[1], &report);
	if (!trace_reader_open(path[0], &a) && !trace_reader_open(path[1], &b)) {
		compare_both_ways(a, b, good);
		if (!trace_reader_open(path[0], &again))
			fuzz_expect(trace_compare(a, again, NULL,
						  &(struct trace_difference){ 0 }) <= 0);
	}
	trace_reader_close(a);
	trace_reader_close(b);
	trace_reader_close(again);
	return 0;
}
