/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the program of a guest ended, as the guest's init reports it on the console
 * (kernel/uml/program_init.c).
 */
#ifndef TTREC_PROGRAM_END_H
#define TTREC_PROGRAM_END_H

#include <stdbool.h>
#include <stddef.h>

struct program_end {
	bool reported;	   /* the init said how it ended */
	int status;	   /* its exit status */
	int signal;	   /* that killed it; 0 */
	char trouble[128]; /* why it could not be run; empty */
};

/*
 * False when @line is no report. What a program printed before it without a newline does not count.
 */
bool program_end_parse(const char *line, struct program_end *end);

bool program_end_passed(const struct program_end *end);

/* "./race ended with status 3", "./race was killed by SIGSEGV", of one that did not pass. */
void program_end_text(const struct program_end *end, const char *name, char *text, size_t size);

#endif
