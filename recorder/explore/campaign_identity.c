// SPDX-License-Identifier: BSD-3-Clause
/* What a campaign runs, as a hash: what was found with something else does not belong to it. */
#include "recorder/explore/campaign_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "format/base/cleanup.h"

static void add(XXH3_state_t *hash, const void *data, size_t size)
{
	XXH3_64bits_update(hash, data, size);
}

static void add_text(XXH3_state_t *hash, const char *text)
{
	add(hash, text ?: "", strlen(text ?: "") + 1);
}

static void add_list(XXH3_state_t *hash, const char *const *list)
{
	for (; list && *list; list++)
		add_text(hash, *list);
	add(hash, "", 1);
}

/* A file's content, or an error to be seen when it is run. */
static int add_file(XXH3_state_t *hash, const char *path, struct diagnosis *why)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char data[65536];
	ssize_t got = 0;

	while (fd >= 0 && (got = read(fd, data, sizeof(data))) > 0)
		add(hash, data, (size_t)got);
	if (fd >= 0 && got >= 0)
		return 0;
	return diagnose(why, exit_status_of_file(-errno), -errno, NULL, "cannot read %s: %s", path,
			strerror(errno));
}

static int add_guest(XXH3_state_t *hash, const struct lab_guest *guest, struct diagnosis *why)
{
	int err = add_file(hash, guest->kernel, why);

	if (!err && guest->initrd)
		err = add_file(hash, guest->initrd, why);
	for (size_t i = 0; !err && i < guest->device_count; i++) {
		const char *image =
			guest->device[i].kind == LAB_DISK ? guest->device[i].disk.image : NULL;
		struct stat status;

		if (!image || stat(image, &status))
			continue;
		add_text(hash, image);
		add(hash, &status.st_size, sizeof(status.st_size));
	}
	return err;
}

static int add_single(XXH3_state_t *hash, const struct run_options *options, struct diagnosis *why)
{
	int err = add_file(hash, options->kernel[0], why);

	/* The path of what was packed is that of a descriptor. */
	if (!err && *options->packed.initrd)
		err = add_file(hash, options->packed.initrd, why);
	add_text(hash, options->program);
	add_text(hash, options->root);
	for (char *const *word = options->kernel + 1; *word; word++)
		add_text(hash, *word);
	return err;
}

static void add_options(XXH3_state_t *hash, const struct run_options *options)
{
	const struct calendar_options *calendar = &options->session.calendar;
	const uint64_t numbers[] = { calendar->tod, calendar->limit, (uint64_t)calendar->grant,
				     options->id, (uint64_t)options->isolation };

	add(hash, numbers, sizeof(numbers));
	add_text(hash, options->work_cost);
	add_list(hash, options->expect);
	add_list(hash, options->fail_on);
	add_list(hash, options->allow_line);
	add_list(hash, options->allow);
}

int campaign_identity(const struct run_options *options, const struct lab *lab, char identity[17],
		      struct diagnosis *why)
{
	XXH3_state_t *hash = XXH3_createState();
	int err = 0;

	if (!hash)
		return -ENOMEM;
	XXH3_64bits_reset(hash);
	add_text(hash, TTREC_VERSION);
	add_options(hash, options);
	if (lab)
		add(hash, lab->text, lab->text_size);
	else
		err = add_single(hash, options, why);
	for (size_t i = 0; lab && !err && i < lab->guest_count; i++)
		err = add_guest(hash, &lab->guest[i], why);
	snprintf(identity, 17, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(hash));
	XXH3_freeState(hash);
	return err;
}
