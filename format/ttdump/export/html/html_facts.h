/* SPDX-License-Identifier: BSD-3-Clause */
/* What the page of `ttdump export html` has besides the records, as JSON. */
#ifndef TTREC_HTML_FACTS_H
#define TTREC_HTML_FACTS_H

#include <jansson.h>

#include "format/text/name_table.h"
#include "format/ttdump/export/export.h"

/*
 * Load the report of a replay that @request names, of the trace with this @header: NULL in *@report
 * when it names none. 0 or a negative errno with @diagnosis filled.
 */
int html_load_report(const struct export_request *request, const struct trace_header *header,
		     json_t **report, struct diagnosis *diagnosis);

/*
 * The facts (a new reference): trace, uuid, guests, the tables of kinds and operations, the
 * @problem that ended reading ("" for none), and @report, whose reference is taken.
 */
json_t *html_facts(const struct export_request *request, const struct trace_header *header,
		   const struct name_table *names, const char *problem, json_t *report);

#endif
