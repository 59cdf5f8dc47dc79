// SPDX-License-Identifier: BSD-3-Clause
/* The options of `ttrec run --rerecord`. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/command_line.h"
#include "format/base/units.h"
#include "recorder/run/run_options.h"

enum rerecord_key {
	KEY_RERECORD = 0x200,
	KEY_KERNEL,
	KEY_INITRD,
	KEY_DISK,
	KEY_UNTIL,
	KEY_TRUST,
	KEY_MAX_MEMORY,
};

static const struct argp_option table[] = {
	{ "rerecord", KEY_RERECORD, "TRACE", 0,
	  "re-record the setup of this trace and report where it first differs", 6 },
	{ "again", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "kernel", KEY_KERNEL, "[NAME=]FILE", 0,
	  "use this kernel, for all guests or one; also for PROGRAM", 6 },
	{ "initrd", KEY_INITRD, "[NAME=]FILE", 0, "use this initrd, for all guests or one", 6 },
	{ "disk", KEY_DISK, "[NAME=]FILE", 0, "use this image, for all disks or those of one guest",
	  6 },
	{ "until", KEY_UNTIL, "RECORD|TIME", 0, "compare only up to this record or time", 6 },
	{ "trust", KEY_TRUST, NULL, 0,
	  "start programs of its lab or connect to them, and run its guests even if they cannot be "
	  "isolated",
	  6 },
	{ "max-memory", KEY_MAX_MEMORY, "SIZE", 0,
	  "limit the memory of its files and guests together (default: what is available)", 6 },
	{ 0 },
};

/* A bare number is a record; anything with a unit or a point is a time. */
static void parse_until(const char *text, struct run_options *options, struct argp_state *state)
{
	int err = count_parse(text, &options->until_record);

	if (err == -EINVAL)
		err = duration_parse(text, &options->until_time);
	if (err)
		argp_error(
			state,
			"invalid --until '%s': expected a record number, or a time such as 1.5ms",
			text);
}

/* Settings that the trace has cannot be given, and options about a trace require one. */
static void check(const struct run_options *options, struct argp_state *state)
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
	if (options->lab)
		argp_error(state, "--rerecord takes kernels and lab from the trace");
	if (session->seed != RUN_UNSET || session->calendar.tod != RUN_UNSET ||
	    (int)session->calendar.grant >= 0)
		argp_error(state,
			   "--rerecord takes seed, time of day and grant policy from the trace");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case KEY_RERECORD:
		options->rerecord = text;
		break;
	case KEY_KERNEL:
		option_add(options->replace[GUEST_KERNEL], RUN_PATTERNS_MAX, text, "--kernel",
			   state);
		break;
	case KEY_INITRD:
		option_add(options->replace[GUEST_INITRD], RUN_PATTERNS_MAX, text, "--initrd",
			   state);
		break;
	case KEY_DISK:
		option_add(options->disks, RUN_PATTERNS_MAX, text, "--disk", state);
		break;
	case KEY_UNTIL:
		parse_until(text, options, state);
		break;
	case KEY_TRUST:
		options->trust = true;
		break;
	case KEY_MAX_MEMORY:
		options->max_memory = option_size(text, "--max-memory", state);
		break;
	case ARGP_KEY_END:
		check(options, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp rerecord_argp = { .options = table, .parser = parse };
