// SPDX-License-Identifier: BSD-3-Clause
/* What is long goes through a pager when it goes to a terminal. */
#include "format/ttdump/base/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/base/cleanup.h"

#define DEFAULT_PROGRAM "less"
/* Leave when all fits the screen, hand colours on, leave what was shown on the screen. */
#define DEFAULT_OPTIONS "-FRX"
#define NOT_FOUND	127 /* by the shell */

/* Can standard output move and colour what it shows? */
static bool terminal_is_rich(void)
{
	const char *type = getenv("TERM");

	return isatty(STDOUT_FILENO) && type && *type && strcmp(type, "dumb") != 0;
}

bool terminal_is_colourful(void)
{
	const char *refused = getenv("NO_COLOR");

	return terminal_is_rich() && (!refused || !*refused);
}

static bool is_installed(const char *program)
{
	auto_free char *path = strdup(getenv("PATH") ?: "");
	char *rest = path, *directory;

	while (path && (directory = strsep(&rest, ":"))) {
		auto_free char *file = NULL;

		if (asprintf(&file, "%s/%s", directory, program) < 0)
			file = NULL;
		if (file && !access(file, X_OK))
			return true;
	}
	return false;
}

/* NULL: none. */
static const char *choose_command(void)
{
	const char *command = getenv("TTREC_PAGER");

	if (!command)
		command = getenv("PAGER");
	if (!command)
		return is_installed(DEFAULT_PROGRAM) ? DEFAULT_PROGRAM " " DEFAULT_OPTIONS : NULL;
	return !*command || !strcmp(command, "cat") ? NULL : command;
}

static void run_pager(const char *command, int input)
{
	dup2(input, STDIN_FILENO);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setenv("LESS", DEFAULT_OPTIONS, 0);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(NOT_FOUND);
}

/* An interrupt is for the pager, which may stop a search with it; it ends us by going away. */
static void leave_signals_to_pager(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static int start_pager(struct pager *pager)
{
	auto_fd end = -1;
	int ends[2], err;

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	end = ends[1];
	leave_signals_to_pager();
	pager->process = fork();
	if (!pager->process)
		run_pager(pager->command, ends[0]);
	err = -errno;
	close(ends[0]);
	if (pager->process < 0)
		return err;
	pager->out = fdopen(end, "w");
	if (!pager->out)
		return -errno;
	take_fd(&end);
	return 0;
}

int pager_open(struct pager *pager, bool wanted, struct diagnosis *why)
{
	int err;

	*pager = (struct pager){ .out = stdout, .process = -1 };
	if (wanted && terminal_is_rich())
		pager->command = choose_command();
	if (!pager->command)
		return 0;
	err = start_pager(pager);
	if (err)
		return diagnose(why, EXIT_CANNOT, err, "use --no-pager", "cannot start a pager: %s",
				strerror(-err));
	return 0;
}

int pager_close(struct pager *pager, struct diagnosis *why)
{
	int status = 0;

	if (pager->process < 0)
		return 0;
	fclose(pager->out);
	while (waitpid(pager->process, &status, 0) < 0 && errno == EINTR)
		;
	pager->process = -1;
	pager->out = stdout;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != NOT_FOUND)
		return 0;
	return diagnose(why, EXIT_CANNOT, -ENOENT, "use --no-pager, or set TTREC_PAGER",
			"cannot run the pager \"%s\"", pager->command);
}
