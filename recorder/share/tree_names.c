// SPDX-License-Identifier: BSD-3-Clause
/* The names of a tree: entries of directories. */
#include "recorder/share/tree_internal.h"
#include "format/base/array.h"

#include <sys/stat.h>

/* ---- Entries -------------------------------------------------------------------------------- */

/* The index of the first entry by name that is not less than @name. */
static size_t name_index(const struct tree_directory *directory, const char *name, bool *found)
{
	size_t low = 0, high = directory->count;

	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(directory->by_name[middle]->name, name);

		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
			*found = *found || !order;
		}
	}
	return low;
}

/* The index of the first entry after @position. */
static size_t position_index(const struct tree_directory *directory, uint64_t position)
{
	size_t low = 0, high = directory->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (directory->by_position[middle]->position <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert(struct tree_directory *directory, size_t index, const char *name,
		  struct tree_node *node)
{
	size_t size = strlen(name) + 1;
	struct tree_entry *entry = malloc(sizeof(*entry) + size);

	if (!entry ||
	    array_room(directory->by_position, directory->position_space, directory->count + 1,
		       4) ||
	    array_room(directory->by_name, directory->name_space, directory->count + 1, 4)) {
		free(entry);
		return -ENOMEM;
	}
	entry->node = node;
	entry->position = ++directory->positions;
	memcpy(entry->name, name, size);
	directory->by_position[directory->count] = entry;
	memmove(directory->by_name + index + 1, directory->by_name + index,
		(directory->count - index) * sizeof(entry));
	directory->by_name[index] = entry;
	directory->count++;
	return 0;
}

static void erase(struct tree_directory *directory, size_t index)
{
	struct tree_entry *entry = directory->by_name[index];
	size_t at = position_index(directory, entry->position - 1);
	size_t last = --directory->count;

	memmove(directory->by_name + index, directory->by_name + index + 1,
		(last - index) * sizeof(entry));
	memmove(directory->by_position + at, directory->by_position + at + 1,
		(last - at) * sizeof(entry));
	free(entry);
}

int tree_directory_append(struct tree_directory *directory, const char *name,
			  struct tree_node *node)
{
	bool found;
	size_t index = name_index(directory, name, &found);

	return found ? -EEXIST : insert(directory, index, name, node);
}

void tree_directory_destroy(struct tree_directory *directory)
{
	if (!directory)
		return;
	for (size_t i = 0; i < directory->count; i++)
		free(directory->by_name[i]);
	free(directory->by_position);
	free(directory->by_name);
	free(directory);
}

bool tree_find_other_name(const struct tree *tree, const struct tree_node *node,
			  const struct tree_node *directory, const char *name,
			  struct tree_node **other, const char **other_name)
{
	for (struct tree_node *holder = tree->nodes; holder; holder = holder->next) {
		const struct tree_directory *names = holder->directory;

		for (size_t i = 0; names && i < names->count; i++) {
			const struct tree_entry *entry = names->by_name[i];

			if (entry->node != node ||
			    (holder == directory && !strcmp(entry->name, name)))
				continue;
			*other = holder;
			*other_name = entry->name;
			return true;
		}
	}
	return false;
}

static void erase_name(struct tree_directory *directory, const char *name)
{
	bool found;
	size_t index = name_index(directory, name, &found);

	if (found)
		erase(directory, index);
}

/* ---- Looking -------------------------------------------------------------------------------- */

static int open_directory(struct tree *tree, struct tree_node *node)
{
	if (!S_ISDIR(node->attr.mode))
		return -ENOTDIR;
	return node->directory ? 0 : tree_host_read_directory(tree, node);
}

/* The entry by name: *@index is where it is, or would be, with NULL. */
static int find_entry(struct tree *tree, struct tree_node *node, const char *name, size_t *index,
		      struct tree_entry **entry)
{
	int err = open_directory(tree, node);
	bool found;

	*entry = NULL;
	if (err)
		return err;
	if (strlen(name) > TREE_NAME_MAX)
		return -ENAMETOOLONG;
	*index = name_index(node->directory, name, &found);
	if (found)
		*entry = node->directory->by_name[*index];
	return 0;
}

int tree_find(struct tree *tree, struct tree_node *directory, const char *name,
	      struct tree_node **node)
{
	struct tree_entry *entry;
	size_t index;
	int err = find_entry(tree, directory, name, &index, &entry);

	if (err)
		return err;
	if (!entry)
		return -ENOENT;
	*node = entry->node;
	return 0;
}

int tree_next(struct tree *tree, struct tree_node *node, uint64_t position,
	      const struct tree_entry **entry)
{
	int err = open_directory(tree, node);
	size_t index;

	*entry = NULL;
	if (err)
		return err;
	index = position_index(node->directory, position);
	if (index < node->directory->count)
		*entry = node->directory->by_position[index];
	return 0;
}

/* ---- Adding --------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

/* A directory that was removed and is still held takes no names. */
static bool is_dead(const struct tree_node *directory)
{
	return !directory->links;
}

/* Can @directory get the new @name, at *@index? */
static int check_new(struct tree *tree, struct tree_node *directory, const char *name,
		     size_t *index)
{
	struct tree_entry *entry;
	int err;

	if (!is_name(name))
		return -EINVAL;
	err = find_entry(tree, directory, name, index, &entry);
	if (err)
		return err;
	if (entry)
		return -EEXIST;
	return is_dead(directory) ? -ENOENT : 0;
}

static int fill_node(struct tree_node *node, const char *target)
{
	switch (node->attr.mode & S_IFMT) {
	case S_IFDIR:
		node->directory = calloc(1, sizeof(*node->directory));
		return node->directory ? 0 : -ENOMEM;
	case S_IFLNK:
		node->target = strdup(target);
		node->attr.size = strlen(target);
		return node->target ? 0 : -ENOMEM;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	default:
		return -EINVAL;
	}
}

int tree_add(struct tree *tree, struct tree_node *directory, const char *name,
	     const struct tree_attr *attr, const char *target, struct tree_node **out)
{
	struct tree_path *path = NULL;
	struct tree_node *node;
	size_t index;
	int err = check_new(tree, directory, name, &index);

	if (err)
		return err;
	if (!S_ISLNK(attr->mode) != !target || (target && !*target))
		return -EINVAL;
	if (target && strlen(target) > TREE_LINK_MAX)
		return -ENAMETOOLONG;
	if (tree->node_count >= TREE_NODES_MAX && tree->dated)
		return -ENOSPC;
	if (tree->through)
		err = tree_through_add(tree, directory, name, attr, target, &path);
	if (err)
		return err;
	node = tree_node_create(tree, attr);
	if (!node)
		return -ENOMEM;
	node->path = path;
	node->parent = S_ISDIR(attr->mode) ? directory : NULL;
	err = fill_node(node, target);
	if (!err)
		err = insert(directory->directory, index, name, node);
	if (err) {
		node->links = 0;
		tree_node_release(tree, node);
		return err;
	}
	tree_node_changed(tree, directory);
	*out = node;
	return 0;
}

static void date_node(struct tree *tree, struct tree_node *node)
{
	if (tree->dated)
		node->attr.ctime = tree->now;
}

int tree_add_link(struct tree *tree, struct tree_node *directory, const char *name,
		  struct tree_node *node)
{
	size_t index;
	int err = check_new(tree, directory, name, &index);

	if (err)
		return err;
	if (S_ISDIR(node->attr.mode))
		return -EPERM;
	if (!node->links)
		return -ENOENT;
	if (node->links == UINT32_MAX)
		return -EMLINK;
	if (tree->through)
		err = tree_through_add_link(tree, directory, name, node);
	if (err)
		return err;
	err = insert(directory->directory, index, name, node);
	if (err)
		return err;
	node->links++;
	date_node(tree, node);
	tree_node_changed(tree, directory);
	return 0;
}

/* ---- Removing ------------------------------------------------------------------------------- */

/* 0 for an empty directory, and for what is not a directory. */
static int check_empty(struct tree *tree, struct tree_node *node)
{
	int err;

	if (!S_ISDIR(node->attr.mode))
		return 0;
	err = open_directory(tree, node);
	if (err)
		return err;
	return node->directory->count ? -ENOTEMPTY : 0;
}

static void drop_name(struct tree *tree, struct tree_node *node)
{
	node->links--;
	/* Its directory may be gone before it is. */
	if (!node->links && node->parent)
		node->parent = node;
	date_node(tree, node);
	tree_node_release(tree, node);
}

int tree_remove(struct tree *tree, struct tree_node *directory, const char *name)
{
	struct tree_node *node;
	int err = tree_find(tree, directory, name, &node);

	if (!err)
		err = check_empty(tree, node);
	if (!err && tree->through)
		err = tree_through_remove(tree, directory, name, node);
	if (err)
		return err;
	erase_name(directory->directory, name);
	tree_node_changed(tree, directory);
	drop_name(tree, node);
	return 0;
}

/* ---- Renaming ------------------------------------------------------------------------------- */

struct rename {
	struct tree_node *from, *to;
	size_t from_index, to_index;
	struct tree_entry *old, *replaced;
};

static bool is_within(const struct tree_node *node, const struct tree_node *directory)
{
	while (node != directory && node->parent != node)
		node = node->parent;
	return node == directory;
}

/* Would @node, moved into @directory, be within itself? */
static bool makes_loop(const struct tree_node *node, const struct tree_node *directory)
{
	return S_ISDIR(node->attr.mode) && is_within(directory, node);
}

static int check_replaced(struct tree *tree, const struct rename *rename)
{
	struct tree_node *node = rename->old->node, *replaced = rename->replaced->node;

	if (S_ISDIR(node->attr.mode) && !S_ISDIR(replaced->attr.mode))
		return -ENOTDIR;
	if (!S_ISDIR(node->attr.mode) && S_ISDIR(replaced->attr.mode))
		return -EISDIR;
	return check_empty(tree, replaced);
}

static int check_rename(struct tree *tree, const struct rename *rename, enum tree_rename how)
{
	if (!rename->old || is_dead(rename->to))
		return -ENOENT;
	if (makes_loop(rename->old->node, rename->to))
		return -EINVAL;
	if (how == TREE_EXCHANGE) {
		if (!rename->replaced)
			return -ENOENT;
		return makes_loop(rename->replaced->node, rename->from) ? -EINVAL : 0;
	}
	if (!rename->replaced)
		return 0;
	return how == TREE_NOREPLACE ? -EEXIST : check_replaced(tree, rename);
}

static void set_parent(struct tree_node *node, struct tree_node *directory)
{
	if (S_ISDIR(node->attr.mode))
		node->parent = directory;
}

static void exchange(struct tree *tree, const struct rename *rename)
{
	struct tree_node *node = rename->old->node;

	rename->old->node = rename->replaced->node;
	rename->replaced->node = node;
	set_parent(rename->old->node, rename->from);
	set_parent(rename->replaced->node, rename->to);
	date_node(tree, rename->old->node);
}

static int move(struct tree *tree, const struct rename *rename, const char *name,
		const char *new_name)
{
	struct tree_node *node = rename->old->node, *gone = NULL;
	int err;

	if (rename->replaced) {
		gone = rename->replaced->node;
		rename->replaced->node = node;
	} else {
		err = insert(rename->to->directory, rename->to_index, new_name, node);
		if (err)
			return err;
	}
	/* The insertion may have moved it. */
	erase_name(rename->from->directory, name);
	set_parent(node, rename->to);
	if (gone)
		drop_name(tree, gone);
	return 0;
}

int tree_rename(struct tree *tree, struct tree_node *from, const char *name, struct tree_node *to,
		const char *new_name, enum tree_rename how)
{
	struct rename rename = { .from = from, .to = to };
	struct tree_node *node;
	int err;

	if (!is_name(name) || !is_name(new_name))
		return -EINVAL;
	err = find_entry(tree, from, name, &rename.from_index, &rename.old);
	if (!err)
		err = find_entry(tree, to, new_name, &rename.to_index, &rename.replaced);
	if (!err)
		err = check_rename(tree, &rename, how);
	if (err)
		return err;
	node = rename.old->node;
	/* Two names of one file: rename(2) does nothing. */
	if (rename.replaced && rename.replaced->node == node)
		return 0;
	if (tree->through)
		err = tree_through_rename(tree, from, name, node, to, new_name,
					  rename.replaced ? rename.replaced->node : NULL, how);
	if (err)
		return err;
	if (how == TREE_EXCHANGE)
		exchange(tree, &rename);
	else
		err = move(tree, &rename, name, new_name);
	if (err)
		return err;
	date_node(tree, node);
	tree_node_changed(tree, from);
	tree_node_changed(tree, to);
	return 0;
}
