// SPDX-License-Identifier: BSD-3-Clause
/*
 * The init of a guest that runs one program: starts it, waits for it, reports how it ended on the
 * console, and powers off. A static program; make-initramfs.sh packs it.
 *
 * The report is the last that user space prints, after everything else was killed. It is a line of
 * KTAP without a number, so that it is no test of its own beside those that the program reports:
 *
 *	ok - /test: exit status 0
 *	not ok - /test: exit status 3
 *	not ok - /test: killed by signal 11 (SIGSEGV)
 *	not ok - /test: cannot be run: Exec format error
 *
 * What is run stands in the file PROGRAM_FILE, each with a NUL behind it: the working directory,
 * the path, the arguments. Without the file it is /test in /, and without that nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_FILE  "/.ttrec-program"
#define PROGRAM_MAX   (1u << 20)
#define ARGUMENTS_MAX 65536
#define DEFAULT_TEST  "/test"

struct program {
	const char *directory;
	char **arguments; /* the first is its path */
};

/* ---- The file system and the network -------------------------------------------------------- */

static void mount_all(void)
{
	static const struct {
		const char *type, *path;
	} table[] = {
		{ "proc", "/proc" },	  { "sysfs", "/sys" },	   { "devtmpfs", "/dev" },
		{ "devpts", "/dev/pts" }, { "tmpfs", "/dev/shm" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		mkdir(table[i].path, 0755);
		mount(table[i].type, table[i].path, table[i].type, 0, NULL);
	}
	mkdir("/tmp", 01777);
	chmod("/tmp", 01777);
	chmod("/dev/shm", 01777);
}

/*
 * Shares that `ttrec run --share` lists by their tags: each at /mnt/TAG. What it lists is no
 * business of the program.
 */
static void mount_shares(void)
{
	char path[64], *tags = getenv("ttrec_shares");

	mkdir("/mnt", 0755);
	for (char *tag = tags ? strtok(tags, ":") : NULL; tag; tag = strtok(NULL, ":")) {
		snprintf(path, sizeof(path), "/mnt/%s", tag);
		mkdir(path, 0755);
		if (mount(tag, path, "virtiofs", 0, NULL))
			fprintf(stderr, "%s: cannot be mounted: %s\n", path, strerror(errno));
	}
	unsetenv("ttrec_shares");
}

/* Programs speak to themselves over 127.0.0.1. */
static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (!ioctl(fd, SIOCGIFFLAGS, &request)) {
		request.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}

/* ---- The program ---------------------------------------------------------------------------- */

/* A line of its own, in one piece. */
static void say(const char *text)
{
	size_t length = strlen(text);

	for (ssize_t done; length; text += done, length -= (size_t)done) {
		done = write(STDOUT_FILENO, text, length);
		if (done <= 0)
			return;
	}
}

static bool read_program(struct program *program)
{
	static char text[PROGRAM_MAX + 1], *arguments[ARGUMENTS_MAX + 1];
	int fd = open(PROGRAM_FILE, O_RDONLY | O_CLOEXEC);
	size_t size = 0, count = 0;
	ssize_t got;

	if (fd < 0)
		return false;
	while (size < PROGRAM_MAX && (got = read(fd, text + size, PROGRAM_MAX - size)) > 0)
		size += (size_t)got;
	close(fd);
	program->directory = text;
	for (size_t at = strlen(text) + 1; at < size && count < ARGUMENTS_MAX;
	     at += strlen(text + at) + 1)
		arguments[count++] = text + at;
	program->arguments = arguments;
	return count;
}

static bool find_program(struct program *program)
{
	static char *arguments[] = { (char *)DEFAULT_TEST, NULL };

	if (read_program(program))
		return true;
	*program = (struct program){ .directory = "/", .arguments = arguments };
	return !access(DEFAULT_TEST, F_OK);
}

/* In a session of its own, with an empty standard input: nobody types. */
static void run(const struct program *program, int trouble_fd)
{
	int fd = open("/dev/null", O_RDONLY), error;

	if (fd > STDIN_FILENO) {
		dup2(fd, STDIN_FILENO);
		close(fd);
	}
	setsid();
	if (!chdir(program->directory))
		execv(program->arguments[0], program->arguments);
	error = errno;
	if (write(trouble_fd, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

/* Returns 0, or why it could not be run. */
static int start(const struct program *program, pid_t *pid)
{
	int pipe_fd[2], error = 0;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return errno;
	*pid = fork();
	if (*pid < 0)
		return errno;
	if (!*pid)
		run(program, pipe_fd[1]);
	close(pipe_fd[1]);
	if (read(pipe_fd[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(pipe_fd[0]);
	return error;
}

/* Whose parents are gone are reaped here, too. */
static int await(pid_t pid)
{
	int status = 0;
	pid_t ended;

	while ((ended = wait(&status)) != pid)
		if (ended < 0 && errno != EINTR)
			break;
	return status;
}

/* So that nobody prints behind the report. One that does not die is waited for a second. */
static void end_everybody(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	pid_t ended;

	kill(-1, SIGKILL);
	for (int i = 0; i < 100; i++) {
		while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (ended < 0)
			return;
		nanosleep(&pause, NULL);
	}
}

/* A failure begins a line whatever the program printed last. */
static void report(const char *path, int error, int status)
{
	static char line[8192];
	const char *name;

	if (error)
		snprintf(line, sizeof(line), "\nnot ok - %s: cannot be run: %s\n", path,
			 strerror(error));
	else if (WIFSIGNALED(status) && (name = sigabbrev_np(WTERMSIG(status))))
		snprintf(line, sizeof(line), "\nnot ok - %s: killed by signal %d (SIG%s)\n", path,
			 WTERMSIG(status), name);
	else if (WIFSIGNALED(status))
		snprintf(line, sizeof(line), "\nnot ok - %s: killed by signal %d\n", path,
			 WTERMSIG(status));
	else
		snprintf(line, sizeof(line), "%s - %s: exit status %d\n",
			 WEXITSTATUS(status) ? "\nnot ok" : "ok", path, WEXITSTATUS(status));
	say(line);
}

static void run_program(const struct program *program)
{
	int error, status = 0;
	pid_t pid = 0;

	/* Arguments of UML's own, which the kernel does not know and takes for variables. */
	unsetenv("mem");
	unsetenv("uml_dir");
	setenv("HOME", "/root", 1);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	error = start(program, &pid);
	if (!error)
		status = await(pid);
	end_everybody();
	report(program->arguments[0], error, status);
}

int main(void)
{
	struct program program;

	mount_all();
	mount_shares();
	raise_loopback();
	if (find_program(&program))
		run_program(&program);
	else
		say("ttrec guest up\n");
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
