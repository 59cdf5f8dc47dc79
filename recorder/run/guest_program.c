// SPDX-License-Identifier: BSD-3-Clause
/* `ttrec run PROGRAM`: packs a program of this machine for a guest, and finds its kernel. */
#include "recorder/run/guest_program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/base/words.h"
#include "kernel/image/image.h"
#include "kernel/host/process.h"

/* Where the program is in the guest, and the working directory. */
#define GUEST_DIRECTORY "/work"
/* RAM of the guest: at least so much, or so much besides its files, which are there twice. */
#define MEMORY_LEAST  (UINT64_C(128) << 20)
#define MEMORY_BESIDE (UINT64_C(64) << 20)
#define MEMORY_STEP   (UINT64_C(64) << 20)
#define MEMORY_MIN    (UINT64_C(24) << 20)
/* Of what the scripts print, so much is looked at. */
#define SCRIPT_TEXT_MAX 65536

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

/* What cannot be read is left to whoever takes it for a kernel, and says why. */
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

/* ---- The scripts ---------------------------------------------------------------------------- */

/* A path beside the commands; the caller frees it. NULL: out of memory. */
static char *path_beside(const char *name)
{
	char own[PATH_MAX], *path, *real, *slash;
	ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[length < 0 ? 0 : length] = '\0';
	slash = strrchr(own, '/');
	if (slash)
		*slash = '\0';
	if (asprintf(&path, "%s/" TTREC_LIBEXEC "/%s", own, name) < 0)
		return NULL;
	real = realpath(path, NULL);
	if (!real)
		return path;
	free(path);
	return real;
}

struct script {
	char *path;
	int out_fd; /* gets its standard output */
	char *text; /* what it said to standard error */
};

static char *read_text(int fd)
{
	char *text = calloc(1, SCRIPT_TEXT_MAX + 1), rest[4096];
	size_t size = 0;
	ssize_t got;

	if (!text)
		return NULL;
	while (size < SCRIPT_TEXT_MAX && (got = read(fd, text + size, SCRIPT_TEXT_MAX - size)) > 0)
		size += (size_t)got;
	while (size == SCRIPT_TEXT_MAX && read(fd, rest, sizeof(rest)) > 0)
		;
	return text;
}

/* Returns its exit status, or -errno. */
static int run_script(struct script *script, char *const *arguments)
{
	int pipe_fd[2], status = 0, err;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return -errno;
	/* Of our group: it ends with us when a user interrupts. */
	err = process_spawn(script->path, arguments, script->out_fd, pipe_fd[1], 0, &pid);
	close(pipe_fd[1]);
	if (!err)
		script->text = read_text(pipe_fd[0]);
	close(pipe_fd[0]);
	if (err)
		return err;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* What a script says last, "NAME: what" and "  hint: what to do", as a diagnosis. */
static int script_failed(const struct script *script, int err, struct diagnosis *why)
{
	static const char hint[] = "  hint: ";
	const char *what = "it did not give a reason", *advice = NULL, *colon;
	char *rest = script->text, *line;

	if (err < 0)
		return diagnose(why, EXIT_CANNOT, err, "reinstall ttrec, which includes it",
				"cannot run %s: %s", script->path, strerror(-err));
	while (rest && (line = strsep(&rest, "\n"))) {
		if (!strncmp(line, hint, strlen(hint)))
			advice = line + strlen(hint);
		else if ((colon = strstr(line, ": ")))
			what = colon + 2;
	}
	return diagnose(why, EXIT_CANNOT, -ENOEXEC, advice ?: "check the path", "%s", what);
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

static int ask_for_kernel(const char *program, char **kernel, struct diagnosis *why)
{
	auto_fd out = memfd_create("kernel", MFD_CLOEXEC);
	auto_free char *path = path_beside("uml/build-uml.sh"), *text = NULL;
	struct script script = { .path = path, .out_fd = out };
	char *const arguments[] = { path, (char *)"--print-path", NULL };
	char advice[512];
	int err;

	if (out < 0 || !path)
		return -ENOMEM;
	err = run_script(&script, arguments);
	text = script.text;
	if (err < 0)
		return script_failed(&script, err, why);
	snprintf(advice, sizeof(advice),
		 "build one, which takes some minutes: %.400s, or set TTREC_KERNEL", path);
	if (err)
		return diagnose(why, EXIT_CANNOT, -ENOENT, advice,
				"no User-Mode-Linux kernel found to run %s on", program);
	*kernel = read_line(out);
	return *kernel ? 0 : -ENOMEM;
}

/* The one that was asked for, that of the environment, or that of the cache. */
static int find_kernel(struct run_options *options, struct diagnosis *why)
{
	const char *kernel = options->replace[GUEST_KERNEL][0], *own = getenv("TTREC_KERNEL");

	options->replace[GUEST_KERNEL][0] = NULL;
	if (!kernel)
		kernel = own && *own ? own : NULL;
	if (!kernel)
		return ask_for_kernel(options->program, &options->packed.kernel, why);
	options->packed.kernel = strdup(kernel);
	return options->packed.kernel ? 0 : -ENOMEM;
}

/* ---- The file system ------------------------------------------------------------------------ */

struct words {
	char **word;
	size_t count;
};

/* Takes @word, which is malloc'ed; NULL (out of memory) is refused. */
static int words_take(struct words *words, char *word)
{
	char **grown = realloc(words->word, (words->count + 2) * sizeof(*grown));

	if (grown)
		words->word = grown;
	if (!grown || !word) {
		free(word);
		return -ENOMEM;
	}
	grown[words->count++] = word;
	grown[words->count] = NULL;
	return 0;
}

static int words_take_two(struct words *words, const char *option, char *value)
{
	int err = value ? words_take(words, strdup(option)) : -ENOMEM;

	if (!err)
		return words_take(words, value);
	free(value);
	return err;
}

static void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->word[i]);
	free(words->word);
}

static char *join(const char *file, const char *directory, const char *path)
{
	char *text;

	return asprintf(&text, "%s:%s/%s", file, directory, path) < 0 ? NULL : text;
}

static bool leads_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

/* Without a path of its own, a file is where it is here: relative, or from the root. */
static int add_file(struct words *words, const char *file, struct diagnosis *why)
{
	const char *path = file;

	const char *place = strstr(file, ":/");
	auto_free char *here = strndup(file, place ? (size_t)(place - file) : strlen(file));

	if (!here)
		return -ENOMEM;
	if (access(here, F_OK))
		return diagnose(why, exit_status_of_file(-errno), -errno, "check the path",
				"cannot read the file %s: %s", here, strerror(errno));
	if (place)
		return words_take_two(words, "-a", strdup(file));
	if (*file == '/')
		return words_take_two(words, "-a", join(file, "", file + 1));
	while (!strncmp(path, "./", 2))
		path += 2;
	if (leads_up(path) || !*path)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"give its path in the guest: --add FILE:/PATH",
				"--add %s is not below the program's working directory", file);
	return words_take_two(words, "-a", join(file, GUEST_DIRECTORY, path));
}

/* Of a directory the first of these is run. */
static const char *const directory_programs[] = { "test", "run", "init", NULL };

static int choose_in_directory(const char *directory, const char **name, struct diagnosis *why)
{
	for (const char *const *each = directory_programs; *each; each++) {
		auto_free char *path = NULL;
		struct stat status;

		if (asprintf(&path, "%s/%s", directory, *each) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (stat(path, &status) || !S_ISREG(status.st_mode))
			continue;
		*name = *each;
		return 0;
	}
	return diagnose(why, EXIT_CANNOT, -ENOENT,
			"give the program itself, and add the directory with --add",
			"the directory %s has no program test, run or init", directory);
}

/* The name of its file, without what has a meaning for the packer. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash ? slash + 1 : path);

	for (char *at = name; at && *at; at++)
		if (*at == ':')
			*at = '_';
	return name;
}

static int add_program(struct words *words, const char *path, enum kind kind, struct diagnosis *why)
{
	auto_free char *name = NULL;
	const char *chosen = NULL;
	char *run;
	int err;

	if (kind == KIND_DIRECTORY) {
		err = choose_in_directory(path, &chosen, why);
		if (err)
			return err;
		name = strdup(chosen);
		err = name ? words_take_two(words, "-a", join(path, "", GUEST_DIRECTORY + 1))
			   : -ENOMEM;
	} else {
		name = name_of(path);
		err = name ? words_take_two(words, "-a", join(path, GUEST_DIRECTORY, name))
			   : -ENOMEM;
	}
	if (!err && asprintf(&run, GUEST_DIRECTORY "/%s", name) >= 0)
		return words_take_two(words, "-r", run);
	return err ? err : -ENOMEM;
}

static int list_arguments(const struct run_options *options, enum kind kind, struct words *words,
			  struct diagnosis *why)
{
	char *const *argument = options->kernel + 1;
	int err = words_take(words, path_beside("uml/make-initramfs.sh"));

	if (!err)
		err = words_take_two(words, "-o", strdup("-"));
	if (!err)
		err = words_take_two(words, "-i", path_beside("program-init"));
	if (!err)
		err = words_take_two(words, "-C", strdup(GUEST_DIRECTORY));
	if (!err)
		err = add_program(words, options->kernel[0], kind, why);
	for (const char *const *file = options->add; !err && *file; file++)
		err = add_file(words, *file, why);
	if (!err)
		err = words_take_two(words, "-B", strdup("--"));
	for (; !err && *argument; argument++)
		err = words_take(words, strdup(*argument));
	return err;
}

static int pack(struct run_options *options, enum kind kind, struct diagnosis *why)
{
	struct words words = { 0 };
	auto_free char *text = NULL;
	struct script script;
	int err = list_arguments(options, kind, &words, why);

	options->packed.fd = err ? -1 : memfd_create("initrd", MFD_CLOEXEC);
	if (!err && options->packed.fd < 0)
		err = -errno;
	if (!err) {
		script = (struct script){ .path = words.word[0], .out_fd = options->packed.fd };
		err = run_script(&script, words.word);
		text = script.text;
		if (err)
			err = script_failed(&script, err, why);
		else if (text)
			fputs(text, stderr); /* what was left out */
	}
	words_free(&words);
	snprintf(options->packed.initrd, sizeof(options->packed.initrd), "/proc/self/fd/%d",
		 options->packed.fd);
	return err;
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
	if (options->memory)
		return diagnose(why, EXIT_USAGE, -EINVAL, "remove --memory",
				"--rerecord takes the guest's memory from the trace");
	return words_add(options->replace[GUEST_INITRD], RUN_PATTERNS_MAX, options->packed.initrd)
		       ? 0
		       : -E2BIG;
}

static int make_guest(struct run_options *options, struct diagnosis *why)
{
	int err;

	if (options->again)
		return replace_initrd(options, why);
	err = settle_memory(options, why);
	if (!err)
		err = find_kernel(options, why);
	options->packed.words[0] = options->packed.kernel;
	options->packed.words[1] = options->packed.memory;
	options->kernel = options->packed.words;
	return err;
}

/* Options of programs, and what else would be ignored. */
static int check_other(const struct run_options *options, struct diagnosis *why)
{
	if (options->kernel && access(options->kernel[0], F_OK))
		return diagnose(why, exit_status_of_file(-errno), -errno, "check the path",
				"cannot read %s: %s", options->kernel[0], strerror(errno));
	if (options->add[0] || options->memory)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"give a program of this machine, or add files to the initrd: "
				"make-initramfs.sh -a",
				"--add and --memory require PROGRAM");
	if (options->misplaced)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"put it before the kernel or, if it is meant for the guest, put -- "
				"before the kernel",
				"'%s' after the kernel %s would be passed to the guest",
				options->misplaced, options->kernel[0]);
	if (options->again && options->kernel)
		return diagnose(why, EXIT_USAGE, -EINVAL, "give another kernel with --kernel",
				"--rerecord takes kernels and lab from the trace");
	if (!options->again && options->replace[GUEST_KERNEL][0])
		return diagnose(why, EXIT_USAGE, -EINVAL, "remove --kernel",
				"--kernel requires PROGRAM or --rerecord TRACE");
	return 0;
}

int guest_program_prepare(struct run_options *options, struct diagnosis *why)
{
	enum kind kind = options->kernel ? kind_of(options->kernel[0]) : KIND_OTHER;
	int err;

	if (kind == KIND_OTHER)
		return check_other(options, why);
	options->program = options->kernel[0];
	err = pack(options, kind, why);
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
}
