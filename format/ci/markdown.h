/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text that a guest, a trace or a user made up, in Markdown: it is shown, and does nothing else.
 * Control characters and what is no UTF-8 become '?'.
 */
#ifndef TTREC_MARKDOWN_H
#define TTREC_MARKDOWN_H

#include <stddef.h>
#include <stdio.h>

/* In running text or a cell of a table: what would mark up is escaped; one line. */
void markdown_text(FILE *out, const char *text);

/* Within a tag of HTML, where Markdown has no say. */
void markdown_html(FILE *out, const char *text);

/* As `code`, in running text. */
void markdown_code(FILE *out, const char *text);

/* A block of code of @size bytes; it ends with a newline. */
void markdown_block(FILE *out, const char *text, size_t size);

#endif
