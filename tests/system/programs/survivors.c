// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs a command and says which of its descendants outlive it.
 *
 *	survivors [-k SIGNAL:MILLISECONDS] COMMAND...
 *
 * With -k the command is sent that signal after that time. Exit status: 99 when a process is still
 * there 5 s after the command's end (it is named and killed), else the command's (128+N for signal
 *N).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 5000

static void sleep_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Orphans become ours (PR_SET_CHILD_SUBREAPER), so a child that is left is a process that is left.
 */
static pid_t child_left(void)
{
	char path[64], text[32] = "";
	FILE *list;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	list = fopen(path, "re");
	if (!list)
		return -1;
	if (!fgets(text, sizeof(text), list))
		*text = '\0';
	fclose(list);
	return atoi(text);
}

static void name_and_kill(pid_t pid)
{
	char path[64], name[64] = "?";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
	fprintf(stderr, "survivors: process %d (%s) is left\n", pid, name);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int report_survivors(void)
{
	pid_t pid = child_left();
	int left = 0;

	for (long waited = 0; pid > 0 && waited < GRACE_MS; waited += 10) {
		sleep_ms(10);
		pid = child_left();
	}
	for (; pid > 0; pid = child_left(), left++)
		name_and_kill(pid);
	return left;
}

int main(int argc, char **argv)
{
	int signal_number = 0, status;
	long after = 0;
	pid_t pid;

	if (argc > 3 && !strcmp(argv[1], "-k") &&
	    sscanf(argv[2], "%d:%ld", &signal_number, &after) == 2) {
		argv += 2;
		argc -= 2;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: survivors [-k SIGNAL:MILLISECONDS] COMMAND...\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		fprintf(stderr, "survivors: %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	if (signal_number) {
		sleep_ms(after);
		kill(pid, signal_number);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return report_survivors() ? 99 : exit_status(status);
}
