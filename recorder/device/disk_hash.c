// SPDX-License-Identifier: BSD-3-Clause
/* What a disk image contains, as one hash. */
#include "recorder/device/disk_hash.h"

#include <endian.h>
#include <xxhash.h>

#include "format/base/cleanup.h"
#include "format/base/transfer.h"

#define BLOCK  (64u * 1024)
#define PIECES (16u * BLOCK)

_Static_assert(DISK_HASH_SIZE == sizeof(XXH128_canonical_t), "it is an XXH128");

static void add_number(XXH3_state_t *state, uint64_t number)
{
	number = htole64(number);
	XXH3_128bits_update(state, &number, sizeof(number));
}

static bool is_zero(const uint8_t *data, size_t size)
{
	return !data[0] && !memcmp(data, data + 1, size - 1);
}

static void add_blocks(XXH3_state_t *state, const uint8_t *data, size_t size, uint64_t offset)
{
	for (size_t at = 0; at < size; at += BLOCK) {
		size_t block = size - at < BLOCK ? size - at : BLOCK;

		if (is_zero(data + at, block))
			continue;
		add_number(state, offset + at);
		XXH3_128bits_update(state, data + at, block);
	}
}

/* The first block at or after @offset with data. What has no holes is all data. */
static uint64_t next_data(int fd, uint64_t offset, uint64_t size)
{
	off_t data = lseek(fd, (off_t)offset, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? size : offset;
	return (uint64_t)data / BLOCK * BLOCK;
}

static int add_content(XXH3_state_t *state, int fd, uint64_t size, const atomic_bool *stop)
{
	auto_free uint8_t *data = malloc(PIECES);
	uint64_t offset = 0;
	int err = data ? 0 : -ENOMEM;

	while (!err && (offset = next_data(fd, offset, size)) < size) {
		size_t piece = size - offset < PIECES ? (size_t)(size - offset) : PIECES;

		if (stop && atomic_load_explicit(stop, memory_order_relaxed))
			return -ECANCELED;
		err = transfer_all(data, piece,
				   pread(fd, place, left, (off_t)(offset + (piece - left))));
		if (!err)
			add_blocks(state, data, piece, offset);
		offset += piece;
	}
	return err == -EPIPE ? -ESTALE : err;
}

int disk_hash(int fd, const atomic_bool *stop, uint8_t hash[DISK_HASH_SIZE])
{
	off_t size = lseek(fd, 0, SEEK_END);
	XXH128_canonical_t canonical;
	XXH3_state_t *state;
	int err;

	if (size < 0)
		return -errno;
	state = XXH3_createState();
	if (!state)
		return -ENOMEM;
	XXH3_128bits_reset(state);
	err = add_content(state, fd, (uint64_t)size, stop);
	add_number(state, (uint64_t)size);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	memcpy(hash, &canonical, DISK_HASH_SIZE);
	XXH3_freeState(state);
	return err;
}
