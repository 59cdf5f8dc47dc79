// SPDX-License-Identifier: BSD-3-Clause
/* `ttrec run --root PATH`: the kernel that boots a root file system, and its arguments. */
#include "recorder/program/guest_program.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/image/image.h"

/* What systemd and its services need. */
#define MEMORY_DEFAULT (UINT64_C(512) << 20)

static bool is_kernel(const char *path)
{
	struct image_files files = { 0 };
	struct diagnosis ignored = { 0 };
	bool is = !image_files_load(&files, "kernel", path, "/linux", &ignored) &&
		  image_is_kernel(files.file[0].data, files.file[0].size);

	image_files_free(&files);
	return is;
}

static bool names_memory(char *const *word)
{
	for (; word && *word && strcmp(*word, "--") != 0; word++)
		if (!strncmp(*word, "mem=", 4))
			return true;
	return false;
}

static int refuse_word(const struct run_options *options, struct diagnosis *why)
{
	return diagnose(why, EXIT_USAGE, -EINVAL,
			"--root boots the init of the root file system: put its arguments behind "
			"--, or name a program in it with --append init=/PATH",
			"%s is no User-Mode-Linux kernel", options->kernel[0]);
}

/* The kernel, its memory, --append, and what the user put behind the kernel or "--". */
static int list_words(struct run_options *options, char *const *words, bool for_init)
{
	size_t count = 0, appended = 0, at = 0;
	char **list;

	while (words && words[count])
		count++;
	while (options->append[appended])
		appended++;
	list = calloc(count + appended + 4, sizeof(*list));
	if (!list)
		return -ENOMEM;
	list[at++] = options->packed.kernel;
	if (options->memory || !names_memory(for_init ? NULL : words))
		list[at++] = options->packed.memory;
	for (size_t i = 0; i < appended; i++)
		list[at++] = (char *)options->append[i];
	if (for_init && count)
		list[at++] = (char *)"--";
	for (size_t i = 0; i < count; i++)
		list[at++] = words[i];
	options->packed.root_words = list;
	options->kernel = list;
	return 0;
}

static int check(const struct run_options *options, struct diagnosis *why)
{
	if (options->add[0])
		return diagnose(why, EXIT_USAGE, -EINVAL, "put the file into the root file system",
				"--add requires PROGRAM");
	if (options->misplaced)
		return diagnose(
			why, EXIT_USAGE, -EINVAL,
			"put it before the kernel or, if it is meant for the guest, behind --",
			"'%s' after the kernel %s would be passed to the guest", options->misplaced,
			options->kernel[0]);
	return 0;
}

int guest_root_prepare(struct run_options *options, struct diagnosis *why)
{
	char *const *words = options->kernel;
	bool given = words && is_kernel(words[0]);
	int err = check(options, why);

	if (!err && words && !given && !options->quoted)
		err = refuse_word(options, why);
	if (err)
		return err;
	options->packed.root = realpath(options->root, NULL);
	/* What cannot be found is refused by its name, later. */
	if (options->packed.root)
		options->root = options->packed.root;
	if (given)
		options->packed.kernel = strdup(words[0]);
	else
		err = guest_find_kernel(options, why);
	if (!err && !options->packed.kernel)
		err = -ENOMEM;
	snprintf(options->packed.memory, sizeof(options->packed.memory), "mem=%" PRIu64 "K",
		 (options->memory ?: MEMORY_DEFAULT) >> 10);
	if (!err)
		err = list_words(options, given ? words + 1 : words, !given);
	if (err && !why->status)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot boot %s: %s", options->root,
				strerror(-err));
	return err;
}
