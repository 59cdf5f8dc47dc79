/* SPDX-License-Identifier: BSD-3-Clause */
/* The guests of a trace, and which of them to replay. */
#ifndef TTREC_REPLAY_LAB_H
#define TTREC_REPLAY_LAB_H

#include "replayer/cursor/replay_guest.h"
#include "replayer/plan/replay_options.h"

struct replay_lab {
	struct replay_guest *guest; /* all of the trace, in its order */
	size_t count;
	struct guest_recorded *listed, *loaded; /* all of them; with files those that will run */
	size_t loaded_count;
	size_t active_max;		 /* guests that may run at the same time */
	uint64_t memory;		 /* bytes that these may use together */
	struct replay_outcome *outcomes; /* shared with the processes that replay */
};

/*
 * Find the guests of the trace that @options names, select the requested ones and read their
 * initial files. Nothing is started.
 */
int replay_lab_open(const struct replay_options *options, struct replay_lab *lab,
		    struct diagnosis *why);
void replay_lab_close(struct replay_lab *lab);

/* How many are selected. */
size_t replay_lab_wanted(const struct replay_lab *lab);

#endif
