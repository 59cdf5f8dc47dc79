// SPDX-License-Identifier: BSD-3-Clause
/* Files of the host: where they are, and what is in them. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "recorder/share/tree_host_internal.h"

/* ---- Paths ---------------------------------------------------------------------------------- */

int tree_host_path(const struct tree_path *path, char text[PATH_MAX])
{
	size_t at = PATH_MAX - 1;

	text[at] = 0;
	for (; path->up; path = path->up) {
		size_t size = strlen(path->name);

		if (size + 1 > at)
			return -ENAMETOOLONG;
		if (text[at])
			text[--at] = '/';
		at -= size;
		memcpy(text + at, path->name, size);
	}
	if (!text[at])
		text[--at] = '.';
	memmove(text, text + at, PATH_MAX - at);
	return 0;
}

void tree_host_report(const struct tree_host *host, struct tree_node *node, const char *what)
{
	char text[PATH_MAX];

	if (host->report && !node->reported && !tree_host_path(node->path, text))
		host->report(host->user, text, what);
	node->reported = true;
}

int tree_host_open_beneath(const struct tree_host *host, const struct tree_path *path, int flags)
{
	/* A pipe must not keep us waiting; with O_PATH nothing does, and openat2(2) refuses both.
	 */
	const int wait = flags & O_PATH ? 0 : O_NONBLOCK;
	const struct open_how how = { .flags = (uint64_t)(flags | wait | O_CLOEXEC | O_NOFOLLOW),
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	char text[PATH_MAX];
	long fd;
	int err = tree_host_path(path, text);

	if (err)
		return err;
	fd = syscall(SYS_openat2, host->fd, text, &how, sizeof(how));
	/* Linux before 5.6, or a container's filter. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(host->fd, text, (int)how.flags);
	return fd < 0 ? -errno : (int)fd;
}

int tree_host_error(int err)
{
	switch (err) {
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
		return -ENOMEM;
	case -EACCES:
	case -EPERM:
		return -EACCES;
	default:
		return -EIO;
	}
}

/* ---- Files ---------------------------------------------------------------------------------- */

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static void check_change(const struct tree_host *host, struct tree_node *node, int fd)
{
	const struct tree_content *content = node->content;
	struct stat status;

	if (node->reported || fstat(fd, &status))
		return;
	if ((uint64_t)status.st_size != content->host_size ||
	    !is_same_time(&status.st_mtim, &content->host_mtime))
		tree_host_report(host, node, "was changed while it was used");
}

/* The file that was not used for the longest time makes room. */
static struct open_file *find_open(struct tree_host *host, const struct tree_node *node)
{
	struct open_file *oldest = host->file;

	for (struct open_file *file = host->file; file < host->file + OPEN_MAX_FILES; file++) {
		if (file->node == node)
			return file;
		if (file->used < oldest->used)
			oldest = file;
	}
	return oldest;
}

static void close_file_of(struct open_file *file)
{
	close_fd(&file->fd);
	*file = (struct open_file){ .fd = -1 };
}

int tree_host_open_file(struct tree_host *host, struct tree_node *node, int *fd)
{
	struct open_file *file = find_open(host, node);

	if (file->node != node) {
		int opened = -EACCES;

		if (host->writes)
			opened = tree_host_open_beneath(host, node->path, O_RDWR);
		if (opened < 0)
			opened = tree_host_open_beneath(host, node->path, O_RDONLY);
		if (opened < 0)
			return opened;
		close_file_of(file);
		*file = (struct open_file){ .node = node, .fd = opened };
	}
	file->used = ++host->reads;
	*fd = file->fd;
	return 0;
}

static int read_all(int fd, uint64_t offset, uint8_t *data, size_t size)
{
	while (size) {
		ssize_t done = pread(fd, data, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		/* It was truncated, which check_change() sees. */
		if (!done) {
			memset(data, 0, size);
			return 0;
		}
		data += done;
		offset += (uint64_t)done;
		size -= (size_t)done;
	}
	return 0;
}

int tree_host_read(struct tree *tree, struct tree_node *node, uint64_t offset, void *data,
		   size_t size)
{
	int fd, err = tree_host_open_file(tree->host, node, &fd);

	if (!err) {
		err = read_all(fd, offset, data, size);
		check_change(tree->host, node, fd);
	}
	if (!err)
		return 0;
	tree_host_report(tree->host, node, "cannot be read");
	return tree_host_error(err);
}

void tree_host_forget(struct tree_host *host, const struct tree_node *node)
{
	struct open_file *file = find_open(host, node);

	if (file->node == node)
		close_file_of(file);
}
