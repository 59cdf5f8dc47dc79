// SPDX-License-Identifier: BSD-3-Clause
/* The command line of a command, read by argp. */
#include "format/base/command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/diagnosis.h"

void command_line_parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
			void *input)
{
	error_t err = argp_parse(argp, argc, argv, flags, NULL, input);

	if (!err)
		return;
	fprintf(stderr, "%s: cannot read the command line: %s\n", argv[0], strerror(err));
	exit(EXIT_CANNOT);
}
