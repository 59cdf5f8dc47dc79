// SPDX-License-Identifier: BSD-3-Clause
/* One run of the lab with one seed. */
#include "recorder/explore/trial/trial.h"

#include <string.h>
#include <time.h>

#include "format/base/units.h"
#include "recorder/program/guest_program.h"

/* Until a shortage has passed, perhaps. */
#define PAUSE_NS (NS_PER_S / 2)

int trial_prepare(struct run_options *options, struct diagnosis *why)
{
	int err = guest_program_prepare(options, why);

	if (err)
		return err;
	/* They are in what was packed, and would be refused without a program to pack. */
	memset(options->add, 0, sizeof(options->add));
	memset(options->append, 0, sizeof(options->append));
	options->memory = 0;
	options->quiet = options->json = true;
	options->session.show_console = options->session.show_status = false;
	options->keep = KEEP_ALWAYS;
	return 0;
}

static void wait_before(unsigned int attempt)
{
	struct timespec pause = { .tv_sec = (time_t)(attempt * PAUSE_NS / NS_PER_S),
				  .tv_nsec = (long)(attempt * PAUSE_NS % NS_PER_S) };

	if (attempt)
		nanosleep(&pause, NULL);
}

static int record(void *context)
{
	const struct trial *trial = context;
	struct run_options options = *trial->options;

	wait_before(trial->attempt);
	options.session.seed = trial->seed;
	options.cpu = (int)trial->cpu;
	options.output = trial->trace;
	/* Hashing memory takes as long as all the rest, and there is nothing to compare it with. */
	if (!trial->trace)
		options.session.digest = DIGEST_OFF;
	return trial->record(&options);
}

int trial_start_seed(struct trial *trial, struct worker *worker)
{
	return worker_start(worker, record, trial);
}

int trial_run_seed(struct trial *trial, struct trial_outcome *outcome)
{
	struct worker worker;
	int err = trial_start_seed(trial, &worker);

	if (err)
		return err;
	worker_finish(&worker);
	trial_outcome_read(worker.text ?: "", worker.status, outcome);
	worker_release(&worker);
	return 0;
}
