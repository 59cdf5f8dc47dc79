// SPDX-License-Identifier: BSD-3-Clause
/* Hashes of a guest's memory at rest, block by block, and the first block that differs. */
#include "kernel/memory/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>
#endif

#include "format/base/cleanup.h"
#include "kernel/host/guard.h"
#include "kernel/memory/memory_internal.h"
#include "kernel/memory/memory_map.h"

/* Per changed block at most: a gap of up to five varint bytes and half a hash. */
#define HASH_ENTRY_MAX 9

static int region_create(struct memory_region *region, uint64_t base, uint64_t size,
			 uint32_t block_size)
{
	auto_free uint8_t *zeros = calloc(1, block_size);

	region->base = base;
	region->size = size;
	region->block_size = block_size;
	region->blocks = (size / block_size) + (size % block_size != 0);
	region->hash = calloc(region->blocks + 1, sizeof(*region->hash));
	region->block_hashes = malloc(region->blocks * HASH_ENTRY_MAX + 1);
	if (!zeros || !region->hash || !region->block_hashes)
		return -ENOMEM;
	region->zero_hash = XXH3_64bits(zeros, block_size);
	return 0;
}

static int map_ram(struct memory *memory, uint64_t size)
{
	void *ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->ram_fd, 0);

	if (ram == MAP_FAILED)
		return -ENOMEM;
	memory->ram = ram;
	return guard_add(ram, size);
}

int memory_open(pid_t pid, const struct image_file *kernel, struct memory **out)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	struct image_segment image;
	uint64_t size;
	int err;

	if (!memory)
		return -ENOMEM;
	memory->pid = pid;
	memory->xstate = xstate_learn();
	memory->ram_fd = -1;
	err = memory_map_open_ram(pid, &memory->ram_fd, &size);
	if (!err)
		err = region_create(&memory->region[MEMORY_RAM], 0, size, MEMORY_RAM_BLOCK);
	if (!err)
		err = image_data_segment(kernel, &image);
	if (!err)
		err = region_create(&memory->region[MEMORY_IMAGE], image.begin,
				    image.end - image.begin, MEMORY_IMAGE_BLOCK);
	if (!err)
		err = map_ram(memory, size);
	if (!err) {
		memory->image_copy = malloc(image.end - image.begin);
		err = memory->image_copy ? 0 : -ENOMEM;
	}
	if (err)
		memory_close(memory);
	else
		*out = memory;
	return err;
}

void memory_close(struct memory *memory)
{
	if (!memory)
		return;
	if (memory->ram) {
		guard_remove(memory->ram);
		munmap(memory->ram, memory->region[MEMORY_RAM].size);
	}
	close_fd(&memory->ram_fd);
	free(memory->image_copy);
	free(memory->words.offset);
	for (size_t i = 0; i < MEMORY_REGIONS; i++) {
		free(memory->region[i].hash);
		free(memory->region[i].recorded);
		free(memory->region[i].block_hashes);
	}
	free(memory);
}

static uint64_t hash_bytes(const void *data, size_t size)
{
#if defined(__x86_64__)
	return XXH3_64bits_dispatch(data, size);
#else
	return XXH3_64bits(data, size);
#endif
}

static uint8_t *put_varint(uint8_t *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*out++ = (uint8_t)(value | 0x80);
	*out++ = (uint8_t)value;
	return out;
}

/* A walk over the blocks that records the hashes of changed ones. */
struct hash_walk {
	struct memory_region *region;
	uint8_t *out;
	size_t next; /* block after the last one noted */
};

static void walk_block(struct hash_walk *walk, size_t block, uint64_t hash)
{
	uint32_t half = (uint32_t)hash;

	if (walk->region->hash[block] == hash)
		return;
	walk->region->hash[block] = hash;
	walk->out = put_varint(walk->out, block - walk->next);
	memcpy(walk->out, &half, sizeof(half));
	walk->out += sizeof(half);
	walk->next = block + 1;
}

/* Hash a block without the words of it, from @next on, that are the processor's own (xstate.h). */
static uint64_t hash_without(const struct xstate_words *words, size_t next, const uint8_t *data,
			     size_t begin, size_t length)
{
	uint8_t copy[MEMORY_BLOCK_MAX];

	memcpy(copy, data + begin, length);
	for (; next < words->count && words->offset[next] < begin + length; next++)
		memset(copy + (words->offset[next] - begin), 0, sizeof(uint64_t));
	return hash_bytes(copy, length);
}

uint64_t memory_hash_block(const struct memory_region *region, const struct xstate_words *words,
			   size_t next, const uint8_t *data, size_t begin, size_t length)
{
	bool has_words = next < words->count && words->offset[next] < begin + length;
	uint64_t hash = has_words ? hash_without(words, next, data, begin, length)
				  : hash_bytes(data + begin, length);

	return hash == region->zero_hash && length == region->block_size ? 0 : hash;
}

static int walk_bytes(struct hash_walk *walk, struct memory *memory, size_t block,
		      const uint8_t *data, size_t size)
{
	const struct xstate_words *words = &memory->words;
	uint32_t block_size = walk->region->block_size;
	size_t next = 0;
	int err = xstate_find(&memory->xstate, data, size, &memory->words);

	for (size_t begin = 0; !err && begin < size; begin += block_size, block++) {
		size_t length = size - begin < block_size ? size - begin : block_size;

		walk_block(walk, block,
			   memory_hash_block(walk->region, words, next, data, begin, length));
		while (next < words->count && words->offset[next] < begin + length)
			next++;
	}
	return err;
}

static void walk_hole(struct hash_walk *walk, size_t block, size_t end)
{
	for (; block < end; block++)
		walk_block(walk, block, 0);
}

/*
 * Pages the guest never touched do not exist: they are skipped, and not created by reading. The
 * guest controls the file: one that grew would not fit, and parts truncated while being read give
 * zeros (guard.h).
 */
static int walk_ram(struct memory *memory, struct hash_walk *walk)
{
	struct memory_region *region = walk->region;
	off_t end = 0, begin;
	int err;

	while ((begin = lseek(memory->ram_fd, end, SEEK_DATA)) >= 0) {
		if ((uint64_t)begin > region->size)
			return -ESTALE;
		walk_hole(walk, (size_t)end / MEMORY_RAM_BLOCK, (size_t)begin / MEMORY_RAM_BLOCK);
		end = lseek(memory->ram_fd, begin, SEEK_HOLE);
		if (end < 0)
			return -errno;
		if ((uint64_t)end > region->size ||
		    ((uint64_t)end < region->size && end % MEMORY_RAM_BLOCK))
			return -ESTALE;
		err = walk_bytes(walk, memory, (size_t)begin / MEMORY_RAM_BLOCK,
				 memory->ram + begin, (size_t)(end - begin));
		if (err)
			return err;
	}
	if (errno != ENXIO)
		return -errno;
	walk_hole(walk, (size_t)end / MEMORY_RAM_BLOCK, region->blocks);
	return 0;
}

/* All of it or an error: a part is of no use. */
static int whole_transfer(ssize_t done, size_t size)
{
	if (done < 0)
		return -errno;
	return (size_t)done == size ? 0 : -EFAULT;
}

static int read_process(const struct memory *memory, uint64_t address, void *data, size_t size)
{
	struct iovec local = { data, size }, remote = { (void *)address, size };

	return whole_transfer(process_vm_readv(memory->pid, &local, 1, &remote, 1, 0), size);
}

static int write_process(const struct memory *memory, uint64_t address, const void *data,
			 size_t size)
{
	struct iovec local = { (void *)data, size }, remote = { (void *)address, size };

	return whole_transfer(process_vm_writev(memory->pid, &local, 1, &remote, 1, 0), size);
}

static int walk_image(struct memory *memory, struct hash_walk *walk)
{
	struct memory_region *region = walk->region;
	int err = read_process(memory, region->base, memory->image_copy, region->size);

	return err ? err : walk_bytes(walk, memory, 0, memory->image_copy, region->size);
}

void memory_hash_root(const struct memory_region *region, uint64_t *low, uint64_t *high)
{
	XXH128_hash_t root = XXH3_128bits(region->hash, region->blocks * sizeof(*region->hash));

	*low = root.low64;
	*high = root.high64;
}

int memory_hash(struct memory *memory, unsigned int number, struct memory_digest *digest,
		const void **block_hashes, size_t *hashes_size)
{
	struct memory_region *region = &memory->region[number];
	struct hash_walk walk = { .region = region, .out = region->block_hashes };
	int err;

	err = number == MEMORY_RAM ? walk_ram(memory, &walk) : walk_image(memory, &walk);
	if (err)
		return err;
	*digest = (struct memory_digest){ .region = number, .block_size = region->block_size };
	memory_hash_root(region, &digest->low, &digest->high);
	*block_hashes = region->block_hashes;
	*hashes_size = (size_t)(walk.out - region->block_hashes);
	return 0;
}

static int take_varint(const uint8_t **in, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; *in < end && shift < 63; shift += 7) {
		uint8_t byte = *(*in)++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return 0;
	}
	return -EBADMSG;
}

static int apply_hashes(struct memory_region *region, const uint8_t *in, const uint8_t *end)
{
	uint64_t block = 0, gap;

	while (in < end) {
		if (take_varint(&in, end, &gap) || end - in < 4)
			return -EBADMSG;
		if (gap >= region->blocks - block)
			return -ERANGE;
		block += gap;
		memcpy(&region->recorded[block++], in, 4);
		in += 4;
	}
	return 0;
}

int memory_compare(struct memory *memory, unsigned int number, const void *block_hashes,
		   size_t hashes_size, uint64_t *address)
{
	struct memory_region *region = &memory->region[number];
	int err;

	if (!region->recorded)
		region->recorded = calloc(region->blocks + 1, sizeof(*region->recorded));
	if (!region->recorded)
		return -ENOMEM;
	err = apply_hashes(region, block_hashes, (const uint8_t *)block_hashes + hashes_size);
	if (err)
		return err;
	for (size_t i = 0; i < region->blocks; i++) {
		if (region->recorded[i] == (uint32_t)region->hash[i])
			continue;
		*address = region->base + (uint64_t)i * region->block_size;
		return 1;
	}
	return 0;
}

uint64_t memory_size(const struct memory *memory, unsigned int region)
{
	return memory->region[region].size;
}

static bool range_valid(const struct memory_region *region, uint64_t address, size_t size)
{
	return address >= region->base && address - region->base <= region->size &&
	       size <= region->size - (address - region->base);
}

int memory_read(struct memory *memory, unsigned int number, uint64_t address, void *data,
		size_t size)
{
	if (!range_valid(&memory->region[number], address, size))
		return -ERANGE;
	if (number != MEMORY_RAM)
		return read_process(memory, address, data, size);
	memcpy(data, memory->ram + address, size);
	return 0;
}

int memory_write(struct memory *memory, unsigned int number, uint64_t address, const void *data,
		 size_t size)
{
	if (!range_valid(&memory->region[number], address, size))
		return -ERANGE;
	if (number != MEMORY_RAM)
		return write_process(memory, address, data, size);
	memcpy(memory->ram + address, data, size);
	return 0;
}
