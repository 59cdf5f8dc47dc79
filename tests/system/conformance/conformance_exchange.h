/* SPDX-License-Identifier: BSD-3-Clause */
/* Everything one client and the calendar say to each other, written down. */
#ifndef TTREC_CONFORMANCE_EXCHANGE_H
#define TTREC_CONFORMANCE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/wire/wire.h"

struct exchange_line {
	bool from_client;
	uint64_t now; /* ns: virtual time when it was said */
	struct wire_message message;
};

struct exchange {
	struct exchange_line *lines;
	size_t count;
};

/* A row of readings of the clock as it shows in RUNs; zeroed before the first. */
struct exchange_row {
	uint64_t run;	    /* ns: the last RUN */
	unsigned int count; /* how many RUNs up to it came CONFORMANCE_READING after another */
};

void exchange_row_add(struct exchange_row *row, uint64_t run);

/*
 * Find the next mark after line *@position: its last RUN's line goes there. Returns its number, or
 * 0 when there is none.
 */
unsigned int exchange_next_mark(const struct exchange *exchange, size_t *position);

/*
 * Accept one client on @listener and be its controller until it leaves; a window is opened after
 * MARK_WINDOW. Returns 0, -EPROTO when it
 * broke the protocol, -ETIMEDOUT when it said nothing for long, or what failed. @exchange has what
 * was said in every case; free it with exchange_free().
 */
int exchange_record(int listener, struct exchange *exchange);
void exchange_free(struct exchange *exchange);

#endif
