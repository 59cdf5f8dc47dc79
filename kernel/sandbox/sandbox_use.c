// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory and CPU time used by a sandbox's processes, checked periodically.
 *
 * A resource limit bounds what a process may map (RLIMIT_DATA, RLIMIT_AS), and a kernel with KASAN
 * maps 16 TiB of which it uses an eighth of its memory; and none of them bounds what many processes
 * use together, or what is shared. A control group counts the right thing, but not every user and
 * container may make one. So the supervisor counts: anonymous memory, swap and page tables of all
 * processes, shared memory that they map or have open, and the processes themselves. It checks
 * often enough that an excess stays small, and seldom enough to take about a hundredth of one CPU.
 * If no process is new, the CPU time since the last check bounds the additional use, and nothing is
 * checked until that could exceed a limit: 200 guests that mostly wait cost almost nothing.
 *
 * CPU time is that of existing processes and of those that were waited for.
 *
 * Not counted: memory of the host's kernel for sockets and pipes, and the CPU time of a process
 * that ends between two checks and is never waited for; only a control group counts these. The host
 * kills the sandbox's processes first when memory is short (sandbox_limit_supervisor).
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/sandbox/sandbox_internal.h"

#define PAUSE_LEAST_NS	20000000ull
#define PAUSE_MOST_NS	1000000000ull
#define PAUSE_PER_LOOK	100 /* times the duration of the check */
#define GROWTH_PER_NS	16  /* bytes: no CPU clears memory faster */
#define OPEN_FILES_MAX	(64u << 10)
#define STATUS_TEXT	4096
#define BYTES_PER_BLOCK 512

/* A file in memory that some process has open. */
struct open_file {
	dev_t device;
	ino_t inode;
	uint64_t bytes;
};

struct use {
	uint64_t own;	 /* anonymous memory, swap, page tables: bytes */
	uint64_t mapped; /* shared memory that is mapped, at most: twice if by two processes */
	uint64_t ticks;	 /* CPU time */
	struct open_file *file;
	size_t files;
	pid_t *pid; /* as in the host's /proc */
	size_t pids;
};

void sandbox_use_open(struct sandbox_use *use, const struct sandbox_plan *plan)
{
	const struct sandbox_options *options = plan->options;
	uint64_t memory = sandbox_memory(plan);
	char text[64];
	ssize_t length;
	uint64_t self;

	*use = (struct sandbox_use){ .proc_fd = -1,
				     .group_cpu_fd = plan->group_cpu_fd,
				     .memory = options->limits.memory ? 2 * memory : 0,
				     .cpu = options->limits.cpu,
				     .processes = options->limits.processes,
				     .host_files = options->host_files,
				     .pause_ns = PAUSE_LEAST_NS };
	use->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	length = readlinkat(use->proc_fd, "self", text, sizeof(text) - 1);
	text[length < 0 ? 0 : length] = '\0';
	if (!number_parse(text, 10, INT_MAX, &self)) {
		use->supervisor = (pid_t)self;
		/* Linux without CONFIG_PROC_CHILDREN does not list children. */
		snprintf(text, sizeof(text), "%d/task/%d/children", use->supervisor,
			 use->supervisor);
	}
	if (!use->supervisor || faccessat(use->proc_fd, text, R_OK, 0))
		close_fd(&use->proc_fd);
	use->load_fd = openat(use->proc_fd, "loadavg", O_RDONLY | O_CLOEXEC);
}

bool sandbox_use_is_watched(const struct sandbox_use *use)
{
	return use->proc_fd >= 0;
}

/* ---- Is a look worth it? ----------------------------------------------------------------------
 */

/* Of the supervisor's own namespace. 0: not known. */
static unsigned long last_pid(const struct sandbox_use *use)
{
	char text[128];
	ssize_t length = pread(use->load_fd, text, sizeof(text) - 1, 0);
	const char *last;

	text[length < 0 ? 0 : length] = '\0';
	last = strrchr(text, ' ');
	return last ? strtoul(last, NULL, 10) : 0;
}

static bool read_clock(clockid_t clock, uint64_t *ns)
{
	struct timespec time;

	if (clock_gettime(clock, &time))
		return false;
	*ns += (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
	return true;
}

static void mark_begin(struct sandbox_use *use)
{
	use->last_pid = last_pid(use);
	use->marked = use->last_pid != 0;
	use->clocks = 0;
	use->ran = 0;
	use->bytes = use->taken = 0;
}

/* Count its CPU time from here on; @pid is its number in our namespace. */
static void mark_process(struct sandbox_use *use, pid_t pid)
{
	if (array_room(use->clock, use->clock_space, use->clocks + 1, 16)) {
		use->marked = false;
		return;
	}
	if (!pid || clock_getcpuclockid(pid, &use->clock[use->clocks]) ||
	    !read_clock(use->clock[use->clocks], &use->ran))
		use->marked = false;
	else
		use->clocks++;
}

static bool may_be_too_much(const struct sandbox_use *use)
{
	uint64_t ran = 0;

	if (!use->marked || last_pid(use) != use->last_pid)
		return true;
	for (size_t i = 0; i < use->clocks; i++)
		if (!read_clock(use->clock[i], &ran))
			return true;
	ran -= use->ran;
	return (use->memory && use->bytes + ran * GROWTH_PER_NS > use->memory) ||
	       (use->cpu && use->taken + ran > use->cpu);
}

/* ---- Listing processes --------------------------------------------------------------------- */

static DIR *open_directory(const struct sandbox_use *use, pid_t pid, const char *name)
{
	char path[64];
	DIR *directory;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	fd = openat(use->proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !directory)
		close(fd);
	return directory;
}

static void add_children_of_thread(struct use *sum, int directory_fd, const char *thread)
{
	auto_file *list = NULL;
	auto_free char *word = NULL;
	char path[NAME_MAX + sizeof("/children")];
	size_t space = 0;
	uint64_t pid;
	int fd;

	snprintf(path, sizeof(path), "%s/children", thread);
	fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopen(fd, "r");
	if (fd >= 0 && !list)
		close(fd);
	/* "12 15 ": each has a space behind it. */
	while (list && getdelim(&word, &space, ' ', list) > 0) {
		word[strcspn(word, " ")] = '\0';
		if (number_parse(word, 10, INT_MAX, &pid) ||
		    array_push(sum->pid, sum->pids, (pid_t)pid))
			return;
	}
}

/* Children of all its threads: those of a process that ended in between are reparented to the
 * supervisor. */
static void add_children(const struct sandbox_use *use, struct use *sum, pid_t pid)
{
	DIR *threads = open_directory(use, pid, "task");
	const struct dirent *entry;

	while (threads && (entry = readdir(threads)))
		if (*entry->d_name != '.')
			add_children_of_thread(sum, dirfd(threads), entry->d_name);
	if (threads)
		closedir(threads);
}

/* ---- What they use --------------------------------------------------------------------------- */

/* Read a small file of /proc/PID. Returns @text, empty if there is none. */
static const char *read_text(const struct sandbox_use *use, pid_t pid, const char *name,
			     char text[STATUS_TEXT])
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", pid, name);
	host_read_setting(use->proc_fd, path, text, STATUS_TEXT);
	return text;
}

/* The number after @name, which is given with the end of the line before: "\nRssAnon:". */
static uint64_t number_of(const char *text, const char *name)
{
	const char *found = strstr(text, name);
	uint64_t number = 0;

	if (found) {
		found += strlen(name);
		found += strspn(found, " \t");
		number_take(&found, 10, UINT64_MAX, &number);
	}
	return number;
}

static uint64_t kib_of(const char *text, const char *name)
{
	return number_of(text, name) << 10;
}

/*
 * Its CPU time, if @own, and that of its children that were waited for: fields 14 to 17 of
 * /proc/PID/stat, after a name that may contain anything.
 */
static uint64_t cpu_ticks(const struct sandbox_use *use, pid_t pid, bool own)
{
	uint64_t ticks[4]; /* user, system, and those of its children */
	char text[STATUS_TEXT];
	const char *rest = strrchr(read_text(use, pid, "stat", text), ')');

	if (!rest)
		return 0;
	rest++;
	for (unsigned int field = 3; field < 14; field++) {
		rest += strspn(rest, " ");
		rest += strcspn(rest, " ");
	}
	for (size_t i = 0; i < ARRAY_SIZE(ticks); i++) {
		rest += strspn(rest, " ");
		if (number_take(&rest, 10, UINT64_MAX, &ticks[i]))
			return 0;
	}
	return ticks[2] + ticks[3] + (own ? ticks[0] + ticks[1] : 0);
}

/* Its number in the sandbox's own namespace: the last one. */
static pid_t inner_pid(const char *status)
{
	const char *line = strstr(status, "\nNSpid:"), *end, *last;
	uint64_t pid = 0;

	if (!line)
		return 0;
	end = strchr(line + 1, '\n');
	for (last = end ? end : line + strlen(line); last[-1] >= '0' && last[-1] <= '9'; last--)
		;
	number_take(&last, 10, INT_MAX, &pid);
	return (pid_t)pid;
}

static int add_file(struct use *sum, const struct stat *status)
{
	struct open_file file = { .device = status->st_dev,
				  .inode = status->st_ino,
				  .bytes = (uint64_t)status->st_blocks * BYTES_PER_BLOCK };

	return sum->files >= OPEN_FILES_MAX ? -E2BIG : array_push(sum->file, sum->files, file);
}

static bool is_in_memory(int directory_fd, const char *name)
{
	auto_fd fd = openat(directory_fd, name, O_PATH | O_CLOEXEC);
	struct statfs status;

	return fd >= 0 && !fstatfs(fd, &status) &&
	       (status.f_type == TMPFS_MAGIC || status.f_type == HUGETLBFS_MAGIC);
}

static int add_open_files(const struct sandbox_use *use, struct use *sum, pid_t pid)
{
	DIR *files = open_directory(use, pid, "fd");
	const struct dirent *entry;
	struct stat status;
	int err = 0;

	while (files && !err && (entry = readdir(files)))
		if (*entry->d_name != '.' && !fstatat(dirfd(files), entry->d_name, &status, 0) &&
		    S_ISREG(status.st_mode) && status.st_blocks &&
		    is_in_memory(dirfd(files), entry->d_name))
			err = add_file(sum, &status);
	if (files)
		closedir(files);
	return err;
}

/* Before Linux 6.13 the processes of a guest's user space share the descriptors of its kernel. */
static bool shares_files(const char *status, pid_t guest)
{
	pid_t pid = inner_pid(status);

	return pid && pid != guest && !syscall(SYS_kcmp, pid, guest, KCMP_FILES, 0, 0);
}

static int add_process(struct sandbox_use *use, struct use *sum, pid_t pid, pid_t guest)
{
	char text[STATUS_TEXT];
	const char *status = read_text(use, pid, "status", text);

	mark_process(use, inner_pid(status));
	sum->own += kib_of(status, "\nRssAnon:") + kib_of(status, "\nVmPTE:") +
		    kib_of(status, "\nVmSwap:");
	sum->mapped += kib_of(status, "\nRssShmem:");
	if (use->cpu && use->group_cpu_fd < 0)
		sum->ticks += cpu_ticks(use, pid, true);
	/* Files of the host do not count as its memory. */
	if (use->host_files || shares_files(status, guest))
		return 0;
	return add_open_files(use, sum, pid);
}

static int compare_files(const void *one, const void *other)
{
	const struct open_file *first = one, *second = other;

	if (first->device != second->device)
		return first->device < second->device ? -1 : 1;
	return (first->inode > second->inode) - (first->inode < second->inode);
}

/* Each file once. */
static uint64_t bytes_open(struct use *sum)
{
	uint64_t bytes = 0;

	if (sum->files)
		qsort(sum->file, sum->files, sizeof(*sum->file), compare_files);
	for (size_t i = 0; i < sum->files; i++)
		if (!i || compare_files(&sum->file[i - 1], &sum->file[i]))
			bytes += sum->file[i].bytes;
	return bytes;
}

/* The exact value, each page once, which is slower. */
static uint64_t bytes_mapped(const struct sandbox_use *use, const struct use *sum)
{
	char text[STATUS_TEXT];
	uint64_t bytes = 0;

	for (size_t i = 1; i < sum->pids; i++)
		bytes += kib_of(read_text(use, sum->pid[i], "smaps_rollup", text), "\nPss_Shmem:");
	return bytes;
}

/* ---- Is it too much? ------------------------------------------------------------------------- */

static uint64_t larger(uint64_t one, uint64_t other)
{
	return one > other ? one : other;
}

/*
 * Mapped memory is mostly also open, so the larger of the two counts: at worst there is twice the
 * allowed shared memory.
 */
static bool is_too_much(struct sandbox_use *use, struct use *sum, char text[SANDBOX_EXCEEDED_TEXT])
{
	uint64_t open = bytes_open(sum), used = sum->own + larger(sum->mapped, open);
	char took[UNITS_TEXT], limit[UNITS_TEXT];

	use->bytes = used;
	if (!use->memory || used <= use->memory)
		return false;
	use->bytes = used = sum->own + larger(bytes_mapped(use, sum), open);
	if (used <= use->memory)
		return false;
	snprintf(text, SANDBOX_EXCEEDED_TEXT, "it used %s of memory; the limit is %s",
		 size_text(used, took), size_text(use->memory, limit));
	return true;
}

static bool are_too_many(const struct sandbox_use *use, const struct use *sum,
			 char text[SANDBOX_EXCEEDED_TEXT])
{
	/* The supervisor is not counted. */
	if (!use->processes || sum->pids <= use->processes + 1)
		return false;
	snprintf(text, SANDBOX_EXCEEDED_TEXT, "it had more than %u processes", use->processes);
	return true;
}

static bool is_too_long(struct sandbox_use *use, const struct use *sum,
			char text[SANDBOX_EXCEEDED_TEXT])
{
	uint64_t used = use->group_cpu_fd < 0
				? sum->ticks * NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK)
				: sandbox_group_cpu(use->group_cpu_fd);
	char took[UNITS_TEXT], limit[UNITS_TEXT];

	use->taken = used;
	if (!use->cpu || used <= use->cpu)
		return false;
	snprintf(text, SANDBOX_EXCEEDED_TEXT, "it used %s of CPU time; the limit is %s",
		 duration_short(used, took), duration_short(use->cpu, limit));
	return true;
}

static enum sandbox_limit look(struct sandbox_use *use, pid_t guest, struct use *sum,
			       char text[SANDBOX_EXCEEDED_TEXT])
{
	mark_begin(use);
	if (array_push(sum->pid, sum->pids, use->supervisor)) {
		use->marked = false;
		return SANDBOX_LIMIT_NONE;
	}
	if (use->cpu && use->group_cpu_fd < 0)
		sum->ticks = cpu_ticks(use, use->supervisor, false);
	for (size_t i = 0; i < sum->pids; i++) {
		add_children(use, sum, sum->pid[i]);
		if (are_too_many(use, sum, text))
			return SANDBOX_LIMIT_PROCESSES;
		if (i && add_process(use, sum, sum->pid[i], guest) == -E2BIG) {
			snprintf(text, SANDBOX_EXCEEDED_TEXT, "it had more than %u open files",
				 OPEN_FILES_MAX);
			return SANDBOX_LIMIT_MEMORY;
		}
	}
	if (is_too_long(use, sum, text))
		return SANDBOX_LIMIT_CPU;
	return is_too_much(use, sum, text) ? SANDBOX_LIMIT_MEMORY : SANDBOX_LIMIT_NONE;
}

static uint64_t cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

enum sandbox_limit sandbox_use_exceeded(struct sandbox_use *use, pid_t guest,
					char text[SANDBOX_EXCEEDED_TEXT])
{
	uint64_t begin = cpu_time();
	struct use sum = { 0 };
	enum sandbox_limit exceeded =
		may_be_too_much(use) ? look(use, guest, &sum, text) : SANDBOX_LIMIT_NONE;

	free(sum.pid);
	free(sum.file);
	use->pause_ns = larger(PAUSE_LEAST_NS, PAUSE_PER_LOOK * (cpu_time() - begin));
	if (use->pause_ns > PAUSE_MOST_NS)
		use->pause_ns = PAUSE_MOST_NS;
	return exceeded;
}
