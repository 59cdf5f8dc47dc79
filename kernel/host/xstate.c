// SPDX-License-Identifier: BSD-3-Clause
/* Finds memory whose contents depend on the processor: headers of saved floating-point states. */
#include "kernel/host/xstate.h"

#include <cpuid.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"

/* Within a state: FXSAVE's image, the host's own words in it, then the header of XSAVE. */
#define MXCSR_AT   24
#define HOST_AT	   464
#define BITS_AT	   512
#define HEADER_END 576
/* In the host's words of a signal's state (FP_XSTATE_MAGIC1). */
#define SIGNAL_MAGIC 0x46505853u
/* In the word after the bits: compacted format (XSAVEC). */
#define COMPACTED (1ull << 63)
/* Where such a header begins: at a multiple of this. */
#define LINE 64
/* All exceptions masked, rounding to nearest. */
#define MXCSR_INITIAL 0x1f80u

struct xstate xstate_learn(void)
{
	struct xstate xstate = { 0 };
#if defined(__x86_64__)
	uint8_t image[512] __attribute__((aligned(16))) = { 0 };
	uint32_t a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return xstate;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	__asm__ volatile("fxsave64 %0" : "=m"(image));
	xstate.features = (uint64_t)high << 32 | low;
	memcpy(&xstate.mxcsr_mask, image + MXCSR_AT + 4, sizeof(xstate.mxcsr_mask));
#endif
	return xstate;
}

static uint64_t word_at(const uint8_t *data, size_t offset)
{
	uint64_t word;

	memcpy(&word, data + offset, sizeof(word));
	return word;
}

/*
 * After the host's words there is a header with only these bits; in a freed task also the link to
 * the next free one (mm/slub.c, get_freepointer).
 */
static bool has_header(const struct xstate *xstate, const uint8_t *data)
{
	unsigned int others = 0;

	for (size_t at = BITS_AT + 16; at < HEADER_END; at += 8)
		others += word_at(data, at) != 0;
	return others <= 1 && !word_at(data, BITS_AT + 8) &&
	       !(word_at(data, BITS_AT) & ~xstate->features);
}

/* As returned by ptrace(2): the host's words are the possible parts, always with x87 and SSE. */
static bool is_task_state(const struct xstate *xstate, const uint8_t *data)
{
	uint64_t parts = word_at(data, HOST_AT);

	return !(parts & ~xstate->features) && (parts & 3) == 3 && has_header(xstate, data);
}

static int add_word(struct xstate_words *words, size_t offset)
{
	if (array_room(words->offset, words->space, words->count + 1, 64))
		return -ENOMEM;
	words->offset[words->count++] = offset;
	return 0;
}

static bool is_compacted(const struct xstate *xstate, uint64_t parts)
{
	return parts & COMPACTED && parts & ~COMPACTED && !(parts & ~COMPACTED & ~xstate->features);
}

/* As a lazily bound function leaves it on its caller's stack; @data points to the bits. */
static bool has_compacted_header(const struct xstate *xstate, const uint8_t *data)
{
	uint64_t parts = word_at(data, 8), rest = 0;

	for (size_t at = 16; at < HEADER_END - BITS_AT; at += 8)
		rest |= word_at(data, at);
	return !rest && is_compacted(xstate, parts) && !(word_at(data, 0) & ~parts);
}

static int add_saved_state(const struct xstate *xstate, const uint8_t *data, size_t at,
			   struct xstate_words *words)
{
	uint64_t initial = (uint64_t)xstate->mxcsr_mask << 32 | MXCSR_INITIAL;
	int err = add_word(words, at + BITS_AT);

	if (!err && word_at(data, at + MXCSR_AT) == initial)
		err = add_word(words, at + MXCSR_AT);
	return err;
}

static int compare_offsets(const void *left, const void *right)
{
	size_t a = *(const size_t *)left, b = *(const size_t *)right;

	return a < b ? -1 : a > b;
}

typedef uint32_t four_words __attribute__((vector_size(16)));

/* Whether a word of a line may belong to a saved state. Few do. */
static bool is_candidate(const struct xstate *xstate, const uint8_t *line)
{
	const four_words wanted = { SIGNAL_MAGIC, xstate->mxcsr_mask, SIGNAL_MAGIC,
				    xstate->mxcsr_mask };
	four_words words, found = { 0 };
	uint64_t half[2];

	for (size_t at = 0; at < LINE; at += sizeof(words)) {
		memcpy(&words, line + at, sizeof(words));
		found |= (four_words)(words == wanted);
	}
	memcpy(half, &found, sizeof(half));
	return half[0] | half[1] || is_compacted(xstate, word_at(line, 8));
}

static int find_in_line(const struct xstate *xstate, const uint8_t *data, size_t size, size_t begin,
			struct xstate_words *words)
{
	int err = 0;

	for (size_t at = begin; at < begin + LINE && at + 8 <= size && !err; at += 8) {
		uint64_t word = word_at(data, at);

		if (word >> 32 == xstate->mxcsr_mask && at >= MXCSR_AT &&
		    at - MXCSR_AT + HEADER_END <= size &&
		    is_task_state(xstate, data + at - MXCSR_AT))
			err = add_word(words, at - MXCSR_AT + BITS_AT);
		else if ((uint32_t)word == SIGNAL_MAGIC && at >= HOST_AT &&
			 at - HOST_AT + HEADER_END <= size &&
			 has_header(xstate, data + at - HOST_AT))
			err = add_saved_state(xstate, data, at - HOST_AT, words);
		else if (at == begin + 8 && at >= BITS_AT + 8 &&
			 at - 8 + HEADER_END - BITS_AT <= size &&
			 has_compacted_header(xstate, data + at - 8))
			err = add_saved_state(xstate, data, at - 8 - BITS_AT, words);
	}
	return err;
}

int xstate_find(const struct xstate *xstate, const uint8_t *data, size_t size,
		struct xstate_words *words)
{
	int err = 0;

	words->count = 0;
	if (!xstate->features || size < HEADER_END)
		return 0;
	for (size_t at = 0; at < size && !err; at += LINE)
		if (at + LINE > size || is_candidate(xstate, data + at))
			err = find_in_line(xstate, data, size, at, words);
	if (words->count)
		qsort(words->offset, words->count, sizeof(*words->offset), compare_offsets);
	return err;
}
