// SPDX-License-Identifier: BSD-3-Clause
/* ttrec explore: from options to a campaign, and its exit status. */
#include "recorder/explore/explore.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/base/array.h"
#include "format/base/units.h"
#include "format/base/write_error.h"
#include "kernel/host/cpu.h"
#include "recorder/explore/campaign_identity.h"
#include "recorder/explore/explore_report.h"
#include "recorder/lab/lab.h"
#include "recorder/program/guest_program.h"

/* Of a lab that does not say it: one that never ends must not take all of the time. */
#define LIMIT_WALL (120 * NS_PER_S)

struct explore {
	struct explore_options options;
	struct lab *lab; /* NULL: not of a lab file */
	unsigned int *cpus;
	size_t workers;
	struct campaign_state state;
};

/* Workers take turns on the CPUs that may be used. */
static int choose_cpus(struct explore *explore)
{
	cpu_set_t allowed;
	int err = cpu_allowed(&allowed);
	unsigned int cpu = 0;

	if (err)
		return err;
	explore->workers = explore->options.workers ?: (size_t)CPU_COUNT(&allowed);
	explore->cpus = calloc(explore->workers, sizeof(*explore->cpus));
	if (!explore->cpus)
		return -ENOMEM;
	for (size_t i = 0; i < explore->workers; i++) {
		while (!CPU_ISSET(cpu % CPU_SETSIZE, &allowed))
			cpu++;
		explore->cpus[i] = cpu++ % CPU_SETSIZE;
	}
	return 0;
}

static int load(struct explore *explore, struct diagnosis *why)
{
	struct run_options *run = &explore->options.run;
	int err = 0;

	if (explore->options.shard_problem.status) {
		*why = explore->options.shard_problem;
		return -EINVAL;
	}
	if (run->lab)
		err = lab_load(run->lab, &explore->lab, why);
	if (!err && run->session.limit_wall == RUN_UNSET)
		run->session.limit_wall = explore->lab && explore->lab->limit_wall != LAB_UNSET
						  ? explore->lab->limit_wall
						  : LIMIT_WALL;
	if (!err)
		err = trial_prepare(run, why);
	if (!err)
		err = choose_cpus(explore);
	if (err && !why->status)
		diagnose(why, EXIT_CANNOT, err, NULL, "cannot start: %s", strerror(-err));
	return err;
}

/* ---- What was there before ------------------------------------------------------------------ */

static int make_directory(const char *path, struct diagnosis *why)
{
	char text[WRITE_ERROR_TEXT];

	if (!mkdir(path, 0777) || errno == EEXIST)
		return 0;
	return diagnose(why, exit_status_of_file(-errno), -errno, NULL, "cannot make %s: %s", path,
			write_error_text(path, -errno, text));
}

static int refuse(const struct explore *explore, const char *what, struct diagnosis *why)
{
	return diagnose(why, EXIT_USAGE, -EEXIST,
			"give another directory with -o DIR, or remove this one",
			"%s/campaign.json is of %s", explore->options.directory, what);
}

/* The campaign that was begun there, or a new one. */
static int open_state(struct explore *explore, struct diagnosis *why)
{
	const struct seeds *seeds = &explore->options.seeds;
	struct campaign_state *state = &explore->state;
	struct campaign_part part = { .first = seeds_at(seeds, 0), .step = seeds->shards };
	char identity[sizeof(state->identity)];
	int err = campaign_identity(&explore->options.run, explore->lab, identity, why);

	if (!err)
		err = make_directory(explore->options.directory, why);
	if (err)
		return err;
	err = campaign_load(state, explore->options.directory);
	if (err == -ENOENT) {
		strcpy(state->identity, identity);
		return array_push(state->parts, state->part_count, part);
	}
	if (err == -EBADMSG)
		return refuse(explore, "something else", why);
	if (err)
		return err;
	if (strcmp(state->identity, identity))
		return refuse(explore, "another lab, or of other options", why);
	if (state->part_count != 1 || state->parts[0].first != part.first ||
	    state->parts[0].step != part.step)
		return refuse(explore, "other seeds, or of another shard", why);
	return 0;
}

/* ---- The whole ------------------------------------------------------------------------------ */

static int status_of(const struct campaign_state *state, enum campaign_end end,
		     const struct diagnosis *why)
{
	if (end == CAMPAIGN_REFUSED || end == CAMPAIGN_SHORTAGE)
		return why->status;
	if (end == CAMPAIGN_STOPPED)
		return EXPLORE_STOPPED;
	return state->kind_count || state->difference_count ? EXIT_DIVERGED : EXIT_IDENTICAL;
}

static int run(struct explore *explore, trial_record *record, struct diagnosis *why)
{
	struct explore_report report = {
		.options = &explore->options,
		.guests = explore->lab ? explore->lab->guest_count : 1,
		.workers = explore->workers,
		.terminal = isatty(STDERR_FILENO),
	};
	struct campaign_observer observer = { .context = &report,
					      .found = explore_report_found,
					      .difference = explore_report_difference,
					      .progress = explore_report_progress };
	struct campaign_options options = { .run = &explore->options.run,
					    .lab = explore->lab,
					    .record = record,
					    .seeds = explore->options.seeds,
					    .limit_wall = explore->options.limit_wall,
					    .cpus = explore->cpus,
					    .workers = explore->workers,
					    .directory = explore->options.directory };
	enum campaign_end end;
	int status;

	explore_report_begin(&report, &explore->state);
	end = campaign_run(&options, &observer, &explore->state, why);
	status = status_of(&explore->state, end, why);
	explore_report_end(&report, &explore->state, end, status);
	if (why->status)
		diagnosis_print(why, "ttrec");
	return status;
}

int explore(int argc, char **argv, trial_record *record)
{
	struct explore explore = { 0 };
	struct diagnosis why = { 0 };
	int status, err;

	if (argc > 1 && !strcmp(argv[1], "merge"))
		return explore_merge(argc - 1, argv + 1);
	explore_options_parse(argc, argv, &explore.options);
	err = load(&explore, &why);
	if (!err)
		err = open_state(&explore, &why);
	if (err && !why.status)
		diagnose(&why, EXIT_CANNOT, err, NULL, "cannot start: %s", strerror(-err));
	status = err ? diagnosis_print(&why, "ttrec") : run(&explore, record, &why);
	campaign_release(&explore.state);
	lab_destroy(explore.lab);
	free(explore.cpus);
	guest_program_release(&explore.options.run);
	return status;
}
