/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tree of files in memory, which a guest sees as the file system of a share.
 *
 * Nodes are inodes: a file with several names is one node. Directories of the host are read when
 * they are first used (tree_host.h); from then on the tree is what counts, whatever happens there.
 * The content of a file is a base that is only read (a file of the host, a range of an archive, or
 * nothing) and the blocks that were written since, in memory. So everything that a guest changes,
 * owners, device nodes, renames and links included, is a change of the tree and needs no privilege.
 *
 * Nothing that a guest can see depends on the host: entries are sorted by name, and those that are
 * added later follow; numbers are given in order of first use.
 *
 * To fill one: tree_create(); tree_add() for each file, with tree_add_link() for a further name of
 * one and tree_set_range() for its content; then tree_set_time(), so that changes are dated.
 *
 * Functions return 0 or -errno, as the guest gets it, except -ENOMEM, which this machine is to
 * blame for.
 */
#ifndef TTREC_TREE_H
#define TTREC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct tree;
struct tree_content;
struct tree_directory;
struct tree_path;

#define TREE_NAME_MAX 255u  /* bytes of a name */
#define TREE_LINK_MAX 4095u /* bytes of the target of a symbolic link */
#define TREE_FILE_MAX INT64_MAX

struct tree_attr {
	uint32_t mode; /* type and permissions, as in stat(2) */
	uint32_t uid, gid;
	uint32_t device; /* of a device node: major and minor as Linux encodes them (new_encode_dev)
			  */
	uint64_t size;	 /* of a file or a symbolic link; of others 0 */
	struct timespec atime, mtime, ctime;
};

/* Read by others, changed by the functions below. */
struct tree_node {
	struct tree_attr attr;
	uint64_t number;	/* from 1, which is the root; 0: none yet, see tree_number() */
	uint32_t links;		/* names; of a directory 1 */
	uint64_t users;		/* what the guest holds: see tree_hold() */
	bool kept;		/* other names of it may be found later: it is not freed */
	bool reported;		/* that the file of the host has changed or cannot be read */
	struct tree_path *path; /* where it is on the host; NULL: nowhere */
	struct tree_directory *directory; /* NULL: not a directory, or not read yet */
	struct tree_content *content;	  /* of a file; NULL: empty, or zeros */
	char *target;			  /* of a symbolic link */
	struct tree_node *parent;	  /* of a directory; of the root: itself */
	struct tree_node *next, **link;	  /* all nodes of the tree */
};

struct tree_entry {
	struct tree_node *node;
	uint64_t position; /* in its directory, from 1; later entries have greater ones */
	char name[];
};

/* A tree with an empty root directory that has @root. */
int tree_create(const struct tree_attr *root, struct tree **tree);
void tree_destroy(struct tree *tree);
struct tree_node *tree_root(struct tree *tree);

/* The date of later changes, which also goes into the directories changed; NULL: none (at first).
 */
void tree_set_time(struct tree *tree, const struct timespec *now);

/* ---- Names ---------------------------------------------------------------------------------- */

/* -ENOENT; -ENOTDIR when @directory is not one; or what reading the directory says. */
int tree_find(struct tree *tree, struct tree_node *directory, const char *name,
	      struct tree_node **node);

/* The first entry after @position (0: of all); NULL with 0 at the end. */
int tree_next(struct tree *tree, struct tree_node *directory, uint64_t position,
	      const struct tree_entry **entry);

/*
 * A new node with @name. @target: of a symbolic link, whose size follows from it; else NULL. The
 * size of a file is without content, so it is zeros. -EEXIST, -ENAMETOOLONG, -EINVAL for what
 * cannot be a name or a type.
 */
int tree_add(struct tree *tree, struct tree_node *directory, const char *name,
	     const struct tree_attr *attr, const char *target, struct tree_node **node);

/* One more name of @node, which is not a directory. */
int tree_add_link(struct tree *tree, struct tree_node *directory, const char *name,
		  struct tree_node *node);

/* Remove a name; the node remains as long as it has users. A directory must be empty. */
int tree_remove(struct tree *tree, struct tree_node *directory, const char *name);

enum tree_rename {
	TREE_REPLACE,	/* what has the new name, as rename(2) does */
	TREE_NOREPLACE, /* -EEXIST */
	TREE_EXCHANGE,	/* both */
};
int tree_rename(struct tree *tree, struct tree_node *from, const char *name, struct tree_node *to,
		const char *new_name, enum tree_rename how);

/* ---- Numbers -------------------------------------------------------------------------------- */

/* Give it a number, if it has none. */
int tree_number(struct tree *tree, struct tree_node *node);
/* NULL: no such node. */
struct tree_node *tree_numbered(struct tree *tree, uint64_t number);

/*
 * The guest holds a node by its number until it forgets it as often as it was given it. One without
 * names is freed then.
 */
void tree_hold(struct tree_node *node);
void tree_forget(struct tree *tree, struct tree_node *node, uint64_t count);
/* It holds nothing any more. */
void tree_forget_all(struct tree *tree);

/* Owner, permissions and times. */
int tree_set_attr(struct tree *tree, struct tree_node *node, const struct tree_attr *attr);

/* ---- Content of files ----------------------------------------------------------------------- */

/*
 * The content of @node, which has none yet: @size bytes at @offset of the archive, which becomes
 * the size of the file.
 */
int tree_set_range(struct tree *tree, struct tree_node *node, uint64_t offset, uint64_t size);
/* The file in which ranges are; it becomes the tree's. */
void tree_set_archive(struct tree *tree, int fd);

/* The number of bytes read, which is less than @size only at the end of the file, or -errno. */
ssize_t tree_read(struct tree *tree, struct tree_node *node, uint64_t offset, void *data,
		  size_t size);
/* 0 or -errno: -EFBIG; -ENOSPC when the guest has written too much. */
int tree_write(struct tree *tree, struct tree_node *node, uint64_t offset, const void *data,
	       size_t size);
int tree_resize(struct tree *tree, struct tree_node *node, uint64_t size);
/* Zeros, within its size. */
int tree_zero(struct tree *tree, struct tree_node *node, uint64_t offset, uint64_t size);

#endif
