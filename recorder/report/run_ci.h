/* SPDX-License-Identifier: BSD-3-Clause */
/* The CI report of a recording. */
#ifndef TTREC_RUN_CI_H
#define TTREC_RUN_CI_H

#include "recorder/report/run_report.h"

/*
 * Publish how it went, if the options ask for it: @status and @reason are those of run_judge(),
 * @kept says whether the trace is there. Returns the exit status of what could not be written,
 * which was printed, or 0.
 */
int run_ci_report(const struct run_report *report, int status, const char *reason, bool kept);

/* The same of a recording that did not begin. */
int run_ci_report_refused(const struct run_options *options, const struct diagnosis *refused);

#endif
