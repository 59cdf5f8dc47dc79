/* SPDX-License-Identifier: BSD-3-Clause */
/* How a recording went: the verdict, for people and as JSON. */
#ifndef TTREC_RUN_REPORT_H
#define TTREC_RUN_REPORT_H

#include "recorder/rerecord/rerecord_compare.h"

/* What is judged and printed. */
struct run_report {
	const struct run_options *options;
	const struct session_result *result;
	const struct session *session;
	const struct run_lab *lab; /* NULL: only clients that were started elsewhere */
	const struct trace_writer_stat *trace;
	const struct rerecord_result *rerecord; /* NULL: it is a new recording */
	const char *probe_reason;		/* why there is no probe; NULL or empty */
};

/* The exit status, and in @reason why it is not 0 (empty when it is). */
int run_judge(const struct run_report *report, char *reason, size_t size);

/* How guest number @index ended: the same of it alone. */
int run_judge_end(const struct run_report *report, size_t index, char *reason, size_t size);

/* The first console line of guest number @index that fails it; NULL: none. */
const struct watch_find *run_find_said(const struct run_lab *lab, size_t index);

/* Whether the program that the guest was to run passed: the same. */
int run_judge_program(const struct run_report *report, char *reason, size_t size);

/* How many lines of consoles are worth a warning, and the first; the caller frees it. NULL: none.
 */
char *run_warnings_text(const struct run_report *report);

/* Print one line (or JSON) with that verdict. @kept: the trace is still there. */
void run_report_print(const struct run_report *report, int status, const char *reason, bool kept);

/*
 * Publish how it went, if the options ask for it: @status and @reason are those of run_judge(),
 * @kept says whether the trace is there. Returns the exit status of what could not be written,
 * which was printed, or 0.
 */
int run_ci_report(const struct run_report *report, int status, const char *reason, bool kept);

/* The same of a recording that did not begin. */
int run_ci_report_refused(const struct run_options *options, const struct diagnosis *refused);

#endif
