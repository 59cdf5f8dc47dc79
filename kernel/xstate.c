// SPDX-License-Identifier: BSD-3-Clause
/* Where memory holds what a processor notes about itself. */
#include "kernel/xstate.h"

#include <cpuid.h>
#include <string.h>

/* Within a state: FXSAVE's image, the host's own words in it, then the header of XSAVE. */
#define MXCSR_AT    24
#define SOFTWARE_AT 464
#define BITS_AT	    512
#define HEADER_END  576
/* In the host's own words of a signal's state (FP_XSTATE_MAGIC1). */
#define SIGNAL_MAGIC 0x46505853u

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

/* Is there a saved state at @data? Nothing else looks like one. */
static int is_state(const struct xstate *xstate, const uint8_t *data)
{
	uint64_t software = word_at(data, SOFTWARE_AT), bits = word_at(data, BITS_AT);
	uint64_t rest = 0;

	/* x87 and SSE (bits 0 and 1) are always among the parts that can be there. */
	if ((uint32_t)software != SIGNAL_MAGIC &&
	    ((software & ~xstate->features) || (software & 3) != 3))
		return 0;
	for (size_t at = BITS_AT + 8; at < HEADER_END; at += 8)
		rest |= word_at(data, at);
	return !rest && !(bits & ~xstate->features);
}

size_t xstate_next(const struct xstate *xstate, const uint8_t *data, size_t size, size_t from)
{
	size_t distance = BITS_AT - MXCSR_AT;
	size_t at = from > distance + MXCSR_AT ? from - distance : MXCSR_AT;

	if (!xstate->features)
		return XSTATE_NONE;
	for (; at + HEADER_END - MXCSR_AT <= size; at += 8) {
		uint32_t mask;

		memcpy(&mask, data + at + 4, sizeof(mask));
		if (mask == xstate->mxcsr_mask && is_state(xstate, data + at - MXCSR_AT))
			return at + distance;
	}
	return XSTATE_NONE;
}
