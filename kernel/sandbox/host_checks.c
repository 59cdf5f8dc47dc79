// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reads the host's settings and tries, each in its own process, the system calls that create a
 * sandbox.
 */
#include "kernel/sandbox/host_checks.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/loader/loader.h"

/* ---- Settings -------------------------------------------------------------------------------- */

int host_read_setting(int directory, const char *path, char *text, size_t size)
{
	auto_fd fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : TEMP_FAILURE_RETRY(read(fd, text, size - 1));
	int err = length < 0 ? -errno : 0;

	text[err ? 0 : length] = '\0';
	return err;
}

/* The file's beginning without its last newline. Returns -errno when it cannot be read. */
static int read_text(const char *root, const char *path, char *text, size_t size)
{
	char full[PATH_MAX];
	size_t length;
	int err;

	snprintf(full, sizeof(full), "%s%s", root, path);
	err = host_read_setting(AT_FDCWD, full, text, size);
	length = strlen(text);
	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return err;
}

static long read_number(const char *root, const char *path)
{
	char text[32], *end;
	long value;

	if (read_text(root, path, text, sizeof(text)))
		return HOST_UNKNOWN;
	value = strtol(text, &end, 10);
	return end == text || *end || value < 0 ? HOST_UNKNOWN : value;
}

static bool exists(const char *root, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return !access(full, F_OK);
}

static const char *find_container(const char *root)
{
	static const struct {
		const char *mark, *name;
	} marks[] = {
		{ "docker", "Docker" },	       { "libpod", "Podman" },
		{ "kubepods", "a container" }, { "containerd", "a container" },
		{ "lxc", "a container" },
	};
	char groups[4096];

	if (exists(root, "/.dockerenv"))
		return "Docker";
	if (exists(root, "/run/.containerenv"))
		return "Podman";
	if (read_text(root, "/proc/1/cgroup", groups, sizeof(groups)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strstr(groups, marks[i].mark))
			return marks[i].name;
	return NULL;
}

static bool is_filtered(const char *root)
{
	char status[8192];
	const char *line;

	if (read_text(root, "/proc/self/status", status, sizeof(status)))
		return false;
	line = strstr(status, "\nSeccomp:");
	return line && strtol(line + strlen("\nSeccomp:"), NULL, 10) == SECCOMP_MODE_FILTER;
}

static bool is_bare_root(const char *root)
{
	char status[8192];
	const char *uid, *line;

	if (read_text(root, "/proc/self/status", status, sizeof(status)))
		return false;
	uid = strstr(status, "\nUid:");
	line = strstr(status, "\nCapPrm:");
	return uid && line && !strtol(uid + strlen("\nUid:"), NULL, 10) &&
	       !(strtoull(line + strlen("\nCapPrm:"), NULL, 16) >> CAP_SETFCAP & 1);
}

/* "docker-default (enforce)" gives "docker-default"; a profile in complain mode does not count. */
static void read_apparmor(const char *root, char *profile, size_t size)
{
	char *mode;

	if (read_text(root, "/proc/self/attr/apparmor/current", profile, size) &&
	    read_text(root, "/proc/self/attr/current", profile, size))
		return;
	mode = strstr(profile, " (");
	if (mode && !strcmp(mode, " (enforce)"))
		*mode = '\0';
	else
		*profile = '\0';
}

uint32_t host_parse_version(const char *release)
{
	uint64_t major, minor, patch = 0;

	if (number_take(&release, 10, 0xffff, &major) || *release++ != '.' ||
	    number_take(&release, 10, 0xff, &minor))
		return 0;
	/* Stable releases have passed 255; what matters here is below. */
	if (*release++ == '.' && number_take(&release, 10, 0xff, &patch) == -ERANGE)
		patch = 0xff;
	return HOST_LINUX((uint32_t)major, (uint32_t)minor, (uint32_t)patch);
}

void host_read_settings(const char *root, struct host_settings *settings)
{
	*settings = (struct host_settings){
#define HOST_SETTING(member, path) .member = read_number(root, path),
		HOST_SETTINGS(HOST_SETTING)
#undef HOST_SETTING
			.filtered = is_filtered(root),
		.bare_root = is_bare_root(root),
		.container = find_container(root),
	};
	read_apparmor(root, settings->apparmor, sizeof(settings->apparmor));
	read_text(root, "/proc/sys/kernel/osrelease", settings->release, sizeof(settings->release));
	settings->version = host_parse_version(settings->release);
}

/* ---- Trials: each runs in a child and returns 0 or -errno ------------------------------------ */

static int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	/* Killed: the sternest way a filter has to refuse. */
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}

/* As the sandbox does it: by the raw call, since fork() takes no flags. */
static pid_t clone_with(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
}

int host_write_setting(int directory, const char *path, const char *text)
{
	auto_fd fd = openat(directory, path, O_WRONLY | O_CLOEXEC);
	ssize_t length = (ssize_t)strlen(text), written = -1;

	if (fd >= 0)
		written = TEMP_FAILURE_RETRY(write(fd, text, (size_t)length));
	return written == length ? 0 : written < 0 ? -errno : -EIO;
}

static int map_user(uid_t uid)
{
	char map[32];
	int err = host_write_setting(AT_FDCWD, "/proc/self/setgroups", "deny");

	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	return err ? err : host_write_setting(AT_FDCWD, "/proc/self/uid_map", map);
}

/* As the sandbox creates its root, without the files. */
static int change_root(uid_t uid)
{
	int err = map_user(uid);

	if (err)
		return err;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("room", "/tmp", "tmpfs", MS_NOSUID, NULL) || chdir("/tmp") ||
	    syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return -errno;
	return 0;
}

/* Run @inside in new namespaces; it is given the user outside. */
static int try_namespaces(unsigned long flags, int (*inside)(uid_t uid))
{
	uid_t uid = geteuid();
	pid_t pid = clone_with(flags);

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-inside(uid));
	return wait_status(pid);
}

static int do_nothing(uid_t uid)
{
	(void)uid;
	return 0;
}

static int try_userns(void)
{
	return try_namespaces(CLONE_NEWUSER, do_nothing);
}

static int try_map(void)
{
	return try_namespaces(CLONE_NEWUSER, map_user);
}

static int try_mount(void)
{
	return try_namespaces(CLONE_NEWUSER | CLONE_NEWNS, change_root);
}

/* As the loader reserves unused address space, which ulimit -v counts. */
static int try_space(void)
{
	void *space = mmap(NULL, LOADER_ADDRESS_END - LOADER_CEILING, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return space == MAP_FAILED ? -errno : 0;
}

/* If it is not built in, the kernel takes this for the older calls, which need a privilege. */
static int try_heap(void)
{
	unsigned int size;

	return prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0) ? -errno : 0;
}

static int try_listener(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		    &program) < 0)
		return -errno;
	return 0;
}

static int try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? -errno : 0;
}

static int try_affinity(void)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) ||
	    sched_setaffinity(0, sizeof(allowed), &allowed))
		return -errno;
	return 0;
}

/* In a grandchild, as the guest is one of the recorder. */
static int try_memory(void)
{
	static char word[8];
	struct iovec iovec = { word, sizeof(word) };
	pid_t pid = fork();
	int err = 0;

	if (pid < 0)
		return -errno;
	if (!pid)
		for (;;)
			pause();
	if (process_vm_readv(pid, &iovec, 1, &iovec, 1, 0) < 0 ||
	    process_vm_writev(pid, &iovec, 1, &iovec, 1, 0) < 0)
		err = -errno;
	kill(pid, SIGKILL);
	wait_status(pid);
	return err;
}

static const struct {
	int (*run)(void);
	const char *text;
} trials[] = {
#define HOST_TRIAL(NAME, run, text) { run, text },
	HOST_TRIALS(HOST_TRIAL)
#undef HOST_TRIAL
};

const char *host_trial_text(enum host_trial trial)
{
	return trials[trial].text;
}

int host_try(enum host_trial trial)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-trials[trial].run());
	return wait_status(pid);
}

/* ---- Devices ------------------------------------------------------------------------------- */

/* Devices of this machine that sandboxes use. */
static const struct {
	const char *path;
	unsigned int number[2]; /* major, minor */
} devices[] = { { "/dev/null", { 1, 3 } } };

static const char *type_text(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *text;
	} types[] = { { S_IFREG, "a regular file" }, { S_IFDIR, "a directory" },
		      { S_IFIFO, "a FIFO" },	     { S_IFSOCK, "a socket" },
		      { S_IFBLK, "a block device" }, { S_IFCHR, "a character device" } };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].text;
	return "something else";
}

/* The guest's user must be able to open it: the user nobody if this is root. */
static int try_device(const char *path, const struct stat *status)
{
	auto_fd fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return geteuid() || (status->st_mode & 06) == 06 ? 0 : -EACCES;
}

static int check_device(const char *path, const unsigned int number[2], struct diagnosis *why)
{
	struct stat status;
	char advice[128];
	int err;

	snprintf(advice, sizeof(advice), "as root: rm -rf %s && mknod -m 666 %s c %u %u", path,
		 path, number[0], number[1]);
	if (stat(path, &status))
		return diagnose(why, EXIT_CANNOT, -ENODEV, advice,
				"this machine's %s, which each guest opens, is not accessible: %s",
				path, strerror(errno));
	if (!S_ISCHR(status.st_mode))
		return diagnose(why, EXIT_CANNOT, -ENODEV, advice,
				"this machine's %s, which each guest opens, is %s instead of the "
				"device %u:%u",
				path, type_text(status.st_mode), number[0], number[1]);
	if (status.st_rdev != makedev(number[0], number[1]))
		return diagnose(why, EXIT_CANNOT, -ENODEV, advice,
				"this machine's %s, which each guest opens, is the device %u:%u "
				"instead of %u:%u",
				path, major(status.st_rdev), minor(status.st_rdev), number[0],
				number[1]);
	err = try_device(path, &status);
	if (!err)
		return 0;
	if (diagnosis_shortage(err))
		return diagnose(why, EXIT_CANNOT, err, diagnosis_shortage(err),
				"cannot open %s: %s", path, strerror(-err));
	snprintf(advice, sizeof(advice),
		 "as root: chmod 666 %s; the file system that it is in may "
		 "be mounted nodev",
		 path);
	return diagnose(why, EXIT_CANNOT, -ENODEV, advice,
			"this machine's %s, which each guest opens, cannot be read and written by "
			"the guest's user (mode %04o): %s",
			path, status.st_mode & 07777, strerror(-err));
}

int host_check_devices(struct diagnosis *why)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(devices); i++)
		err = check_device(devices[i].path, devices[i].number, why);
	return err;
}

/* ---- Directories ----------------------------------------------------------------------------- */

int host_read_directory(const char *path, struct host_directory *directory)
{
	struct statvfs status;

	if (statvfs(path, &status))
		return -errno;
	directory->free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
	directory->exec = !(status.f_flag & ST_NOEXEC);
	return 0;
}

/* The number after @key in a file; UINT64_MAX when there is no number, such as with "max". */
static uint64_t read_bytes(const char *path, const char *key)
{
	auto_file *file = fopen(path, "re");
	char line[256];
	uint64_t number;

	while (file && fgets(line, sizeof(line), file)) {
		const char *at = line + strlen(key);

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		at += strspn(at, " ");
		if (!number_take(&at, 10, UINT64_MAX, &number))
			return number;
	}
	return UINT64_MAX;
}

/*
 * The memory that is left in the control group at @path, a path in the cgroup file system;
 * UINT64_MAX: no limit.
 */
static uint64_t left_in_group(const char *path)
{
	char file[PATH_MAX];
	uint64_t most, used;

	snprintf(file, sizeof(file), "/sys/fs/cgroup%s/memory.max", path);
	most = read_bytes(file, "");
	snprintf(file, sizeof(file), "/sys/fs/cgroup%s/memory.current", path);
	used = read_bytes(file, "");
	if (most == UINT64_MAX || used == UINT64_MAX)
		return UINT64_MAX;
	return used < most ? most - used : 0;
}

uint64_t host_memory_available(void)
{
	uint64_t kib = read_bytes("/proc/meminfo", "MemAvailable:");
	uint64_t least = kib > UINT64_MAX >> 10 ? UINT64_MAX : kib << 10;
	auto_file *groups = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX / 2], *path = line + strlen("0::");

	while (groups && fgets(line, sizeof(line), groups)) {
		if (strncmp(line, "0::/", strlen("0::/")))
			continue;
		/* The limit of each group that it is in holds. */
		for (char *end = path + strcspn(path, "\n"); end; end = strrchr(path, '/')) {
			uint64_t left;

			*end = '\0';
			left = left_in_group(path);
			least = left < least ? left : least;
		}
	}
	return least;
}
