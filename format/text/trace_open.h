/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces that cannot be read or written: errors as a user has to know them. */
#ifndef TTREC_TRACE_OPEN_H
#define TTREC_TRACE_OPEN_H

#include "format/base/diagnosis.h"
#include "format/tttrace.h"

/* Say that the trace @path could not be written, for @error of trace_output_open() or of writing.
 */
int trace_output_diagnose(const char *path, int error, struct diagnosis *why);

/* As trace_reader_open(), with @why; *@reader is to be closed after an error, too. */
int trace_open(const char *path, struct trace_reader **reader, struct diagnosis *why);

#endif
