/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a campaign: seeds in workers, and what they find. */
#ifndef TTREC_CAMPAIGN_H
#define TTREC_CAMPAIGN_H

#include "recorder/explore/campaign_state.h"

struct lab;

struct campaign_options {
	const struct run_options *run; /* prepared by trial_prepare() */
	const struct lab *lab;	       /* NULL: not of a lab file */
	trial_record *record;
	struct seeds seeds;
	uint64_t limit_wall;	  /* ns, after which no seed is begun; 0: none */
	const unsigned int *cpus; /* of each worker */
	size_t workers;
	const char *directory;
};

enum campaign_end {
	CAMPAIGN_COMPLETE, /* all seeds, or all of the time */
	CAMPAIGN_ALWAYS,   /* every seed fails in the same way */
	CAMPAIGN_STOPPED,  /* by a signal */
	CAMPAIGN_REFUSED,  /* the runs are: what was typed is wrong */
	CAMPAIGN_SHORTAGE, /* this machine cannot */
};

/* Called while it runs. */
struct campaign_observer {
	void *context;
	/* The directory of a kind is made, or could not be made; in the order of kinds. */
	void (*found)(void *context, const struct campaign_state *state,
		      const struct campaign_kind *kind);
	void (*difference)(void *context, const struct campaign_difference *difference);
	/* Some seeds more have ended; several times in a second. */
	void (*progress)(void *context, const struct campaign_state *state);
};

/*
 * Run it from where @state is, which is saved now and then and at the end. @why is set for
 * CAMPAIGN_REFUSED and CAMPAIGN_SHORTAGE.
 */
enum campaign_end campaign_run(const struct campaign_options *options,
			       const struct campaign_observer *observer,
			       struct campaign_state *state, struct diagnosis *why);

#endif
