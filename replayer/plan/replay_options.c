// SPDX-License-Identifier: BSD-3-Clause
/* The options of ttreplay: one table, read by argp. */
#include "replayer/plan/replay_options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/command_line.h"
#include "format/base/units.h"
#include "format/base/words.h"
#include "kernel/sandbox/host_checks.h"

#define DEFAULT_HANG (30 * NS_PER_S)

enum option_key {
	KEY_KEEP_GOING = 'k',
	KEY_JSON = 0x100,
	KEY_ONLY,
	KEY_UNTIL,
	KEY_GDB,
	KEY_DUMP_MEMORY,
	KEY_CONSOLE,
	KEY_HANG_TIMEOUT,
	KEY_TRUST,
	KEY_FLIP,
	KEY_OUTPUT = 'o',
	KEY_KERNEL = 0x200,
	KEY_INITRD,
	KEY_CONTINUE_LIVE,
	KEY_DISK,
	KEY_REPORT,
	KEY_MAX_MEMORY,
	KEY_MAX_WALL,
	KEY_MAX_DISK,
	KEY_MAX_CPU,
};

static const struct argp_option table[] = {
	{ "keep-going", KEY_KEEP_GOING, NULL, 0, "continue after a difference while possible", 0 },
	{ "only", KEY_ONLY, "NAME[,NAME]", 0, "replay only these guests of a lab", 0 },
	{ "json", KEY_JSON, NULL, 0, "print the verdict as JSON", 0 },
	{ "report", KEY_REPORT, "FILE", 0,
	  "write the result to FILE: .json, .md, or both without one of these endings", 0 },
	{ "until", KEY_UNTIL, "POINT", 0,
	  "stop each guest at a record (812), a virtual time (0.41s), irq:N, console:REGEX, or one "
	  "guest's n2:irq:N",
	  0 },
	{ "gdb", KEY_GDB, "GUEST", 0,
	  "hold this guest at the point of --until, or at its start, and run gdb on it; arguments "
	  "after -- are for gdb",
	  0 },
	{ "dump-memory", KEY_DUMP_MEMORY, "GUEST FILE", 0,
	  "write this guest's memory to FILE at the stop, or where it diverges, as an ELF core",
	  0 },
	{ "kernel", KEY_KERNEL, "[NAME=]FILE", 0,
	  "run this kernel instead, for all guests or one, and report how far it agrees", 0 },
	{ "initrd", KEY_INITRD, "[NAME=]FILE", 0, "run this initrd instead, for all guests or one",
	  0 },
	{ "continue-live", KEY_CONTINUE_LIVE, NULL, 0,
	  "continue live from the first difference, and record that: see CHECKING A FIX", 0 },
	{ "then-live", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "output", KEY_OUTPUT, "FILE", 0,
	  "with --continue-live: write the trace to FILE (default again.zst)", 0 },
	{ "disk", KEY_DISK, "[NAME=]FILE", 0,
	  "with --continue-live: use this image, for all disks or those of one guest", 0 },
	{ "console", KEY_CONSOLE, NULL, 0, "show the consoles of the guests", 0 },
	{ "hang-timeout", KEY_HANG_TIMEOUT, "TIME", 0,
	  "wait for the guest for this wall time (default 30s; 0: forever)", 0 },
	{ "max-memory", KEY_MAX_MEMORY, "SIZE", 0,
	  "limit the memory of the trace's files and guests together (default: what is available)",
	  0 },
	{ "max-disk", KEY_MAX_DISK, "SIZE", 0,
	  "limit the disk space for --dump-memory, --gdb, and sandboxes that are a directory "
	  "(default: the free space)",
	  0 },
	{ "max-cpu", KEY_MAX_CPU, "TIME", 0,
	  "limit the CPU time of each guest, all its processes together (default: no limit)", 0 },
	{ "max-wall", KEY_MAX_WALL, "TIME", 0,
	  "limit the wall time of the replay (default: no limit)", 0 },
	{ "trust", KEY_TRUST, NULL, 0, "run the trace's program even if it cannot be isolated", 0 },
	{ "flip-bit", KEY_FLIP, "RECORD:REGION:ADDRESS:BIT", 0,
	  "flip a bit of guest memory (region 0: ram, 1: data+bss) before a record, to test that "
	  "it is found",
	  0 },
	{ 0 },
};

static void parse_until(const char *text, struct until *until, struct argp_state *state)
{
	struct diagnosis why = { 0 };

	if (until_parse(text, until, &why))
		argp_error(state, "--until %s: %s", why.what, why.advice);
}

/* It has two arguments: the second is taken here. */
static void parse_dump(const char *guest, struct replay_options *options, struct argp_state *state)
{
	if (state->next == state->argc)
		argp_error(state, "--dump-memory %s: missing FILE", guest);
	if (options->dump_count == DUMPS_MAX)
		argp_error(state, "--dump-memory %s: given more than %d times", guest, DUMPS_MAX);
	options->dump[options->dump_count++] =
		(struct replay_dump){ .guest = guest, .file = state->argv[state->next++] };
}

static void parse_flip(const char *text, struct cursor_flip *flip, struct argp_state *state)
{
	const char *at = text;
	uint64_t region, bit;
	bool good = !number_take(&at, 10, UINT64_MAX, &flip->record) && *at++ == ':' &&
		    !number_take(&at, 10, MEMORY_REGIONS - 1, &region) && *at++ == ':';
	unsigned int base = good && !strncmp(at, "0x", 2) ? 16 : 10;

	at += base == 16 ? 2 : 0;
	good = good && !number_take(&at, base, UINT64_MAX, &flip->address) && *at++ == ':' &&
	       !number_parse(at, 10, 7, &bit);
	if (!good)
		argp_error(state, "invalid --flip-bit '%s': expected RECORD:REGION:ADDRESS:BIT",
			   text);
	flip->wanted = true;
	flip->region = (unsigned int)region;
	flip->bit = (unsigned int)bit;
}

/* Live is the whole lab or nothing, and not held to anything. */
static void check_live(const struct replay_options *options, struct argp_state *state)
{
	if (!options->continue_live && (options->output || options->disk[0]))
		argp_error(state, "--output and --disk require --continue-live");
	if (options->continue_live &&
	    (options->only || options->cursor.keep_going || options->cursor.flip.wanted ||
	     options->report_count || options->dump_count || options->gdb))
		argp_error(state, "--continue-live runs all guests of a lab and writes a trace: it "
				  "cannot be combined with --only, --keep-going, --flip-bit, "
				  "--report, --dump-memory and --gdb");
}

/* What follows the trace and "--" is for gdb. */
static void parse_argument(char *text, struct replay_options *options, struct argp_state *state)
{
	if (!options->trace) {
		options->trace = text;
	} else if (options->gdb && state->quoted) {
		options->gdb_arguments = &state->argv[state->next - 1];
		state->next = state->argc;
	} else {
		argp_error(state, "unexpected '%s': more than one trace given", text);
	}
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct replay_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->ci;
		break;
	case KEY_KEEP_GOING:
		options->cursor.keep_going = true;
		break;
	case KEY_JSON:
		options->json = true;
		break;
	case KEY_REPORT:
		if (options->report_count == REPORTS_MAX)
			argp_error(state, "--report: at most %d of them", REPORTS_MAX);
		options->report[options->report_count++] = text;
		break;
	case KEY_ONLY:
		options->only = text;
		break;
	case KEY_UNTIL:
		parse_until(text, &options->until, state);
		break;
	case KEY_GDB:
		options->gdb = text;
		break;
	case KEY_DUMP_MEMORY:
		parse_dump(text, options, state);
		break;
	case KEY_CONSOLE:
		options->console = true;
		break;
	case KEY_HANG_TIMEOUT:
		options->cursor.hang_timeout = option_time(text, "--hang-timeout", state);
		options->hang_timeout_given = true;
		break;
	case KEY_MAX_MEMORY:
		options->max_memory = option_size(text, "--max-memory", state);
		options->max_memory_given = true;
		break;
	case KEY_MAX_DISK:
		options->max_disk = option_size(text, "--max-disk", state);
		break;
	case KEY_MAX_CPU:
		options->max_cpu = option_time(text, "--max-cpu", state);
		break;
	case KEY_MAX_WALL:
		options->max_wall = option_time(text, "--max-wall", state);
		break;
	case KEY_TRUST:
		options->trust = true;
		break;
	case KEY_KERNEL:
		option_add(options->replace[GUEST_KERNEL], REPLACE_MAX, text, "--kernel", state);
		break;
	case KEY_INITRD:
		option_add(options->replace[GUEST_INITRD], REPLACE_MAX, text, "--initrd", state);
		break;
	case KEY_CONTINUE_LIVE:
		options->continue_live = true;
		break;
	case KEY_OUTPUT:
		options->output = text;
		break;
	case KEY_DISK:
		option_add(options->disk, REPLACE_MAX, text, "--disk", state);
		break;
	case KEY_FLIP:
		parse_flip(text, &options->cursor.flip, state);
		break;
	case ARGP_KEY_ARG:
		parse_argument(text, options, state);
		break;
	case ARGP_KEY_END:
		if (!options->trace)
			argp_error(state, "missing trace file");
		check_live(options, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = { { &ci_argp, 0, NULL, 0 }, { 0 } };

static const struct argp replay_argp = {
	.options = table,
	.parser = parse,
	.children = children,
	.args_doc = "TRACE [-- GDB-OPTION...]",
	.doc = "Run recorded guests again, each on its own, and check that they are identical to "
	       "the recording.\v" EXIT_STATUS_HELP,
};

void replay_options_parse(int argc, char **argv, struct replay_options *options)
{
	*options = (struct replay_options){ .cursor = { .compare_memory = true,
							.until_record = UINT64_MAX,
							.hang_timeout = DEFAULT_HANG } };
	command_line_parse(&replay_argp, argc, argv, 0, options);
	if (!options->max_memory)
		options->max_memory = host_memory_available();
}
