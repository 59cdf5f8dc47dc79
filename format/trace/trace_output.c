// SPDX-License-Identifier: BSD-3-Clause
/* A trace that is being written: under another name, until it is whole and wanted. */
#include "format/trace/trace_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "format/tttrace.h"

/* A file of the user's is never overwritten by mistake: only a trace gives way to another. */
static int check_replaceable(const char *path)
{
	struct trace_reader *reader = NULL;
	struct stat status;
	int err;

	if (stat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISREG(status.st_mode))
		return -EEXIST;
	if (access(path, W_OK))
		return -errno;
	if (!status.st_size)
		return 0;
	err = trace_reader_open(path, &reader);
	trace_reader_close(reader);
	/* One of a later version is a trace, too. */
	if (err == -EBADMSG || err == -EPIPE)
		return -EEXIST;
	return err == -EPROTONOSUPPORT ? 0 : err;
}

/* The name that the lock was taken of may stand for another file by then, or for none. */
static bool is_named(int fd, const char *path)
{
	struct stat opened, named;

	return !fstat(fd, &opened) && !stat(path, &named) && opened.st_dev == named.st_dev &&
	       opened.st_ino == named.st_ino;
}

static int lock_part(struct trace_output *output)
{
	do {
		close_fd(&output->lock);
		output->lock = open(output->part, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (output->lock < 0)
			return errno == ELOOP ? -EEXIST : -errno;
		/* Where files cannot be locked, no other writer is excluded. */
		if (flock(output->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
			return -EBUSY;
	} while (!is_named(output->lock, output->part));
	return check_replaceable(output->part);
}

static void release(struct trace_output *output)
{
	close_fd(&output->lock);
	if (output->part != output->path)
		free(output->part);
	free(output->path);
	*output = TRACE_OUTPUT_NONE;
}

static bool is_special(const char *path)
{
	struct stat status;

	return !stat(path, &status) && !S_ISREG(status.st_mode);
}

static int open_part(struct trace_output *output)
{
	int err;

	if (is_special(output->path)) {
		output->part = output->path;
		return 0;
	}
	err = check_replaceable(output->path);
	if (err)
		return err;
	if (asprintf(&output->part, "%s" TRACE_OUTPUT_PART, output->path) < 0) {
		output->part = NULL;
		return -ENOMEM;
	}
	return lock_part(output);
}

int trace_output_open(const char *path, struct trace_output *output)
{
	int err;

	*output = TRACE_OUTPUT_NONE;
	output->path = realpath(path, NULL);
	if (!output->path && errno != ENOENT)
		return -errno;
	if (!output->path)
		output->path = strdup(path);
	err = output->path ? open_part(output) : -ENOMEM;
	if (err)
		release(output);
	return err;
}

int trace_output_keep(struct trace_output *output)
{
	int err = 0;

	if (output->part && output->part != output->path && rename(output->part, output->path))
		err = -errno;
	release(output);
	return err;
}

void trace_output_discard(struct trace_output *output)
{
	if (output->part && output->part != output->path)
		unlink(output->part);
	release(output);
}
