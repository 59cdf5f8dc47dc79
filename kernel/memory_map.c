// SPDX-License-Identifier: BSD-3-Clause
/* Where a UML process keeps its guest's physical memory. */
#include "kernel/memory_map.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "format/cleanup.h"

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* Does @pid map inode @inode shared and writable? */
static bool is_mapped_shared(pid_t pid, ino_t inode)
{
	char path[64], line[512], permissions[5];
	auto_file *maps = NULL;
	uint64_t mapped;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%*x-%*x %4s %*x %*s %" SCNu64, permissions, &mapped) == 2 &&
		    mapped == inode && permissions[1] == 'w' && permissions[3] == 's')
			return true;
	return false;
}

int memory_map_open_ram(pid_t pid, int *fd, uint64_t *size)
{
	cleanup(close_directory) DIR *directory = NULL;
	char path[64], best[sizeof(path) + 256] = "";
	struct dirent *entry;
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	if (!directory)
		return -errno;
	*size = 0;
	while ((entry = readdir(directory))) {
		if (fstatat(dirfd(directory), entry->d_name, &status, 0) ||
		    !S_ISREG(status.st_mode) || status.st_nlink ||
		    (uint64_t)status.st_size <= *size || !is_mapped_shared(pid, status.st_ino))
			continue;
		*size = (uint64_t)status.st_size;
		snprintf(best, sizeof(best), "%s/%s", path, entry->d_name);
	}
	if (!*best)
		return -ENOENT;
	*fd = open(best, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}
