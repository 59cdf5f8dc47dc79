/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files that put records into words. */
#ifndef TTREC_RECORD_INTERNAL_H
#define TTREC_RECORD_INTERNAL_H

#include "format/text/record_names.h"
#include "format/text/record_text.h"

/* The guest of @record; NULL: unknown. */
const struct named_guest *record_guest(const struct record_view *view,
				       const struct trace_record *record);

/*
 * Add the description of a record of a device or an interrupt, including its payload; false, and
 * nothing added, if it is another record.
 */
bool record_describe_device(const struct record_view *view, const struct trace_record *record,
			    struct line *line);

/* Add as much of @data as fits in a line: " 00ff12...". */
void record_add_bytes(struct line *line, const void *data, size_t size);

/*
 * The Ethernet frame that @record hands to a network card, or that was lost. Of a long one that is
 * in several records, the beginning, with the first; the others have none. False: it has none.
 */
bool record_frame(const struct name_table *names, const struct trace_record *record,
		  const uint8_t **frame, size_t *size);

#endif
