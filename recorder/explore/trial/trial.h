/* SPDX-License-Identifier: BSD-3-Clause */
/* One run of the lab with one seed. */
#ifndef TTREC_TRIAL_H
#define TTREC_TRIAL_H

#include "recorder/explore/trial/trial_outcome.h"
#include "recorder/explore/trial/worker.h"
#include "recorder/run/run_options.h"

/* What records: ttrec_record(), which belongs to the command. */
typedef int trial_record(struct run_options *options);

struct trial {
	const struct run_options *options; /* of all runs, prepared by trial_prepare() */
	trial_record *record;
	uint64_t seed;
	unsigned int cpu;     /* that it runs on */
	unsigned int attempt; /* from 0; waits before others than the first */
	const char *trace;    /* what to record; NULL: nothing */
};

/* Adapt options to many runs: what the first one would do, so that it is done once. */
int trial_prepare(struct run_options *options, struct diagnosis *why);

/* Start it in a process of its own. */
int trial_start_seed(struct trial *trial, struct worker *worker);

/* The whole of it. Returns 0 or -errno if it could not be started. */
int trial_run_seed(struct trial *trial, struct trial_outcome *outcome);

#endif
