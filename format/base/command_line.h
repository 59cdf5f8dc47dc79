/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of a command, read by argp. */
#ifndef TTREC_COMMAND_LINE_H
#define TTREC_COMMAND_LINE_H

#include <argp.h>

/*
 * As argp_parse(), which ends the process after a usage error but returns where it has no memory:
 * what was not read must not be taken for what was not said. So that ends the process, too, with
 * EXIT_CANNOT.
 */
void command_line_parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
			void *input);

#endif
