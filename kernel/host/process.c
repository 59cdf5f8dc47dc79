// SPDX-License-Identifier: BSD-3-Clause
/* Setup of a command's own process: standard streams, signals that stop it, limit of wall time. */
#include "kernel/host/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "format/base/diagnosis.h"
#include "format/base/units.h"

extern char **environ;

#define PATIENCE_NS (5 * NS_PER_S)
#define PATIENCE_MS 5000
#define WATCH_STACK (256u << 10) /* with room for sanitizers */

uint64_t process_wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void process_fill_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close_fd(&fd);
}

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGPIPE);
}

void process_hold_stop(void)
{
	sigset_t set;

	stop_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void process_leave_interrupt(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int process_open_stop(int *fd)
{
	sigset_t set;

	stop_signals(&set);
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd < 0 ? -errno : 0;
}

int process_take_stop(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

int process_spawn(const char *path, char *const *arguments, int out_fd, int err_fd,
		  unsigned int flags, pid_t *pid)
{
	bool own_group = flags & PROCESS_OWN_GROUP;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *none_given[] = { NULL };
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	err = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, err_fd, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						      (own_group ? POSIX_SPAWN_SETPGROUP : 0));
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	if (!err)
		err = posix_spawn(pid, path, &actions, &attributes, arguments,
				  flags & PROCESS_NO_ENVIRONMENT ? none_given : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* ---- Where it cannot be stopped in order --------------------------------------------------- */

/* State of the watchdog thread. */
static struct {
	const char *command;
	int stop_fd;
	_Atomic uint64_t limit;
	_Atomic uint64_t deadline; /* 0: none */
} watched;

static void __attribute__((noreturn, format(printf, 2, 3))) end_process(int status,
									const char *format, ...)
{
	char text[256];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* Not by stdio: the thread that is stuck may hold its lock. */
	if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0)
		status = status ? status : EXIT_CANNOT;
	_exit(status);
}

/* A pending signal; 0: it has been handled. */
static int pending_stop(void)
{
	sigset_t stops, pending;

	stop_signals(&stops);
	if (sigpending(&pending))
		return 0;
	for (int signal = 1; signal < NSIG; signal++)
		if (sigismember(&stops, signal) == 1 && sigismember(&pending, signal) == 1)
			return signal;
	return 0;
}

static void give_time(void)
{
	uint64_t end = process_wall_ns() + PATIENCE_NS;
	struct timespec pause = { .tv_nsec = 20000000 };
	int signal;

	while ((signal = pending_stop())) {
		if (process_wall_ns() >= end)
			end_process(128 + signal, "\n%s: SIG%s not handled for %d s: killed\n",
				    watched.command, sigabbrev_np(signal), PATIENCE_MS / 1000);
		nanosleep(&pause, NULL);
	}
}

static void check_deadline(void)
{
	uint64_t deadline = atomic_load(&watched.deadline);
	char limit[UNITS_TEXT];

	if (deadline && process_wall_ns() >= deadline)
		end_process(EXIT_DIVERGED,
			    "\n%s: the limit of %s of wall time was reached, and not handled for "
			    "%d s: killed\n",
			    watched.command, duration_short(atomic_load(&watched.limit), limit),
			    PATIENCE_MS / 1000);
}

static void *watch_process(void *context)
{
	struct pollfd stop = { .fd = watched.stop_fd, .events = POLLIN };

	(void)context;
	for (;;) {
		if (poll(&stop, 1, PATIENCE_MS / 5) > 0)
			give_time();
		check_deadline();
	}
	return NULL;
}

int process_watch(const char *command)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int err = process_open_stop(&watched.stop_fd);

	if (err)
		return err;
	watched.command = command;
	err = pthread_attr_init(&attributes);
	if (err)
		return -err;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, WATCH_STACK);
	err = pthread_create(&thread, &attributes, watch_process, NULL);
	pthread_attr_destroy(&attributes);
	return -err;
}

void process_watch_limit(uint64_t limit)
{
	atomic_store(&watched.limit, limit);
	atomic_store(&watched.deadline, limit ? process_wall_ns() + limit + PATIENCE_NS : 0);
}
