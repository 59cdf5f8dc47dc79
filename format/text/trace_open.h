/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors of traces that cannot be read or written, for users. */
#ifndef TTREC_TRACE_OPEN_H
#define TTREC_TRACE_OPEN_H

#include "format/base/diagnosis.h"
#include "format/tttrace.h"

/*
 * Diagnose that the trace @path could not be written: @error of trace_output_open() or of writing.
 */
int trace_output_diagnose(const char *path, int error, struct diagnosis *why);

/* As trace_reader_open(), with @why; close *@reader after an error, too. */
int trace_open(const char *path, struct trace_reader **reader, struct diagnosis *why);

#endif
