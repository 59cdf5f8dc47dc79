/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two chains of hashes: one over the frames of the file as they are stored, and one for each
 * guest over what crossed its boundary. Both start at 0, and each link is XXH3-64 with the chain
 * before as its seed.
 */
#ifndef TTREC_CHAIN_H
#define TTREC_CHAIN_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "format/layout.h"

uint64_t chain_frame(uint64_t chain, const void *frame, size_t size);

/*
 * The canonical form of a record is u32 kind, u32 payload size, u64 for each field; it is one
 * link, and the payload, when there is any, is the next. Neither now nor number are in it: a guest
 * knows nothing of them.
 */
static inline uint64_t chain_record(uint64_t chain, const struct trace_record *record,
				    unsigned int field_count)
{
	uint8_t form[8 + 8 * TRACE_FIELDS_MAX];
	uint8_t *out = put_le32(form, record->kind);

	out = put_le32(out, (uint32_t)record->payload_size);
	for (unsigned int i = 0; i < field_count; i++)
		out = put_le64(out, record->field[i]);
	chain = XXH3_64bits_withSeed(form, (size_t)(out - form), chain);
	if (record->payload_size)
		chain = XXH3_64bits_withSeed(record->payload, record->payload_size, chain);
	return chain;
}

#endif
