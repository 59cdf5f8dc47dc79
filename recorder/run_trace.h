/* SPDX-License-Identifier: BSD-3-Clause */
/* The trace of a recording, with what every recording says about itself at its head. */
#ifndef TTREC_RUN_TRACE_H
#define TTREC_RUN_TRACE_H

#include "recorder/run_options.h"

/* Create options->output and write into it who records, and with which options. */
int run_trace_create(const struct run_options *options, struct trace_writer **writer);

/* Write of each of so many guests that its interrupts are recorded. */
int run_trace_probed(struct trace_writer *writer, size_t guests);

/* Say that the trace could not be written; returns @error. */
int run_trace_diagnose(const struct run_options *options, int error, struct diagnosis *why);

/*
 * Close @writer (may be NULL). When the trace could not be written to its end, that is how the
 * recording ended, whatever else happened.
 */
void run_trace_close(const struct run_options *options, struct trace_writer *writer,
		     struct session_result *result, struct trace_writer_stat *stat);

/* Remove options->output, if it is a file: a device or pipe is not ours to remove. */
void run_trace_discard(const struct run_options *options);

#endif
