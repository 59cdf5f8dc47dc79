// SPDX-License-Identifier: BSD-3-Clause
/* Finding, using and checking the index of a trace. */
#include "format/trace/index.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "format/trace/codec/chain.h"
#include "format/base/cleanup.h"
#include "format/trace/frame_read.h"

/* The hash is taken over whole frames; this bounds the memory that takes. */
#define INDEX_SIZE_MAX (1ULL << 30)

static int file_size(int fd, uint64_t *size)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	*size = (uint64_t)status.st_size;
	return 0;
}

static int read_footer(int fd, uint64_t size, uint8_t footer[INDEX_FOOTER_SIZE])
{
	if (size < INDEX_HEAD_SIZE + INDEX_FOOTER_SIZE)
		return -ENOENT;
	if (read_at(fd, size - INDEX_FOOTER_SIZE, footer, INDEX_FOOTER_SIZE))
		return -ENOENT;
	return memcmp(footer + INDEX_FOOTER_SIZE - 8, INDEX_MAGIC, 8) ? -ENOENT : 0;
}

static void parse_footer(const uint8_t *in, struct index_footer *footer)
{
	footer->entries = get_le64(in);
	footer->offset = get_le64(in + 8);
	footer->chain = get_le64(in + 16);
	footer->hash = get_le64(in + 24);
}

bool index_footer_present(int fd)
{
	uint8_t footer[INDEX_FOOTER_SIZE];
	uint64_t size = 0;

	return !file_size(fd, &size) && !read_footer(fd, size, footer);
}

int index_open(int fd, struct index_footer *footer)
{
	uint8_t bytes[INDEX_FOOTER_SIZE];
	uint64_t size = 0, room;

	if (file_size(fd, &size) || read_footer(fd, size, bytes))
		return -ENOENT;
	parse_footer(bytes, footer);
	room = size - INDEX_HEAD_SIZE - INDEX_FOOTER_SIZE;
	if (footer->offset > room || footer->entries != (room - footer->offset) / INDEX_ENTRY_SIZE)
		return -ENOENT;
	return 0;
}

int index_get(int fd, const struct index_footer *footer, uint64_t i, struct index_item *item)
{
	uint8_t entry[INDEX_ENTRY_SIZE];
	int err;

	if (i >= footer->entries)
		return -ERANGE;
	err = read_at(fd, footer->offset + INDEX_HEAD_SIZE + i * INDEX_ENTRY_SIZE, entry,
		      sizeof(entry));
	if (err)
		return err;
	item->offset = get_le64(entry);
	/* Frames precede the index. */
	if (item->offset >= footer->offset)
		return -ERANGE;
	item->number = get_le64(entry + 8);
	item->now = get_le64(entry + 16);
	item->content = get_le32(entry + 24);
	item->type = get_le32(entry + 28);
	item->frame = i;
	return 0;
}

static bool is_up_to_number(const struct index_item *item, uint64_t number)
{
	return item->number <= number;
}

static bool is_before_time(const struct index_item *item, uint64_t now)
{
	return item->now < now;
}

/* The last records chunk for which @holds, which does so for all up to some entry. */
static int find_last(int fd, const struct index_footer *footer,
		     bool (*holds)(const struct index_item *item, uint64_t limit), uint64_t limit,
		     struct index_item *item)
{
	uint64_t low = 0, high = footer->entries;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (index_get(fd, footer, middle, item))
			return -ENOENT;
		if (holds(item, limit))
			low = middle + 1;
		else
			high = middle;
	}
	while (low--) {
		if (index_get(fd, footer, low, item))
			return -ENOENT;
		if (item->type == CHUNK_RECORDS)
			return 0;
	}
	return -ENOENT;
}

int index_find(int fd, const struct index_footer *footer, uint64_t number, struct index_item *item)
{
	return find_last(fd, footer, is_up_to_number, number, item);
}

int index_find_time(int fd, const struct index_footer *footer, uint64_t now,
		    struct index_item *item)
{
	return find_last(fd, footer, is_before_time, now, item);
}

static int verify_bytes(const uint8_t *frame, size_t size, uint64_t offset, uint64_t chain,
			const char **problem)
{
	struct index_footer footer;

	parse_footer(frame + size - INDEX_FOOTER_SIZE, &footer);
	*problem = "the index is damaged";
	if (memcmp(frame + size - 8, INDEX_MAGIC, 8) ||
	    footer.entries != (size - INDEX_HEAD_SIZE - INDEX_FOOTER_SIZE) / INDEX_ENTRY_SIZE ||
	    footer.hash != chain_frame(footer.chain, frame, size - 16))
		return -EBADMSG;
	*problem = "the index does not match the frames: one of them is damaged";
	if (footer.offset != offset || footer.chain != chain)
		return -EBADMSG;
	*problem = NULL;
	return 0;
}

int index_verify(int fd, uint64_t offset, uint64_t chain, const char **problem)
{
	static const uint8_t magic[4] = { 0x54, 0x2a, 0x4d, 0x18 };
	auto_free uint8_t *frame = NULL;
	uint8_t head[INDEX_HEAD_SIZE] = { 0 };
	uint64_t end = 0, size, have;
	int err = file_size(fd, &end);

	if (err)
		return err;
	*problem = "the index is missing";
	if (end <= offset)
		return -EPIPE;
	have = end - offset;
	*problem = NULL;
	err = read_at(fd, offset, head, have < sizeof(head) ? have : sizeof(head));
	if (err)
		return err;
	*problem = "data after the end is not an index";
	if (memcmp(head, magic, have < sizeof(magic) ? have : sizeof(magic)))
		return -EBADMSG;
	*problem = "the index is truncated";
	if (have < INDEX_HEAD_SIZE)
		return -EPIPE;
	size = (uint64_t)get_le32(head + 4) + INDEX_HEAD_SIZE;
	if (have < size)
		return index_footer_present(fd) ? -EBADMSG : -EPIPE;
	*problem = "invalid index size, or data after the index";
	if (have > size || size > INDEX_SIZE_MAX || size < INDEX_HEAD_SIZE + INDEX_FOOTER_SIZE)
		return -EBADMSG;
	*problem = NULL;
	frame = malloc(size);
	if (!frame)
		return -ENOMEM;
	err = read_at(fd, offset, frame, size);
	return err ? err : verify_bytes(frame, size, offset, chain, problem);
}
