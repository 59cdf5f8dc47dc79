/* SPDX-License-Identifier: BSD-3-Clause */
/* Open a trace for a command that runs its guests; errors are told as a user has to know them. */
#ifndef TTREC_TRACE_OPEN_H
#define TTREC_TRACE_OPEN_H

#include "format/diagnosis.h"
#include "format/tttrace.h"

/* As trace_reader_open(), with @why; *@reader is to be closed after an error, too. */
int trace_open(const char *path, struct trace_reader **reader, struct diagnosis *why);

#endif
