/* SPDX-License-Identifier: BSD-3-Clause */
/* The report of a replay (ttreplay --report): a file for programs, and one for people. */
#ifndef TTREC_REPORT_H
#define TTREC_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "replayer/report/verdict_lab.h"

/*
 * Write the report to @path: JSON if it ends in .json, Markdown if it ends in .md, else both, to
 * @path with these endings.
 */
int report_write(const struct verdict_lab *all, const char *path, struct diagnosis *why);

/* The same to a stream. 0 or -ENOMEM; whether @out could be written is for the caller to see. */
int report_json(const struct verdict_lab *all, FILE *out);
int report_markdown(const struct verdict_lab *all, FILE *out);

/*
 * Publish what was found, if @options ask for it; @status is what the replay ends with. Returns the
 * exit status of what could not be written, which was printed, or 0.
 */
int replay_ci_report(const struct replay_options *options, const struct verdict_lab *all,
		     int status);

/* The same of a trace that could not be replayed at all. */
int replay_ci_report_refused(const struct replay_options *options, const struct diagnosis *refused);

#endif
