/* SPDX-License-Identifier: BSD-3-Clause */
/* The trace of a recording, with the records about the recording at its beginning. */
#ifndef TTREC_RUN_TRACE_H
#define TTREC_RUN_TRACE_H

#include "format/trace/trace_output.h"
#include "recorder/run/run_options.h"

/* Files from this size on go into the user's store, or into one that was chosen: bytes. */
#define RUN_STORE_LEAST	 (64ull << 20)
#define RUN_STORE_CHOSEN (1ull << 20)

/*
 * Prepare @output to become options->output, and write into it the recorder's version and options.
 * Neither is done when nothing is to be recorded. @largest: bytes of the largest file that will be
 * embedded; it decides whether the trace has a store.
 */
int run_trace_create(const struct run_options *options, uint64_t largest,
		     struct trace_output *output, struct trace_writer **writer);

/* Write of each of so many guests that its interrupts are recorded. */
int run_trace_probed(struct trace_writer *writer, size_t guests);

/*
 * Close @writer (may be NULL). When the trace could not be written to its end, that is how the
 * recording ended, whatever else happened.
 */
void run_trace_close(const struct run_options *options, struct trace_writer *writer,
		     struct session_result *result, struct trace_writer_stat *stat);

/*
 * Make @output, which is closed, what options->output is. When it cannot be, that is how the
 * recording ended; returns whether it is.
 */
bool run_trace_keep(const struct run_options *options, struct trace_output *output,
		    struct session_result *result);

#endif
