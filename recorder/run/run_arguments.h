/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel arguments of all guests before anything starts: what is refused, and what is a setting. */
#ifndef TTREC_RUN_ARGUMENTS_H
#define TTREC_RUN_ARGUMENTS_H

#include "recorder/lab/lab.h"
#include "recorder/run/run_options.h"

/*
 * Refuse, at once, all that no guest of @lab may be given; time-travel-start= becomes the time of
 * day of the run. Before run_options_settle().
 */
int run_arguments_take(struct run_options *options, struct lab *lab, struct diagnosis *why);

#endif
