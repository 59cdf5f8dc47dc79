// SPDX-License-Identifier: BSD-3-Clause
/*
 * Checks whether a guest's kernel, memory and file systems fit together, before anything is
 * started.
 */
#include "recorder/run/run_lab.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

/* ---- The initrd and the memory --------------------------------------------------------------- */

/* Lower bound of the unpacked size of @file: gzip stores it, other formats are not checked. */
static uint64_t unpacked_size(const struct image_file *file)
{
	const uint8_t *data = file->data;
	uint32_t size;

	if (file->size < 18 || data[0] != 0x1f || data[1] != 0x8b)
		return file->size;
	memcpy(&size, data + file->size - sizeof(size), sizeof(size));
	return le32toh(size);
}

/* While it is unpacked both are there. */
static int check_memory(const struct guest_spec *spec, struct diagnosis *why)
{
	const struct image_file *initrd = image_files_find(&spec->files, GUEST_INITRD_PATH);
	char packed[UNITS_TEXT], unpacked[UNITS_TEXT], has[UNITS_TEXT];
	uint64_t memory = guest_memory(spec);

	if (!initrd || initrd->size + unpacked_size(initrd) < memory)
		return 0;
	return diagnose(why, EXIT_CANNOT, -EINVAL,
			"give the guest three times the unpacked size, with mem= or in a lab file "
			"with memory:",
			"%s has %s of memory; its initrd takes %s, and %s more when unpacked",
			spec->name, size_text(memory, has), size_text(initrd->size, packed),
			size_text(unpacked_size(initrd), unpacked));
}

/* ---- The kernel and the root file system ----------------------------------------------------- */

/* Of a superblock of ext2, ext3 or ext4, at 1024 (fs/ext4/ext4.h). */
#define EXT_MAGIC	 1080
#define EXT_INCOMPATIBLE (1024 + 0x60)
/* File types and meta block groups: what the ext2 driver takes. */
#define EXT2_INCOMPATIBLE 0x12u

static bool is_ext4(const uint8_t *image)
{
	return image[EXT_MAGIC] == 0x53 && image[EXT_MAGIC + 1] == 0xef &&
	       image[EXT_INCOMPATIBLE] & ~EXT2_INCOMPATIBLE;
}

static bool is_btrfs(const uint8_t *image)
{
	return !memcmp(image + 0x10040, "_BHRfS_M", 8);
}

static bool is_xfs(const uint8_t *image)
{
	return !memcmp(image, "XFSB", 4);
}

#define IMAGE_HEAD (0x10040 + 8)

/* What the driver of a file system calls itself when it complains. */
static const struct {
	const char *name;
	bool (*is)(const uint8_t *image);
	const char *driver, *symbol;
} file_systems[] = {
	{ "ext4", is_ext4, "EXT4-fs error", "CONFIG_EXT4_FS" },
	{ "btrfs", is_btrfs, "BTRFS", "CONFIG_BTRFS_FS" },
	{ "xfs", is_xfs, "XFS (%s)", "CONFIG_XFS_FS" },
};

/* The image of the disk that root= names, as Linux counts virtio disks; NULL: something else. */
static const char *root_image(const struct lab_guest *lab)
{
	static const char option[] = "root=/dev/vd";
	size_t disk = 0, wanted = SIZE_MAX;

	for (char **argument = lab->arguments; argument && *argument; argument++) {
		const char *name = *argument + strlen(option);

		/* A partition begins elsewhere: "root=/dev/vda1". */
		if (!strncmp(*argument, option, strlen(option)))
			wanted = *name && !name[1] ? (size_t)(*name - 'a') : SIZE_MAX;
	}
	for (size_t i = 0; i < lab->device_count; i++)
		if (lab->device[i].kind == LAB_DISK && disk++ == wanted)
			return lab->device[i].disk.image;
	return NULL;
}

static bool read_head(const char *path, uint8_t head[IMAGE_HEAD])
{
	auto_fd fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return fd >= 0 && pread(fd, head, IMAGE_HEAD, 0) == IMAGE_HEAD;
}

const char *run_fit_file_system(const char *path)
{
	uint8_t head[IMAGE_HEAD];

	if (!read_head(path, head))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++)
		if (file_systems[i].is(head))
			return file_systems[i].name;
	return NULL;
}

/* Linux 5.15 is the first that mounts a file system without a block device as root. */
static bool mounts_any_root(const struct image_file *kernel, char release[64])
{
	uint64_t major, minor;
	const char *rest = release;

	image_release(kernel, release, 64);
	if (number_take(&rest, 10, UINT32_MAX, &major) || *rest++ != '.' ||
	    number_take(&rest, 10, UINT32_MAX, &minor))
		return true;
	return major > 5 || (major == 5 && minor >= 15);
}

static int check_share_root(const struct lab_guest *lab, const struct guest_spec *spec,
			    struct diagnosis *why)
{
	static const char driver[] = "virtiofs";
	const struct image_file *kernel = &spec->files.file[0];
	char release[64];

	if (lab->root.kind != LAB_ROOT_SHARE && lab->root.kind != LAB_ROOT_TAR)
		return 0;
	if (!memmem(kernel->data, kernel->size, driver, strlen(driver)))
		return diagnose(why, EXIT_CANNOT, -EINVAL,
				"build one that has it with kernel/uml/build-uml.sh, or give an "
				"image of a file system as root",
				"the root of %s, %s, is mounted by virtiofs, and the kernel %s has "
				"no virtiofs: CONFIG_VIRTIO_FS is not set",
				spec->name, lab->root.path, lab->kernel);
	if (!mounts_any_root(kernel, release))
		return diagnose(why, EXIT_CANNOT, -EINVAL,
				"use a newer kernel, or give an image of a file system as root",
				"the root of %s, %s, is a share, and the kernel %s (%s) cannot "
				"mount one as root: Linux 5.15 is the first that can",
				spec->name, lab->root.path, lab->kernel, release);
	return 0;
}

static int check_root(const struct lab_guest *lab, const struct guest_spec *spec,
		      struct diagnosis *why)
{
	const struct image_file *kernel = &spec->files.file[0];
	const char *path = root_image(lab);
	uint8_t head[IMAGE_HEAD];

	if (!read_head(path, head))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(file_systems); i++) {
		if (!file_systems[i].is(head) ||
		    memmem(kernel->data, kernel->size, file_systems[i].driver,
			   strlen(file_systems[i].driver)))
			continue;
		return diagnose(
			why, EXIT_CANNOT, -EINVAL,
			"build one that has it with kernel/uml/build-uml.sh --distro",
			"the root file system of %s, %s, is %s, and the kernel %s has no %s: "
			"%s is not set",
			spec->name, path, file_systems[i].name, lab->kernel, file_systems[i].name,
			file_systems[i].symbol);
	}
	return 0;
}

int run_fit_check(const struct lab_guest *lab, const struct guest_spec *spec, struct diagnosis *why)
{
	int err = check_memory(spec, why);

	if (!err)
		err = check_share_root(lab, spec, why);
	return err ? err : check_root(lab, spec, why);
}
