/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of `ttrec explore`. */
#ifndef TTREC_EXPLORE_OPTIONS_H
#define TTREC_EXPLORE_OPTIONS_H

#include "recorder/explore/seeds.h"
#include "recorder/run/run_options.h"

struct explore_options {
	struct run_options run; /* of each run */
	struct seeds seeds;
	bool seeds_given;
	const char *shard_source; /* the variable that names the shard; NULL */
	bool shard_given;
	uint64_t runs;	     /* 0: not said */
	uint64_t limit_wall; /* ns; 0: none */
	uint32_t workers;    /* 0: one for each CPU */
	const char *directory;
	bool json;
	struct diagnosis shard_problem; /* of the variables, unless a shard was given */
};

/* Parse; on a usage error prints it and exits with EXIT_USAGE, as argp does. */
void explore_options_parse(int argc, char **argv, struct explore_options *options);

#endif
