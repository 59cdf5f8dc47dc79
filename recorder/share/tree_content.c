// SPDX-License-Identifier: BSD-3-Clause
/* The content of files: a base that is only read, and over it the blocks that were written. */
#include "recorder/share/tree_internal.h"
#include "format/base/array.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BLOCK TREE_BLOCK

/* ---- Copies: one file in memory, in which blocks of all files have places -------------------- */

static int open_copies(struct tree *tree)
{
	if (tree->copies_fd < 0)
		tree->copies_fd = memfd_create("share", MFD_CLOEXEC);
	return tree->copies_fd < 0 ? -ENOMEM : 0;
}

static int take_place(struct tree *tree, uint64_t *place)
{
	int err = open_copies(tree);

	if (err)
		return err;
	if (tree->free_count)
		*place = tree->free_place[--tree->free_count];
	else if (tree->places < TREE_COPIES_MAX)
		*place = tree->places++;
	else
		return -ENOSPC;
	return 0;
}

static int punch(struct tree *tree, uint64_t offset, uint64_t size)
{
	return fallocate(tree->copies_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
			 (off_t)size)
		       ? -ENOMEM
		       : 0;
}

/* One that cannot be used again, for lack of memory, is lost. */
static void free_place(struct tree *tree, uint64_t place)
{
	if (!punch(tree, place * BLOCK, BLOCK) &&
	    !array_room(tree->free_place, tree->free_space, tree->free_count + 1, 64))
		tree->free_place[tree->free_count++] = place;
}

/* Errors of the machine's files: the guest gets EIO for all of them. */
static int transfer_error(int error)
{
	return error == ENOSPC || error == ENOMEM || error == EMFILE || error == ENFILE ? -ENOMEM
											: -EIO;
}

/* Bytes beyond the end of the file are zeros. */
static int read_file(int fd, uint64_t offset, uint8_t *data, size_t size)
{
	while (size) {
		ssize_t done = pread(fd, data, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return transfer_error(errno);
		if (!done)
			break;
		data += done;
		offset += (uint64_t)done;
		size -= (size_t)done;
	}
	memset(data, 0, size);
	return 0;
}

static int write_copy(struct tree *tree, uint64_t offset, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t done = pwrite(tree->copies_fd, data, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -ENOMEM;
		data += done;
		offset += (uint64_t)done;
		size -= (size_t)done;
	}
	return 0;
}

/* ---- Blocks --------------------------------------------------------------------------------- */

/* Where the block with @index is, or the first after it. */
static size_t find_block(const struct tree_content *content, uint64_t index)
{
	size_t low = 0, high = content->block_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (content->block[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_block(const struct tree_content *content, size_t at, uint64_t index)
{
	return at < content->block_count && content->block[at].index == index;
}

static int add_block(struct tree *tree, struct tree_content *content, size_t at, uint64_t index)
{
	uint64_t place;
	int err;

	if (array_room(content->block, content->block_space, content->block_count + 1, 1))
		return -ENOMEM;
	err = take_place(tree, &place);
	if (err)
		return err;
	memmove(content->block + at + 1, content->block + at,
		(content->block_count - at) * sizeof(*content->block));
	content->block[at] = (struct tree_block){ index, place };
	content->block_count++;
	return 0;
}

static void drop_blocks(struct tree *tree, struct tree_content *content, size_t from)
{
	while (content->block_count > from)
		free_place(tree, content->block[--content->block_count].place);
}

void tree_content_destroy(struct tree *tree, struct tree_content *content)
{
	if (!content)
		return;
	drop_blocks(tree, content, 0);
	free(content->block);
	free(content);
}

struct tree_content *tree_content_of(struct tree_node *node)
{
	if (!node->content)
		node->content = calloc(1, sizeof(*node->content));
	return node->content;
}

int tree_set_range(struct tree *tree, struct tree_node *node, uint64_t offset, uint64_t size)
{
	struct tree_content *content = tree_content_of(node);

	(void)tree;
	if (!content)
		return -ENOMEM;
	content->archived = true;
	content->base_offset = offset;
	content->base_size = node->attr.size = size;
	return 0;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static int read_base(struct tree *tree, struct tree_node *node, uint64_t offset, uint8_t *data,
		     size_t size)
{
	const struct tree_content *content = node->content;
	uint64_t left = content && offset < content->base_size ? content->base_size - offset : 0;
	size_t base = left < size ? (size_t)left : size;

	memset(data + base, 0, size - base);
	if (!base)
		return 0;
	if (content->archived)
		return read_file(tree->archive_fd, content->base_offset + offset, data, base);
	return tree_host_read(tree, node, offset, data, base);
}

/* From one place: returns how many bytes, or -errno. */
static ssize_t read_run(struct tree *tree, struct tree_node *node, uint64_t offset, uint8_t *data,
			size_t size)
{
	const struct tree_content *content = node->content;
	uint64_t index = offset / BLOCK, within = offset % BLOCK, end = UINT64_MAX;
	size_t at = content ? find_block(content, index) : 0;
	bool copied = content && has_block(content, at, index);
	int err;

	if (copied)
		end = (index + 1) * BLOCK;
	else if (content && at < content->block_count)
		end = content->block[at].index * BLOCK;
	if (size > end - offset)
		size = (size_t)(end - offset);
	err = copied ? read_file(tree->copies_fd, content->block[at].place * BLOCK + within, data,
				 size)
		     : read_base(tree, node, offset, data, size);
	return err ? err : (ssize_t)size;
}

ssize_t tree_read(struct tree *tree, struct tree_node *node, uint64_t offset, void *data,
		  size_t size)
{
	size_t done = 0;

	if (!S_ISREG(node->attr.mode))
		return S_ISDIR(node->attr.mode) ? -EISDIR : -EINVAL;
	if (offset >= node->attr.size)
		return 0;
	if (size > node->attr.size - offset)
		size = (size_t)(node->attr.size - offset);
	while (done < size) {
		ssize_t run =
			read_run(tree, node, offset + done, (uint8_t *)data + done, size - done);

		if (run < 0)
			return run;
		done += (size_t)run;
	}
	return (ssize_t)done;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* The base's part of a block that is about to be written in part. */
static int copy_base(struct tree *tree, struct tree_node *node, const struct tree_block *block)
{
	const struct tree_content *content = node->content;
	uint64_t offset = block->index * BLOCK;
	auto_free uint8_t *data = NULL;
	uint64_t size;
	int err;

	if (offset >= content->base_size)
		return 0;
	size = content->base_size - offset < BLOCK ? content->base_size - offset : BLOCK;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	err = read_base(tree, node, offset, data, size);
	return err ? err : write_copy(tree, block->place * BLOCK, data, size);
}

/* Have a copy of the block with @index: *@place. @whole: all of it is written next. */
static int need_block(struct tree *tree, struct tree_node *node, uint64_t index, bool whole,
		      uint64_t *place)
{
	struct tree_content *content = tree_content_of(node);
	size_t at;
	int err = 0;

	if (!content)
		return -ENOMEM;
	at = find_block(content, index);
	if (!has_block(content, at, index)) {
		err = add_block(tree, content, at, index);
		if (!err && !whole)
			err = copy_base(tree, node, &content->block[at]);
		if (err && has_block(content, at, index)) {
			free_place(tree, content->block[at].place);
			memmove(content->block + at, content->block + at + 1,
				(--content->block_count - at) * sizeof(*content->block));
		}
	}
	if (!err)
		*place = content->block[at].place;
	return err;
}

int tree_content_detach(struct tree *tree, struct tree_node *node)
{
	struct tree_content *content = node->content;
	uint64_t place;
	int err = 0;

	if (!content)
		return 0;
	for (uint64_t index = 0; !err && index * BLOCK < content->base_size; index++)
		err = need_block(tree, node, index, false, &place);
	if (!err)
		content->base_size = 0;
	return err;
}

static int check_file(const struct tree_node *node, uint64_t offset, uint64_t size)
{
	uint64_t end;

	if (!S_ISREG(node->attr.mode))
		return S_ISDIR(node->attr.mode) ? -EISDIR : -EINVAL;
	return __builtin_add_overflow(offset, size, &end) || end > TREE_FILE_MAX ? -EFBIG : 0;
}

static int write_parts(struct tree *tree, struct tree_node *node, uint64_t offset,
		       const uint8_t *data, size_t size)
{
	while (size) {
		uint64_t within = offset % BLOCK, place;
		size_t part = size < BLOCK - within ? size : (size_t)(BLOCK - within);
		int err = need_block(tree, node, offset / BLOCK, part == BLOCK, &place);

		if (!err)
			err = write_copy(tree, place * BLOCK + within, data, part);
		if (err)
			return err;
		data += part;
		offset += part;
		size -= part;
		if (offset > node->attr.size)
			node->attr.size = offset;
	}
	return 0;
}

int tree_write(struct tree *tree, struct tree_node *node, uint64_t offset, const void *data,
	       size_t size)
{
	int err = check_file(node, offset, size);

	if (!err && tree->through && node->path)
		err = tree_through_write(tree, node, offset, data, size);
	else if (!err)
		err = write_parts(tree, node, offset, data, size);
	if (!err)
		tree_node_changed(tree, node);
	return err;
}

/* What is in the last block behind @size would be seen if the file grew again. */
static int cut(struct tree *tree, struct tree_content *content, uint64_t size)
{
	uint64_t index = size / BLOCK, within = size % BLOCK;
	size_t at = find_block(content, index);

	if (content->base_size > size)
		content->base_size = size;
	if (within && has_block(content, at, index)) {
		int err = punch(tree, content->block[at].place * BLOCK + within, BLOCK - within);

		if (err)
			return err;
		at++;
	}
	drop_blocks(tree, content, at);
	return 0;
}

int tree_resize(struct tree *tree, struct tree_node *node, uint64_t size)
{
	int err = check_file(node, 0, size);

	if (!err && tree->through && node->path)
		err = tree_through_resize(tree, node, size);
	if (!err && node->content && size < node->attr.size)
		err = cut(tree, node->content, size);
	if (err)
		return err;
	node->attr.size = size;
	tree_node_changed(tree, node);
	return 0;
}

/* Zeros up to the end of a block or to @end; *@next: where to go on. */
static int zero_part(struct tree *tree, struct tree_node *node, uint64_t offset, uint64_t end,
		     uint64_t *next)
{
	struct tree_content *content = node->content;
	uint64_t index = offset / BLOCK, within = offset % BLOCK, place;
	uint64_t stop = (index + 1) * BLOCK < end ? (index + 1) * BLOCK : end;
	size_t at = find_block(content, index);
	int err;

	*next = stop;
	if (!has_block(content, at, index) && offset >= content->base_size) {
		*next = at < content->block_count ? content->block[at].index * BLOCK : end;
		return 0;
	}
	err = need_block(tree, node, index, stop - offset == BLOCK, &place);
	return err ? err : punch(tree, place * BLOCK + within, stop - offset);
}

int tree_zero(struct tree *tree, struct tree_node *node, uint64_t offset, uint64_t size)
{
	int err = check_file(node, offset, size);
	uint64_t end = offset + size;

	if (err)
		return err;
	if (tree->through && node->path)
		return -EOPNOTSUPP;
	if (end > node->attr.size)
		end = node->attr.size;
	while (!err && node->content && offset < end)
		err = zero_part(tree, node, offset, end, &offset);
	if (!err)
		tree_node_changed(tree, node);
	return err;
}
