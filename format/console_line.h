/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of a console: what stands in front of its text, and what a terminal would act on. */
#ifndef TTREC_CONSOLE_LINE_H
#define TTREC_CONSOLE_LINE_H

/* The text behind printk's level and time stamp: "<6>[    0.020000] text" is "text". */
const char *console_line_text(const char *line);

/* Take escape sequences out, and make what is left printable; tabs become spaces. */
char *console_line_clean(char *line);

#endif
