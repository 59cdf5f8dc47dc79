// SPDX-License-Identifier: BSD-3-Clause
/* A directory of the host as the source of a tree. */
#include "recorder/share/tree_host.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "recorder/share/tree_host_internal.h"
#include "format/base/array.h"

/* A file of the host with several names. */
struct inode {
	dev_t dev;
	ino_t ino;
	struct tree_node *node;
};

/* ---- Files with several names ---------------------------------------------------------------- */

static int compare_inodes(const void *a, const void *b)
{
	const struct inode *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static struct inode *find_inode(struct tree_host *host, const struct stat *status)
{
	const struct inode key = { status->st_dev, status->st_ino, NULL };
	struct inode **found = tfind(&key, &host->inodes, compare_inodes);

	return found ? *found : NULL;
}

static int add_inode(struct tree_host *host, const struct stat *status, struct tree_node *node)
{
	struct inode *inode = find_inode(host, status);

	if (inode) {
		inode->node = node;
		return 0;
	}
	inode = malloc(sizeof(*inode));
	if (!inode)
		return -ENOMEM;
	*inode = (struct inode){ status->st_dev, status->st_ino, node };
	if (tsearch(inode, &host->inodes, compare_inodes))
		return 0;
	free(inode);
	return -ENOMEM;
}

/* ---- Nodes ---------------------------------------------------------------------------------- */

static struct tree_attr attr_of(const struct tree_host *host, const struct stat *status)
{
	return (struct tree_attr){
		.mode = status->st_mode,
		.uid = status->st_uid == host->uid ? 0 : status->st_uid,
		.gid = status->st_gid == host->gid ? 0 : status->st_gid,
		.device = (minor(status->st_rdev) & 0xff) | major(status->st_rdev) << 8 |
			  (minor(status->st_rdev) & ~0xffu) << 12,
		.size = (uint64_t)status->st_size,
		.atime = status->st_mtim,
		.mtime = status->st_mtim,
		.ctime = status->st_mtim,
	};
}

static int fill_content(struct tree_node *node, const struct stat *status)
{
	node->content = calloc(1, sizeof(*node->content));
	if (!node->content)
		return -ENOMEM;
	node->content->base_size = node->content->host_size = (uint64_t)status->st_size;
	node->content->host_mtime = status->st_mtim;
	return 0;
}

static int fill_target(struct tree_node *node, int directory, const char *name)
{
	char target[TREE_LINK_MAX + 1];
	ssize_t size = readlinkat(directory, name, target, sizeof(target) - 1);

	if (size < 0)
		return tree_host_error(-errno);
	target[size] = 0;
	node->target = strdup(target);
	node->attr.size = (uint64_t)size;
	return node->target ? 0 : -ENOMEM;
}

static int fill_node(struct tree *tree, struct tree_node *node, struct tree_node *parent,
		     int directory, const char *name, const struct stat *status)
{
	node->path = tree_path_create(tree, parent->path, name);
	if (!node->path)
		return -ENOMEM;
	if (S_ISDIR(status->st_mode))
		node->parent = parent;
	else
		node->links = status->st_nlink ? (uint32_t)status->st_nlink : 1;
	if (S_ISREG(status->st_mode) && status->st_size)
		return fill_content(node, status);
	if (S_ISLNK(status->st_mode))
		return fill_target(node, directory, name);
	return 0;
}

static int create_node(struct tree *tree, struct tree_node *parent, int directory, const char *name,
		       const struct stat *status, struct tree_node **out)
{
	struct tree_attr attr = attr_of(tree->host, status);
	struct tree_node *node = tree_node_create(tree, &attr);
	int err;

	if (!node)
		return -ENOMEM;
	err = fill_node(tree, node, parent, directory, name, status);
	if (!err && node->links > 1) {
		err = add_inode(tree->host, status, node);
		node->kept = !err;
	}
	if (err) {
		node->links = 0;
		tree_node_release(tree, node);
	}
	*out = node;
	return err;
}

static int add_name(struct tree *tree, struct tree_node *parent, struct tree_directory *directory,
		    int fd, const char *name)
{
	const struct inode *inode = NULL;
	struct tree_node *node;
	struct stat status;
	int err = 0;

	if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW))
		/* It was there a moment ago. */
		return errno == ENOENT ? 0 : tree_host_error(-errno);
	if (!S_ISDIR(status.st_mode) && status.st_nlink > 1)
		inode = find_inode(tree->host, &status);
	/* One that lost the name by which it was known is another file, see tree_through.c. */
	if (inode && inode->node->path)
		node = inode->node;
	else
		err = create_node(tree, parent, fd, name, &status, &node);
	/* A link such as /proc/2/exe, which cannot be read. */
	if (err == -EACCES || err == -EIO) {
		tree_host_report(tree->host, parent, "has a link that cannot be read");
		return 0;
	}
	return err ? err : tree_directory_append(directory, name, node);
}

/* ---- Directories ---------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **name;
	size_t count, space;
};

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
}

static int list_names(DIR *stream, struct names *names)
{
	const struct dirent *entry;

	while (errno = 0, (entry = readdir(stream))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (array_room(names->name, names->space, names->count + 1, 64))
			return -ENOMEM;
		names->name[names->count] = strdup(entry->d_name);
		if (!names->name[names->count++])
			return -ENOMEM;
	}
	return errno ? tree_host_error(-errno) : 0;
}

static int read_names(struct tree *tree, struct tree_node *node, DIR *stream,
		      struct tree_directory *directory)
{
	cleanup(free_names) struct names names = { 0 };
	int err = list_names(stream, &names);

	if (names.count)
		qsort(names.name, names.count, sizeof(*names.name), compare_names);
	for (size_t i = 0; !err && i < names.count; i++)
		/* One that others change meanwhile may list a name twice. */
		if (!i || strcmp(names.name[i - 1], names.name[i]) != 0)
			err = add_name(tree, node, directory, dirfd(stream), names.name[i]);
	return err;
}

static int open_stream(const struct tree_host *host, const struct tree_node *node, DIR **stream)
{
	int fd = tree_host_open_beneath(host, node->path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return tree_host_error(fd);
	*stream = fdopendir(fd);
	if (*stream)
		return 0;
	close(fd);
	return -ENOMEM;
}

int tree_host_read_directory(struct tree *tree, struct tree_node *node)
{
	struct tree_directory *directory;
	DIR *stream = NULL;
	int err = open_stream(tree->host, node, &stream);

	if (err) {
		tree_host_report(tree->host, node, "cannot be read");
		return err;
	}
	directory = calloc(1, sizeof(*directory));
	err = directory ? read_names(tree, node, stream, directory) : -ENOMEM;
	closedir(stream);
	if (err)
		tree_directory_destroy(directory);
	else
		node->directory = directory;
	return err;
}

/* ---- Opening -------------------------------------------------------------------------------- */

static int open_root(const char *path, struct tree_host *host, struct stat *status)
{
	for (size_t i = 0; i < OPEN_MAX_FILES; i++)
		host->file[i].fd = -1;
	host->uid = geteuid();
	host->gid = getegid();
	host->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (host->fd < 0 || fstat(host->fd, status))
		return -errno;
	/* Its entries must be reachable, not only their names. */
	return faccessat(host->fd, ".", R_OK | X_OK, AT_EACCESS) ? -errno : 0;
}

static int create_tree(struct tree_host *host, const struct stat *status, struct tree **tree)
{
	struct tree_attr attr = attr_of(host, status);
	int err = tree_create(&attr, tree);

	if (err)
		return err;
	tree_directory_destroy(take_pointer((*tree)->root->directory));
	(*tree)->root->path = tree_path_create(*tree, NULL, "");
	if (!(*tree)->root->path) {
		tree_destroy(*tree);
		return -ENOMEM;
	}
	(*tree)->host = host;
	return 0;
}

int tree_host_open(const char *path, bool through, struct tree **tree)
{
	struct tree_host *host = calloc(1, sizeof(*host));
	struct stat status;
	int err;

	if (!host)
		return -ENOMEM;
	err = open_root(path, host, &status);
	if (!err)
		err = create_tree(host, &status, tree);
	if (err)
		tree_host_destroy(host);
	else
		(*tree)->through = host->writes = through;
	return err;
}

void tree_host_set_report(struct tree *tree, tree_report *function, void *user)
{
	assert(tree->host);
	tree->host->report = function;
	tree->host->user = user;
}

void tree_host_destroy(struct tree_host *host)
{
	if (!host)
		return;
	for (size_t i = 0; i < OPEN_MAX_FILES; i++)
		close_fd(&host->file[i].fd);
	tdestroy(host->inodes, free);
	close_fd(&host->fd);
	free(host);
}
