// SPDX-License-Identifier: BSD-3-Clause
/* The disks of a lab that is re-recorded: their contents are not in the trace. */
#include <fcntl.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "recorder/rerecord/rerecord.h"

/* What the user wants: "[NAME[:N]=]FILE". */
struct wish {
	const char *file;
	char *guest;	      /* NULL: every one */
	unsigned long number; /* of its disks, from 1; 0: all of them */
	size_t met;
};

static void release_wish(struct wish *wish)
{
	free(wish->guest);
}

static bool has_guest(const struct lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->guest_count; i++)
		if (!strcmp(lab->guest[i].name, name))
			return true;
	return false;
}

/* What is no guest's name in front of an equals sign is part of a path. */
static int read_wish(const struct lab *lab, const char *text, struct wish *wish)
{
	const char *equals = strchr(text, '=');
	auto_free char *name = NULL;
	char *colon;
	uint64_t number;

	*wish = (struct wish){ .file = text };
	if (!equals)
		return 0;
	name = strndup(text, (size_t)(equals - text));
	if (!name)
		return -ENOMEM;
	colon = strrchr(name, ':');
	if (colon && !has_guest(lab, name) && !number_parse(colon + 1, 10, SIZE_MAX, &number)) {
		wish->number = number;
		*colon = '\0';
	}
	if (has_guest(lab, name)) {
		wish->file = equals + 1;
		wish->guest = take_pointer(name);
	} else {
		wish->number = 0;
	}
	return 0;
}

static int replace_image(struct lab_device *device, const char *file)
{
	char *image = strdup(file);

	if (!image)
		return -ENOMEM;
	free((char *)device->disk.image);
	device->disk.image = image;
	device->other_image = true;
	return 0;
}

static bool has_image(const struct lab_device *device)
{
	return device->kind == LAB_DISK && device->disk.image;
}

static int fulfil(struct wish *wish, struct lab_guest *guest)
{
	unsigned long number = 0;
	int err = 0;

	if (wish->guest && strcmp(wish->guest, guest->name))
		return 0;
	for (size_t i = 0; !err && i < guest->device_count; i++) {
		if (!has_image(&guest->device[i]) || (++number != wish->number && wish->number))
			continue;
		err = replace_image(&guest->device[i], wish->file);
		wish->met++;
	}
	return err;
}

static int grant_wish(struct lab *lab, const char *text, struct diagnosis *why)
{
	cleanup(release_wish) struct wish wish = { 0 };
	int err = read_wish(lab, text, &wish);

	for (size_t i = 0; !err && i < lab->guest_count; i++)
		err = fulfil(&wish, &lab->guest[i]);
	if (err || wish.met)
		return err;
	return diagnose(why, EXIT_USAGE, -ENOENT,
			"give a guest that has a disk with an image: NAME=FILE",
			"--disk %s: no such disk in the lab", text);
}

static const struct run_disk *find_disk(const struct run_settings *settings, size_t guest,
					size_t device)
{
	for (size_t i = 0; i < settings->disk_count; i++)
		if (settings->disk[i].guest == guest && settings->disk[i].device == device)
			return &settings->disk[i];
	return NULL;
}

/* By what it contains, if that was recorded, else by its times. */
static int compare_image(const char *image, const struct run_disk *was, bool *same)
{
	char hex[2 * DISK_HASH_SIZE + 1];
	uint8_t hash[DISK_HASH_SIZE];
	struct run_disk is = { 0 };
	auto_fd fd = -1;
	int err = run_disk_look(image, &is);

	if (err)
		return err;
	*same = !was || was->size == is.size;
	if (!was || !*same)
		return 0;
	*same = was->modified == is.modified;
	if (!was->hash[0])
		return 0;
	fd = open(image, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	err = fd < 0 ? -errno : disk_hash(fd, NULL, hash);
	if (err)
		return err;
	hex_text(hash, sizeof(hash), hex);
	*same = !strcmp(hex, was->hash);
	return 0;
}

static int check_image(const struct run_settings *settings, const struct lab *lab, size_t guest,
		       size_t device, struct diagnosis *why)
{
	const char *name = lab->guest[guest].name;
	const char *image = lab->guest[guest].device[device].disk.image;
	bool same;
	int err = compare_image(image, find_disk(settings, guest, device), &same);

	if (err)
		return diagnose(
			why, exit_status_of_file(err), err, "give its path: --disk NAME=FILE",
			"cannot open the disk image %s of %s: %s", image, name, strerror(-err));
	if (same)
		return 0;
	return diagnose(why, EXIT_CANNOT, -ESTALE,
			"provide the recorded one, or pass --disk NAME=FILE to use this one",
			"the disk image %s of %s has changed since it was recorded", image, name);
}

int rerecord_check_disks(const struct run_options *options, const struct run_settings *settings,
			 struct lab *lab, struct diagnosis *why)
{
	int err = 0;

	for (const char *const *text = options->disks; !err && *text; text++)
		err = grant_wish(lab, *text, why);
	for (size_t i = 0; i < lab->guest_count; i++)
		for (size_t j = 0; !err && j < lab->guest[i].device_count; j++)
			if (has_image(&lab->guest[i].device[j]) &&
			    !lab->guest[i].device[j].other_image)
				err = check_image(settings, lab, i, j, why);
	return err;
}
