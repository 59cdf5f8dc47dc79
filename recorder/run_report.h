/* SPDX-License-Identifier: BSD-3-Clause */
/* How a recording went: the verdict, for people and as JSON. */
#ifndef TTREC_RUN_REPORT_H
#define TTREC_RUN_REPORT_H

#include "recorder/run_options.h"

/*
 * Judge @result and print it. @watch may be NULL. @trace_bytes is 0 when nothing was recorded or
 * the trace was not kept. Returns the exit status.
 */
struct run_report {
	const struct run_options *options;
	const struct session_result *result;
	const struct watch_verdict *watch; /* NULL: no console */
	const struct trace_writer_stat *trace;
	unsigned int seal;
	bool has_guest;
};

/* The exit status, and in @reason why it is not 0 (empty when it is). */
int run_judge(const struct run_report *report, char *reason, size_t size);

/* Print one line (or JSON) with that verdict. @kept: the trace is still there. */
void run_report_print(const struct run_report *report, int status, const char *reason, bool kept);

#endif
