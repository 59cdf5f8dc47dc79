// SPDX-License-Identifier: BSD-3-Clause
/* Writes the files of a guest below a directory of ours. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "kernel/image/image.h"

static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t put = write(fd, data + done, size - done);

		if (put < 0)
			return -errno;
		done += (size_t)put;
	}
	return 0;
}

int image_file_write(const struct image_file *file, const char *root)
{
	const mode_t mode = file->mode & 0111 ? 0555 : 0444;
	char path[PATH_MAX];
	auto_fd fd = -1;
	int err;

	/* Paths may come from a trace: they stay below the root, whatever they say. */
	if (strstr(file->path, ".."))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", root, file->path);
	err = make_parents(path);
	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return fd < 0 ? -errno : write_all(fd, file->data, file->size);
}
