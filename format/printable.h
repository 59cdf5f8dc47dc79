/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that a guest or a trace made up, fit for a terminal and for JSON. */
#ifndef TTREC_PRINTABLE_H
#define TTREC_PRINTABLE_H

/* Put '?' in place of control characters and of bytes that are no UTF-8. Returns @text. */
char *printable(char *text);

#endif
