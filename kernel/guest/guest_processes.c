// SPDX-License-Identifier: BSD-3-Clause
/* The processes of a guest, found in its kernel's memory without debugging information. */
#include "kernel/guest/guest_processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"

#define PROCESSES_MAX 4096u
#define TASK_SIZE_MAX 16384u /* bytes of a task_struct */
#define MM_SIZE_MAX   4096u  /* bytes of an mm_struct that are searched */
#define PAGE	      4096u
#define NOT_FOUND     SIZE_MAX
#define STOP_TRIES    100 /* ms */

/* A host process whose parent is the guest's kernel. */
struct child {
	pid_t host;
	uint32_t inside; /* its number in the guest's kernel */
	char state;
};

/* Offsets of members in structures of this kernel, in bytes. */
struct layout {
	size_t task_size;
	size_t comm, tasks, pid; /* of a task_struct; the process' number follows the thread's */
	size_t mm;		 /* the same */
	size_t id;		 /* of an mm_struct: number of the host's process */
};

struct look {
	pid_t kernel;
	const struct image_file *image;
	struct child *child;
	size_t child_count;
	struct layout layout;
	uint64_t init_task;
	uint64_t *task; /* all but init_task, in the order of their list */
	size_t task_count;
};

static void release_look(struct look *look)
{
	free(look->child);
	free(look->task);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* ---- The host's processes ------------------------------------------------------------------- */

static bool read_file(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	auto_fd fd = -1;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* The last of its numbers is that in the innermost namespace, which the guest's kernel sees. */
static uint32_t inside_pid(pid_t pid)
{
	char text[4096], *line;
	const char *last;
	uint64_t inside = 0;

	if (!read_file(pid, "status", text, sizeof(text)))
		return 0;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return (uint32_t)pid;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	last = strrchr(line, '\t');
	if (last && last++)
		number_take(&last, 10, UINT32_MAX, &inside);
	return (uint32_t)inside;
}

static bool read_child(pid_t pid, pid_t parent, struct child *child)
{
	char text[512];
	const char *end;
	uint64_t its_parent;

	if (!read_file(pid, "stat", text, sizeof(text)))
		return false;
	/* ") S 12 ": the name in parentheses is chosen by the process. */
	end = strrchr(text, ')');
	if (!end || strlen(end) < 5)
		return false;
	child->state = end[2];
	end += 4;
	if (number_take(&end, 10, INT_MAX, &its_parent) || (pid_t)its_parent != parent)
		return false;
	child->host = pid;
	child->inside = inside_pid(pid);
	return child->inside;
}

static int find_children(struct look *look)
{
	cleanup(close_directory) DIR *directory = opendir("/proc");
	struct dirent *entry;

	if (!directory)
		return -errno;
	while ((entry = readdir(directory)) && look->child_count < PROCESSES_MAX) {
		struct child child;
		uint64_t pid;

		if (number_parse(entry->d_name, 10, INT_MAX, &pid) ||
		    !read_child((pid_t)pid, look->kernel, &child))
			continue;
		if (array_push(look->child, look->child_count, child))
			return -ENOMEM;
	}
	return 0;
}

static const struct child *find_child(const struct look *look, uint32_t inside)
{
	for (size_t i = 0; i < look->child_count; i++)
		if (look->child[i].inside == inside)
			return &look->child[i];
	return NULL;
}

/* "0 0x1 ... SP PC", "-1 SP PC" or "running". */
static uint64_t read_ip(pid_t pid)
{
	char text[512], *last;

	if (!read_file(pid, "syscall", text, sizeof(text)))
		return 0;
	last = strrchr(text, ' ');
	return last ? strtoull(last + 1, NULL, 0) : 0;
}

/* ---- The kernel's memory -------------------------------------------------------------------- */

static bool read_memory(const struct look *look, uint64_t address, void *data, size_t size)
{
	struct iovec here = { data, size }, there = { (void *)(uintptr_t)address, size };

	return process_vm_readv(look->kernel, &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* 0 without memory: never an address that is searched for. */
static uint64_t read_word(const struct look *look, uint64_t address)
{
	uint64_t word;

	return read_memory(look, address, &word, sizeof(word)) ? word : 0;
}

static uint64_t word_at(const uint8_t *object, size_t offset)
{
	uint64_t word;

	memcpy(&word, object + offset, sizeof(word));
	return word;
}

static uint32_t number_at(const uint8_t *object, size_t offset)
{
	uint32_t number;

	memcpy(&number, object + offset, sizeof(number));
	return number;
}

static bool read_name(const struct look *look, uint64_t task, char name[GUEST_COMM])
{
	if (!read_memory(look, task + look->layout.comm, name, GUEST_COMM) || !*name ||
	    name[GUEST_COMM - 1])
		return false;
	for (const char *character = name; *character; character++)
		if (*character < ' ' || *character > '~')
			return false;
	return true;
}

/* Follow the list at @offset of init_task around. If all its entries are tasks, they are kept. */
static bool walk_tasks(struct look *look, size_t offset)
{
	uint64_t head = look->init_task + offset, at = head;
	char name[GUEST_COMM];

	for (look->task_count = 0; look->task_count < PROCESSES_MAX; look->task_count++) {
		uint64_t next = read_word(look, at);

		if (next % sizeof(next) || next < offset || read_word(look, next + 8) != at)
			return false;
		if (next == head)
			return look->task_count >= 2;
		if (!read_name(look, next - offset, name))
			return false;
		look->task[look->task_count] = next - offset;
		at = next;
	}
	return true;
}

static bool find_tasks(struct look *look)
{
	for (size_t offset = 0; offset + 16 <= look->layout.task_size; offset += 8)
		if (walk_tasks(look, offset)) {
			look->layout.tasks = offset;
			return true;
		}
	look->task_count = 0;
	return false;
}

/* The first two tasks are init and kthreadd: their numbers are 1 and 2, each of thread and process.
 */
static bool find_pid(struct look *look)
{
	uint8_t first[TASK_SIZE_MAX], second[TASK_SIZE_MAX];

	if (!read_memory(look, look->task[0], first, look->layout.task_size) ||
	    !read_memory(look, look->task[1], second, look->layout.task_size))
		return false;
	for (size_t at = 0; at + 8 <= look->layout.task_size; at += 4)
		if (number_at(first, at) == 1 && number_at(first, at + 4) == 1 &&
		    number_at(second, at) == 2 && number_at(second, at + 4) == 2) {
			look->layout.pid = at;
			return true;
		}
	return false;
}

/*
 * struct mm_id: number of the host's process, then the address of its stub's stack, whole pages.
 */
static size_t find_id(const struct look *look, uint64_t mm)
{
	uint8_t object[MM_SIZE_MAX], byte;

	if (!read_memory(look, mm, object, sizeof(object)))
		return NOT_FOUND;
	for (size_t at = 0; at + 16 <= sizeof(object); at += 8) {
		uint64_t stack = word_at(object, at + 8);

		if (find_child(look, number_at(object, at)) && stack && !(stack % PAGE) &&
		    read_memory(look, stack, &byte, 1))
			return at;
	}
	return NOT_FOUND;
}

/* A task with a user space has its memory twice, side by side: mm and active_mm. */
static bool find_mm_of(struct look *look, uint64_t task)
{
	uint8_t object[TASK_SIZE_MAX];

	if (!read_memory(look, task, object, look->layout.task_size))
		return false;
	for (size_t at = 0; at + 16 <= look->layout.task_size; at += 8) {
		uint64_t mm = word_at(object, at);
		size_t id;

		if (!mm || mm != word_at(object, at + 8))
			continue;
		id = find_id(look, mm);
		if (id == NOT_FOUND)
			continue;
		look->layout.mm = at;
		look->layout.id = id;
		return true;
	}
	return false;
}

static bool find_mm(struct look *look)
{
	for (size_t i = 0; i < look->task_count; i++)
		if (find_mm_of(look, look->task[i]))
			return true;
	return false;
}

/* Details of the process; each step needs the previous one. */
static void find_layout(struct look *look)
{
	struct layout *layout = &look->layout;
	uint8_t init_task[TASK_SIZE_MAX];
	const void *comm;
	uint64_t size;

	*layout = (struct layout){ 0, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND };
	if (image_symbol_find(look->image, "init_task", &look->init_task, &size) ||
	    size < GUEST_COMM || size > TASK_SIZE_MAX ||
	    !read_memory(look, look->init_task, init_task, (size_t)size))
		return;
	layout->task_size = (size_t)size;
	comm = memmem(init_task, (size_t)size - GUEST_COMM, "swapper", strlen("swapper"));
	if (!comm)
		return;
	layout->comm = (size_t)((const uint8_t *)comm - init_task);
	if (find_tasks(look) && find_pid(look))
		find_mm(look);
}

/* ---- Identifying processes ----------------------------------------------------------------- */

/* cpu_tasks[0] is the task, or until 6.1 a process number of the host's and the task. */
static uint64_t current_task(const struct look *look)
{
	uint64_t address, size, task;
	char name[GUEST_COMM];

	if (look->layout.comm == NOT_FOUND ||
	    image_symbol_find(look->image, "cpu_tasks", &address, &size))
		return 0;
	for (uint64_t at = 0; at < 16 && at < size; at += 8) {
		task = read_word(look, address + at);
		if (task && read_name(look, task, name))
			return task;
	}
	return 0;
}

static void describe_host(const struct child *child, struct guest_process *process)
{
	process->host = child->host;
	process->running = child->state == 'R';
	process->ip = read_ip(child->host);
}

static struct guest_process describe_task(const struct look *look, uint64_t task)
{
	const struct layout *layout = &look->layout;
	struct guest_process process = { 0 };
	const struct child *child = NULL;
	uint64_t mm;

	if (!read_name(look, task, process.name))
		*process.name = '\0';
	/* The process id; the number before it is the thread's. */
	if (layout->pid != NOT_FOUND)
		process.pid = (uint32_t)(read_word(look, task + layout->pid) >> 32);
	mm = layout->mm == NOT_FOUND ? 0 : read_word(look, task + layout->mm);
	if (mm)
		child = find_child(look, (uint32_t)read_word(look, mm + layout->id));
	if (child)
		describe_host(child, &process);
	return process;
}

static bool is_listed(const struct guest_process *list, size_t count, pid_t host)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].host == host)
			return true;
	return false;
}

/* The current task first, then those with a user space, then what could not be named. */
static size_t list_processes(const struct look *look, struct guest_process *list)
{
	uint64_t current = current_task(look);
	size_t count = 0;

	if (current) {
		list[count] = describe_task(look, current);
		list[count++].current = true;
	}
	for (size_t i = 0; i < look->task_count; i++) {
		struct guest_process process = describe_task(look, look->task[i]);

		if (process.host && !is_listed(list, count, process.host))
			list[count++] = process;
	}
	for (size_t i = 0; look->layout.mm == NOT_FOUND && i < look->child_count; i++) {
		list[count] = (struct guest_process){ 0 };
		describe_host(&look->child[i], &list[count++]);
	}
	return count;
}

int guest_processes_read(const struct guest *guest, struct guest_process **list, size_t *count)
{
	cleanup(release_look) struct look look = { .kernel = guest->sandbox.guest };
	int err;

	if (guest->sandbox.guest <= 0 || !guest->spec->files.count)
		return -ESRCH;
	look.image = &guest->spec->files.file[0];
	err = find_children(&look);
	if (err)
		return err;
	look.task = calloc(PROCESSES_MAX, sizeof(*look.task));
	if (!look.task)
		return -ENOMEM;
	find_layout(&look);
	*list = calloc(1 + look.task_count + look.child_count, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	*count = list_processes(&look, *list);
	return *count ? 0 : -ESRCH;
}

/*
 * The kernel first: it traces the process and would let it continue. NSpid in our namespace is the
 * pid that we use.
 */
struct guest_process *guest_processes_stop(const struct guest *guest, struct guest_process *list,
					   size_t count)
{
	struct guest_process *running = NULL;

	for (size_t i = 0; !running && i < count; i++)
		if (list[i].running)
			running = &list[i];
	if (!running || kill(guest->sandbox.guest, SIGSTOP) || kill(running->host, SIGSTOP))
		return running;
	for (int i = 0; !running->ip && i < STOP_TRIES; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		running->ip = read_ip(running->host);
	}
	return running;
}

const char *guest_process_text(const struct guest_process *process, char text[GUEST_PROCESS_TEXT])
{
	if (*process->name && process->pid)
		snprintf(text, GUEST_PROCESS_TEXT, "'%s' (pid %" PRIu32 ")", process->name,
			 process->pid);
	else if (*process->name)
		snprintf(text, GUEST_PROCESS_TEXT, "'%s'", process->name);
	else
		snprintf(text, GUEST_PROCESS_TEXT, "a process (pid %d of the host)", process->host);
	return text;
}
