// SPDX-License-Identifier: BSD-3-Clause
/* A process that does one thing and prints what came of it; several run at the same time. */
#include "recorder/explore/trial/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"

/* No run prints more; what is beyond is dropped, so that it does not block. */
#define TEXT_MAX (1u << 20)

/* Nothing of it is the parent's, not even what that has not yet written: so no exit(3). */
static void __attribute__((noreturn)) run_function(worker_function *function, void *context,
						   pid_t parent, int fd)
{
	sigset_t none;
	int status;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (getppid() != parent || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(128 + SIGTERM);
	status = function(context);
	fflush(NULL);
	_exit(status);
}

int worker_start(struct worker *worker, worker_function *function, void *context)
{
	pid_t parent = getpid();
	int fd[2], err;

	*worker = WORKER_NONE;
	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	worker->pid = fork();
	if (!worker->pid)
		run_function(function, context, parent, fd[1]);
	err = worker->pid < 0 ? -errno : 0;
	close(fd[1]);
	if (err) {
		close(fd[0]);
		worker->pid = 0;
		return err;
	}
	/* In both processes, so that a signal reaches the group whichever of them runs first. */
	setpgid(worker->pid, worker->pid);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	worker->fd = fd[0];
	return 0;
}

/* Returns whether there may be more. */
static bool keep_text(struct worker *worker, const char *text, ssize_t got)
{
	size_t size = (size_t)got;

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	if (worker->size + size < TEXT_MAX &&
	    !array_room(worker->text, worker->space, worker->size + size + 1, 4096)) {
		memcpy(worker->text + worker->size, text, size);
		worker->size += size;
		worker->text[worker->size] = '\0';
	}
	return true;
}

static void wait_for(struct worker *worker)
{
	while (waitpid(worker->pid, &worker->status, 0) < 0 && errno == EINTR)
		;
	close_fd(&worker->fd);
	worker->pid = 0;
}

bool worker_read(struct worker *worker)
{
	char text[4096];
	ssize_t got;

	do {
		got = read(worker->fd, text, sizeof(text));
		if (!keep_text(worker, text, got)) {
			wait_for(worker);
			return true;
		}
	} while (got > 0);
	return false;
}

void worker_finish(struct worker *worker)
{
	fcntl(worker->fd, F_SETFL, 0);
	while (!worker_read(worker))
		;
}

void worker_signal(const struct worker *worker, int signal)
{
	if (worker->pid > 0)
		kill(-worker->pid, signal);
}

void worker_release(struct worker *worker)
{
	close_fd(&worker->fd);
	free(worker->text);
	*worker = WORKER_NONE;
}
