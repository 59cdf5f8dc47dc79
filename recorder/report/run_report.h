/* SPDX-License-Identifier: BSD-3-Clause */
/* How a recording went: the verdict, as text, as JSON and for a CI. */
#ifndef TTREC_RUN_REPORT_H
#define TTREC_RUN_REPORT_H

#include "format/ci/finding.h"
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

/*
 * The exit status, and in @found, which begins zeroed or as it was left by an earlier call, all
 * findings: what ended the recording, then the failures of guests in the order of virtual time,
 * then the rest. The caller releases them.
 */
int run_judge(const struct run_report *report, struct findings *found);

/* The first console line of guest number @index that fails it; NULL: none. */
const struct watch_find *run_find_said(const struct run_lab *lab, size_t index);

/* How the program ended that the guest was to run; NULL: there was none. */
const struct program_end *run_find_program(const struct run_report *report,
					   struct watch_verdict *verdict);

/* The console lines that are worth a warning; false: there are none. */
bool run_find_warnings(const struct run_report *report, struct watch_find *warnings);

/* Print the verdict, or with --json an object. @kept: the trace is still there. */
void run_report_print(const struct run_report *report, int status, const struct findings *found,
		      bool kept);

/*
 * Publish how it went, if the options ask for it: @status and @found are those of run_judge(),
 * @kept says whether the trace is there. Returns the exit status of what could not be written,
 * which was printed, or 0.
 */
int run_ci_report(const struct run_report *report, int status, const struct findings *found,
		  bool kept);

/* The same of a recording that did not begin. */
int run_ci_report_refused(const struct run_options *options, const struct diagnosis *refused);

#endif
