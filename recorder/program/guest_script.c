// SPDX-License-Identifier: BSD-3-Clause
/* Scripts that belong to the commands and are installed beside them. */
#include "recorder/program/guest_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "kernel/host/process.h"

/* Of what the scripts print, so much is looked at. */
#define SCRIPT_TEXT_MAX 65536

char *script_path(const char *name)
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

/*
 * A shell that cannot fork reports it, after some attempts, and its script goes on as if a command
 * had failed: whatever it decides then is wrong. Returns what was short, a negative errno, or 0.
 */
static int find_shortage(const char *text)
{
	static const int errors[] = { EAGAIN, ENOMEM };
	char line[128];

	for (size_t i = 0; text && i < ARRAY_SIZE(errors); i++) {
		snprintf(line, sizeof(line), ": fork: %s", strerror(errors[i]));
		if (strstr(text, line))
			return -errors[i];
	}
	return 0;
}

int script_run(struct script *script, char *const *arguments)
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
	err = find_shortage(script->text);
	if (err)
		return err;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int script_failed(const struct script *script, int err, struct diagnosis *why)
{
	static const char hint[] = "  hint: ";
	const char *what = "it did not give a reason", *advice = NULL, *colon;
	char *rest = script->text, *line;

	if (err < 0)
		return diagnose(why, EXIT_CANNOT, err,
				diagnosis_shortage(err) ?: "reinstall ttrec, which includes it",
				"cannot run %s: %s", script->path, strerror(-err));
	while (rest && (line = strsep(&rest, "\n"))) {
		if (!strncmp(line, hint, strlen(hint)))
			advice = line + strlen(hint);
		else if ((colon = strstr(line, ": ")))
			what = colon + 2;
	}
	return diagnose(why, EXIT_CANNOT, -ENOEXEC, advice ?: "check the path", "%s", what);
}
