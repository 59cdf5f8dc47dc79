// SPDX-License-Identifier: BSD-3-Clause
/* What each request of a guest does to the tree. */
#include "recorder/share/share_internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Only this guest changes the tree: what the guest knows stays valid. Seconds. */
#define FOREVER 1e9

#define FS_BLOCK  4096u
#define FS_BLOCKS (16ull << 20) /* 64 GiB, which is what tree.c lets a guest write */
#define FS_FILES  (16ull << 20)

/* ---- Common --------------------------------------------------------------------------------- */

void share_reply(fuse_req_t req, int err)
{
	if (err == -ENOMEM)
		share_session_of(req)->failed = err;
	fuse_reply_err(req, -err);
}

struct tree_node *share_node(fuse_req_t req, fuse_ino_t number)
{
	struct tree_node *node = tree_numbered(share_session_of(req)->tree, number);

	if (!node)
		share_reply(req, -ESTALE);
	return node;
}

static struct stat status_of(const struct tree_node *node)
{
	const struct tree_attr *attr = &node->attr;

	return (struct stat){
		.st_ino = node->number,
		.st_mode = attr->mode,
		.st_nlink = node->links,
		.st_uid = attr->uid,
		.st_gid = attr->gid,
		.st_rdev = attr->device,
		.st_size = (off_t)attr->size,
		.st_blksize = FS_BLOCK,
		.st_blocks = (blkcnt_t)((attr->size + 511) / 512),
		.st_atim = attr->atime,
		.st_mtim = attr->mtime,
		.st_ctim = attr->ctime,
	};
}

void share_reply_attr(fuse_req_t req, const struct tree_node *node)
{
	const struct stat status = status_of(node);

	fuse_reply_attr(req, &status, FOREVER);
}

static int make_entry(struct tree *tree, struct tree_node *node, struct fuse_entry_param *entry)
{
	int err = tree_number(tree, node);

	*entry = (struct fuse_entry_param){ .attr_timeout = FOREVER, .entry_timeout = FOREVER };
	if (err)
		return err;
	entry->ino = node->number;
	entry->attr = status_of(node);
	return 0;
}

void share_reply_entry(fuse_req_t req, struct tree_node *node)
{
	struct fuse_entry_param entry;
	int err = make_entry(share_session_of(req)->tree, node, &entry);

	if (err) {
		share_reply(req, err);
		return;
	}
	tree_hold(node);
	fuse_reply_entry(req, &entry);
}

/* ---- The session ---------------------------------------------------------------------------- */

static void do_init(void *user, struct fuse_conn_info *conn)
{
	(void)user;
	conn->want &= conn->capable &
		      (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO |
		       FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
	conn->want |= conn->capable & FUSE_CAP_CACHE_SYMLINKS;
	conn->max_write = SHARE_DATA_MAX;
}

static void do_statfs(fuse_req_t req, fuse_ino_t number)
{
	const bool writable = share_session_of(req)->writable;
	const struct statvfs status = {
		.f_bsize = FS_BLOCK,
		.f_frsize = FS_BLOCK,
		.f_blocks = FS_BLOCKS,
		.f_bfree = writable ? FS_BLOCKS : 0,
		.f_bavail = writable ? FS_BLOCKS : 0,
		.f_files = FS_FILES,
		.f_ffree = writable ? FS_FILES : 0,
		.f_favail = writable ? FS_FILES : 0,
		.f_namemax = TREE_NAME_MAX,
	};

	(void)number;
	fuse_reply_statfs(req, &status);
}

/* ---- Reading -------------------------------------------------------------------------------- */

/* A name that does not exist is remembered by the guest, too. */
static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	static const struct fuse_entry_param none = { .entry_timeout = FOREVER };
	struct tree_node *directory = share_node(req, parent), *node;
	int err;

	if (!directory)
		return;
	err = tree_find(share_session_of(req)->tree, directory, name, &node);
	if (!err)
		share_reply_entry(req, node);
	else if (err == -ENOENT)
		fuse_reply_entry(req, &none);
	else
		share_reply(req, err);
}

static void forget(struct tree *tree, fuse_ino_t number, uint64_t count)
{
	struct tree_node *node = tree_numbered(tree, number);

	if (node)
		tree_forget(tree, node, count);
}

static void do_forget(fuse_req_t req, fuse_ino_t number, uint64_t count)
{
	forget(share_session_of(req)->tree, number, count);
	fuse_reply_none(req);
}

static void do_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(share_session_of(req)->tree, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void do_getattr(fuse_req_t req, fuse_ino_t number, struct fuse_file_info *file)
{
	const struct tree_node *node = share_node(req, number);

	(void)file;
	if (node)
		share_reply_attr(req, node);
}

static void do_readlink(fuse_req_t req, fuse_ino_t number)
{
	const struct tree_node *node = share_node(req, number);

	if (!node)
		return;
	if (S_ISLNK(node->attr.mode))
		fuse_reply_readlink(req, node->target);
	else
		share_reply(req, -EINVAL);
}

static void do_read(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
		    struct fuse_file_info *file)
{
	struct share_session *session = share_session_of(req);
	struct tree_node *node = share_node(req, number);
	uint8_t *data = share_answer_data(session);
	ssize_t done;

	(void)file;
	if (!node)
		return;
	done = tree_read(session->tree, node, (uint64_t)offset, data, size);
	if (done < 0)
		share_reply(req, (int)done);
	else
		fuse_reply_buf(req, (const char *)data, (size_t)done);
}

/* ---- Directories ---------------------------------------------------------------------------- */

/* Positions of the two entries that are in none. */
enum { POSITION_SELF = 1, POSITION_PARENT, POSITION_FIRST };

struct listing {
	fuse_req_t req;
	struct tree *tree;
	struct tree_node *directory;
	char *data;
	size_t size, room;
	bool plus;
};

/* Returns 1, 0 when there is no room, -errno. */
static int list_one(struct listing *list, const char *name, struct tree_node *node,
		    uint64_t position, bool held)
{
	char *to = list->data + list->size;
	size_t room = list->room - list->size, size;
	struct fuse_entry_param entry;
	int err = make_entry(list->tree, node, &entry);

	if (err)
		return err;
	/* The guest does not hold the directory once more because of "." and "..". */
	entry.ino = held ? entry.ino : 0;
	size = list->plus
		       ? fuse_add_direntry_plus(list->req, to, room, name, &entry, (off_t)position)
		       : fuse_add_direntry(list->req, to, room, name, &entry.attr, (off_t)position);
	if (size > room)
		return 0;
	list->size += size;
	if (list->plus && held)
		tree_hold(node);
	return 1;
}

static int list_next(struct listing *list, uint64_t *position)
{
	const struct tree_entry *entry;
	uint64_t after = *position < POSITION_PARENT ? 0 : *position - POSITION_PARENT;
	int err;

	if (*position < POSITION_PARENT) {
		struct tree_node *directory = list->directory;

		++*position;
		return *position == POSITION_SELF
			       ? list_one(list, ".", directory, *position, false)
			       : list_one(list, "..", directory->parent, *position, false);
	}
	err = tree_next(list->tree, list->directory, after, &entry);
	if (err || !entry)
		return err;
	*position = entry->position + POSITION_PARENT;
	return list_one(list, entry->name, entry->node, *position, true);
}

static void list(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset, bool plus)
{
	struct share_session *session = share_session_of(req);
	struct listing list = { .req = req,
				.tree = session->tree,
				.directory = share_node(req, number),
				.data = (char *)share_answer_data(session),
				.room = size,
				.plus = plus };
	uint64_t position = (uint64_t)offset;
	int err;

	if (!list.directory)
		return;
	if (!S_ISDIR(list.directory->attr.mode)) {
		share_reply(req, -ENOTDIR);
		return;
	}
	do
		err = list_next(&list, &position);
	while (err > 0);
	if (err < 0 && !list.size)
		share_reply(req, err);
	else
		fuse_reply_buf(req, list.data, list.size);
}

static void do_readdir(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
		       struct fuse_file_info *file)
{
	(void)file;
	list(req, number, size, offset, false);
}

static void do_readdirplus(fuse_req_t req, fuse_ino_t number, size_t size, off_t offset,
			   struct fuse_file_info *file)
{
	(void)file;
	list(req, number, size, offset, true);
}

const struct fuse_lowlevel_ops share_operations = {
	.init = do_init,
	.statfs = do_statfs,
	.lookup = do_lookup,
	.forget = do_forget,
	.forget_multi = do_forget_multi,
	.getattr = do_getattr,
	.readlink = do_readlink,
	.read = do_read,
	.readdir = do_readdir,
	.readdirplus = do_readdirplus,
	.setattr = share_setattr,
	.mknod = share_mknod,
	.mkdir = share_mkdir,
	.symlink = share_symlink,
	.link = share_link,
	.unlink = share_unlink,
	.rmdir = share_rmdir,
	.rename = share_rename,
	.write = share_write,
	.fallocate = share_fallocate,
};
