/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest says last: when its kernel cannot go on, what usually helps; else its last line. */
#ifndef TTREC_FINAL_OUTPUT_H
#define TTREC_FINAL_OUTPUT_H

#include <stddef.h>

#define FINAL_OUTPUT_LINE 256

/* Of one console; starts zeroed. */
struct final_output {
	char line[FINAL_OUTPUT_LINE]; /* the current line, so far */
	size_t length;
	const char *hint;	      /* for what it said so far; NULL: nothing that is known */
	size_t rank;		      /* of that hint: smaller is closer to the cause */
	char last[FINAL_OUTPUT_LINE]; /* the last line that final_output_line() returns */
};

/* Bytes of the console as they come; lines may be cut anywhere. */
void final_output_feed(struct final_output *output, const char *text, size_t size);

/* Drop what was printed so far: it does not explain the end. */
void final_output_forget(struct final_output *output);

/*
 * The last line, also one without an end, fit to be shown: not of the kernel's log, which is judged
 * and hinted at, nor of how a program ended, which is known. Empty: there was none.
 */
const char *final_output_line(struct final_output *output);

#endif
