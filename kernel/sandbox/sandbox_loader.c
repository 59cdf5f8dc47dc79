// SPDX-License-Identifier: BSD-3-Clause
/*
 * Starts a program at the same addresses in every run, whatever the host's address space
 * randomisation: the loader (loader/README.md) is executed in its place. The host's way to do that,
 * personality(ADDR_NO_RANDOMIZE), is refused in containers.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>

#include "format/base/cleanup.h"
#include "kernel/image/elf_view.h"
#include "kernel/loader/loader_plan.h"
#include "kernel/sandbox/sandbox_internal.h"

/* The built kernel/loader/loader.c, embedded in the binary. */
extern const char loader_begin[], loader_end[];
__asm__(".pushsection .rodata\n"
	"loader_begin: .incbin \"" LOADER_FILE "\"\n"
	"loader_end:\n"
	".popsection\n");

#define LOADER_PATH "/run/loader"

static const struct {
	const char *doing;
	bool refused; /* refused by this host: the program can still be started without fixed
			 addresses */
} steps[] = {
	[LOADER_READ_PLAN] = { "read the loader's plan", false },
	[LOADER_RESERVE] = { "reserve addresses for the guest (mmap(2); see ulimit -v)", true },
	[LOADER_PLACE] = { "find where the host maps memory", true },
	[LOADER_MAP_STACK] = { "map the guest's stack", false },
	[LOADER_MAP_PROGRAM] = { "map the kernel and its dynamic loader", false },
	[LOADER_SET_HEAP] = { "set the guest's heap (PR_SET_MM_MAP: CONFIG_CHECKPOINT_RESTORE)",
			      true },
};

int sandbox_loader_write(const char *root)
{
	struct image_file loader = { .path = (char *)LOADER_PATH,
				     .mode = 0555,
				     .data = (void *)loader_begin,
				     .size = (size_t)(loader_end - loader_begin) };

	return image_file_write(&loader, root);
}

/* The dynamic loader that the program asks for must be one of the sandbox's files. */
static int find_interpreter(const struct image_files *files, const struct image_file **interpreter)
{
	char path[PATH_MAX];
	struct elf_view elf;
	int err = elf_view_open(&elf, files->file[0].data, files->file[0].size);

	*interpreter = NULL;
	if (!err)
		err = elf_view_interpreter(&elf, path, sizeof(path));
	if (err)
		return err == -ENOENT ? 0 : err;
	*interpreter = image_files_find(files, path);
	return *interpreter ? 0 : -ENOENT;
}

/* A number beyond the limit of open files is a bad one to dup2(2); it is the limit that is short.
 */
static int move_fd(int fd, int number)
{
	if (dup2(fd, number) >= 0)
		return 0;
	return errno == EBADF ? -EMFILE : -errno;
}

/* Open @path below @prefix as descriptor @fd, which stays open over the exec. */
static int open_as(const char *prefix, const char *path, int fd)
{
	char full[PATH_MAX];
	auto_fd opened = -1;

	snprintf(full, sizeof(full), "%s%s", prefix, path);
	opened = open(full, O_RDONLY | O_CLOEXEC);
	return opened < 0 ? -errno : move_fd(opened, fd);
}

static int write_plan(const char *prefix, const struct loader_plan *plan, const void *stack)
{
	char path[PATH_MAX];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "%s/tmp/plan-XXXXXX", prefix);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (write(fd, plan, sizeof(*plan)) != sizeof(*plan) ||
	    write(fd, stack, plan->stack_size) != (ssize_t)plan->stack_size)
		return -EIO;
	return move_fd(fd, LOADER_FD_PLAN);
}

static int build_plan(const struct sandbox_plan *sandbox, const struct sandbox_program *program,
		      const struct image_file *interpreter, struct loader_plan *plan, void **stack)
{
	const struct image_file *kernel = &sandbox->options->files->file[0];
	struct loader_start start = { .program = { kernel->data, kernel->size },
				      .name = program->path,
				      .arguments = program->arguments,
				      .environment = program->environment };

	if (interpreter)
		start.interpreter = (struct loader_file){ interpreter->data, interpreter->size };
	memcpy(start.random, sandbox->options->auxv_random, sizeof(start.random));
	if (!(sandbox->options->wanted & ISOLATION_AUXV) &&
	    getrandom(start.random, sizeof(start.random), 0) != sizeof(start.random))
		return -EIO;
	return loader_plan_build(&start, plan, stack);
}

int sandbox_loader_prepare(const struct sandbox_plan *sandbox,
			   const struct sandbox_program *program, int status_fd, const char **doing)
{
	const struct image_file *interpreter;
	auto_free void *stack = NULL;
	struct loader_plan plan;
	int err;

	*doing = "find the kernel's dynamic loader";
	err = find_interpreter(sandbox->options->files, &interpreter);
	if (err)
		return err;
	*doing = "lay out the kernel's process";
	err = build_plan(sandbox, program, interpreter, &plan, &stack);
	if (!err)
		err = write_plan(program->prefix, &plan, stack);
	if (!err)
		err = move_fd(status_fd, LOADER_FD_STATUS);
	if (err)
		return err;
	*doing = "open the kernel";
	err = open_as(program->prefix, sandbox->options->files->file[0].path, LOADER_FD_PROGRAM);
	if (!err && interpreter)
		err = open_as(program->prefix, interpreter->path, LOADER_FD_INTERPRETER);
	return err;
}

void sandbox_loader_execute(const struct sandbox_program *program)
{
	char path[PATH_MAX];
	char *const arguments[] = { (char *)program->path, NULL }, *const nothing[] = { NULL };

	snprintf(path, sizeof(path), "%s" LOADER_PATH, program->prefix);
	execve(path, arguments, nothing);
}

int sandbox_loader_await(int status_fd, const char **doing, bool *refused)
{
	struct loader_status status;
	ssize_t got;

	do
		got = read(status_fd, &status, sizeof(status));
	while (got < 0 && errno == EINTR);
	*doing = "start the kernel at fixed addresses";
	*refused = false;
	if (got != sizeof(status))
		return -ECHILD;
	if (status.step == LOADER_DONE)
		return 0;
	if (status.step < ARRAY_SIZE(steps)) {
		*doing = steps[status.step].doing;
		*refused = steps[status.step].refused;
	}
	return -status.error;
}
