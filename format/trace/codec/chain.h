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

#include "format/trace/codec/layout.h"

uint64_t chain_frame(uint64_t chain, const void *frame, size_t size);

/*
 * The canonical form of a record is u32 kind, u32 payload size, u64 for each field; it is one link,
 * and the payload, when there is any, is the next. It contains neither now nor number, which a
 * guest does not see.
 */
static inline uint64_t chain_record(uint64_t chain, const struct trace_record *record,
				    unsigned int field_count)
{
	/* Words, stored as they are loaded again: halves would stall the load. */
	uint64_t form[1 + TRACE_FIELDS_MAX];

	form[0] = htole64(record->kind | (uint64_t)record->payload_size << 32);
	for (unsigned int i = 0; i < field_count; i++)
		form[1 + i] = htole64(record->field[i]);
	chain = XXH3_64bits_withSeed(form, 8 * (1 + (size_t)field_count), chain);
	if (record->payload_size)
		chain = XXH3_64bits_withSeed(record->payload, record->payload_size, chain);
	return chain;
}

/* The same for a message, whose fixed length makes it several times faster. */
static inline uint64_t chain_message(uint64_t chain, const struct trace_record *record)
{
	uint64_t form[4] = {
		htole64(record->kind),
		htole64(record->from.op),
		htole64(record->from.seq),
		htole64(record->from.time),
	};

	if (__builtin_expect(record->payload_size != 0, 0))
		return chain_record(chain, record, 3);
	return XXH3_64bits_withSeed(form, sizeof(form), chain);
}

#endif
