/* SPDX-License-Identifier: BSD-3-Clause */
/* Shows the console of a replayed guest; of several, line by line with their names. */
#ifndef TTREC_REPLAYER_CONSOLE_H
#define TTREC_REPLAYER_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "format/base/terminal_text.h"

/* The longest line that is not broken in two. */
#define CONSOLE_LINE_MAX 1024

struct console_printer {
	const char *name; /* put before each line; NULL: shown byte by byte as it comes */
	bool terminal;	  /* it is shown on one, which must not act on it */
	struct terminal_text cleaned;
	char line[CONSOLE_LINE_MAX];
	size_t length; /* of the line that is not complete */
};

void console_print(struct console_printer *printer, const char *text, size_t size);

/* Show what is left of a line without end. */
void console_finish(struct console_printer *printer);

#endif
