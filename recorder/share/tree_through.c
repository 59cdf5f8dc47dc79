// SPDX-License-Identifier: BSD-3-Clause
/*
 * Changes of a tree that go to the host's directory: each is made there first, and what the host
 * refuses is refused. Owners are those of tree_host.c: root is the user.
 *
 * A node knows one path. When it loses that name, it gets another of its names that is known; if
 * there is none, its content is copied as far as the guest still has it, and it has no path.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "recorder/share/tree_host_internal.h"

/* What this machine lacks is not the guest's; the rest it may know. */
static int last_error(void)
{
	return errno == EMFILE || errno == ENFILE ? -ENOMEM : -errno;
}

static int open_node(const struct tree *tree, const struct tree_node *node)
{
	int fd;

	if (!node->path)
		return -ENOENT;
	fd = tree_host_open_beneath(tree->host, node->path, O_PATH);
	return fd == -EMFILE || fd == -ENFILE ? -ENOMEM : fd;
}

static uid_t host_uid(const struct tree_host *host, uint32_t uid)
{
	return uid ? uid : host->uid;
}

static gid_t host_gid(const struct tree_host *host, uint32_t gid)
{
	return gid ? gid : host->gid;
}

/* ---- Attributes ----------------------------------------------------------------------------- */

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* What the guest reads later must not count as a change from outside. */
static void know_file(struct tree_node *node, int fd)
{
	struct stat status;

	if (!node->content || fstat(fd, &status))
		return;
	node->content->host_size = (uint64_t)status.st_size;
	node->content->host_mtime = status.st_mtim;
}

static int set_owner(const struct tree_host *host, int fd, const struct tree_attr *was,
		     const struct tree_attr *attr)
{
	if (was->uid == attr->uid && was->gid == attr->gid)
		return 0;
	return fchownat(fd, "", host_uid(host, attr->uid), host_gid(host, attr->gid),
			AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)
		       ? last_error()
		       : 0;
}

/* By a path that names the open file itself: neither call takes a descriptor of this kind. */
static int set_mode_and_times(int fd, const struct tree_attr *was, const struct tree_attr *attr)
{
	const struct timespec times[2] = { attr->atime, attr->mtime };
	char path[64];

	if (S_ISLNK(attr->mode))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (was->mode != attr->mode && chmod(path, attr->mode & 07777))
		return last_error();
	if (is_same_time(&was->atime, &attr->atime) && is_same_time(&was->mtime, &attr->mtime))
		return 0;
	return utimensat(AT_FDCWD, path, times, 0) ? last_error() : 0;
}

int tree_through_set_attr(struct tree *tree, struct tree_node *node, const struct tree_attr *attr)
{
	auto_fd fd = -1;
	int err;

	if (!node->path)
		return 0;
	fd = open_node(tree, node);
	if (fd < 0)
		return fd;
	err = set_owner(tree->host, fd, &node->attr, attr);
	if (!err)
		err = set_mode_and_times(fd, &node->attr, attr);
	know_file(node, fd);
	return err;
}

/* ---- Content -------------------------------------------------------------------------------- */

static int write_all(int fd, uint64_t offset, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t done = pwrite(fd, data, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return last_error();
		data += done;
		offset += (uint64_t)done;
		size -= (size_t)done;
	}
	return 0;
}

static int reach_size(struct tree_node *node, uint64_t size)
{
	struct tree_content *content = tree_content_of(node);

	if (!content)
		return -ENOMEM;
	content->base_size = size;
	node->attr.size = size;
	return 0;
}

int tree_through_write(struct tree *tree, struct tree_node *node, uint64_t offset, const void *data,
		       size_t size)
{
	uint64_t end = offset + size;
	int fd, err = tree_host_open_file(tree->host, node, &fd);

	if (!err)
		err = write_all(fd, offset, data, size);
	if (!err)
		err = reach_size(node, end > node->attr.size ? end : node->attr.size);
	if (!err)
		know_file(node, fd);
	return err;
}

int tree_through_resize(struct tree *tree, struct tree_node *node, uint64_t size)
{
	int fd, err = tree_host_open_file(tree->host, node, &fd);

	if (!err && ftruncate(fd, (off_t)size))
		err = last_error();
	if (!err)
		err = reach_size(node, size);
	if (!err)
		know_file(node, fd);
	return err;
}

/* ---- Names ---------------------------------------------------------------------------------- */

static dev_t host_device(uint32_t device)
{
	return makedev((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
}

static int create(int fd, const char *name, const struct tree_attr *attr, const char *target)
{
	const mode_t mode = attr->mode & 07777;

	if (S_ISDIR(attr->mode))
		return mkdirat(fd, name, mode);
	if (S_ISLNK(attr->mode))
		return symlinkat(target, fd, name);
	return mknodat(fd, name, (attr->mode & S_IFMT) | mode, host_device(attr->device));
}

/* What the user's mask took away, and an owner that is not the user: the latter if he may. */
static int complete(const struct tree_host *host, int directory, const char *name,
		    const struct tree_attr *attr)
{
	if (attr->uid || attr->gid)
		(void)!fchownat(directory, name, host_uid(host, attr->uid),
				host_gid(host, attr->gid), AT_SYMLINK_NOFOLLOW);
	if (S_ISLNK(attr->mode))
		return 0;
	return fchmodat(directory, name, attr->mode & 07777, 0) ? last_error() : 0;
}

int tree_through_add(struct tree *tree, struct tree_node *directory, const char *name,
		     const struct tree_attr *attr, const char *target, struct tree_path **path)
{
	auto_fd fd = open_node(tree, directory);
	int err;

	if (fd < 0)
		return fd;
	if (create(fd, name, attr, target))
		return last_error();
	err = complete(tree->host, fd, name, attr);
	if (err)
		return err;
	*path = tree_path_create(tree, directory->path, name);
	return *path ? 0 : -ENOMEM;
}

int tree_through_add_link(struct tree *tree, struct tree_node *directory, const char *name,
			  const struct tree_node *node)
{
	auto_fd fd = open_node(tree, directory);
	char path[PATH_MAX];
	int err;

	if (fd < 0)
		return fd;
	if (!node->path)
		return -ENOENT;
	err = tree_host_path(node->path, path);
	if (err)
		return err;
	return linkat(tree->host->fd, path, fd, name, 0) ? last_error() : 0;
}

static bool is_at(const struct tree_node *node, const struct tree_node *directory, const char *name)
{
	return node->path && node->path->up == directory->path && !strcmp(node->path->name, name);
}

/* Before @node loses a name: what it contains must still be read after that. */
static void keep_open(struct tree *tree, struct tree_node *node)
{
	int fd;

	if (S_ISREG(node->attr.mode) && node->path && node->content)
		(void)!tree_host_open_file(tree->host, node, &fd);
}

/* After that; it cannot be undone, so only lack of memory is an error. */
static int leave_name(struct tree *tree, struct tree_node *directory, const char *name,
		      struct tree_node *node)
{
	struct tree_node *other;
	const char *other_name;
	int err = 0;

	if (!is_at(node, directory, name) || S_ISDIR(node->attr.mode))
		return 0;
	if (tree_find_other_name(tree, node, directory, name, &other, &other_name)) {
		struct tree_path *path = tree_path_create(tree, other->path, other_name);

		node->path = path ? path : node->path;
		return path ? 0 : -ENOMEM;
	}
	if (node->users || node->links > 1)
		err = tree_content_detach(tree, node);
	tree_host_forget(tree->host, node);
	node->path = NULL;
	return err == -ENOMEM ? err : 0;
}

int tree_through_remove(struct tree *tree, struct tree_node *directory, const char *name,
			struct tree_node *node)
{
	auto_fd fd = open_node(tree, directory);

	if (fd < 0)
		return fd;
	keep_open(tree, node);
	if (unlinkat(fd, name, S_ISDIR(node->attr.mode) ? AT_REMOVEDIR : 0))
		return last_error();
	return leave_name(tree, directory, name, node);
}

/* @node, which was at @from, is at @to. */
static int move_path(struct tree_node *node, const struct tree_node *from, const char *name,
		     const struct tree_node *to, const char *new_name)
{
	char *copy;

	if (!is_at(node, from, name))
		return 0;
	copy = strdup(new_name);
	if (!copy)
		return -ENOMEM;
	free(node->path->name);
	node->path->name = copy;
	node->path->up = to->path;
	return 0;
}

int tree_through_rename(struct tree *tree, struct tree_node *from, const char *name,
			struct tree_node *node, struct tree_node *to, const char *new_name,
			struct tree_node *replaced, enum tree_rename how)
{
	const unsigned int flags = how == TREE_EXCHANGE	   ? RENAME_EXCHANGE
				   : how == TREE_NOREPLACE ? RENAME_NOREPLACE
							   : 0;
	auto_fd from_fd = open_node(tree, from), to_fd = open_node(tree, to);
	int err = 0;

	if (from_fd < 0 || to_fd < 0)
		return from_fd < 0 ? from_fd : to_fd;
	if (replaced)
		keep_open(tree, replaced);
	if (renameat2(from_fd, name, to_fd, new_name, flags))
		return last_error();
	if (how == TREE_EXCHANGE)
		err = move_path(replaced, to, new_name, from, name);
	else if (replaced)
		err = leave_name(tree, to, new_name, replaced);
	return err ? err : move_path(node, from, name, to, new_name);
}
