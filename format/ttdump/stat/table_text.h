/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of text with aligned columns: begin with the titles, add cells row by row, print. A title
 * that begins with '<' aligns its column to the left, all others are to the right.
 */
#ifndef TTREC_TABLE_TEXT_H
#define TTREC_TABLE_TEXT_H

#include <stdint.h>
#include <stdio.h>

struct table_text {
	size_t columns;
	char **cell; /* row by row, the titles first */
	size_t count;
	int error; /* -ENOMEM stays: what was added since is lost */
};

/* @titles ends with NULL. */
void table_begin(struct table_text *table, const char *const *titles);
void table_add(struct table_text *table, const char *text);
/* "1,638", and nothing for 0: what did not happen need not be read. */
void table_add_count(struct table_text *table, uint64_t count);
/* "4.2 MiB", and nothing for 0. */
void table_add_size(struct table_text *table, uint64_t bytes);
/*
 * Print @title and the table behind it, without the columns in which no row has anything; nothing
 * at all when there is no row. Frees the table. What there is no memory for is output_incomplete().
 */
void table_end(struct table_text *table, const char *title, FILE *out);

#endif
