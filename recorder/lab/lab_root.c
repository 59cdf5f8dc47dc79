// SPDX-License-Identifier: BSD-3-Clause
/* The root file system of a guest in a lab file: a path, or a mapping that says what is there. */
#include "recorder/lab/lab_internal.h"
#include "format/base/array.h"

#include <string.h>

/* As a mapping; a path alone is found out when it is used. */
struct root_form {
	char *path[LAB_ROOT_KINDS];
};

static const struct lab_key root_keys[] = {
	LAB_KEY("share", lab_type_path, struct root_form, path[LAB_ROOT_SHARE],
		.doc = "the path of a directory"),
	LAB_KEY("disk", lab_type_path, struct root_form, path[LAB_ROOT_DISK],
		.doc = "the path of a raw image of a file system"),
	LAB_KEY("tar", lab_type_path, struct root_form, path[LAB_ROOT_TAR],
		.doc = "the path of a tar archive"),
};

const struct lab_schema lab_root_schema = LAB_SCHEMA("a root", root_keys);

static int take_form(struct lab_reader *reader, const yaml_node_t *node, struct root_form *form,
		     struct lab_root *root)
{
	size_t count = 0;

	for (unsigned int i = 0; i < LAB_ROOT_KINDS; i++) {
		if (!form->path[i])
			continue;
		count++;
		root->kind = (enum lab_root_kind)i;
	}
	if (count != 1) {
		for (unsigned int i = 0; i < LAB_ROOT_KINDS; i++)
			free(form->path[i]);
		return lab_error(reader, node, "give a path, or one of share, disk and tar",
				 "a root is one of several things");
	}
	free(root->path);
	root->path = form->path[root->kind];
	return 0;
}

static int read_root(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     void *field)
{
	struct root_form form = { 0 };
	struct lab_root *root = field;
	struct lab_map map;
	int err;

	root->line = lab_line(node);
	if (lab_word(node))
		return lab_type_path.read(reader, key, node, &root->path);
	err = lab_read(reader, &lab_root_schema, node, &form, &map);
	if (!err)
		return take_form(reader, node, &form, root);
	for (unsigned int i = 0; i < LAB_ROOT_KINDS; i++)
		free(form.path[i]);
	return err;
}

const struct lab_type lab_type_root = { "a path, or a mapping such as {share: DIRECTORY}",
					read_root, NULL, NULL };

/* ---- Its device ----------------------------------------------------------------------------- */

static size_t count_strings(const char *const *strings)
{
	size_t count = 0;

	while (strings && strings[count])
		count++;
	return count;
}

/* In front, so that the user's, which come later, replace them. */
static int add_arguments(struct lab_guest *guest, const char *const *arguments)
{
	size_t own = count_strings((const char *const *)guest->arguments);
	size_t count = count_strings(arguments);
	char **list = calloc(own + count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	if (own)
		memcpy(list + count, guest->arguments, own * sizeof(*list));
	free(guest->arguments);
	guest->arguments = list;
	for (size_t i = 0; i < count; i++) {
		list[i] = strdup(arguments[i]);
		if (list[i])
			continue;
		memmove(list + i, list + count, (own + 1) * sizeof(*list));
		return -ENOMEM;
	}
	return 0;
}

int lab_add_root(struct lab_guest *guest, const struct lab_device *device,
		 const char *const *arguments)
{
	struct lab_device *first;

	if (add_arguments(guest, arguments))
		return -ENOMEM;
	if (!array_add(guest->device, guest->device_count))
		return -ENOMEM;
	first = guest->device;
	memmove(first + 1, first, (guest->device_count - 1) * sizeof(*first));
	*first = *device;
	if (first->kind == LAB_DISK)
		return (first->disk.image = strdup(guest->root.path)) ? 0 : -ENOMEM;
	first->share.directory = strdup(guest->root.path);
	first->share.tag = strdup("root");
	return first->share.directory && first->share.tag ? 0 : -ENOMEM;
}
