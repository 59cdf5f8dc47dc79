// SPDX-License-Identifier: BSD-3-Clause
/* Carries what went wrong up to the command that prints it. */
#include "format/base/diagnosis.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "format/base/printable.h"

enum exit_status exit_status_of_file(int error)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case EACCES:
	case ELOOP:
	case ENAMETOOLONG:
		return EXIT_USAGE;
	case EBADMSG:
	case EPIPE:
		return EXIT_DAMAGED;
	}
	return EXIT_CANNOT;
}

int diagnose(struct diagnosis *diagnosis, enum exit_status status, int error, const char *advice,
	     const char *format, ...)
{
	va_list arguments;

	if (!diagnosis)
		return error;
	va_start(arguments, format);
	vsnprintf(diagnosis->what, sizeof(diagnosis->what), format, arguments);
	va_end(arguments);
	snprintf(diagnosis->advice, sizeof(diagnosis->advice), "%s", advice ? advice : "");
	diagnosis->status = status;
	return error;
}

enum exit_status diagnosis_trace_status(int error)
{
	return error == -EBADMSG || error == -EPIPE ? EXIT_DAMAGED : EXIT_CANNOT;
}

int diagnosis_host_error(int error)
{
	return error < 0 && diagnosis_trace_status(error) != EXIT_DAMAGED ? error : 0;
}

const char *diagnosis_shortage(int error)
{
	switch (error) {
	case -EMFILE:
		return "raise the limit of open files (ulimit -n)";
	case -ENFILE:
		return "the host has no more open files: raise sysctl fs.file-max";
	case -ENOMEM:
		return "free memory, or raise its limit (ulimit -v, the control group's)";
	case -EAGAIN:
		return "raise the limit of processes (ulimit -u, the control group's pids.max)";
	case -ENOSPC:
	case -EDQUOT:
		return "free disk space";
	default:
		return NULL;
	}
}

/* Paths and names may come out of a trace: nothing of them may command the terminal. */
int diagnosis_print(const struct diagnosis *diagnosis, const char *command)
{
	struct diagnosis shown = *diagnosis;

	fprintf(stderr, "%s: %s\n", command, printable(shown.what));
	if (shown.advice[0])
		fprintf(stderr, "  hint: %s\n", printable(shown.advice));
	return diagnosis->status;
}
