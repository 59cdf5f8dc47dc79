// SPDX-License-Identifier: BSD-3-Clause
/* Carries what went wrong up to the command that prints it. */
#include "format/diagnosis.h"

#include <stdarg.h>
#include <stdio.h>

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

int diagnosis_print(const struct diagnosis *diagnosis, const char *command)
{
	fprintf(stderr, "%s: %s\n", command, diagnosis->what);
	if (diagnosis->advice[0])
		fprintf(stderr, "  to do: %s\n", diagnosis->advice);
	return diagnosis->status;
}
