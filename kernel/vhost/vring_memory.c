// SPDX-License-Identifier: BSD-3-Clause
/* The memory of a guest that a device may see: mapping it, and finding addresses in it. */
#include <errno.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernel/host/guard.h"
#include "kernel/vhost/vring.h"

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool range_wraps(uint64_t begin, uint64_t size)
{
	return begin > UINT64_MAX - size;
}

static bool region_overlaps(const struct vring_memory *memory, const struct vring_region *region)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		const struct vring_region *other = &memory->region[i];

		if (ranges_overlap(region->guest_address, region->size, other->guest_address,
				   other->size) ||
		    ranges_overlap(region->user_address, region->size, other->user_address,
				   other->size))
			return true;
	}
	return false;
}

/*
 * Whether it is a regular file that contains the range. A single lost huge page cannot be replaced,
 * and reading another kind of file might block.
 */
static int check_file(int fd, uint64_t offset, uint64_t size)
{
	struct stat status;
	struct statfs system;

	if (fstat(fd, &status) || fstatfs(fd, &system))
		return -errno;
	if (!S_ISREG(status.st_mode) || system.f_type == HUGETLBFS_MAGIC)
		return -EBADMSG;
	if (range_wraps(offset, size) || offset + size > (uint64_t)status.st_size)
		return -EBADMSG;
	return 0;
}

int vring_memory_add(struct vring_memory *memory, int fd, uint64_t guest_address,
		     uint64_t user_address, uint64_t size, uint64_t file_offset)
{
	struct vring_region region = { guest_address, user_address, size, NULL };
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	void *data;
	int err;

	if (memory->count == VRING_REGIONS_MAX)
		return -ENOSPC;
	if (!size || (guest_address | user_address | file_offset) % page ||
	    range_wraps(guest_address, size) || range_wraps(user_address, size) ||
	    region_overlaps(memory, &region))
		return -EBADMSG;
	err = check_file(fd, file_offset, size);
	if (err)
		return err;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)file_offset);
	if (data == MAP_FAILED)
		return -errno;
	err = guard_add(data, size);
	if (err) {
		munmap(data, size);
		return err;
	}
	region.data = data;
	memory->region[memory->count++] = region;
	return 0;
}

void vring_memory_clear(struct vring_memory *memory)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		guard_remove(memory->region[i].data);
		munmap(memory->region[i].data, memory->region[i].size);
	}
	memory->count = 0;
	memory->generation++;
}

void *vring_memory_at_guest(const struct vring_memory *memory, uint64_t address, uint64_t size)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		const struct vring_region *region = &memory->region[i];
		uint64_t offset = address - region->guest_address;

		if (offset < region->size && size <= region->size - offset)
			return region->data + offset;
	}
	return NULL;
}

void *vring_memory_at_user(const struct vring_memory *memory, uint64_t address, uint64_t size)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		const struct vring_region *region = &memory->region[i];
		uint64_t offset = address - region->user_address;

		if (offset < region->size && size <= region->size - offset)
			return region->data + offset;
	}
	return NULL;
}

bool vring_memory_lost(void)
{
	return guard_any_lost();
}

bool vring_memory_is_lost(const struct vring_memory *memory)
{
	for (unsigned int i = 0; i < memory->count; i++)
		if (guard_is_lost(memory->region[i].data))
			return true;
	return false;
}
