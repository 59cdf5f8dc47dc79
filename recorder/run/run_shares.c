// SPDX-License-Identifier: BSD-3-Clause
/* The shares of a guest without a lab file. */
#include "recorder/run/run_shares.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/words.h"
#include "format/trace/meta.h"
#include "kernel/sandbox/sandbox.h"

struct wish {
	char *text; /* what the share's strings are in */
	struct lab_share share;
};

static void release_wish(struct wish *wish)
{
	free(wish->text);
}

/* The word behind the last colon, which is cut off; NULL: no colon. */
static char *cut_last(char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static bool take_write(struct wish *wish)
{
	const char *colon = strrchr(wish->text, ':');

	for (unsigned int i = 0; colon && i < LAB_SHARE_WRITES; i++) {
		if (strcmp(colon + 1, lab_share_words[i]) != 0)
			continue;
		wish->share.write = i;
		cut_last(wish->text);
		return true;
	}
	return false;
}

static int read_wish(const char *text, struct wish *wish, struct diagnosis *why)
{
	static char default_tag[] = LAB_SHARE_TAG;

	*wish = (struct wish){ .text = strdup(text) };
	if (!wish->text)
		return -ENOMEM;
	take_write(wish);
	wish->share.tag = cut_last(wish->text);
	wish->share.directory = wish->text;
	if (!wish->share.tag)
		wish->share.tag = default_tag;
	if (*wish->share.tag && lab_is_tag(wish->share.tag) && !strchr(wish->share.tag, '"') &&
	    *wish->share.directory)
		return 0;
	return diagnose(why, EXIT_USAGE, -EINVAL,
			"give a directory, then if wanted a tag of at most 36 letters, digits and "
			"marks, and what becomes of what the guest writes: no, copy or "
			"through",
			"invalid --share '%s': expected DIRECTORY[:TAG[:WRITE]]", text);
}

static int check_tag(const struct lab *lab, const char *tag, struct diagnosis *why)
{
	const struct lab_guest *guest = &lab->guest[0];

	if (guest->device_count >= SANDBOX_DEVICES_MAX)
		return diagnose(why, EXIT_USAGE, -E2BIG, "remove some",
				"a guest has at most %u devices", SANDBOX_DEVICES_MAX);
	for (size_t i = 0; i < guest->device_count; i++)
		if (guest->device[i].kind == LAB_SHARE && !strcmp(guest->device[i].share.tag, tag))
			return diagnose(why, EXIT_USAGE, -EEXIST,
					"give each its own: --share DIRECTORY:TAG",
					"duplicate tag '%s' of --share", tag);
	return 0;
}

static int add_share(struct lab *lab, const char *text, struct diagnosis *why)
{
	cleanup(release_wish) struct wish wish = { 0 };
	int err = read_wish(text, &wish, why);

	if (!err)
		err = check_tag(lab, wish.share.tag, why);
	return err ? err : lab_add_share(lab, &wish.share);
}

/* The trace chooses the directories: a foreign one must not choose what is written to. */
static int check_trust(const struct run_options *options, const struct lab_guest *guest,
		       struct diagnosis *why)
{
	for (size_t i = 0; i < guest->device_count; i++)
		if (guest->device[i].kind == LAB_SHARE &&
		    guest->device[i].share.write == LAB_SHARE_THROUGH)
			return diagnose(why, EXIT_CANNOT, -EPERM,
					"pass --trust to allow it, after a look at that directory",
					"%s lets guest %s write to %s on this machine",
					options->rerecord, guest->name,
					guest->device[i].share.directory);
	return 0;
}

int run_shares_add(const struct run_options *options, struct lab *lab, struct diagnosis *why)
{
	int err = 0;

	if (options->share[0] && lab->path)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"write it into the lab file: 'devices: [{share: DIRECTORY}]'",
				"--share is for a guest without a lab file");
	for (const char *const *text = options->share; !err && *text; text++)
		err = add_share(lab, *text, why);
	for (size_t i = 0; !err && options->rerecord && !options->trust && i < lab->guest_count;
	     i++)
		err = check_trust(options, &lab->guest[i], why);
	return err;
}

int run_shares_argument(const struct run_options *options, char **argument, struct diagnosis *why)
{
	size_t size;
	FILE *out;
	int err = 0;

	*argument = NULL;
	if (!options->share[0])
		return 0;
	out = open_memstream(argument, &size);
	if (!out)
		return -ENOMEM;
	fputs(RUN_SHARES_VARIABLE "=", out);
	for (size_t i = 0; !err && options->share[i]; i++) {
		cleanup(release_wish) struct wish wish = { 0 };

		err = read_wish(options->share[i], &wish, why);
		if (!err)
			fprintf(out, "%s%s", i ? ":" : "", wish.share.tag);
	}
	return fclose(out) ? -ENOMEM : err;
}

int run_shares_write(const struct lab *lab, struct trace_writer *writer)
{
	const struct lab_guest *guest = &lab->guest[0];
	int err = 0;

	for (size_t i = 0; !err && i < guest->device_count; i++) {
		const struct lab_share *share = &guest->device[i].share;
		auto_free char *path = NULL;

		/* That of the root is there with it. */
		if (guest->device[i].kind != LAB_SHARE || (!i && guest->root.path))
			continue;
		path = realpath(share->directory, NULL);
		err = meta_write(writer, 0, META_SHARE, "%s:%s:%s", path ? path : share->directory,
				 share->tag, lab_share_words[share->write]);
	}
	return err;
}
