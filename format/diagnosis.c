// SPDX-License-Identifier: BSD-3-Clause
/* Carries what went wrong up to the command that prints it. */
#include "format/diagnosis.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

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

static bool control(char c)
{
	return ((unsigned char)c < ' ' && c != '\n') || c == 0x7f;
}

/* Paths and names may come out of a trace: nothing of them may command the terminal. */
static void print_line(const char *text)
{
	for (; *text; text++)
		fputc(control(*text) ? '?' : *text, stderr);
	fputc('\n', stderr);
}

int diagnosis_print(const struct diagnosis *diagnosis, const char *command)
{
	fprintf(stderr, "%s: ", command);
	print_line(diagnosis->what);
	if (diagnosis->advice[0]) {
		fputs("  to do: ", stderr);
		print_line(diagnosis->advice);
	}
	return diagnosis->status;
}
