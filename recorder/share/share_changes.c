// SPDX-License-Identifier: BSD-3-Clause
/* What the requests that change something do to the tree. */
#include <errno.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/stat.h>

#include "recorder/share/share_internal.h"

/* A node that is changed. */
static struct tree_node *writable_node(fuse_req_t req, fuse_ino_t number)
{
	if (share_session_of(req)->writable)
		return share_node(req, number);
	share_reply(req, -EROFS);
	return NULL;
}

static void set_owner(struct tree_attr *to, const struct stat *attr, int set)
{
	if (set & FUSE_SET_ATTR_MODE)
		to->mode = (to->mode & S_IFMT) | (attr->st_mode & 07777);
	if (set & FUSE_SET_ATTR_UID)
		to->uid = attr->st_uid;
	if (set & FUSE_SET_ATTR_GID)
		to->gid = attr->st_gid;
}

static void set_times(struct tree_attr *to, const struct stat *attr, int set,
		      const struct timespec *now)
{
	if (set & FUSE_SET_ATTR_ATIME)
		to->atime = set & FUSE_SET_ATTR_ATIME_NOW ? *now : attr->st_atim;
	if (set & FUSE_SET_ATTR_MTIME)
		to->mtime = set & FUSE_SET_ATTR_MTIME_NOW ? *now : attr->st_mtim;
	to->ctime = set & FUSE_SET_ATTR_CTIME ? attr->st_ctim : *now;
}

void share_setattr(fuse_req_t req, fuse_ino_t number, struct stat *attr, int set,
		   struct fuse_file_info *file)
{
	struct share_session *session = share_session_of(req);
	struct tree_node *node = writable_node(req, number);
	struct tree_attr changed;
	int err = 0;

	(void)file;
	if (!node)
		return;
	if (set & FUSE_SET_ATTR_SIZE)
		err = tree_resize(session->tree, node, (uint64_t)attr->st_size);
	if (err) {
		share_reply(req, err);
		return;
	}
	changed = node->attr;
	set_owner(&changed, attr, set);
	set_times(&changed, attr, set, &session->now);
	err = tree_set_attr(session->tree, node, &changed);
	if (err)
		share_reply(req, err);
	else
		share_reply_attr(req, node);
}

static void add(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device,
		const char *target)
{
	struct share_session *session = share_session_of(req);
	struct tree_node *directory = writable_node(req, parent), *node;
	struct tree_attr attr = { .mode = mode,
				  .device = (uint32_t)device,
				  .atime = session->now,
				  .mtime = session->now,
				  .ctime = session->now };
	int err;

	/* The request is gone. */
	if (!directory)
		return;
	attr.uid = fuse_req_ctx(req)->uid;
	attr.gid = fuse_req_ctx(req)->gid;
	if (directory->attr.mode & S_ISGID) {
		attr.gid = directory->attr.gid;
		attr.mode |= S_ISDIR(mode) ? S_ISGID : 0;
	}
	err = tree_add(session->tree, directory, name, &attr, target, &node);
	if (err)
		share_reply(req, err);
	else
		share_reply_entry(req, node);
}

void share_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	if (S_ISDIR(mode) || S_ISLNK(mode))
		share_reply(req, -EINVAL);
	else
		add(req, parent, name, mode, S_ISCHR(mode) || S_ISBLK(mode) ? device : 0, NULL);
}

void share_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	add(req, parent, name, S_IFDIR | (mode & 07777), 0, NULL);
}

void share_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	add(req, parent, name, S_IFLNK | 0777, 0, target);
}

void share_link(fuse_req_t req, fuse_ino_t number, fuse_ino_t parent, const char *name)
{
	struct tree_node *node = writable_node(req, number), *directory;
	int err;

	directory = node ? share_node(req, parent) : NULL;
	if (!directory)
		return;
	err = tree_add_link(share_session_of(req)->tree, directory, name, node);
	if (err)
		share_reply(req, err);
	else
		share_reply_entry(req, node);
}

static void remove_name(fuse_req_t req, fuse_ino_t parent, const char *name, bool is_directory)
{
	struct tree *tree = share_session_of(req)->tree;
	struct tree_node *directory = writable_node(req, parent), *node;
	int err;

	if (!directory)
		return;
	err = tree_find(tree, directory, name, &node);
	if (!err && !S_ISDIR(node->attr.mode) == is_directory)
		err = is_directory ? -ENOTDIR : -EISDIR;
	if (!err)
		err = tree_remove(tree, directory, name);
	share_reply(req, err);
}

void share_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_name(req, parent, name, false);
}

void share_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_name(req, parent, name, true);
}

/* What overlayfs leaves where a name was. */
static int add_whiteout(struct share_session *session, struct tree_node *directory,
			const char *name)
{
	const struct tree_attr attr = {
		.mode = S_IFCHR, .atime = session->now, .mtime = session->now, .ctime = session->now
	};
	struct tree_node *node;

	return tree_add(session->tree, directory, name, &attr, NULL, &node);
}

void share_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		  const char *new_name, unsigned int flags)
{
	struct share_session *session = share_session_of(req);
	struct tree_node *from = writable_node(req, parent), *to;
	enum tree_rename how = flags & RENAME_EXCHANGE	  ? TREE_EXCHANGE
			       : flags & RENAME_NOREPLACE ? TREE_NOREPLACE
							  : TREE_REPLACE;
	int err;

	to = from ? share_node(req, new_parent) : NULL;
	if (!to)
		return;
	if (flags & ~(unsigned int)(RENAME_EXCHANGE | RENAME_NOREPLACE | RENAME_WHITEOUT) ||
	    (flags & RENAME_EXCHANGE && flags != RENAME_EXCHANGE)) {
		share_reply(req, -EINVAL);
		return;
	}
	err = tree_rename(session->tree, from, name, to, new_name, how);
	if (!err && flags & RENAME_WHITEOUT)
		err = add_whiteout(session, from, name);
	share_reply(req, err);
}

void share_write(fuse_req_t req, fuse_ino_t number, const char *data, size_t size, off_t offset,
		 struct fuse_file_info *file)
{
	struct tree_node *node = writable_node(req, number);
	int err;

	(void)file;
	if (!node)
		return;
	err = tree_write(share_session_of(req)->tree, node, (uint64_t)offset, data, size);
	if (err)
		share_reply(req, err);
	else
		fuse_reply_write(req, size);
}

static int allocate(struct tree *tree, struct tree_node *node, int mode, uint64_t offset,
		    uint64_t size)
{
	const bool zero = mode & (FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE);
	uint64_t end;
	int err = 0;

	if (!S_ISREG(node->attr.mode))
		return -ENODEV;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (__builtin_add_overflow(offset, size, &end) || end > TREE_FILE_MAX)
		return -EFBIG;
	if (zero)
		err = tree_zero(tree, node, offset, size);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > node->attr.size)
		err = tree_resize(tree, node, end);
	return err;
}

void share_fallocate(fuse_req_t req, fuse_ino_t number, int mode, off_t offset, off_t length,
		     struct fuse_file_info *file)
{
	struct tree_node *node = writable_node(req, number);

	(void)file;
	if (node)
		share_reply(req, allocate(share_session_of(req)->tree, node, mode, (uint64_t)offset,
					  (uint64_t)length));
}
