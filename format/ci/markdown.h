/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Escapes text from a guest, a trace or a user for Markdown. Control characters and invalid UTF-8
 * become '?'.
 */
#ifndef TTREC_MARKDOWN_H
#define TTREC_MARKDOWN_H

#include <stddef.h>
#include <stdio.h>

#include "format/ci/finding.h"

/* In running text or a cell of a table: markup is escaped; one line. */
void markdown_text(FILE *out, const char *text);

/* Within an HTML tag, where Markdown is not interpreted. */
void markdown_html(FILE *out, const char *text);

/* As `code`, in running text. */
void markdown_code(FILE *out, const char *text);

/*
 * A finding as a paragraph or an entry of a list: "**label**: text `code`", and its hint. Of a
 * possible cause the meaning of its code is in bold.
 */
void markdown_finding(FILE *out, const struct finding *finding);

/* A block of code of @size bytes; it ends with a newline. */
void markdown_block(FILE *out, const char *text, size_t size);

#endif
