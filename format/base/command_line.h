/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of a command, read by argp. */
#ifndef TTREC_COMMAND_LINE_H
#define TTREC_COMMAND_LINE_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Like argp_parse(), which ends the process after a usage error but returns if it is out of memory.
 * Options that were not parsed must not be taken as not given, so that ends the process, too, with
 * EXIT_CANNOT.
 */
void command_line_parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
			void *input);

/*
 * The value @text of @option, written as the user types it: "--seed". What is not valid is a
 * usage error, which ends the process.
 */

/* A whole number of at most @max, decimal or with 0x. */
uint64_t option_number(const char *text, const char *option, uint64_t max,
		       struct argp_state *state);
/* A duration, in ns. */
uint64_t option_time(const char *text, const char *option, struct argp_state *state);
/* A size above 0, in bytes. */
uint64_t option_size(const char *text, const char *option, struct argp_state *state);
/* The index in @names, which ends with NULL. */
int option_choice(const char *text, const char *option, const char *const *names,
		  struct argp_state *state);
/* One more for @list, which ends with NULL and has room for @most. */
void option_add(const char **list, size_t most, const char *text, const char *option,
		struct argp_state *state);

#endif
