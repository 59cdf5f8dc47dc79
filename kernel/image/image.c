// SPDX-License-Identifier: BSD-3-Clause
/* The files a guest is started with, read once so that what runs is what is embedded. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>

#include "format/base/transfer.h"
#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "kernel/host/process.h"
#include "kernel/image/elf_view.h"
#include "kernel/image/image_internal.h"

int image_files_add_content(struct image_files *files, const char *path, uint32_t mode,
			    struct image_content *content)
{
	struct image_file file = { .path = strdup(path),
				   .mode = mode,
				   .data = content->data,
				   .size = content->size,
				   .content = content };

	if (!file.path || array_push(files->file, files->count, file)) {
		free(file.path);
		return -ENOMEM;
	}
	content->holders++;
	return 0;
}

int image_files_add(struct image_files *files, const char *path, uint32_t mode, void *data,
		    size_t size)
{
	struct image_content *content = image_content_create(data, size);
	int err = content ? image_files_add_content(files, path, mode, content) : -ENOMEM;

	image_content_release(content);
	return err;
}

static int load_error(const char *what, const char *source, int error, struct diagnosis *why)
{
	return diagnose(why, exit_status_of_file(error), error,
			error == -ENOENT ? "check the path"
					 : diagnosis_shortage(error)
						   ?: "check the file and its permissions",
			"cannot read the %s %s: %s", what, source, strerror(-error));
}

static int read_content(int fd, const struct stat *status, struct image_content **content)
{
	auto_free void *data = malloc((size_t)status->st_size + 1);
	int err =
		data ? transfer_all(data, (size_t)status->st_size, read(fd, place, left)) : -ENOMEM;

	if (err)
		return err;
	*content = image_content_create(take_pointer(data), (size_t)status->st_size);
	return *content ? 0 : -ENOMEM;
}

static int load_content(struct image_files *files, int fd, const struct stat *status,
			const char *path)
{
	struct image_content *known = image_cache_find(files->cache, status), *content;
	int err;

	if (known)
		return image_files_add_content(files, path, status->st_mode & 0777, known);
	err = read_content(fd, status, &content);
	if (err)
		return err;
	image_cache_keep(files->cache, status, content);
	err = image_files_add_content(files, path, status->st_mode & 0777, content);
	image_content_release(content);
	return err;
}

/* Only regular files are opened: opening a FIFO may block, opening a device may have effects. */
static int open_regular(const char *source, int flags, struct stat *status)
{
	auto_fd place = open(source, O_PATH | O_CLOEXEC | flags);
	char path[32];
	int fd;

	if (place < 0 || fstat(place, status))
		return -errno;
	if (!S_ISREG(status->st_mode))
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int refuse_size(const char *source, struct diagnosis *why)
{
	return diagnose(why, EXIT_CANNOT, -ESTALE,
			"provide the same file, or record without --no-embed",
			"%s is not the recorded file: it has another size", source);
}

static int load(struct image_files *files, const char *what, const char *source, const char *path,
		int flags, uint64_t size, struct diagnosis *why)
{
	struct stat status;
	auto_fd fd = open_regular(source, flags, &status);
	int err;

	if (fd == -EINVAL)
		return diagnose(why, EXIT_USAGE, -EINVAL, "give a regular file",
				"the %s %s is not a regular file", what, source);
	if (fd < 0)
		return load_error(what, source, fd, why);
	if (size != IMAGE_SIZE_UNKNOWN && (uint64_t)status.st_size != size)
		return refuse_size(source, why);
	err = load_content(files, fd, &status, path);
	if (err)
		return load_error(what, source, err, why);
	files->file[files->count - 1].source = realpath(source, NULL);
	return 0;
}

int image_files_load(struct image_files *files, const char *what, const char *source,
		     const char *path, struct diagnosis *why)
{
	return load(files, what, source, path, 0, IMAGE_SIZE_UNKNOWN, why);
}

int image_files_load_recorded(struct image_files *files, const char *source, const char *path,
			      uint64_t size, struct diagnosis *why)
{
	return load(files, "recorded file", source, path, O_NOFOLLOW, size, why);
}

const struct image_file *image_files_find(const struct image_files *files, const char *path)
{
	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files->file[i].path, path))
			return &files->file[i];
	return NULL;
}

void image_files_free(struct image_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->file[i].path);
		free(files->file[i].source);
		image_content_release(files->file[i].content);
	}
	free(files->file);
	*files = (struct image_files){ 0 };
}

/* Text that the binary contains even if it was stripped. */
static const char *find_text(const struct image_file *kernel, const char *text)
{
	return memmem(kernel->data, kernel->size, text, strlen(text));
}

static const char build_advice[] = "build one with kernel/uml/build-uml.sh, or set "
				   "CONFIG_UML_TIME_TRAVEL_SUPPORT=y in your configuration";

int image_check_kernel(const struct image_file *kernel, const char *source, struct diagnosis *why)
{
	struct elf_view elf;
	int err = elf_view_open(&elf, kernel->data, kernel->size);

	if (err == -ENOEXEC)
		return diagnose(why, EXIT_CANNOT, err,
				"give the UML binary `linux`, not bzImage; pass a lab file with "
				"-f; a script must begin with #!",
				"%s is not a User-Mode-Linux binary: it is not an ELF file",
				source);
	if (err == -EXDEV)
		return diagnose(why, EXIT_CANNOT, err, "build UML for x86_64 (make ARCH=um)",
				"%s is built for another architecture (ELF machine %u)", source,
				elf.machine);
	if (err)
		return diagnose(why, EXIT_CANNOT, err, "build or copy it again",
				"%s is a damaged ELF file", source);
	if (!(kernel->mode & 0111))
		return diagnose(why, EXIT_CANNOT, -EACCES, "chmod +x it",
				"%s has no execute permission", source);
	if (!find_text(kernel, "Linux version ") || !find_text(kernel, "umid="))
		return diagnose(why, EXIT_CANNOT, -ENOEXEC, build_advice,
				"%s is a program, but not a User-Mode-Linux kernel", source);
	if (!find_text(kernel, "time-travel=ext:"))
		return diagnose(why, EXIT_CANNOT, -ENOTSUP, build_advice,
				"%s is User-Mode Linux without external time travel", source);
	return 0;
}

bool image_is_kernel(const void *data, size_t size)
{
	const struct image_file image = { .data = (void *)data, .size = size };
	char release[64];

	image_release(&image, release, sizeof(release));
	return strcmp(release, "unknown") != 0 && find_text(&image, "umid=");
}

void image_release(const struct image_file *kernel, char *release, size_t size)
{
	static const char banner[] = "Linux version ";
	const char *text = kernel->data, *end = text + kernel->size;

	snprintf(release, size, "unknown");
	while ((text = memmem(text, (size_t)(end - text), banner, strlen(banner)))) {
		size_t length = 0;

		text += strlen(banner);
		while (text + length < end && text[length] > ' ' && text[length] <= '~')
			length++;
		if (!length || *text < '0' || *text > '9')
			continue;
		snprintf(release, size, "%.*s", (int)length, text);
		return;
	}
}

int image_data_segment(const struct image_file *kernel, struct image_segment *segment)
{
	struct elf_view elf;
	int err = elf_view_open(&elf, kernel->data, kernel->size);

	return err ? err : elf_view_writable(&elf, &segment->begin, &segment->end);
}

int image_symbol_at(const struct image_file *kernel, uint64_t address, const char **name,
		    uint64_t *offset)
{
	struct elf_view elf;
	int err = elf_view_open(&elf, kernel->data, kernel->size);

	return err ? err : elf_view_symbol_at(&elf, address, name, offset);
}

int image_symbol_find(const struct image_file *kernel, const char *name, uint64_t *address,
		      uint64_t *size)
{
	struct elf_view elf;
	int err = elf_view_open(&elf, kernel->data, kernel->size);

	return err ? err : elf_view_symbol_find(&elf, name, address, size);
}

/*
 * Opened by libc at run time, so it is not in any file's list of libraries: pthread_cancel(3), with
 * which a kernel ends threads of its own, unwinds stacks with it, or aborts without it. What else
 * libc opens (name services, character sets) no kernel asks for.
 */
static const char unwinder[] = "libgcc_s.so.1";

/*
 * Run `INTERPRETER --list KERNEL`: the dynamic loader reports what it would load, and where it
 * would find the unwinder.
 */
static int open_loader_list(const char *interpreter, const char *source, FILE **list, pid_t *pid)
{
	const char *const words[] = { interpreter, "--preload", unwinder, "--list", source, NULL };
	/* A FIFO in its place is not waited for. */
	auto_fd null_fd = open("/dev/null", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	int pipe_fd[2], err;

	if (null_fd < 0 || pipe2(pipe_fd, O_CLOEXEC))
		return -errno;
	*list = fdopen(pipe_fd[0], "r");
	err = *list ? process_spawn(interpreter, (char *const *)words, pipe_fd[1], null_fd,
				    PROCESS_NO_ENVIRONMENT, pid)
		    : -ENOMEM;
	close(pipe_fd[1]);
	if (!*list)
		close(pipe_fd[0]);
	return err;
}

/* "	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)" or "	/lib64/ld.so (0x...)" */
static int add_listed_library(struct image_files *files, char *line, struct diagnosis *why)
{
	char *path = strchr(line, '/'), *end;

	if (strstr(line, "not found"))
		return diagnose(why, EXIT_CANNOT, -ENOENT, "install the library",
				"the kernel needs a library that is missing: %s", line);
	if (!path)
		return 0;
	end = strstr(path, " (0x");
	if (end)
		*end = '\0';
	if (image_files_find(files, path))
		return 0;
	return image_files_load(files, "library", path, path, why);
}

int image_load_libraries(struct image_files *files, const struct image_file *kernel,
			 const char *source, struct diagnosis *why)
{
	/* With a slash, since the loader searches its path for a name without one. */
	const char *program = kernel->source ? kernel->source : source;
	char interpreter[PATH_MAX], line[PATH_MAX + 128];
	auto_file *list = NULL;
	struct elf_view elf;
	int err, status;
	pid_t pid = -1;

	err = elf_view_open(&elf, kernel->data, kernel->size);
	if (err)
		return err;
	if (elf_view_interpreter(&elf, interpreter, sizeof(interpreter)))
		return 0; /* statically linked */
	err = image_files_load(files, "dynamic loader", interpreter, interpreter, why);
	if (err)
		return err;
	err = open_loader_list(interpreter, program, &list, &pid);
	if (err)
		return diagnose(why, EXIT_CANNOT, err, diagnosis_shortage(err), "cannot run %s: %s",
				interpreter, strerror(-err));
	while (!err && fgets(line, sizeof(line), list))
		err = add_listed_library(files, line, why);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!err && status)
		return diagnose(why, EXIT_CANNOT, -ENOEXEC,
				"run the kernel by hand to see which libraries are missing",
				"%s --list %s failed", interpreter, source);
	return err;
}
