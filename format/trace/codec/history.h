/* SPDX-License-Identifier: BSD-3-Clause */
/* The recent records of a guest as one number, which depends on the last 21 or so. */
#ifndef TTREC_HISTORY_H
#define TTREC_HISTORY_H

#include <stdbool.h>

#include "format/trace/codec/layout.h"

#define HASH_FACTOR 0x9e3779b97f4a7c15u

/* An ACK adds nothing to the message before it. */
static inline uint64_t history_message(uint64_t history, uint64_t op, bool to)
{
	uint64_t what = (op < TAG_OP_OTHER ? op : TAG_OP_OTHER) + (to ? 16 : 0);

	return op == TRACE_OP_ACK ? history : (history << 3) ^ (what + 1) * HASH_FACTOR;
}

static inline uint64_t history_record(uint64_t history, uint32_t kind)
{
	return (history << 3) ^ (TRACE_KIND_LIMIT + kind) * HASH_FACTOR;
}

/*
 * The place of @key in a table with 2^12 entries. Two keys may have the same: then predictions are
 * worse, and nothing else.
 */
#define TABLE_SIZE 4096
static inline size_t table_place(uint64_t key)
{
	return (size_t)(key * HASH_FACTOR >> 52);
}

#endif
