/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a guest while it does not change: its regions, and hashes of them.
 *
 * Only used while the guest is blocked in WAIT. Two regions: the physical memory the guest was
 * given (a shared file of the guest process, mapped here too) and the kernel image's data and bss.
 * A digest is a hash over the hashes of all blocks; of the block hashes only those that changed
 * since the last digest are recorded.
 */
#ifndef TTREC_MEMORY_H
#define TTREC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/tttrace.h"
#include "kernel/image/image.h"

enum memory_region_number {
	MEMORY_RAM = TRACE_REGION_RAM,
	MEMORY_IMAGE = TRACE_REGION_IMAGE,
	MEMORY_REGIONS,
};

#define MEMORY_RAM_BLOCK   4096u
#define MEMORY_IMAGE_BLOCK 256u
#define MEMORY_BLOCK_MAX   MEMORY_RAM_BLOCK

struct memory_digest {
	uint32_t region;
	uint32_t block_size; /* bytes */
	uint64_t low, high;  /* XXH3-128 over the block hashes */
};

struct memory;

/*
 * Find the memory of process @pid, which runs @kernel. Only after the guest's START; before, it has
 * none. -ENOENT if no physical memory is found.
 */
int memory_open(pid_t pid, const struct image_file *kernel, struct memory **memory);
void memory_close(struct memory *memory);

/*
 * Hash region @region now. The encoded block hashes (changes since the last digest of that region;
 * see ttrace(5)) belong to @memory until the next call.
 */
int memory_hash(struct memory *memory, unsigned int region, struct memory_digest *digest,
		const void **block_hashes, size_t *hashes_size);

/*
 * Compare with a recording: take the block hashes @block_hashes that were recorded at this point,
 * and find the first block that differs from what memory_hash() just saw. Must be given all
 * recorded block hashes of the region in order. Returns 1 with *@address set to the guest process'
 * virtual address (data+bss) or physical address (ram) of that block, 0 if none differs, -ERANGE if
 * the block hashes are of a larger region, -EBADMSG if they are invalid.
 */
int memory_compare(struct memory *memory, unsigned int region, const void *block_hashes,
		   size_t hashes_size, uint64_t *address);

/* What is known about a block that differs from the recording, which has only its hash. */
struct memory_difference {
	uint64_t blocks;     /* how many blocks of the region differ */
	uint32_t recorded;   /* low half of the hash that the block had; 0: it was all zeros */
	uint64_t replayed;   /* the hash it has */
	uint32_t block_size; /* bytes; the last one of a region may be shorter */
	uint8_t bytes[MEMORY_BLOCK_MAX]; /* of the replay */
	/*
	 * A small change of these bytes gives the recorded hash: @width bytes at @offset are @is
	 * and were @was, little-endian. Without @proven (other blocks differ, too) only 32 bits of
	 * hash say so.
	 */
	bool recovered, proven;
	uint32_t offset, width;
	uint64_t is, was;
};

/*
 * Read the block at @address that memory_compare() has just found, and search its recorded content:
 * every change of one byte, of one aligned word by a small number or to all zeros or ones, or zeros
 * altogether. @recorded is the recorded digest. Takes up to a second. 0, -ERANGE if @address is not
 * a block of the region, or the error of reading it.
 */
int memory_recover(struct memory *memory, const struct memory_digest *recorded, uint64_t address,
		   struct memory_difference *difference);

/* Bytes of the region, as the guest sees it. */
uint64_t memory_size(const struct memory *memory, unsigned int region);

/* Read or (for tests that flip a bit) write memory at an address as memory_compare() gives it. */
int memory_read(struct memory *memory, unsigned int region, uint64_t address, void *data,
		size_t size);
int memory_write(struct memory *memory, unsigned int region, uint64_t address, const void *data,
		 size_t size);

#endif
