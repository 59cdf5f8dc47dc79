// SPDX-License-Identifier: BSD-3-Clause
/* The root file systems of guests: what is at their paths, and what devices they become. */
#include "recorder/run/run_lab.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox.h"
#include "recorder/share/tree_tar.h"

/* What a guest mounts as its root, if that is a share. */
#define ROOT_TAG "root"

/* The last two bytes of a master boot record, which a disk with partitions begins with. */
#define BOOT_MARK 510

static bool has_partitions(const char *path)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t mark[2];

	return fd >= 0 && pread(fd, mark, sizeof(mark), BOOT_MARK) == sizeof(mark) &&
	       mark[0] == 0x55 && mark[1] == 0xaa;
}

static int refuse(const struct lab_guest *guest, int err, const char *what, const char *advice,
		  struct diagnosis *why)
{
	char line[32] = "";

	if (guest->root.line)
		snprintf(line, sizeof(line), " (line %u)", guest->root.line);
	return diagnose(why, exit_status_of_file(err), err, advice,
			"cannot use %s as the root of guest %s%s: %s", guest->root.path,
			guest->name, line, what);
}

static int find_kind(struct lab_guest *guest, struct diagnosis *why)
{
	struct lab_root *root = &guest->root;
	struct stat status;

	if (stat(root->path, &status))
		return refuse(guest, -errno, strerror(errno), "check the path", why);
	if (S_ISDIR(status.st_mode))
		root->kind = LAB_ROOT_SHARE;
	else if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return refuse(guest, -EINVAL, "it is neither a directory nor a regular file",
			      "give a directory, an image of a file system, or a tar archive", why);
	else if (run_fit_file_system(root->path) || S_ISBLK(status.st_mode))
		root->kind = LAB_ROOT_DISK;
	else if (tree_tar_probe(root->path))
		root->kind = LAB_ROOT_TAR;
	else if (has_partitions(root->path))
		return refuse(guest, -EINVAL, "it is a disk with partitions",
			      "give an image of the file system alone, or the disk as a device "
			      "'disk:' and root=/dev/vda1 with append",
			      why);
	else
		return refuse(guest, -EINVAL, "it is not known what it is",
			      "give a directory, an image of ext4, btrfs or xfs, or a tar "
			      "archive; root: {disk: IMAGE} takes any image",
			      why);
	return 0;
}

/* ---- Devices -------------------------------------------------------------------------------- */

static int add_disk(struct lab_guest *guest)
{
	const struct lab_device device = { .kind = LAB_DISK,
					   .line = guest->root.line,
					   .disk = { .latency = LAB_UNSET,
						     .flush_latency = LAB_UNSET } };
	const char *type = run_fit_file_system(guest->root.path);
	char option[64] = "";
	const char *arguments[] = { "root=/dev/vda", "rw", NULL, NULL };

	if (type) {
		snprintf(option, sizeof(option), "rootfstype=%s", type);
		arguments[2] = option;
	}
	return lab_add_root(guest, &device, arguments);
}

static int add_share(struct lab_guest *guest)
{
	const struct lab_device device = { .kind = LAB_SHARE,
					   .line = guest->root.line,
					   .share = { .tar = guest->root.kind == LAB_ROOT_TAR,
						      .write = LAB_SHARE_COPY,
						      .latency = LAB_SHARE_LATENCY } };
	const char *const arguments[] = { "root=" ROOT_TAG, "rootfstype=virtiofs", "rw", NULL };

	return lab_add_root(guest, &device, arguments);
}

static int check_guest(const struct lab_guest *guest, struct diagnosis *why)
{
	if (guest->device_count >= SANDBOX_DEVICES_MAX)
		return diagnose(why, EXIT_USAGE, -E2BIG, "remove some",
				"a guest has at most %u devices, %s has %zu and a root",
				SANDBOX_DEVICES_MAX, guest->name, guest->device_count);
	for (size_t i = 0; i < guest->device_count; i++)
		if (guest->device[i].kind == LAB_SHARE &&
		    !strcmp(guest->device[i].share.tag, ROOT_TAG))
			return diagnose(why, EXIT_USAGE, -EEXIST, "give the share another tag",
					"the tag '" ROOT_TAG "' of guest %s is that of its root",
					guest->name);
	return 0;
}

static int apply(struct lab_guest *guest, struct diagnosis *why)
{
	int err = guest->root.kind == LAB_ROOT_ANY ? find_kind(guest, why) : 0;

	if (!err)
		err = check_guest(guest, why);
	if (err)
		return err;
	return guest->root.kind == LAB_ROOT_DISK ? add_disk(guest) : add_share(guest);
}

int run_root_apply(struct lab *lab, struct diagnosis *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < lab->guest_count; i++)
		if (lab->guest[i].root.path)
			err = apply(&lab->guest[i], why);
	return err;
}
