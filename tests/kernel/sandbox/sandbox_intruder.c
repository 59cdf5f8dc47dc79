// SPDX-License-Identifier: BSD-3-Clause
/*
 * A program in the place of a kernel that tries what leads out of its sandbox, and says what it
 * reached. Linked statically. A call that a filter refuses is one that does not exist there.
 *
 *	intruder try=calls        "calls NUMBER...": what can be called at all
 *	intruder try=conditions   "NAME VALUE...": with which values of an argument
 *	intruder try=host         "WHAT RESULT", a line each: what is changed of the host
 *	intruder try=urandom:N    "opened M, then: WHY"
 *
 * With time-travel=ext:ID:PATH it says START before, as a kernel does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFUSED	    77 /* exit status of a child */
#define CALLS	    1024
#define PATIENCE_MS 200

/*
 * Of code that the host's kernel has put into a process: it lets no filter see them, and takes them
 * from nowhere else (kernel/seccomp.c, Linux 6.15).
 */
#define SYS_URETPROBE 335
#define SYS_UPROBE    336

/* What a kernel is known by. */
static const char *const volatile marks[] = { "Linux version 6.12.99 (intruder)",
					      "umid=", "time-travel=ext:" };

/* ---- Calls ----------------------------------------------------------------------------------- */

struct attempt {
	long number, argument[6];
};

static int call(const struct attempt *attempt)
{
	const long *a = attempt->argument;

	errno = 0;
	/* Its child runs on the caller's stack: only libc's own returns to where it was called. */
	if (attempt->number == SYS_vfork) {
		pid_t pid = vfork();

		if (!pid)
			_exit(0);
		return pid < 0 && errno == ENOSYS;
	}
	return syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 && errno == ENOSYS;
}

/* It blocks, or ends the process, or whatever: it was reached. */
static int is_reached(const struct attempt *attempt)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(STDIN_FILENO); /* a device of the host's, which 0 would be */
		_exit(call(attempt) ? REFUSED : 0);
	}
	for (int i = 0; i < 10 * PATIENCE_MS; i++) {
		if (waitpid(pid, &status, WNOHANG | __WALL) == pid)
			return !WIFEXITED(status) || WEXITSTATUS(status) != REFUSED;
		usleep(100);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, __WALL);
	return 1;
}

/* Some calls know no such arguments, and say so with the same error. */
static int is_reached_at_all(long number)
{
	return is_reached(&(struct attempt){ .number = number }) ||
	       is_reached(&(struct attempt){ number, { -1, -1, -1, -1, -1, -1 } });
}

static void try_calls(void)
{
	printf("calls");
	for (long number = 0; number < CALLS; number++)
		if (number != SYS_URETPROBE && number != SYS_UPROBE && is_reached_at_all(number))
			printf(" %ld", number);
	printf("\n");
}

/* ---- Conditions ------------------------------------------------------------------------------ */

/* Values of one argument; all others are -1, or what is given. */
static const struct {
	const char *name;
	long number;
	int argument;
	long from, to, others;
} ranges[] = {
	{ "socket", SYS_socket, 0, 0, 50, 1 },
	{ "socketpair", SYS_socketpair, 0, 0, 50, -1 },
	{ "getsockopt", SYS_getsockopt, 2, 0, 100, -1 },
	{ "setsockopt", SYS_setsockopt, 2, 0, 100, -1 },
	{ "fcntl", SYS_fcntl, 1, 0, 1100, -1 },
	{ "ioctl", SYS_ioctl, 1, 0x5400, 0x5490, -1 },
	{ "ioctl", SYS_ioctl, 1, 0x1240, 0x1290, -1 },
	{ "ioctl", SYS_ioctl, 1, 0x8900, 0x8980, -1 },
	{ "prctl", SYS_prctl, 0, 0, 100, -1 },
	{ "arch_prctl", SYS_arch_prctl, 0, 0x1000, 0x1040, -1 },
	{ "arch_prctl", SYS_arch_prctl, 0, 0x3000, 0x3010, -1 },
	{ "arch_prctl", SYS_arch_prctl, 0, 0x5000, 0x5010, -1 },
	{ "ptrace", SYS_ptrace, 0, 0, 40, -1 },
	{ "ptrace", SYS_ptrace, 0, 0x4200, 0x4220, -1 },
	{ "personality", SYS_personality, 0, 0, 64, -1 },
	{ "seccomp", SYS_seccomp, 0, 0, 10, -1 },
	{ "prlimit64", SYS_prlimit64, 0, 0, 3, 0 },
	{ "modify_ldt", SYS_modify_ldt, 0, 0, 32, 0 },
};

static void try_range(size_t index)
{
	printf("%s", ranges[index].name);
	for (long value = ranges[index].from; value < ranges[index].to; value++) {
		struct attempt attempt = { .number = ranges[index].number };

		for (int i = 0; i < 6; i++)
			attempt.argument[i] = ranges[index].others;
		attempt.argument[ranges[index].argument] = value;
		if (is_reached(&attempt))
			printf(value < 0x1000 ? " %ld" : " %#lx", value);
	}
	printf("\n");
}

/* Each bit above the signal alone. */
static void try_clone(void)
{
	printf("clone");
	for (int bit = 8; bit < 32; bit++) {
		/* Of memory, signals and threads it wants some together. */
		struct attempt attempt = { SYS_clone, { (1l << bit) | SIGCHLD } };

		if (bit == 8 || bit == 11 || bit == 16)
			continue;
		if (is_reached(&attempt))
			printf(" %#lx", 1l << bit);
	}
	printf("\n");
}

static void try_conditions(void)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		try_range(i);
	try_clone();
}

/* ---- The host -------------------------------------------------------------------------------- */

static void say(const char *what, long result)
{
	printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "done");
}

/* In no way that changes anything where it succeeds. */
static void try_null(void)
{
	struct stat is = { 0 };

	say("find-null", stat("/dev/null", &is));
	say("chmod-null", chmod("/dev/null", is.st_mode & 0777));
	say("chown-null", chown("/dev/null", is.st_uid, is.st_gid));
	say("touch-null",
	    utimensat(AT_FDCWD, "/dev/null", (struct timespec[]){ is.st_atim, is.st_mtim }, 0));
	say("read-null", open("/dev/null", O_RDONLY));
	say("write-null", open("/dev/null", O_WRONLY));
	say("execute-null", access("/dev/null", X_OK));
}

/* In a root directory of its own there is this. */
static void try_to_remove_null(void)
{
	if (access("/run/loader", F_OK))
		return;
	say("remove-null", unlink("/dev/null"));
	say("replace-null", rename("/dev/null", "/dev/other"));
}

static void try_elsewhere(void)
{
	say("read-host", open("/etc/passwd", O_RDONLY));
	say("mount", mount("none", "/tmp", "nosuchfs", 0, NULL));
	say("remount-null", mount(NULL, "/dev/null", NULL, MS_REMOUNT | MS_BIND, NULL));
	say("make-device", mknod("/tmp/null", S_IFCHR | 0666, 0x103));
	say("become-root", setuid(0));
	say("connect-abstract", socket(AF_UNIX, SOCK_STREAM, 0));
	say("search-keys", syscall(SYS_keyctl, 10, -3, "user", "canary", 0));
	say("add-key", syscall(SYS_add_key, "user", "intruder", "x", 1, -3));
	say("request-key", syscall(SYS_request_key, "user", "canary", NULL, 0));
}

static void try_host(void)
{
	printf("user %d group %d\n", getuid(), getgid());
	try_null();
	try_to_remove_null();
	try_elsewhere();
}

static void try_urandom(int most)
{
	int opened = 0;

	while (opened < most && open("/dev/urandom", O_RDONLY) >= 0)
		opened++;
	printf("opened %d, then: %s\n", opened, opened < most ? strerror(errno) : "no more");
}

/* ---- A kernel's first message ---------------------------------------------------------------- */

static int start(const char *argument)
{
	struct {
		uint32_t operation, sequence;
		uint64_t time;
	} message = { .operation = 1, .sequence = 1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = strchr(argument, ':');
	char *end;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (!path)
		return 1;
	message.time = strtoull(path + 1, &end, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		 *end == ':' ? end + 1 : path + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    write(fd, &message, sizeof(message)) != sizeof(message) ||
	    read(fd, &message, sizeof(message)) != sizeof(message))
		return 1;
	return 0;
}

static int attempt(const char *what)
{
	if (!strcmp(what, "calls"))
		try_calls();
	else if (!strcmp(what, "conditions"))
		try_conditions();
	else if (!strcmp(what, "host"))
		try_host();
	else if (!strncmp(what, "urandom:", 8))
		try_urandom(atoi(what + 8));
	else
		return 2;
	return 0;
}

int main(int argc, char **argv)
{
	int result = *marks[0] ? 0 : 2;

	/* It makes every call that there is: outside of a sandbox those of root have effects. */
	if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER ||
	    !prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) {
		fputs("this is no sandbox\n", stderr);
		return 2;
	}
	for (int i = 1; !result && i < argc; i++)
		if (!strncmp(argv[i], "time-travel=ext", 15))
			result = start(argv[i]);
	for (int i = 1; !result && i < argc; i++)
		if (!strncmp(argv[i], "try=", 4))
			result = attempt(argv[i] + 4);
	return result;
}
