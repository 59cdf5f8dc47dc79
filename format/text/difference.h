/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Describes how two records differ.
 *
 * trace_compare() finds where two traces differ; difference_load() loads the two records, and
 *difference_print() describes their differences, the first being the expected one:
 *
 *	if (trace_compare(old, new, NULL, &where) == 1 &&
 *	    !difference_load(old, new, &where, &pair))
 *		difference_print(pair.pair[0], pair.pair[1], stdout);
 *
 *	time is 0.005000000 instead of 0.004000000 (0.001 s later); seq is 9 instead of 8 (+1)
 *	WAIT from the guest instead of REQUEST from the guest
 *	nothing instead of kick
 *	hash of RAM: 1aa0... instead of 759f... (first in the 4096 bytes at 0x48000)
 *	console output: "tick 43\n" instead of "tick 42\n" (from byte 6 on; 1 of 8 bytes differ)
 *
 * All of it is escaped for a terminal.
 */
#ifndef TTREC_DIFFERENCE_H
#define TTREC_DIFFERENCE_H

#include <stdio.h>

#include "format/tttrace.h"

/* What a record can differ in: its kind, or its fields and its payload. */
#define DIFFERENCE_MAX	(TRACE_FIELDS_MAX + 1)
#define DIFFERENCE_TEXT 96

struct difference {
	const char *field;	      /* of the table of kinds, or "kind", "payload" */
	char before[DIFFERENCE_TEXT]; /* the value in the first record */
	char after[DIFFERENCE_TEXT];  /* and in the second */
	char by[DIFFERENCE_TEXT];     /* how far apart, or where; may be empty */
};

/*
 * List what differs between @a and @b, in the order of the fields; returns how many. Either may be
 * NULL: that trace has no more records of the guest.
 */
size_t difference_list(const struct trace_record *a, const struct trace_record *b,
		       struct difference list[DIFFERENCE_MAX]);

/* The same as one line without its end, the items separated by "; ". */
void difference_print(const struct trace_record *a, const struct trace_record *b, FILE *out);

/*
 * The records at @where, in @pair: NULL where there is none. Moves both readers; records and
 * payloads are valid until these are used again. Returns 0 or the error of reading.
 */
struct difference_pair {
	struct trace_record record[2];
	const struct trace_record *pair[2]; /* into record, or NULL */
};
int difference_load(struct trace_reader *a, struct trace_reader *b,
		    const struct trace_difference *where, struct difference_pair *pair);

#endif
