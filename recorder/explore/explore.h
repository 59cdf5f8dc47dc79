/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `ttrec explore`: runs a lab with one seed after the other and keeps what fails. The parts: which
 * seeds (seeds.h), one run (trial.h) in a process (worker.h), kinds of failure (kind.h), what is
 * known (campaign_state.h), the loop (campaign.h), a finding's directory (found.h).
 */
#ifndef TTREC_EXPLORE_H
#define TTREC_EXPLORE_H

#include "recorder/explore/trial/trial.h"

/* Stopped early; the same command continues. */
#define EXPLORE_STOPPED 5

/* Returns the exit status. @record is ttrec_record(). */
int explore(int argc, char **argv, trial_record *record);

/* `ttrec explore merge OUT IN...`, without the first two words. */
int explore_merge(int argc, char **argv);

#endif
