// SPDX-License-Identifier: BSD-3-Clause
/* Where a UML process keeps its guest's physical memory. */
#include "kernel/memory/memory_map.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "kernel/host/mapping.h"

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Files that a process maps shared and writable, ordered. */
struct mapped {
	uint64_t *inode;
	size_t count;
};

static void mapped_free(struct mapped *mapped)
{
	free(mapped->inode);
}

static int mapped_add(struct mapped *mapped, uint64_t inode)
{
	/* What follows in memory is most often of the same file. */
	if (mapped->count && mapped->inode[mapped->count - 1] == inode)
		return 0;
	return array_push(mapped->inode, mapped->count, inode);
}

static int compare_inodes(const void *one, const void *other)
{
	const uint64_t *first = one, *second = other;

	return (*first > *second) - (*first < *second);
}

/* Once for all descriptors: a hostile process has tens of thousands of mappings, and many files. */
static int mapped_read(struct mapped *mapped, pid_t pid)
{
	char path[64], line[512];
	struct mapping mapping;
	auto_file *maps = NULL;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!err && fgets(line, sizeof(line), maps))
		if (!mapping_parse(line, &mapping) && mapping.inode &&
		    mapping.permissions[1] == 'w' && mapping.permissions[3] == 's')
			err = mapped_add(mapped, mapping.inode);
	if (mapped->count)
		qsort(mapped->inode, mapped->count, sizeof(*mapped->inode), compare_inodes);
	return err;
}

static bool mapped_has(const struct mapped *mapped, uint64_t inode)
{
	return mapped->count && bsearch(&inode, mapped->inode, mapped->count,
					sizeof(*mapped->inode), compare_inodes);
}

int memory_map_open_ram(pid_t pid, int *fd, uint64_t *size)
{
	cleanup(close_directory) DIR *directory = NULL;
	cleanup(mapped_free) struct mapped mapped = { 0 };
	char path[64], best[sizeof(path) + 256] = "";
	struct dirent *entry;
	struct stat status;
	int err = mapped_read(&mapped, pid);

	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	if (!directory)
		return -errno;
	*size = 0;
	while ((entry = readdir(directory))) {
		if (fstatat(dirfd(directory), entry->d_name, &status, 0) ||
		    !S_ISREG(status.st_mode) || status.st_nlink ||
		    (uint64_t)status.st_size <= *size || !mapped_has(&mapped, status.st_ino))
			continue;
		*size = (uint64_t)status.st_size;
		snprintf(best, sizeof(best), "%s/%s", path, entry->d_name);
	}
	if (!*best)
		return -ENOENT;
	*fd = open(best, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}
