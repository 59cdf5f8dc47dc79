// SPDX-License-Identifier: BSD-3-Clause
/* The process of gdb: what it is given, in the foreground of the terminal, and its end. */
#include "replayer/debug/gdb.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "replayer/debug/debugger.h"

#define ARGUMENTS_MAX 64
#define PATIENCE_MS   2000
#define NOT_FOUND     127 /* exit status when there is no such program */

extern char **environ;

/* replayer/debug/ttgdb.py, embedded in the binary. */
extern const char ttgdb_begin[], ttgdb_end[];
__asm__(".pushsection .rodata\n"
	"ttgdb_begin: .incbin \"" TTGDB_PATH "\"\n"
	"ttgdb_end:\n"
	".popsection\n");

/* ---- Is there one? --------------------------------------------------------------------------- */

static int run_quietly(char *const *arguments, int *status)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err = posix_spawn_file_actions_init(&actions);

	for (int fd = 0; !err && fd <= STDERR_FILENO; fd++)
		err = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	if (!err)
		err = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (err)
		return -err;
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int debugger_check(struct diagnosis *why)
{
	char *arguments[] = { (char *)"gdb",
			      (char *)"-nx",
			      (char *)"-batch",
			      (char *)"-ex",
			      (char *)"python import socket",
			      NULL };
	int status, err = run_quietly(arguments, &status);

	if (err == -ENOENT || (!err && WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND))
		return diagnose(why, EXIT_CANNOT, -ENOENT, "install gdb (Debian: apt install gdb)",
				"--gdb: gdb is not installed");
	if (err)
		return diagnose(why, EXIT_CANNOT, err, NULL, "--gdb: cannot start gdb: %s",
				strerror(-err));
	if (status)
		return diagnose(why, EXIT_CANNOT, -ENOTSUP,
				"install one that has (Debian: gdb, not gdb-minimal)",
				"--gdb: this gdb has no Python");
	return 0;
}

/* ---- Its files ------------------------------------------------------------------------------- */

static int make_name(char **name, const char *directory, const char *last)
{
	return asprintf(name, "%s/%s", directory, last) < 0 ? -ENOMEM : 0;
}

static int write_script(const char *directory)
{
	struct image_file script = { .path = (char *)"/ttgdb.py",
				     .data = (void *)ttgdb_begin,
				     .size = (size_t)(ttgdb_end - ttgdb_begin) };

	return image_file_write(&script, directory);
}

/* The kernel and its libraries; gdb has no use for an initrd. */
static int write_images(const struct guest *guest, const char *directory)
{
	const struct image_files *files = &guest->spec->files;
	auto_free char *root = NULL;
	int err = make_name(&root, directory, "root");

	if (!err && mkdir(root, 0700))
		err = -errno;
	for (size_t i = 0; !err && i < files->count; i++)
		if (strcmp(files->file[i].path, GUEST_INITRD_PATH))
			err = image_file_write(&files->file[i], root);
	return err;
}

static int write_files(struct gdb *gdb, const struct guest *guest)
{
	char name[] = REPLAY_GDB_DIRECTORY "/ttreplay-XXXXXX";
	int err;

	if (!mkdtemp(name))
		return -errno;
	gdb->directory = strdup(name);
	if (!gdb->directory) {
		rmdir(name);
		return -ENOMEM;
	}
	err = write_script(gdb->directory);
	return err ? err : write_images(guest, gdb->directory);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	remove(path);
	return 0;
}

/* ---- Its process ----------------------------------------------------------------------------- */

/* gdb's arguments; all strings are in one allocation. */
struct command {
	char *argument[ARGUMENTS_MAX + 1];
	char kernel[PATH_MAX], script[PATH_MAX], sysroot[PATH_MAX + 16];
	char facts[64], symbols[PATH_MAX + 64];
};

/*
 * Beside the distribution's the directory in which kernel/uml/build-uml.sh --debug leaves the
 * symbols of its kernels, by their build IDs: a trace has the kernel without them.
 */
static void find_symbols(char *text, size_t size)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	const char *below = "";

	if (!cache || !*cache) {
		cache = home ? home : "";
		below = "/.cache";
	}
	snprintf(text, size, "set debug-file-directory /usr/lib/debug:%s%s/ttrec/uml/debug", cache,
		 below);
}

static int make_command(struct command *command, const struct gdb *gdb, const struct guest *guest,
			char *const *arguments, int server_fd)
{
	/*
	 * Nothing that comes with the files of a trace is run. The guest's process was executed as
	 * the loader (kernel/loader), not as the kernel that gdb gets.
	 */
	const char *const ours[] = { "gdb",	     "-q",
				     "-iex",	     "set auto-load off",
				     "-iex",	     "set libthread-db-search-path /",
				     "-iex",	     "set exec-file-mismatch off",
				     "-iex",	     command->sysroot,
				     "-iex",	     command->symbols,
				     "-iex",	     command->facts,
				     "-x",	     command->script,
				     command->kernel };
	size_t count = 0;

	snprintf(command->sysroot, sizeof(command->sysroot), "set sysroot %s/root", gdb->directory);
	snprintf(command->kernel, sizeof(command->kernel), "%s/root" GUEST_KERNEL_PATH,
		 gdb->directory);
	snprintf(command->script, sizeof(command->script), "%s/ttgdb.py", gdb->directory);
	snprintf(command->facts, sizeof(command->facts), "python TT_GUEST, TT_SERVER = %d, %d",
		 guest->sandbox.guest, server_fd);
	find_symbols(command->symbols, sizeof(command->symbols));
	for (; count < ARRAY_SIZE(ours); count++)
		command->argument[count] = (char *)ours[count];
	for (; arguments && *arguments && count < ARGUMENTS_MAX; count++)
		command->argument[count] = *arguments++;
	return arguments && *arguments ? -E2BIG : 0;
}

/* The process that becomes gdb leaves behind what the replay made of it. */
static void become_gdb(const struct command *command, int server_fd)
{
	struct sched_param usual = { 0 };
	cpu_set_t all;
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	sched_setscheduler(0, SCHED_OTHER, &usual);
	fcntl(server_fd, F_SETFD, 0);
	execvp(command->argument[0], command->argument);
	_exit(NOT_FOUND);
}

static int run(struct gdb *gdb, const struct command *command, int server_fd)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		become_gdb(command, server_fd);
	if (pid < 0)
		return -errno;
	gdb->pid = pid;
	gdb->end_fd = pidfd_open(pid, 0);
	return gdb->end_fd < 0 ? -errno : 0;
}

int gdb_start(struct gdb *gdb, const struct guest *guest, char *const *arguments, int server_fd,
	      struct diagnosis *why)
{
	auto_free struct command *command = calloc(1, sizeof(*command));
	int err = command ? write_files(gdb, guest) : -ENOMEM;

	if (err) {
		gdb_end(gdb);
		return diagnose(why, EXIT_CANNOT, err, "free space in /tmp",
				"cannot write the kernel for gdb: %s", strerror(-err));
	}
	err = make_command(command, gdb, guest, arguments, server_fd);
	if (!err)
		err = run(gdb, command, server_fd);
	if (!err)
		return 0;
	gdb_end(gdb);
	return diagnose(why, EXIT_CANNOT, err, NULL, "cannot start gdb: %s", strerror(-err));
}

/* It puts the terminal in order first, unless it is busy for too long. */
static void end_process(const struct gdb *gdb)
{
	struct pollfd end = { .fd = gdb->end_fd, .events = POLLIN };

	kill(gdb->pid, SIGTERM);
	if (poll(&end, 1, PATIENCE_MS) != 1)
		kill(gdb->pid, SIGKILL);
	while (waitpid(gdb->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void gdb_end(struct gdb *gdb)
{
	if (gdb->pid)
		end_process(gdb);
	close_fd(&gdb->end_fd);
	if (gdb->directory)
		nftw(gdb->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(gdb->directory);
	*gdb = GDB_NONE;
}
