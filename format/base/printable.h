/* SPDX-License-Identifier: BSD-3-Clause */
/* Escapes text from a guest or a trace for terminals and JSON. */
#ifndef TTREC_PRINTABLE_H
#define TTREC_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

/* Replace characters that are not printable and invalid UTF-8 by '?'. Returns @text. */
char *printable(char *text);

/*
 * Bytes of the character that @text begins with, which has @size bytes; 0 if it is not printable: a
 * control character, one that changes the direction of text, or invalid UTF-8.
 */
size_t printable_size(const char *text, size_t size);

/* Bytes of any character of UTF-8 that @text begins with; 0 when it is not one. Sets *@code. */
size_t utf8_size(const char *text, size_t size, uint32_t *code);

#endif
