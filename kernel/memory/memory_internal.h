/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by memory.c (hashes) and memory_recover.c (the recorded content of a different block). */
#ifndef TTREC_MEMORY_INTERNAL_H
#define TTREC_MEMORY_INTERNAL_H

#include "kernel/memory/memory.h"
#include "kernel/host/xstate.h"

_Static_assert(MEMORY_IMAGE_BLOCK <= MEMORY_BLOCK_MAX, "a block of any region fits");

/*
 * Block hashes of one region: as of the last digest, and as recorded. A block of zeros has hash 0,
 * so that a hole and a page of zeros are the same.
 */
struct memory_region {
	uint64_t base; /* address of the first byte, as reported */
	uint64_t size;
	uint32_t block_size;
	size_t blocks;
	uint64_t *hash;
	uint32_t *recorded; /* low halves; allocated by the first compare */
	uint8_t *block_hashes;
	uint64_t zero_hash;
};

struct memory {
	pid_t pid;
	int ram_fd;
	uint8_t *ram;	     /* the guest's physical memory, mapped here */
	uint8_t *image_copy; /* the kernel's data and bss as last read */
	struct xstate xstate;
	struct xstate_words words; /* of what is being hashed */
	struct memory_region region[MEMORY_REGIONS];
};

/*
 * Hash the block of @length bytes at @data + @begin. @words are those of @data, of which number
 * @next is the first at or behind @begin.
 */
uint64_t memory_hash_block(const struct memory_region *region, const struct xstate_words *words,
			   size_t next, const uint8_t *data, size_t begin, size_t length);

/* The digest of all blocks as their hashes are now. */
void memory_hash_root(const struct memory_region *region, uint64_t *low, uint64_t *high);

#endif
