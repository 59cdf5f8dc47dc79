/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record as a line of text, the same wherever records are shown. Records are not trusted: the
 * text is safe for a terminal.
 *
 * 2003  0.000028672   +256ns  n2 <- REQUEST    +256ns (0.000028928) #342
 *
 * number, virtual time, time since the line before, guest, direction (<- from the guest, -> to the
 * guest, == checked in a replay, -- side data), and what it is. In order:
 *
 *	struct name_table names = { 0 };
 *	struct record_view view = { .names = &names };
 *
 *	while (trace_reader_next(reader, &record) > 0) {
 *		name_table_learn(&names, &record);
 *		record_print(&view, &record, stdout);
 *	}
 *	record_view_release(&view);
 *	name_table_free(&names);
 */
#ifndef TTREC_RECORD_TEXT_H
#define TTREC_RECORD_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "format/radio/radio_message.h"
#include "format/text/name_table.h"
#include "format/base/line.h"
#include "format/tttrace.h"

/* How records are shown. All may be zero. */
struct record_view {
	const struct name_table *names; /* names; without them guests and devices have numbers */
	const char *indent;		/* precedes each line */
	bool colour;			/* each guest its own, and trouble red: for a terminal */
	bool utf8; /* what receives it understands UTF-8; otherwise it is escaped */

	/* What follows is record_print()'s own: columns grow with their content. */
	struct line line;
	uint64_t last; /* ns: time of the line before */
	bool begun;
	size_t number_width, time_width, delta_width, name_width;
};

/*
 * Print @record as the next line; if the payload was not kept (NULL), its size is printed. 0 or
 * -ENOMEM; for write errors see ferror(3) of @out.
 */
int record_print(struct record_view *view, const struct trace_record *record, FILE *out);

/* Add to @line what record_print() prints after the direction: "REQUEST    +256ns (0.000028928)
 * #342". */
void record_describe(const struct record_view *view, const struct trace_record *record,
		     struct line *line);

void record_view_release(struct record_view *view);

/* "6ba7b810-9dad-41d1-80b4-00c04fd430c8" */
#define UUID_TEXT 37
const char *uuid_text(const uint8_t uuid[16], char text[UUID_TEXT]);

/*
 * The message that a simulated radio sent or received in @record. It points into the record. False:
 * there is none.
 */
bool record_radio(const struct name_table *names, const struct trace_record *record,
		  struct radio_message *message);

#endif
