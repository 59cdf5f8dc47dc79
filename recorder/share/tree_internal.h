/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of a tree: nodes and numbers (tree.c), names, content, and the host's files. */
#ifndef TTREC_TREE_INTERNAL_H
#define TTREC_TREE_INTERNAL_H

#include "format/base/cleanup.h"
#include "recorder/share/tree.h"

/* What is copied of the base when a part of it is written, and what the places of copies are. */
#define TREE_BLOCK (64u << 10)

/* All that one guest may write to a share, and the files that it may make. */
#define TREE_COPIES_MAX ((64ull << 30) / TREE_BLOCK)
#define TREE_NODES_MAX	(16u << 20)

/* A path on the host: relative to the directory of the share. Stays until the tree is destroyed. */
struct tree_path {
	struct tree_path *up; /* NULL: this is the directory of the share */
	struct tree_path *next;
	char *name;
};

/* The entries in two orders; both have all. */
struct tree_directory {
	struct tree_entry **by_position, **by_name;
	size_t count, position_space, name_space;
	uint64_t positions; /* given so far */
};

struct tree_block {
	uint64_t index; /* in the file */
	uint64_t place; /* in the copies; both in blocks */
};

struct tree_content {
	/* Bytes of the archive, or of the host's file at node->path. */
	bool archived;
	uint64_t base_offset, base_size;
	/* The host's file as it was, to notice a change. */
	uint64_t host_size;
	struct timespec host_mtime;
	/* What was written, by index. */
	struct tree_block *block;
	size_t block_count, block_space;
};

struct tree {
	struct tree_node *root, *nodes;
	uint32_t node_count;
	struct tree_node **numbered; /* by number, from 1 */
	size_t numbered_count;
	struct timespec now;
	bool dated;
	struct tree_path *paths;
	struct tree_host *host; /* NULL: a tree without one */
	bool through;		/* changes go to it, too */
	int archive_fd, copies_fd;
	uint64_t places, free_count; /* of copies: that were ever used; that are free again */
	uint64_t *free_place;
	size_t free_space;
};

/* ---- tree.c --------------------------------------------------------------------------------- */

/* A node without a name. NULL: out of memory. */
struct tree_node *tree_node_create(struct tree *tree, const struct tree_attr *attr);
/* Free it if nothing needs it. */
void tree_node_release(struct tree *tree, struct tree_node *node);
void tree_node_changed(struct tree *tree, struct tree_node *node);
struct tree_path *tree_path_create(struct tree *tree, struct tree_path *up, const char *name);

/* ---- tree_names.c --------------------------------------------------------------------------- */

/* A name for the end of @directory, which was read and does not have it. */
int tree_directory_append(struct tree_directory *directory, const char *name,
			  struct tree_node *node);
void tree_directory_destroy(struct tree_directory *directory);
/* A name of @node other than @name in @directory, in a directory that was read. */
bool tree_find_other_name(const struct tree *tree, const struct tree_node *node,
			  const struct tree_node *directory, const char *name,
			  struct tree_node **other, const char **other_name);

/* ---- tree_content.c ------------------------------------------------------------------------- */

void tree_content_destroy(struct tree *tree, struct tree_content *content);
/* Copy what is left of the base: the file no longer depends on it. */
int tree_content_detach(struct tree *tree, struct tree_node *node);
struct tree_content *tree_content_of(struct tree_node *node);

/* ---- tree_host.c ---------------------------------------------------------------------------- */

/* Read the host's directory at node->path into node->directory. */
int tree_host_read_directory(struct tree *tree, struct tree_node *node);
/* Bytes of the host's file at node->path; fewer than @size only with -errno. */
int tree_host_read(struct tree *tree, struct tree_node *node, uint64_t offset, void *data,
		   size_t size);
void tree_host_destroy(struct tree_host *host);
/* The node is about to be freed. */
void tree_host_forget(struct tree_host *host, const struct tree_node *node);

/* ---- tree_through.c: the same on the host first, where changes go there --------------------- */

/* *@path: where the new node is. */
int tree_through_add(struct tree *tree, struct tree_node *directory, const char *name,
		     const struct tree_attr *attr, const char *target, struct tree_path **path);
int tree_through_add_link(struct tree *tree, struct tree_node *directory, const char *name,
			  const struct tree_node *node);
int tree_through_remove(struct tree *tree, struct tree_node *directory, const char *name,
			struct tree_node *node);
/* @replaced: what has the new name; NULL: nothing. */
int tree_through_rename(struct tree *tree, struct tree_node *from, const char *name,
			struct tree_node *node, struct tree_node *to, const char *new_name,
			struct tree_node *replaced, enum tree_rename how);
int tree_through_write(struct tree *tree, struct tree_node *node, uint64_t offset, const void *data,
		       size_t size);
int tree_through_resize(struct tree *tree, struct tree_node *node, uint64_t size);
int tree_through_set_attr(struct tree *tree, struct tree_node *node, const struct tree_attr *attr);

#endif
