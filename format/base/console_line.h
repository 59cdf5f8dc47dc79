/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of a console: removes time stamps in front of the text, and terminal sequences. */
#ifndef TTREC_CONSOLE_LINE_H
#define TTREC_CONSOLE_LINE_H

#include <stddef.h>

/* The text after printk's level and time stamp: "<6>[    0.020000] text" is "text". */
const char *console_line_text(const char *line);

/* Remove escape sequences and make the rest printable; tabs become spaces. */
char *console_line_clean(char *line);

/*
 * For output: a copy of @size bytes at @text with each line cleaned; the caller frees it. NULL
 * without memory, and the output is incomplete.
 */
char *console_lines_copy(const char *text, size_t size);

#endif
