// SPDX-License-Identifier: BSD-3-Clause
/* The chain over frames; out of line, because it is called once a frame. */
#include "format/trace/codec/chain.h"

uint64_t chain_frame(uint64_t chain, const void *frame, size_t size)
{
	return XXH3_64bits_withSeed(frame, size, chain);
}
