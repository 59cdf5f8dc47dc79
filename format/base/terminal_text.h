/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters a guest's output for a terminal: escape sequences are removed, other control characters
 * and invalid UTF-8 become '?', and no carriage return overwrites earlier output.
 */
#ifndef TTREC_TERMINAL_TEXT_H
#define TTREC_TERMINAL_TEXT_H

#include <stddef.h>

/* The state of the filter; starts zeroed. */
struct terminal_text {
	int state;
	char held[4]; /* a character of which more bytes are to come */
	size_t held_size;
};

/* What may come out beyond the bytes that went in. */
#define TERMINAL_TEXT_MORE 8

/*
 * Clean @size bytes at @text, which may be cut anywhere, into @out, which has room for @size and
 * TERMINAL_TEXT_MORE bytes. Returns the size of the output. If no text is held back, @out may be
 * @text.
 */
size_t terminal_text_clean(struct terminal_text *terminal, const char *text, size_t size,
			   char *out);

/* Output what is held back at the end; as terminal_text_clean(). */
size_t terminal_text_end(struct terminal_text *terminal, char out[TERMINAL_TEXT_MORE]);

#endif
