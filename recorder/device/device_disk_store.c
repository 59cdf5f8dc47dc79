// SPDX-License-Identifier: BSD-3-Clause
/* The contents of a disk: an image, and an overlay with what was written. */
#include "recorder/device/device_disk_store.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"

/* The unit that is copied from the image when a part of it is written: a page of the overlay. */
#define BLOCK 4096u

struct disk_store {
	uint64_t size;
	int image_fd, overlay_fd;
	uint64_t
		image_blocks; /* whole blocks; everything beyond is in the overlay from the start */
	uint8_t *written;     /* a bit per block of the image: it is in the overlay */
};

/* Parts of memory that are still to be filled or emptied. */
struct span {
	struct iovec *part;
	unsigned int count;
};

typedef ssize_t transfer_call(int fd, const struct iovec *part, int count, off_t offset);

static void span_advance(struct span *span, size_t size)
{
	while (span->count && size >= span->part->iov_len) {
		size -= span->part->iov_len;
		span->part++;
		span->count--;
	}
	if (size) {
		span->part->iov_base = (uint8_t *)span->part->iov_base + size;
		span->part->iov_len -= size;
	}
}

/* One system call for the first @size bytes of @span. */
static ssize_t transfer_some(transfer_call *call, int fd, struct span *span, size_t size,
			     uint64_t offset)
{
	unsigned int count = 0;
	size_t sum = 0, excess;
	ssize_t done;

	while (sum < size)
		sum += span->part[count++].iov_len;
	excess = sum - size;
	span->part[count - 1].iov_len -= excess;
	done = call(fd, span->part, (int)count, (off_t)offset);
	span->part[count - 1].iov_len += excess;
	return done;
}

static int transfer(transfer_call *call, int fd, struct span *span, size_t size, uint64_t offset)
{
	while (size) {
		ssize_t done = transfer_some(call, fd, span, size, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		/* The image was truncated. */
		if (!done)
			return -EIO;
		span_advance(span, (size_t)done);
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return 0;
}

static bool is_in_overlay(const struct disk_store *store, uint64_t block)
{
	return block >= store->image_blocks || store->written[block / 8] & 1u << block % 8;
}

static void mark_written(struct disk_store *store, uint64_t offset, uint64_t size)
{
	uint64_t end = (offset + size + BLOCK - 1) / BLOCK;

	for (uint64_t block = offset / BLOCK; block < end && block < store->image_blocks; block++)
		store->written[block / 8] |= (uint8_t)(1u << block % 8);
}

static int copy_from_image(struct disk_store *store, uint64_t offset, size_t size)
{
	uint8_t data[BLOCK];
	struct iovec from = { data, size }, to = { data, size };
	int err = transfer(preadv, store->image_fd, &(struct span){ &from, 1 }, size, offset);

	return err ? err
		   : transfer(pwritev, store->overlay_fd, &(struct span){ &to, 1 }, size, offset);
}

/* If the block at @offset is about to be written in part, copy it from the image first. */
static int copy_if_cut(struct disk_store *store, uint64_t offset)
{
	uint64_t block = offset / BLOCK;
	int err;

	if (!(offset % BLOCK) || is_in_overlay(store, block))
		return 0;
	err = copy_from_image(store, block * BLOCK, BLOCK);
	if (!err)
		mark_written(store, block * BLOCK, BLOCK);
	return err;
}

static int copy_cut_blocks(struct disk_store *store, uint64_t offset, uint64_t size)
{
	int err = copy_if_cut(store, offset);

	return err ? err : copy_if_cut(store, offset + size);
}

/* The number of bytes from @offset on that come from the same place. */
static size_t run_length(const struct disk_store *store, uint64_t offset, size_t size)
{
	bool overlay = is_in_overlay(store, offset / BLOCK);
	uint64_t end = (offset / BLOCK + 1) * BLOCK;

	while (end < offset + size && is_in_overlay(store, end / BLOCK) == overlay)
		end += BLOCK;
	return end < offset + size ? end - offset : size;
}

int disk_store_read(struct disk_store *store, uint64_t offset, struct iovec *part,
		    unsigned int count, size_t size)
{
	struct span span = { part, count };

	while (size) {
		bool overlay = is_in_overlay(store, offset / BLOCK);
		size_t run = run_length(store, offset, size);
		int err = transfer(preadv, overlay ? store->overlay_fd : store->image_fd, &span,
				   run, offset);

		if (err)
			return err;
		offset += run;
		size -= run;
	}
	return 0;
}

int disk_store_write(struct disk_store *store, uint64_t offset, struct iovec *part,
		     unsigned int count, size_t size)
{
	int err = copy_cut_blocks(store, offset, size);

	if (!err)
		err = transfer(pwritev, store->overlay_fd, &(struct span){ part, count }, size,
			       offset);
	if (!err)
		mark_written(store, offset, size);
	return err;
}

int disk_store_zero(struct disk_store *store, uint64_t offset, uint64_t size)
{
	int err = copy_cut_blocks(store, offset, size);

	if (err || !size)
		return err;
	if (fallocate(store->overlay_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)size))
		return -errno;
	mark_written(store, offset, size);
	return 0;
}

uint64_t disk_store_size(const struct disk_store *store)
{
	return store->size;
}

/* ---- Opening -------------------------------------------------------------------------------- */

static int open_image(struct disk_store *store, const char *path, uint64_t *size)
{
	struct stat status;
	off_t end;

	/* Non-blocking: a FIFO at that path must not block. */
	store->image_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (store->image_fd < 0 || fstat(store->image_fd, &status))
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return -EINVAL;
	end = lseek(store->image_fd, 0, SEEK_END);
	if (end < 0)
		return -errno;
	*size = (uint64_t)end;
	return 0;
}

static int make_overlay(struct disk_store *store)
{
	store->overlay_fd = memfd_create("disk", MFD_CLOEXEC);
	if (store->overlay_fd < 0 || ftruncate(store->overlay_fd, (off_t)store->size))
		return -errno;
	store->written = calloc(store->image_blocks / 8 + 1, 1);
	return store->written ? 0 : -ENOMEM;
}

static int fill_store(struct disk_store *store, const char *image, uint64_t size)
{
	uint64_t image_size = 0, tail;
	int err = image ? open_image(store, image, &image_size) : 0;

	if (err)
		return err;
	size = size ? size : image_size;
	if (!size || size > INT64_MAX - BLOCK)
		return -EINVAL;
	store->size = (size + DISK_SECTOR - 1) / DISK_SECTOR * DISK_SECTOR;
	image_size = image_size < store->size ? image_size : store->size;
	store->image_blocks = image_size / BLOCK;
	err = make_overlay(store);
	tail = image_size % BLOCK;
	return err || !tail ? err : copy_from_image(store, image_size - tail, tail);
}

int disk_store_open(const char *image, uint64_t size, struct disk_store **out)
{
	struct disk_store *store = calloc(1, sizeof(*store));
	int err;

	if (!store)
		return -ENOMEM;
	store->image_fd = store->overlay_fd = -1;
	err = fill_store(store, image, size);
	if (err) {
		disk_store_close(store);
		return err;
	}
	*out = store;
	return 0;
}

void disk_store_close(struct disk_store *store)
{
	if (!store)
		return;
	close_fd(&store->image_fd);
	close_fd(&store->overlay_fd);
	free(store->written);
	free(store);
}
