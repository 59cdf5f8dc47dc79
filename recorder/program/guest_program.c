// SPDX-License-Identifier: BSD-3-Clause
/* `ttrec run PROGRAM`: packs a program of this machine for a guest, and finds its kernel. */
#include "recorder/program/guest_program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/base/words.h"
#include "kernel/image/image.h"
#include "recorder/run/run_shares.h"

/* RAM of the guest: at least so much, or so much besides its files, which are there twice. */
#define MEMORY_LEAST  (UINT64_C(128) << 20)
#define MEMORY_BESIDE (UINT64_C(64) << 20)
#define MEMORY_STEP   (UINT64_C(64) << 20)
#define MEMORY_MIN    (UINT64_C(24) << 20)

/* ---- What is it? ---------------------------------------------------------------------------- */

enum kind { KIND_OTHER, KIND_PROGRAM, KIND_DIRECTORY };

static bool starts_with(const void *data, size_t size, const char *magic)
{
	return size >= strlen(magic) && !memcmp(data, magic, strlen(magic));
}

static enum kind kind_of_content(const void *data, size_t size)
{
	if (starts_with(data, size, "#!"))
		return KIND_PROGRAM;
	if (!starts_with(data, size, "\177ELF") || image_is_kernel(data, size))
		return KIND_OTHER;
	return KIND_PROGRAM;
}

/* A file that cannot be read is treated as a kernel, whose reader reports the reason. */
static enum kind kind_of(const char *path)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	enum kind kind;
	struct stat status;
	void *data;

	if (fd < 0 || fstat(fd, &status))
		return KIND_OTHER;
	if (S_ISDIR(status.st_mode))
		return KIND_DIRECTORY;
	if (!S_ISREG(status.st_mode) || !status.st_size)
		return KIND_OTHER;
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return KIND_OTHER;
	kind = kind_of_content(data, (size_t)status.st_size);
	munmap(data, (size_t)status.st_size);
	return kind;
}

/* ---- The kernel ----------------------------------------------------------------------------- */

static char *read_line(int fd)
{
	char text[PATH_MAX + 1];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	text[got < 0 ? 0 : got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return strdup(text);
}

/* That of the cache with the configuration @option, NULL: the default one. 1: not in the cache. */
static int cached_kernel(const char *option, char **kernel, char **path, struct diagnosis *why)
{
	auto_fd out = memfd_create("kernel", MFD_CLOEXEC);
	auto_free char *text = NULL;
	struct script script = { .path = *path = script_path("uml/build-uml.sh"), .out_fd = out };
	char *const arguments[] = { *path, (char *)"--print-path", (char *)option, NULL };
	int err;

	if (out < 0 || !*path)
		return -ENOMEM;
	err = script_run(&script, arguments);
	text = script.text;
	if (err)
		return err < 0 ? script_failed(&script, err, why) : 1;
	*kernel = read_line(out);
	return *kernel ? 0 : -ENOMEM;
}

static int ask_for_kernel(const struct run_options *options, char **kernel, struct diagnosis *why)
{
	auto_free char *path = NULL, *other = NULL;
	char advice[512];
	int err = 1;

	/* What a distribution's init needs, if there is such a kernel. */
	if (options->root)
		err = cached_kernel("--distro", kernel, &other, why);
	if (err > 0)
		err = cached_kernel(NULL, kernel, &path, why);
	if (err <= 0)
		return err;
	snprintf(advice, sizeof(advice),
		 "build one, which takes some minutes: %.400s%s, or set TTREC_KERNEL", path,
		 options->root ? " --distro" : "");
	return diagnose(why, EXIT_CANNOT, -ENOENT, advice,
			"no User-Mode-Linux kernel found to run %s on",
			options->root ?: options->program);
}

/* The one that was asked for, that of the environment, or that of the cache. */
int guest_find_kernel(struct run_options *options, struct diagnosis *why)
{
	const char *kernel = options->replace[GUEST_KERNEL][0], *own = getenv("TTREC_KERNEL");

	options->replace[GUEST_KERNEL][0] = NULL;
	if (!kernel)
		kernel = own && *own ? own : NULL;
	if (!kernel)
		return ask_for_kernel(options, &options->packed.kernel, why);
	options->packed.kernel = strdup(kernel);
	return options->packed.kernel ? 0 : -ENOMEM;
}

/* ---- The guest ------------------------------------------------------------------------------ */

static int settle_memory(struct run_options *options, struct diagnosis *why)
{
	uint64_t size, memory = options->memory;
	char image[UNITS_TEXT], given[UNITS_TEXT];
	struct stat status;

	if (fstat(options->packed.fd, &status))
		return -errno;
	size = (uint64_t)status.st_size;
	if (!memory) {
		memory = (MEMORY_BESIDE + 3 * size + MEMORY_STEP - 1) / MEMORY_STEP * MEMORY_STEP;
		memory = memory < MEMORY_LEAST ? MEMORY_LEAST : memory;
	}
	if (memory < MEMORY_MIN + 2 * size)
		return diagnose(why, EXIT_CANNOT, -ENOMEM, "increase --memory, or remove it",
				"%s of memory is too little for a guest with files of %s",
				size_text(memory, given), size_text(size, image));
	snprintf(options->packed.memory, sizeof(options->packed.memory), "mem=%" PRIu64 "K",
		 memory >> 10);
	return 0;
}

/* Recorded again with this program: memory and kernel are those of the trace. */
static int replace_initrd(struct run_options *options, struct diagnosis *why)
{
	options->kernel = NULL;
	if (options->memory || options->append[0])
		return diagnose(why, EXIT_USAGE, -EINVAL, "remove --memory and --append",
				"--rerecord takes the guest's memory and arguments from the trace");
	return words_add(options->replace[GUEST_INITRD], RUN_PATTERNS_MAX, options->packed.initrd)
		       ? 0
		       : -E2BIG;
}

static int make_guest(struct run_options *options, struct diagnosis *why)
{
	size_t count = 2;
	int err;

	if (options->rerecord)
		return replace_initrd(options, why);
	err = settle_memory(options, why);
	if (!err)
		err = guest_find_kernel(options, why);
	options->packed.words[0] = options->packed.kernel;
	options->packed.words[1] = options->packed.memory;
	for (size_t i = 0; options->append[i]; i++)
		options->packed.words[count++] = (char *)options->append[i];
	if (!err)
		err = run_shares_argument(options, &options->packed.shares, why);
	options->packed.words[count] = options->packed.shares;
	options->kernel = options->packed.words;
	return err;
}

/* Options of programs, and what else would be ignored. */
static int check_other(const struct run_options *options, struct diagnosis *why)
{
	if (options->kernel && access(options->kernel[0], F_OK))
		return diagnose(why, exit_status_of_file(-errno), -errno, "check the path",
				"cannot read %s: %s", options->kernel[0], strerror(errno));
	if (options->add[0] || options->append[0] || options->memory)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"give a program of this machine, or add files to the initrd: "
				"make-initramfs.sh -a",
				"--add, --append and --memory require PROGRAM");
	if (options->misplaced)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"put it before the kernel or, if it is meant for the guest, put -- "
				"before the kernel",
				"'%s' after the kernel %s would be passed to the guest",
				options->misplaced, options->kernel[0]);
	if (options->rerecord && options->kernel)
		return diagnose(why, EXIT_USAGE, -EINVAL, "give another kernel with --kernel",
				"--rerecord takes kernels and lab from the trace");
	if (!options->rerecord && options->replace[GUEST_KERNEL][0])
		return diagnose(why, EXIT_USAGE, -EINVAL, "remove --kernel",
				"--kernel requires PROGRAM or --rerecord TRACE");
	return 0;
}

int guest_program_prepare(struct run_options *options, struct diagnosis *why)
{
	enum kind kind = options->kernel ? kind_of(options->kernel[0]) : KIND_OTHER;
	int err;

	if (options->root)
		return guest_root_prepare(options, why);
	if (kind == KIND_OTHER)
		return check_other(options, why);
	options->program = options->kernel[0];
	err = guest_pack(options, kind == KIND_DIRECTORY, why);
	if (!err)
		err = make_guest(options, why);
	if (err && !why->status)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot pack %s: %s", options->program,
				strerror(-err));
	return err;
}

void guest_program_release(struct run_options *options)
{
	close_fd(&options->packed.fd);
	free(take_pointer(options->packed.kernel));
	free(take_pointer(options->packed.shares));
	free(take_pointer(options->packed.root));
	free(take_pointer(options->packed.root_words));
}
