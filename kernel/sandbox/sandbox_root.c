// SPDX-License-Identifier: BSD-3-Clause
/* The sandbox's root directory: a fresh tmpfs with the files it was given and nothing else. */
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox_internal.h"

/* The guest does not always run as the user who created them: as root without a user namespace it
 * is nobody. */
static const struct {
	const char *path;
	mode_t mode;
} directories[] = { { "/dev", 0755 },
		    { "/dev/shm", 01777 },
		    { "/run", 0755 },
		    { "/tmp", 01777 },
		    { "/proc", 0755 } };

static int fill_root(const struct sandbox_plan *plan, const char *root)
{
	const struct image_files *files = plan->options->files;
	char path[PATH_MAX];
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof(path), "%s%s", root, directories[i].path);
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		if (chmod(path, directories[i].mode))
			return -errno;
	}
	err = image_files_write(files, root);
	return err ? err : sandbox_loader_write(root);
}

/* Options of a mount in another user's namespace cannot be taken back, only added to. */
static int mount_flags(const char *path, unsigned long *flags)
{
	static const struct {
		unsigned long status, mount;
	} pairs[] = { { ST_NODEV, MS_NODEV },
		      { ST_NOATIME, MS_NOATIME },
		      { ST_NODIRATIME, MS_NODIRATIME },
		      { ST_RELATIME, MS_RELATIME } };
	struct statvfs status;

	if (statvfs(path, &status))
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (status.f_flag & pairs[i].status)
			*flags |= pairs[i].mount;
	return 0;
}

/*
 * The one device a guest's console code opens. The random ones are handled by the entropy filter.
 * This is the host's own inode: a read-only mount allows writing to the device, but no change of
 * the inode.
 */
static int bind_null(void)
{
	auto_fd fd = open("./dev/null", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	unsigned long flags = 0;
	int err;

	if (fd < 0 || mount("/dev/null", "./dev/null", NULL, MS_BIND, NULL))
		return -errno;
	err = mount_flags("./dev/null", &flags);
	if (err)
		return err;
	flags |= MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC;
	return mount(NULL, "./dev/null", NULL, flags, NULL) ? -errno : 0;
}

static int enter_root(const char **doing)
{
	int err;

	*doing = "bind /dev/null";
	err = bind_null();
	if (err)
		return err;
	*doing = "change the root directory";
	if (syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		return -errno;
	return 0;
}

int sandbox_build_root(const struct sandbox_plan *plan, const char **doing)
{
	char options[SANDBOX_ROOT_OPTIONS_TEXT];

	umask(022);
	*doing = "write the sandbox's files";
	if (!(plan->parts & ISOLATION_MOUNT))
		return fill_root(plan, plan->directory);
	*doing = "mount the sandbox's root";
	sandbox_root_options(plan, options);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("room", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) || chdir("/tmp"))
		return -errno;
	*doing = "write the sandbox's files";
	if (fill_root(plan, "/tmp"))
		return -errno;
	return enter_root(doing);
}
