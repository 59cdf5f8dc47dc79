/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The contents of a disk: an image that is only read, and an overlay in memory with what was
 * written. Only written blocks take memory.
 */
#ifndef TTREC_DEVICE_DISK_STORE_H
#define TTREC_DEVICE_DISK_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define DISK_SECTOR 512u

struct disk_store;

/*
 * @image: NULL for zeros. @size in bytes, rounded up to whole sectors: beyond the image are zeros;
 * 0: that of the image, which must not be empty. 0 or -errno; -EISDIR for a directory, -EINVAL for
 * an image that is neither a file nor a block device, or if there is no size.
 */
int disk_store_open(const char *image, uint64_t size, struct disk_store **store);
void disk_store_close(struct disk_store *store);
uint64_t disk_store_size(const struct disk_store *store);

/*
 * Read into, write from the first @size bytes of @part, which are changed. @offset and @size must
 * be within the disk, and @part must have as much. 0 or -errno: -EFAULT if the memory was
 * truncated.
 */
int disk_store_read(struct disk_store *store, uint64_t offset, struct iovec *part,
		    unsigned int count, size_t size);
int disk_store_write(struct disk_store *store, uint64_t offset, struct iovec *part,
		     unsigned int count, size_t size);
/* Zeros, which take no memory. */
int disk_store_zero(struct disk_store *store, uint64_t offset, uint64_t size);

#endif
