/* SPDX-License-Identifier: BSD-3-Clause */
/* The CI report of a replay. */
#ifndef TTREC_REPLAY_CI_H
#define TTREC_REPLAY_CI_H

#include "replayer/report/verdict_lab.h"

/*
 * Publish what was found, if @options ask for it; @status is what the replay ends with. Returns the
 * exit status of what could not be written, which was printed, or 0.
 */
int replay_ci_report(const struct replay_options *options, const struct verdict_lab *all,
		     int status);

/* The same of a trace that could not be replayed at all. */
int replay_ci_report_refused(const struct replay_options *options, const struct diagnosis *refused);

#endif
