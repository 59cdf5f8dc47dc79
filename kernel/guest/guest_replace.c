// SPDX-License-Identifier: BSD-3-Clause
/* Recorded guests with another kernel or initrd than they had. */
#include "kernel/guest/guest_replace.h"

#include <string.h>

#include "format/base/cleanup.h"

static const struct {
	const char *name, *path;
} parts[GUEST_PARTS] = {
	[GUEST_KERNEL] = { "kernel", GUEST_KERNEL_PATH },
	[GUEST_INITRD] = { "initrd", GUEST_INITRD_PATH },
};

/* Guests, and the file that takes the place of something they had. */
struct replacing {
	struct guest_recorded *guest;
	size_t count;
	enum guest_part part;
	const char *text; /* as given by the user */
	const struct guest_recorded *only;
	const char *source;
	struct image_cache *cache;
	struct diagnosis *why;
};

const char *guest_part_name(enum guest_part part)
{
	return parts[part].name;
}

const char *guest_replaced_text(const struct guest_recorded *guest, char text[GUEST_REPLACED_TEXT])
{
	size_t length = 0;

	*text = '\0';
	for (unsigned int i = 0; i < GUEST_PARTS; i++)
		if (guest->replaced & 1u << i)
			length += (size_t)snprintf(text + length, GUEST_REPLACED_TEXT - length,
						   "%s %s", length ? " and" : "another",
						   parts[i].name);
	return text;
}

/* ---- Whose ---------------------------------------------------------------------------------- */

static const struct image_file *part_of(const struct replacing *replacing,
					const struct guest_recorded *guest)
{
	return image_files_find(&guest->spec.files, parts[replacing->part].path);
}

static bool is_meant(const struct replacing *replacing, const struct guest_recorded *guest)
{
	return (!replacing->only || guest == replacing->only) && part_of(replacing, guest);
}

static void list_names(const struct replacing *replacing, char *text, size_t size)
{
	size_t length = 0;

	*text = '\0';
	for (size_t i = 0; i < replacing->count && length < size; i++)
		length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "",
					   replacing->guest[i].spec.name);
}

/* "NAME=FILE" of a guest's name; all else is a file. */
static int find_named(struct replacing *replacing)
{
	const char *equals = strchr(replacing->text, '=');
	auto_free char *name = NULL;
	char names[256];

	replacing->source = replacing->text;
	if (!equals)
		return 0;
	name = strndup(replacing->text, (size_t)(equals - replacing->text));
	if (!name)
		return -ENOMEM;
	replacing->only = guest_specs_find(replacing->guest, replacing->count, name);
	if (replacing->only)
		replacing->source = equals + 1;
	if (replacing->only || !access(replacing->text, F_OK))
		return 0;
	list_names(replacing, names, sizeof(names));
	return diagnose(replacing->why, EXIT_USAGE, -ENOENT,
			"give a guest of the trace, or an existing file",
			"--%s %s: no guest %s in the trace, which has %s",
			parts[replacing->part].name, replacing->text, name, names);
}

/* Without a name, one file replaces the same file of all guests. */
static int check_same(const struct replacing *replacing)
{
	const struct guest_recorded *first = NULL;

	for (size_t i = 0; i < replacing->count; i++) {
		const struct guest_recorded *guest = &replacing->guest[i];

		if (!is_meant(replacing, guest))
			continue;
		if (!first)
			first = guest;
		if (image_content_equal(part_of(replacing, first)->content,
					part_of(replacing, guest)->content))
			continue;
		return diagnose(
			replacing->why, EXIT_USAGE, -EINVAL, "give one for each guest: NAME=FILE",
			"--%s %s: %s and %s have different ones", parts[replacing->part].name,
			replacing->text, first->spec.name, guest->spec.name);
	}
	if (first)
		return 0;
	return diagnose(replacing->why, EXIT_USAGE, -EINVAL, "remove it", "--%s %s: %s",
			parts[replacing->part].name, replacing->text,
			replacing->only ? "the guest has none" : "no guest of the trace has one");
}

/* ---- Files ---------------------------------------------------------------------------------- */

static int copy_file(const struct image_files *from, const char *path, struct image_files *files)
{
	const struct image_file *file = image_files_find(from, path);
	int err = file ? image_files_add_content(files, path, file->mode, file->content) : 0;

	if (file && !err && file->source) {
		files->file[files->count - 1].source = strdup(file->source);
		err = files->file[files->count - 1].source ? 0 : -ENOMEM;
	}
	return err;
}

/* In the recorder's order. */
static int gather_kernel(struct replacing *replacing, const struct image_files *old,
			 struct image_files *files)
{
	const char *source = replacing->source;
	int err = image_files_load(files, "kernel", source, GUEST_KERNEL_PATH, replacing->why);

	if (!err)
		err = image_check_kernel(&files->file[0], source, replacing->why);
	if (!err)
		err = copy_file(old, GUEST_INITRD_PATH, files);
	if (!err)
		err = image_load_libraries(files, &files->file[0], source, replacing->why);
	return err ? err : copy_file(old, GUEST_CPU_INFO_PATH, files);
}

static int gather_initrd(struct replacing *replacing, const struct image_files *old,
			 struct image_files *files)
{
	int err = 0;

	for (size_t i = 0; !err && i < old->count; i++)
		err = strcmp(old->file[i].path, GUEST_INITRD_PATH)
			      ? copy_file(old, old->file[i].path, files)
			      : image_files_load(files, "initrd", replacing->source,
						 GUEST_INITRD_PATH, replacing->why);
	return err;
}

static int replace(struct replacing *replacing, struct guest_recorded *guest)
{
	struct image_files files = { .cache = replacing->cache };
	int err = replacing->part == GUEST_KERNEL
			  ? gather_kernel(replacing, &guest->spec.files, &files)
			  : gather_initrd(replacing, &guest->spec.files, &files);

	files.cache = NULL;
	if (err) {
		image_files_free(&files);
		return err;
	}
	image_files_free(&guest->spec.files);
	guest->spec.files = files;
	guest->replaced |= 1u << replacing->part;
	return 0;
}

static int replace_all(struct replacing *replacing)
{
	int err = find_named(replacing);

	if (!err)
		err = check_same(replacing);
	for (size_t i = 0; !err && i < replacing->count; i++)
		if (is_meant(replacing, &replacing->guest[i]))
			err = replace(replacing, &replacing->guest[i]);
	return err;
}

int guest_specs_replace(struct guest_recorded *guests, size_t count, enum guest_part part,
			const char *text, struct diagnosis *why)
{
	/* Without a cache each guest reads its own copy. */
	struct replacing replacing = { .guest = guests,
				       .count = count,
				       .part = part,
				       .text = text,
				       .cache = image_cache_create(),
				       .why = why };
	int err = replace_all(&replacing);

	image_cache_destroy(replacing.cache);
	return err;
}
