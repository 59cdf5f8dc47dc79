// SPDX-License-Identifier: BSD-3-Clause
/* Finds the recorded content of a block from its hash, by trying small changes. */
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/memory/memory_internal.h"

/* A word may have been counted up or down by as much. */
#define STEP_MAX 256
/* Bytes around a block, to recognise saved states that extend into it (xstate.h). */
#define MARGIN 1024

struct search {
	struct memory_region *region;
	size_t block;
	const struct memory_digest *wanted;
	struct memory_difference *difference;
	struct xstate_words words; /* of @data */
	size_t word;		   /* the first one at or behind the block */
	uint8_t *data;		   /* the block and what is around it */
	size_t begin, length;	   /* of the block in @data */
};

static uint64_t hash_now(const struct search *search)
{
	return memory_hash_block(search->region, &search->words, search->word, search->data,
				 search->begin, search->length);
}

/* Whether the digest of the whole region is the recorded one with that hash of the block. */
static bool proves(const struct search *search, uint64_t hash)
{
	uint64_t *place = &search->region->hash[search->block], kept = *place, low, high;

	*place = hash;
	memory_hash_root(search->region, &low, &high);
	*place = kept;
	return low == search->wanted->low && high == search->wanted->high;
}

/* If other blocks differ as well, only the 32 bits of the block hash can be compared. */
static bool is_recorded(const struct search *search)
{
	uint64_t hash = hash_now(search);

	if ((uint32_t)hash != search->difference->recorded)
		return false;
	return search->difference->blocks > 1 || proves(search, hash);
}

static uint64_t load(const uint8_t *data, size_t width)
{
	uint64_t value = 0;

	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)data[i] << (8 * i);
	return value;
}

static void store(uint8_t *data, size_t width, uint64_t value)
{
	for (size_t i = 0; i < width; i++)
		data[i] = (uint8_t)(value >> (8 * i));
}

/* Whether the block is the recorded one with this value at @offset. The value is restored. */
static bool try_value(struct search *search, size_t offset, size_t width, uint64_t value)
{
	struct memory_difference *difference = search->difference;
	uint8_t *place = search->data + search->begin + offset;
	uint64_t is = load(place, width);

	store(place, width, value);
	difference->recovered = is_recorded(search);
	store(place, width, is);
	if (!difference->recovered)
		return false;
	difference->offset = (uint32_t)offset;
	difference->width = (uint32_t)width;
	difference->is = is;
	difference->was = load((const uint8_t *)&value, width);
	difference->proven = difference->blocks == 1;
	return true;
}

/* A single byte is changed by another search. */
static bool is_one_byte(uint64_t change)
{
	return !(change >> (__builtin_ctzll(change) & ~7) & ~UINT64_C(0xff));
}

static bool search_bytes(struct search *search)
{
	for (size_t offset = 0; offset < search->length; offset++) {
		uint64_t is = search->data[search->begin + offset];

		for (uint64_t change = 1; change < 256; change++)
			if (try_value(search, offset, 1, is ^ change))
				return true;
	}
	return false;
}

static bool try_word(struct search *search, size_t offset, size_t width, uint64_t is,
		     uint64_t value)
{
	uint64_t mask = width == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * width)) - 1;
	uint64_t change = (is ^ value) & mask;

	return change && !is_one_byte(change) && try_value(search, offset, width, value & mask);
}

static bool search_word(struct search *search, size_t offset, size_t width)
{
	uint64_t is = load(search->data + search->begin + offset, width);

	if (try_word(search, offset, width, is, 0) ||
	    try_word(search, offset, width, is, UINT64_MAX))
		return true;
	for (uint64_t step = 1; step <= STEP_MAX; step++)
		if (try_word(search, offset, width, is, is + step) ||
		    try_word(search, offset, width, is, is - step))
			return true;
	return false;
}

static bool search_words(struct search *search, size_t width)
{
	for (size_t offset = 0; offset + width <= search->length; offset += width)
		if (search_word(search, offset, width))
			return true;
	return false;
}

/* It was all zeros: report the first word that is not. */
static bool recover_zeros(struct search *search)
{
	struct memory_difference *difference = search->difference;
	const uint8_t *block = search->data + search->begin;
	size_t offset = 0, width;

	if (difference->recorded)
		return false;
	while (offset < search->length && !block[offset])
		offset++;
	if (offset == search->length)
		return false;
	offset &= ~(size_t)7;
	width = search->length - offset < 8 ? search->length - offset : 8;
	difference->recovered = true;
	difference->proven = difference->blocks == 1 && proves(search, 0);
	difference->offset = (uint32_t)offset;
	difference->width = (uint32_t)width;
	difference->is = load(block + offset, width);
	return true;
}

static void count_blocks(const struct memory_region *region, struct memory_difference *difference)
{
	for (size_t i = 0; i < region->blocks; i++)
		difference->blocks += region->recorded[i] != (uint32_t)region->hash[i];
}

/* The block with its surroundings, and the words in it that do not count. */
static int read_block(struct memory *memory, unsigned int number, uint64_t address,
		      struct search *search)
{
	const struct memory_region *region = search->region;
	uint64_t at = address - region->base, end;
	uint64_t first = at > MARGIN ? at - MARGIN : 0;
	int err;

	search->length =
		region->size - at < region->block_size ? region->size - at : region->block_size;
	search->begin = at - first;
	end = region->size - at - search->length > MARGIN ? at + search->length + MARGIN
							  : region->size;
	search->data = malloc(end - first);
	if (!search->data)
		return -ENOMEM;
	err = memory_read(memory, number, region->base + first, search->data, end - first);
	if (!err)
		err = xstate_find(&memory->xstate, search->data, (end - first) & ~UINT64_C(7),
				  &search->words);
	while (!err && search->word < search->words.count &&
	       search->words.offset[search->word] < search->begin)
		search->word++;
	return err;
}

static void describe(struct search *search)
{
	struct memory_difference *difference = search->difference;

	difference->block_size = (uint32_t)search->length;
	memcpy(difference->bytes, search->data + search->begin, search->length);
	/* Now the memory of another process: nothing is known about it. */
	if (hash_now(search) != difference->replayed)
		return;
	if (!recover_zeros(search) && !search_bytes(search) && !search_words(search, 4))
		search_words(search, 8);
}

int memory_recover(struct memory *memory, const struct memory_digest *recorded, uint64_t address,
		   struct memory_difference *difference)
{
	struct memory_region *region = &memory->region[recorded->region];
	struct search search = { .region = region, .wanted = recorded, .difference = difference };
	int err;

	*difference = (struct memory_difference){ 0 };
	if (!region->recorded || address < region->base || address - region->base >= region->size)
		return -ERANGE;
	search.block = (address - region->base) / region->block_size;
	difference->recorded = region->recorded[search.block];
	difference->replayed = region->hash[search.block];
	count_blocks(region, difference);
	err = read_block(memory, recorded->region, address, &search);
	if (!err)
		describe(&search);
	free(search.data);
	free(search.words.offset);
	return err;
}
