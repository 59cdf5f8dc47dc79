// SPDX-License-Identifier: BSD-3-Clause
/* The options of `ttrec run --rerecord`. */
#include <errno.h>

#include "format/base/units.h"
#include "recorder/run/run_options.h"

#define FIELD(member) OPTION_FIELD(struct run_options, member)

/* A bare number is a record; anything with a unit or a point is a time. */
static void take_until(char *text, void *input, struct argp_state *state)
{
	struct run_options *options = input;
	int err = count_parse(text, &options->until_record);

	if (err == -EINVAL)
		err = duration_parse(text, &options->until_time);
	if (err)
		argp_error(
			state,
			"invalid --until '%s': expected a record number, or a time such as 1.5ms",
			text);
}

const struct option_row rerecord_rows[] = {
	{ "rerecord", 0, "TRACE",
	  "re-record the setup of this trace and report where it first differs", 6, OPTION_TEXT,
	  FIELD(rerecord) },
	{ "again", .kind = OPTION_OTHER },
	{ "kernel", 0, "[NAME=]FILE", "use this kernel, for all guests or one; also for PROGRAM", 6,
	  OPTION_LIST, FIELD(replace[GUEST_KERNEL]) },
	{ "initrd", 0, "[NAME=]FILE", "use this initrd, for all guests or one", 6, OPTION_LIST,
	  FIELD(replace[GUEST_INITRD]) },
	{ "disk", 0, "[NAME=]FILE", "use this image, for all disks or those of one guest", 6,
	  OPTION_LIST, FIELD(disks) },
	{ "until", 0, "RECORD|TIME", "compare only up to this record or time", 6, OPTION_CALL,
	  .take = take_until },
	{ "trust", 0, NULL,
	  "start programs of its lab or connect to them, and run its guests even if they cannot be "
	  "isolated",
	  6, OPTION_FLAG, FIELD(trust) },
	{ "max-memory", 0, "SIZE",
	  "limit the memory of its files and guests together (default: what is available)", 6,
	  OPTION_SIZE, FIELD(max_memory) },
	{ 0 },
};

/* Settings that the trace has cannot be given, and options about a trace require one. */
void rerecord_options_check(const struct run_options *options, struct argp_state *state)
{
	const struct session_options *session = &options->session;

	if (!options->rerecord) {
		if (options->replace[GUEST_INITRD][0] || options->disks[0] || options->trust ||
		    options->max_memory || options->until_record != UINT64_MAX ||
		    options->until_time != UINT64_MAX)
			argp_error(state, "--initrd, --disk, --until, --trust and --max-memory "
					  "require --rerecord TRACE");
		return;
	}
	if (options->root)
		argp_error(state, "--rerecord takes the root file system from the trace");
	if (options->lab)
		argp_error(state, "--rerecord takes kernels and lab from the trace");
	if (options->share[0])
		argp_error(state, "--rerecord takes shares from the trace");
	if (session->seed != RUN_UNSET || session->calendar.tod != RUN_UNSET ||
	    (int)session->calendar.grant >= 0)
		argp_error(state,
			   "--rerecord takes seed, time of day and grant policy from the trace");
}
