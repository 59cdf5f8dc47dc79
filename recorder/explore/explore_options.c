// SPDX-License-Identifier: BSD-3-Clause
/* The options of `ttrec explore`. */
#include "recorder/explore/explore_options.h"

#include <stdlib.h>
#include <string.h>

#include "format/base/units.h"

#define DEFAULT_FOR	  (10 * 60 * NS_PER_S)
#define DEFAULT_DIRECTORY "found"

#define FIELD(member) OPTION_FIELD(struct explore_options, member)
#define GIVEN(member) .given = offsetof(struct explore_options, member)

static void take_seeds(char *text, void *input, struct argp_state *state)
{
	struct explore_options *options = input;

	if (seeds_parse_range(text, &options->seeds))
		argp_error(state, "invalid --seeds '%s': expected A..B, such as 1..1000", text);
	options->seeds_given = true;
}

static void take_shard(char *text, void *input, struct argp_state *state)
{
	struct explore_options *options = input;

	if (seeds_parse_shard(text, &options->seeds))
		argp_error(state, "invalid --shard '%s': expected I/N, from 1/N to N/N", text);
	options->shard_given = true;
}

static const struct option_row explore_rows[] = {
	{ "for", 0, "TIME", "begin no run after this wall time (default 10m without --runs)", 1,
	  OPTION_TIME, FIELD(limit_wall) },
	{ "runs", 0, "N", "run the seeds 1 to N", 1, OPTION_NUMBER, FIELD(runs), .least = 1,
	  .most = SEEDS_MAX },
	{ "seeds", 0, "A..B", "run these seeds", 1, OPTION_CALL, .take = take_seeds },
	{ "shard", 0, "I/N", "run only the I-th of N shares of the seeds, see ttrec(1)", 1,
	  OPTION_CALL, .take = take_shard },
	{ "workers", 0, "N", "run N seeds at the same time (default: one for each CPU)", 2,
	  OPTION_NUMBER, FIELD(workers), .least = 1, .most = 1024 },
	{ "output", 'o', "DIR",
	  "write what is found to DIR (default found), and continue what is there", 1, OPTION_TEXT,
	  FIELD(directory) },
	{ "json", 0, NULL, "print a line of JSON for each finding and the result", 5, OPTION_FLAG,
	  FIELD(json) },
	{ 0 },
};

static void check(void *input, struct argp_state *state)
{
	struct explore_options *options = input;

	if (options->runs && options->seeds_given)
		argp_error(state, "--runs and --seeds exclude each other");
	if (options->runs)
		options->seeds.last = options->seeds.first + options->runs - 1;
	if (!options->runs && !options->seeds_given && !options->limit_wall)
		options->limit_wall = DEFAULT_FOR;
	run_options_check_guests(&options->run, state);
	if (options->run.socket)
		argp_error(state, "unexpected --socket");
}

static const struct command_line explore_command = {
	.usage = "-f LAB\nPROGRAM [ARGS...]\nKERNEL [KERNEL-ARGS...]\nmerge OUT IN...",
	.doc = "Run a lab, a program or a kernel with one seed after the other, and keep a trace "
	       "of each kind of failure. merge puts together what shards have found."
	       "\vExit status: 0 nothing found, 1 a failure was found, 2 the command line is "
	       "invalid or a file does not exist, 4 this machine cannot do it, 5 stopped early: "
	       "the same command continues.",
	.table = { { explore_rows, 0 },
		   { run_guest_rows, offsetof(struct explore_options, run) },
		   { run_schedule_rows, offsetof(struct explore_options, run) },
		   { run_limit_rows, offsetof(struct explore_options, run) } },
	.take = run_take_guest_words,
	.check = check,
	.flags = ARGP_IN_ORDER,
};

static const char *variable(const char *name)
{
	return getenv(name);
}

void explore_options_parse(int argc, char **argv, struct explore_options *options)
{
	*options = (struct explore_options){ .seeds = { 1, SEEDS_MAX, 1, 1 },
					     .directory = DEFAULT_DIRECTORY };
	run_options_defaults(&options->run);
	options->run.session.calendar.windowed = true;
	command_line_parse(&explore_command, argc, argv, options);
	if (!options->shard_given)
		seeds_find_shard(variable, &options->seeds, &options->shard_source,
				 &options->shard_problem);
}
