/* SPDX-License-Identifier: BSD-3-Clause */
/* A record as JSON; the keys are stable and documented in ttdump-show(1). And what jansson has no
 * memory for. */
#ifndef TTREC_RECORD_JSON_H
#define TTREC_RECORD_JSON_H

#include <jansson.h>

#include "format/text/name_table.h"
#include "format/base/line.h"

/* Add @record to @line as one object, without a newline. @names may be NULL. */
void record_add_json(const struct name_table *names, const struct trace_record *record,
		     struct line *line);

/* The same as an object (a new reference); NULL: out of memory. */
json_t *record_json(const struct name_table *names, const struct trace_record *record);

/* Add @text as a string of JSON with its quotes; false, and nothing added, when it is not UTF-8. */
bool line_add_json_string(struct line *line, const char *text, size_t size);

/*
 * jansson silently omits values when it has no memory. After this call, that sets
 * output_incomplete() (write_error.h). Call it before the first value is made.
 */
void record_json_watch_memory(void);

#endif
