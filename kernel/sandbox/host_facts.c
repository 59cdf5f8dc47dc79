// SPDX-License-Identifier: BSD-3-Clause
/* What a guest sees of the host, made the same on every host. */
#include "kernel/sandbox/host_facts.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox.h"

/* A release that no C library calls too old. */
static const struct utsname host_name = { .sysname = "Linux",
					  .nodename = "ttrec",
					  .release = "6.1.0",
					  .version = "#1",
					  .machine = "x86_64",
					  .domainname = "(none)" };

/* The end of a page may be the end of a mapping: what lies beyond it is read apart. */
bool host_facts_read_text(pid_t pid, uint64_t address, char *text, size_t size)
{
	size_t page_left = 4096 - (address & 4095);
	size_t first = size < page_left ? size : page_left;
	struct iovec local = { text, size };
	struct iovec remote[] = { { (void *)address, first },
				  { (void *)(address + first), size - first } };

	memset(text, 0, size);
	if (process_vm_readv(pid, &local, 1, remote, ARRAY_SIZE(remote), 0) <= 0)
		return false;
	text[size - 1] = '\0';
	return true;
}

static int64_t put(const struct seccomp_notif *question, uint64_t address, const void *data,
		   size_t size)
{
	struct iovec local = { (void *)data, size }, remote = { (void *)address, size };
	ssize_t written = process_vm_writev((pid_t)question->pid, &local, 1, &remote, 1, 0);

	if (written < 0 && errno == ENOMEM)
		return -ENOMEM;
	return written == (ssize_t)size ? 0 : -EFAULT;
}

/* ---- statfs(2) ------------------------------------------------------------------------------- */

static bool answer_statfs(const struct seccomp_notif *question, int64_t *value)
{
	static const struct statfs memory = {
		.f_type = TMPFS_MAGIC, .f_bsize = 4096, .f_namelen = 255, .f_frsize = 4096
	};
	char path[16];

	if (!host_facts_read_text((pid_t)question->pid, question->data.args[0], path,
				  sizeof(path)) ||
	    strcmp(path, "." SANDBOX_TEMPORARY) != 0)
		return false;
	*value = put(question, question->data.args[1], &memory, sizeof(memory));
	return true;
}

/* ---- open(2), access(2) ---------------------------------------------------------------------- */

/* An absolute path that does not exist in the sandbox. */
static bool read_absolute(const struct sandbox *sandbox, const struct seccomp_notif *question,
			  unsigned int argument, char path[PATH_MAX])
{
	return sandbox->seen &&
	       host_facts_read_text((pid_t)question->pid, question->data.args[argument], path,
				    PATH_MAX) &&
	       *path == '/' && strcmp(path, "/dev/null") != 0;
}

static bool answer_access(const struct sandbox *sandbox, const struct seccomp_notif *question,
			  int64_t *value)
{
	char path[PATH_MAX];

	if (!read_absolute(sandbox, question, question->data.nr == SYS_faccessat, path))
		return false;
	*value = image_files_find(sandbox->seen, path) ? 0 : -ENOENT;
	return true;
}

/* The guest may have replaced it: it then gets only its own file. */
static int open_below(const char *directory, const char *path)
{
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	auto_fd root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = root < 0 ? -1 : (int)syscall(SYS_openat2, root, path + 1, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int64_t hand_over(const struct sandbox *sandbox, const struct seccomp_notif *question,
			 int fd, uint64_t flags)
{
	struct seccomp_notif_addfd add = { .id = question->id,
					   .srcfd = (uint32_t)fd,
					   .newfd_flags = flags & O_CLOEXEC };
	int remote = ioctl(sandbox->entropy_fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

	return remote < 0 ? -errno : remote;
}

static bool answer_open(const struct sandbox *sandbox, const struct seccomp_notif *question,
			int64_t *value)
{
	unsigned int first = question->data.nr == SYS_openat;
	uint64_t flags = question->data.args[first + 1];
	char path[PATH_MAX];
	auto_fd fd = -1;

	if (!read_absolute(sandbox, question, first, path))
		return false;
	fd = (flags & O_ACCMODE) == O_RDONLY && image_files_find(sandbox->seen, path)
		     ? open_below(sandbox->directory, path)
		     : -ENOENT;
	*value = fd < 0 ? fd : hand_over(sandbox, question, fd, flags);
	return true;
}

bool host_facts_answer(const struct sandbox *sandbox, const struct seccomp_notif *question,
		       int64_t *value)
{
	switch (question->data.nr) {
	case SYS_uname:
		*value = put(question, question->data.args[0], &host_name, sizeof(host_name));
		return true;
	case SYS_statfs:
		return answer_statfs(question, value);
	case SYS_open:
	case SYS_openat:
		return answer_open(sandbox, question, value);
	case SYS_access:
	case SYS_faccessat:
		return answer_access(sandbox, question, value);
	default:
		return false;
	}
}
