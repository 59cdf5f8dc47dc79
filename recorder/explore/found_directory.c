// SPDX-License-Identifier: BSD-3-Clause
/* The directory of a kind of failure, as a whole: files, no directories in it. */
#include "recorder/explore/found_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "format/base/transfer.h"

int found_directory_remove(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory)))
		unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
	return rmdir(path) ? -errno : 0;
}

int found_directory_keep(const char *part, const char *whole)
{
	int err = found_directory_remove(whole);

	if (!err && rename(part, whole))
		err = -errno;
	return err;
}

static int copy_content(int from, int to)
{
	char data[65536];
	ssize_t got;
	int err = 0;

	while (!err && (got = read(from, data, sizeof(data))) > 0)
		err = transfer_all(data, (size_t)got, write(to, place, left));
	return err ? err : got < 0 ? -errno : 0;
}

/* Entries that are not files, such as "..", are left out. */
static int copy_file(int from, int to, const char *name)
{
	auto_fd in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	auto_fd out = -1;
	struct stat status;

	if (in < 0 || fstat(in, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return 0;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return out < 0 ? -errno : copy_content(in, out);
}

int found_directory_copy(const char *from, const char *to)
{
	DIR *directory = opendir(from);
	const struct dirent *entry;
	auto_fd target = -1;
	int err = 0;

	if (!directory)
		return -errno;
	if (mkdir(to, 0777))
		err = -errno;
	if (!err)
		target = open(to, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!err && target < 0)
		err = -errno;
	while (!err && (entry = readdir(directory)))
		if (entry->d_type != DT_DIR)
			err = copy_file(dirfd(directory), target, entry->d_name);
	closedir(directory);
	return err;
}
