// SPDX-License-Identifier: BSD-3-Clause
/* The disks of a lab that is re-recorded: their contents, out of the trace or as they are now. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/trace_files.h"
#include "kernel/sandbox/host_checks.h"
#include "recorder/rerecord/rerecord.h"

/* The user's argument: "[NAME[:N]=]FILE". */
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

/* Text before an equals sign that is not a guest's name is part of the path. */
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

/* ---- Out of the trace ----------------------------------------------------------------------- */

static int copy_image(const struct run_options *options, struct rerecord *rerecord,
		      struct rerecord_image *image, struct diagnosis *why)
{
	uint64_t most = options->max_memory ?: host_memory_available();
	char limit[UNITS_TEXT];
	int got;

	image->fd = memfd_create("disk", MFD_CLOEXEC);
	if (image->fd < 0)
		return -errno;
	snprintf(image->path, sizeof(image->path), "/proc/self/fd/%d", image->fd);
	got = trace_reader_copy(rerecord->reader, image->name, image->fd, most);
	if (got == 1)
		return 0;
	got = got ? got : -EPIPE;
	if (got == -EFBIG)
		return diagnose(why, EXIT_CANNOT, got, "raise the limit with --max-memory",
				"the disk image %s of the trace needs more than %s of memory",
				image->name, size_text(most, limit));
	return diagnose(why, diagnosis_trace_status(got), got,
			diagnosis_shortage(got) ?: "pass --disk NAME=FILE to use another image",
			"cannot read the disk image %s of the trace: %s", image->name,
			strerror(-got));
}

/* Guests may share one. */
static int load_image(const struct run_options *options, struct rerecord *rerecord,
		      const struct run_disk *disk, struct lab_device *device, struct diagnosis *why)
{
	struct rerecord_image *image;
	size_t known = 0;
	int err = 0;

	while (known < rerecord->image_count &&
	       strcmp(rerecord->image[known].name, disk->embedded) != 0)
		known++;
	/* There is room for all of them: their paths stay where they are. */
	image = &rerecord->image[known];
	if (known == rerecord->image_count) {
		*image = (struct rerecord_image){ .name = disk->embedded, .fd = -1 };
		rerecord->image_count++;
		err = copy_image(options, rerecord, image, why);
	}
	device->disk.content = image->path;
	device->embed = true;
	return err;
}

void rerecord_free_disks(struct rerecord *rerecord)
{
	for (size_t i = 0; i < rerecord->image_count; i++)
		close_fd(&rerecord->image[i].fd);
	free(rerecord->image);
}

static int check_disk(const struct run_options *options, struct rerecord *rerecord, struct lab *lab,
		      size_t guest, size_t number, struct diagnosis *why)
{
	const struct run_disk *disk = find_disk(&rerecord->settings, guest, number);
	struct lab_device *device = &lab->guest[guest].device[number];

	if (!has_image(device) || device->other_image)
		return 0;
	if (disk && disk->embedded)
		return load_image(options, rerecord, disk, device, why);
	return check_image(&rerecord->settings, lab, guest, number, why);
}

int rerecord_check_disks(const struct run_options *options, struct rerecord *rerecord,
			 struct lab *lab, struct diagnosis *why)
{
	int err = 0;

	rerecord->image = calloc(rerecord->settings.disk_count + 1, sizeof(*rerecord->image));
	if (!rerecord->image)
		return -ENOMEM;
	for (const char *const *text = options->disks; !err && *text; text++)
		err = grant_wish(lab, *text, why);
	for (size_t i = 0; i < lab->guest_count; i++)
		for (size_t j = 0; !err && j < lab->guest[i].device_count; j++)
			err = check_disk(options, rerecord, lab, i, j, why);
	return err;
}
