/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest's kernel says when it cannot go on, and what usually helps. */
#ifndef TTREC_LAST_WORDS_H
#define TTREC_LAST_WORDS_H

#include <stddef.h>

#define LAST_WORDS_LINE 256

/* Of one console; starts zeroed. */
struct last_words {
	char line[LAST_WORDS_LINE]; /* what has come of a line */
	size_t length;
	const char *hint; /* for what it said so far; NULL: nothing that is known */
	size_t rank;	  /* of that hint: smaller is closer to the cause */
};

/* Bytes of the console as they come; lines may be cut anywhere. */
void last_words_feed(struct last_words *words, const char *text, size_t size);

#endif
