/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of a command line that a user is to copy. */
#ifndef TTREC_SHELL_H
#define TTREC_SHELL_H

#include <stdio.h>

/*
 * Print @word so that a shell reads it as one word: as it is, in quotes, or with control characters
 * written out ($'...').
 */
void shell_print_word(FILE *out, const char *word);

/* "@command @word", the latter so; the caller frees it. NULL: out of memory. */
char *shell_command(const char *command, const char *word);

#endif
