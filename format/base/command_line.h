/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of a command, read by argp. */
#ifndef TTREC_COMMAND_LINE_H
#define TTREC_COMMAND_LINE_H

#include <argp.h>

/*
 * Like argp_parse(), which ends the process after a usage error but returns if it is out of memory.
 * Options that were not parsed must not be taken as not given, so that ends the process, too, with
 * EXIT_CANNOT.
 */
void command_line_parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
			void *input);

#endif
