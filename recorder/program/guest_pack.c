// SPDX-License-Identifier: BSD-3-Clause
/* Packs a program, and what it needs, into the initial file system of a guest. */
#include "recorder/program/guest_program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "format/base/words.h"
#include "format/base/cleanup.h"

/* Where the program is in the guest, and the working directory. */
#define GUEST_DIRECTORY "/work"

struct words {
	char **word;
	size_t count;
};

static int take_two(struct words *words, const char *option, char *value)
{
	int err = value ? words_take(&words->word, &words->count, strdup(option)) : -ENOMEM;

	if (!err)
		return words_take(&words->word, &words->count, value);
	free(value);
	return err;
}

static void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->word[i]);
	free(words->word);
}

static char *join(const char *file, const char *directory, const char *path)
{
	char *text;

	return asprintf(&text, "%s:%s/%s", file, directory, path) < 0 ? NULL : text;
}

static bool leads_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

/* Without a path of its own, a file is where it is here: relative, or from the root. */
static int add_file(struct words *words, const char *file, struct diagnosis *why)
{
	const char *path = file;

	const char *place = strstr(file, ":/");
	auto_free char *here = strndup(file, place ? (size_t)(place - file) : strlen(file));

	if (!here)
		return -ENOMEM;
	if (access(here, F_OK))
		return diagnose(why, exit_status_of_file(-errno), -errno, "check the path",
				"cannot read the file %s: %s", here, strerror(errno));
	if (place)
		return take_two(words, "-a", strdup(file));
	if (*file == '/')
		return take_two(words, "-a", join(file, "", file + 1));
	while (!strncmp(path, "./", 2))
		path += 2;
	if (leads_up(path) || !*path)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"give its path in the guest: --add FILE:/PATH",
				"--add %s is not below the program's working directory", file);
	return take_two(words, "-a", join(file, GUEST_DIRECTORY, path));
}

/* Of a directory the first of these is run. */
static const char *const directory_programs[] = { "test", "run", "init", NULL };

static int choose_in_directory(const char *directory, const char **name, struct diagnosis *why)
{
	for (const char *const *each = directory_programs; *each; each++) {
		auto_free char *path = NULL;
		struct stat status;

		if (asprintf(&path, "%s/%s", directory, *each) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (stat(path, &status) || !S_ISREG(status.st_mode))
			continue;
		*name = *each;
		return 0;
	}
	return diagnose(why, EXIT_CANNOT, -ENOENT,
			"give the program itself, and add the directory with --add",
			"the directory %s has no program test, run or init", directory);
}

/* The name of its file, without what has a meaning for the packer. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);

	for (char *at = name; at && *at; at++)
		if (*at == ':')
			*at = '_';
	return name;
}

static int add_program(struct words *words, const char *path, bool is_directory,
		       struct diagnosis *why)
{
	auto_free char *name = NULL;
	const char *chosen = NULL;
	char *run;
	int err;

	if (is_directory) {
		err = choose_in_directory(path, &chosen, why);
		if (err)
			return err;
		name = strdup(chosen);
		err = name ? take_two(words, "-a", join(path, "", &GUEST_DIRECTORY[1])) : -ENOMEM;
	} else {
		name = name_of(path);
		err = name ? take_two(words, "-a", join(path, GUEST_DIRECTORY, name)) : -ENOMEM;
	}
	if (!err && asprintf(&run, GUEST_DIRECTORY "/%s", name) >= 0)
		return take_two(words, "-r", run);
	return err ? err : -ENOMEM;
}

static int list_arguments(const struct run_options *options, bool is_directory, struct words *words,
			  struct diagnosis *why)
{
	char *const *argument = options->kernel + 1;
	int err = words_take(&words->word, &words->count, script_path("uml/make-initramfs.sh"));

	if (!err)
		err = take_two(words, "-o", strdup("-"));
	if (!err)
		err = take_two(words, "-i", script_path("program-init"));
	if (!err)
		err = take_two(words, "-C", strdup(GUEST_DIRECTORY));
	if (!err)
		err = add_program(words, options->kernel[0], is_directory, why);
	for (const char *const *file = options->add; !err && *file; file++)
		err = add_file(words, *file, why);
	if (!err)
		err = take_two(words, "-B", strdup("--"));
	for (; !err && *argument; argument++)
		err = words_take(&words->word, &words->count, strdup(*argument));
	return err;
}

int guest_pack(struct run_options *options, bool is_directory, struct diagnosis *why)
{
	struct words words = { 0 };
	auto_free char *text = NULL;
	struct script script;
	int err = list_arguments(options, is_directory, &words, why);

	options->packed.fd = err ? -1 : memfd_create("initrd", MFD_CLOEXEC);
	if (!err && options->packed.fd < 0)
		err = -errno;
	if (!err) {
		script = (struct script){ .path = words.word[0], .out_fd = options->packed.fd };
		err = script_run(&script, words.word);
		text = script.text;
		if (err)
			err = script_failed(&script, err, why);
		else if (text)
			fputs(text, stderr); /* what was left out */
	}
	words_free(&words);
	snprintf(options->packed.initrd, sizeof(options->packed.initrd), "/proc/self/fd/%d",
		 options->packed.fd);
	return err;
}
