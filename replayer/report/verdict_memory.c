// SPDX-License-Identifier: BSD-3-Clause
/* Describes where a replay's memory first differed from the recording. */
#include "replayer/report/verdict_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/base/printable.h"

#define NEIGHBOURS_MAX 4

static const struct cursor_memory *memory_of(const struct replay_guest *guest)
{
	return &guest->outcome->report.memory;
}

bool verdict_symbol(const struct replay_guest *guest, uint64_t address, char name[VERDICT_SYMBOL],
		    uint64_t *offset)
{
	const char *symbol;

	if (!memory_of(guest)->located || memory_of(guest)->region != MEMORY_IMAGE ||
	    image_symbol_at(&guest->started->spec.files.file[0], address, &symbol, offset))
		return false;
	snprintf(name, VERDICT_SYMBOL, "%s", symbol);
	printable(name);
	return true;
}

/*
 * The other symbols that the block holds parts of: the hash covers all of it, so the difference may
 * be in any. Adds ", or in NAME, NAME" to @text.
 */
static void add_neighbours(const struct replay_guest *guest, char *text, size_t size)
{
	const struct cursor_memory *memory = memory_of(guest);
	const struct image_file *kernel = &guest->started->spec.files.file[0];
	const char *symbol, *last = NULL;
	size_t length = strlen(text), named = 0;
	uint64_t offset;

	for (uint64_t i = 0; i < memory->block_size && named <= NEIGHBOURS_MAX; i += 4) {
		if (image_symbol_at(kernel, memory->address + i, &symbol, &offset) ||
		    symbol == last)
			continue;
		if (last && length < size) {
			length += (size_t)snprintf(text + length, size - length, "%s%s",
						   named ? ", " : ", or in ",
						   named == NEIGHBOURS_MAX ? "..." : symbol);
			named++;
		}
		last = symbol;
	}
	printable(text);
}

void verdict_describe_block(const struct replay_guest *guest, char *text, size_t size)
{
	const struct cursor_memory *memory = memory_of(guest);
	const char *region = trace_region_name(memory->region);
	char symbol[VERDICT_SYMBOL];
	uint64_t offset;

	if (!memory->located) {
		snprintf(text, size, "%s, location unknown: an earlier digest is missing", region);
	} else if (verdict_symbol(guest, memory->address, symbol, &offset)) {
		snprintf(text, size, "%s, %u bytes at %#" PRIx64 ", %s+%#" PRIx64, region,
			 memory->block_size, memory->address, symbol, offset);
		if (!memory->difference.recovered)
			add_neighbours(guest, text, size);
	} else if (memory->region == MEMORY_RAM) {
		snprintf(text, size, "%s, page %" PRIu64 " (physical address %#" PRIx64 ")", region,
			 memory->address / memory->block_size, memory->address);
	} else {
		snprintf(text, size, "%s, %u bytes at %#" PRIx64, region, memory->block_size,
			 memory->address);
	}
}

uint64_t verdict_recovered_address(const struct cursor_memory *memory)
{
	return memory->address + memory->difference.offset;
}

static void describe_recovered(const struct replay_guest *guest, char *text, size_t size)
{
	const struct memory_difference *difference = &memory_of(guest)->difference;
	uint64_t address = verdict_recovered_address(memory_of(guest)), offset;
	char symbol[VERDICT_SYMBOL], place[VERDICT_SYMBOL + 64];
	int digits = 2 * (int)difference->width;

	if (verdict_symbol(guest, address, symbol, &offset))
		snprintf(place, sizeof(place), "%s+%#" PRIx64 " (%#" PRIx64 ")", symbol, offset,
			 address);
	else
		snprintf(place, sizeof(place), "%#" PRIx64, address);
	snprintf(text, size, "%u byte%s at %s: 0x%0*" PRIx64 " here, 0x%0*" PRIx64 " recorded%s",
		 difference->width, difference->width == 1 ? "" : "s", place, digits,
		 difference->is, digits, difference->was,
		 difference->proven ? "" : " (by 32 bits of its hash)");
}

void verdict_describe_values(const struct replay_guest *guest, char *text, size_t size)
{
	const struct memory_difference *difference = &memory_of(guest)->difference;

	if (difference->recovered)
		describe_recovered(guest, text, size);
	else
		snprintf(text, size,
			 "its hash is %08" PRIx32 " here, %08" PRIx32
			 " recorded; more than a few bytes differ",
			 (uint32_t)difference->replayed, difference->recorded);
}
