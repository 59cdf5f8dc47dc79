// SPDX-License-Identifier: BSD-3-Clause
/* The nodes of a tree, and the numbers by which a guest knows them. */
#include "recorder/share/tree_internal.h"
#include "format/base/array.h"

#include <assert.h>
#include <sys/stat.h>

/* ---- Nodes ---------------------------------------------------------------------------------- */

struct tree_node *tree_node_create(struct tree *tree, const struct tree_attr *attr)
{
	struct tree_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->attr = *attr;
	if (!S_ISREG(attr->mode))
		node->attr.size = 0;
	node->links = 1;
	node->next = tree->nodes;
	node->link = &tree->nodes;
	if (node->next)
		node->next->link = &node->next;
	tree->nodes = node;
	tree->node_count++;
	return node;
}

static void free_node(struct tree *tree, struct tree_node *node)
{
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
	tree->node_count--;
	if (node->number)
		tree->numbered[node->number - 1] = NULL;
	tree_directory_destroy(node->directory);
	tree_content_destroy(tree, node->content);
	free(node->target);
	free(node);
}

void tree_node_release(struct tree *tree, struct tree_node *node)
{
	if (node->links || node->users || node->kept)
		return;
	if (tree->host)
		tree_host_forget(tree->host, node);
	free_node(tree, node);
}

void tree_node_changed(struct tree *tree, struct tree_node *node)
{
	if (!tree->dated)
		return;
	node->attr.ctime = tree->now;
	if (S_ISDIR(node->attr.mode) || S_ISREG(node->attr.mode))
		node->attr.mtime = tree->now;
}

struct tree_path *tree_path_create(struct tree *tree, struct tree_path *up, const char *name)
{
	struct tree_path *path = malloc(sizeof(*path));

	if (!path)
		return NULL;
	*path = (struct tree_path){ .up = up, .next = tree->paths, .name = strdup(name) };
	if (!path->name) {
		free(path);
		return NULL;
	}
	tree->paths = path;
	return path;
}

int tree_set_attr(struct tree *tree, struct tree_node *node, const struct tree_attr *attr)
{
	int err = tree->through ? tree_through_set_attr(tree, node, attr) : 0;

	if (!err)
		node->attr = *attr;
	return err;
}

/* ---- Numbers -------------------------------------------------------------------------------- */

int tree_number(struct tree *tree, struct tree_node *node)
{
	if (node->number)
		return 0;
	if (array_push(tree->numbered, tree->numbered_count, node))
		return -ENOMEM;
	node->number = tree->numbered_count;
	return 0;
}

struct tree_node *tree_numbered(struct tree *tree, uint64_t number)
{
	if (!number || number > tree->numbered_count)
		return NULL;
	return tree->numbered[number - 1];
}

void tree_hold(struct tree_node *node)
{
	node->users++;
}

void tree_forget(struct tree *tree, struct tree_node *node, uint64_t count)
{
	node->users = count < node->users ? node->users - count : 0;
	tree_node_release(tree, node);
}

void tree_forget_all(struct tree *tree)
{
	for (struct tree_node *node = tree->nodes, *next; node; node = next) {
		next = node->next;
		tree_forget(tree, node, node->users);
	}
}

/* ---- The tree ------------------------------------------------------------------------------- */

static int create_root(struct tree *tree, const struct tree_attr *attr)
{
	struct tree_node *root = tree_node_create(tree, attr);

	assert(S_ISDIR(attr->mode));
	if (!root)
		return -ENOMEM;
	tree->root = root->parent = root;
	root->directory = calloc(1, sizeof(*root->directory));
	return root->directory ? tree_number(tree, root) : -ENOMEM;
}

int tree_create(const struct tree_attr *root, struct tree **out)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	int err;

	if (!tree)
		return -ENOMEM;
	tree->archive_fd = tree->copies_fd = -1;
	err = create_root(tree, root);
	if (err) {
		tree_destroy(tree);
		return err;
	}
	*out = tree;
	return 0;
}

void tree_destroy(struct tree *tree)
{
	if (!tree)
		return;
	while (tree->nodes)
		free_node(tree, tree->nodes);
	for (struct tree_path *path = tree->paths, *next; path; path = next) {
		next = path->next;
		free(path->name);
		free(path);
	}
	tree_host_destroy(tree->host);
	close_fd(&tree->archive_fd);
	close_fd(&tree->copies_fd);
	free(tree->numbered);
	free(tree->free_place);
	free(tree);
}

struct tree_node *tree_root(struct tree *tree)
{
	return tree->root;
}

void tree_set_time(struct tree *tree, const struct timespec *now)
{
	tree->dated = now;
	if (now)
		tree->now = *now;
}

void tree_set_archive(struct tree *tree, int fd)
{
	close_fd(&tree->archive_fd);
	tree->archive_fd = fd;
}
