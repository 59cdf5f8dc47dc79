/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest says last: when its kernel cannot go on, what usually helps; else its last line. */
#ifndef TTREC_LAST_WORDS_H
#define TTREC_LAST_WORDS_H

#include <stddef.h>

#define LAST_WORDS_LINE 256

/* Of one console; starts zeroed. */
struct last_words {
	char line[LAST_WORDS_LINE]; /* the current line, so far */
	size_t length;
	const char *hint;	    /* for what it said so far; NULL: nothing that is known */
	size_t rank;		    /* of that hint: smaller is closer to the cause */
	char last[LAST_WORDS_LINE]; /* the last line of which last_words_line() tells */
};

/* Bytes of the console as they come; lines may be cut anywhere. */
void last_words_feed(struct last_words *words, const char *text, size_t size);

/* Nothing that was said so far tells how it ends. */
void last_words_forget(struct last_words *words);

/*
 * The last line, also one without an end, fit to be shown: not of the kernel's log, which is judged
 * and hinted at, nor of how a program ended, which is known. Empty: there was none.
 */
const char *last_words_line(struct last_words *words);

#endif
