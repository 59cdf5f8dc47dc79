/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of a command line: lists, and suggestions for unknown words. */
#ifndef TTREC_WORDS_H
#define TTREC_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The nearest to @word of @count names, which are @stride bytes apart; NULL if none is near.
 * Ignores case.
 */
const char *word_nearest(const char *word, const void *names, size_t count, size_t stride);

/* The name at @index of such names. */
const char *word_at(const void *names, size_t index, size_t stride);

/* Add @word to @list, which ends with NULL and has room for @most; false: it is full. */
bool words_add(const char **list, size_t most, const char *word);

/*
 * Add @word, which is malloc'ed and taken over, to a list of *@count words that grows and ends with
 * NULL. Returns 0, or -ENOMEM, also when @word is NULL.
 */
int words_take(char ***list, size_t *count, char *word);

#endif
