// SPDX-License-Identifier: BSD-3-Clause
/*
 * Run a command and write "SECONDS BYTES" to a file: how long it took, and its peak memory. A
 * command starts with the peak of whoever started it, so this is as small as can be.
 *
 *	peak FILE COMMAND [ARGUMENT]...
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Returns the command's wait status. */
static int run(char **command, struct rusage *usage)
{
	pid_t child = fork();
	int status = 0;

	if (child < 0 || (child && wait4(child, &status, 0, usage) < 0)) {
		perror("peak");
		exit(125);
	}
	if (child)
		return status;
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double start = now();
	FILE *out;
	int status;

	if (argc < 3) {
		fprintf(stderr, "usage: peak FILE COMMAND [ARGUMENT]...\n");
		return 125;
	}
	status = run(argv + 2, &usage);
	out = fopen(argv[1], "w");
	if (!out || fprintf(out, "%.3f %ld\n", now() - start, usage.ru_maxrss * 1024) < 0 ||
	    fclose(out)) {
		perror(argv[1]);
		return 125;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
