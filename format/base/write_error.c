// SPDX-License-Identifier: BSD-3-Clause
/* Output: messages for a full file system and for standard output, and files not to overwrite. */
#include "format/base/write_error.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "format/base/units.h"

/* Cut the last component off @path, an absolute one; false: it is the root. */
static bool cut_component(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || !path[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

/* The regular file @path, or the directory that it was to be made in, as an absolute path. */
static bool find_place(const char *path, char place[PATH_MAX])
{
	struct stat status;
	char copy[PATH_MAX];

	if (realpath(path, place))
		return !stat(place, &status) && S_ISREG(status.st_mode) && cut_component(place);
	if (snprintf(copy, sizeof(copy), "./%s", path) >= (int)sizeof(copy))
		return false;
	*strrchr(copy, '/') = '\0';
	return realpath(*path == '/' ? copy + 2 : copy, place);
}

/* @place becomes the directory that its file system is mounted at. */
static void find_mount(char place[PATH_MAX])
{
	struct stat inner, outer;
	char parent[PATH_MAX];

	for (;;) {
		strcpy(parent, place);
		if (!cut_component(parent) || stat(place, &inner) || stat(parent, &outer) ||
		    inner.st_dev != outer.st_dev)
			return;
		strcpy(place, parent);
	}
}

const char *write_error_text(const char *path, int error, char text[WRITE_ERROR_TEXT])
{
	char place[PATH_MAX], left[UNITS_TEXT], size[UNITS_TEXT];
	struct statvfs disk;

	snprintf(text, WRITE_ERROR_TEXT, "%s", strerror(-error));
	if ((error != -ENOSPC && error != -EDQUOT) || !find_place(path, place) ||
	    statvfs(place, &disk))
		return text;
	find_mount(place);
	snprintf(text, WRITE_ERROR_TEXT, "%s: %s of %s are left on the file system at %.300s",
		 strerror(-error), size_text(disk.f_bavail * disk.f_frsize, left),
		 size_text(disk.f_blocks * disk.f_frsize, size), place);
	return text;
}

/* The state of this process's output, as standard output is one. */
static atomic_int left_out;

void output_incomplete(int error)
{
	if (error)
		atomic_store(&left_out, error);
}

char *output_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		output_incomplete(-ENOMEM);
	return copy;
}

FILE *output_buffer_open(char **text, size_t *size)
{
	FILE *buffer = open_memstream(text, size);

	if (!buffer)
		output_incomplete(-ENOMEM);
	return buffer;
}

void output_buffer_close(FILE *buffer)
{
	bool failed = ferror(buffer);

	if (fclose(buffer) || failed)
		output_incomplete(-ENOMEM);
}

int output_finish(struct diagnosis *why)
{
	char text[WRITE_ERROR_TEXT];
	int failed = ferror(stdout), error = atomic_load(&left_out);

	errno = 0;
	if (!fflush(stdout) && !failed)
		return error ? diagnose(why, EXIT_CANNOT, -EIO, diagnosis_shortage(error),
					"the output is not complete: %s", strerror(-error))
			     : 0;
	/* Another write is needed to find the reason of an earlier failure. */
	if (!errno && write(STDOUT_FILENO, "\n", 1) >= 0)
		errno = 0;
	return diagnose(why, EXIT_CANNOT, -EIO, "free disk space, or write elsewhere",
			"cannot write the output%s%s", errno ? ": " : "",
			errno ? write_error_text("/proc/self/fd/1", -errno, text) : "");
}

int output_status(int status, const char *command)
{
	struct diagnosis why = { 0 };
	int failed = 0;

	/* A command that stopped because its reader has gone has reported it. */
	if (output_finish(&why) && !(status && errno == EPIPE))
		failed = diagnosis_print(&why, command);
	return status ? status : failed;
}

bool is_same_file(const char *one, const char *other)
{
	struct stat a, b;

	if (stat(one, &a) || stat(other, &b))
		return !strcmp(one, other);
	return S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int refuse_overwriting(const char *input, const char *output, const char *option,
		       struct diagnosis *why)
{
	if (!output || !is_same_file(input, output))
		return 0;
	return diagnose(why, EXIT_USAGE, -EEXIST, "give another file",
			"%s: cannot overwrite %s, the trace being read", option, output);
}
