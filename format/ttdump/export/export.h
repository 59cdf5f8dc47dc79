/* SPDX-License-Identifier: BSD-3-Clause */
/* What the formats of `ttdump export` share. Each format is one file, export_FORMAT.c. */
#ifndef TTREC_EXPORT_H
#define TTREC_EXPORT_H

#include <stdio.h>

#include "format/ttdump/base/ttdump.h"

struct export_request {
	const char *path;   /* of the trace, for messages */
	const char *report; /* a replay's report (ttreplay --report), or NULL: for html */
};

/*
 * Read @reader from its start to its end and write @out, which may be a pipe. A trace that ends
 * early or is damaged is exported as far as it goes: dump_damaged() is returned after that. Returns
 * 0 or a negative errno with @diagnosis filled; that @out could not be written is for the caller to
 * see.
 */
typedef int export_format(const struct export_request *request, struct trace_reader *reader,
			  FILE *out, struct diagnosis *diagnosis);

export_format export_json, export_perfetto, export_html, export_pcapng;

#endif
