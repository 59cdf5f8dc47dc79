/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a recording agrees with the one that it repeats, for people and as JSON. */
#ifndef TTREC_RERECORD_REPORT_H
#define TTREC_RERECORD_REPORT_H

#include <jansson.h>

#include "recorder/rerecord/rerecord_compare.h"

/* Lines for the end of what is said of the recording. @trace is the old one's path. */
void rerecord_report_print(const struct rerecord_result *result, const char *trace, FILE *out);

/* An object (a new reference); NULL: out of memory. */
json_t *rerecord_report_json(const struct rerecord_result *result, const char *trace);

#endif
