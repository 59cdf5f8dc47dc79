// SPDX-License-Identifier: BSD-3-Clause
/* The options of ttreplay: one table, read by argp. */
#include "replayer/plan/replay_options.h"

#include <string.h>

#include "format/base/units.h"
#include "kernel/sandbox/host_checks.h"

#define DEFAULT_HANG (30 * NS_PER_S)

static void take_until(char *text, void *input, struct argp_state *state)
{
	struct replay_options *options = input;
	struct diagnosis why = { 0 };

	if (until_parse(text, &options->until, &why))
		argp_error(state, "--until %s: %s", why.what, why.advice);
}

/* It has two arguments: the second is taken here. */
static void take_dump(char *guest, void *input, struct argp_state *state)
{
	struct replay_options *options = input;

	if (state->next == state->argc)
		argp_error(state, "--dump-memory %s: missing FILE", guest);
	if (options->dump_count == DUMPS_MAX)
		argp_error(state, "--dump-memory %s: given more than %d times", guest, DUMPS_MAX);
	options->dump[options->dump_count++] =
		(struct replay_dump){ .guest = guest, .file = state->argv[state->next++] };
}

static void take_flip(char *text, void *input, struct argp_state *state)
{
	struct cursor_flip *flip = &((struct replay_options *)input)->cursor.flip;
	const char *at = text;
	uint64_t region = 0, bit = 0;
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
	     options->report[0] || options->dump_count || options->gdb))
		argp_error(state, "--continue-live runs all guests of a lab and writes a trace: it "
				  "cannot be combined with --only, --keep-going, --flip-bit, "
				  "--report, --dump-memory and --gdb");
}

/* What follows the trace and "--" is for gdb. */
static void take_argument(char *text, void *input, struct argp_state *state)
{
	struct replay_options *options = input;

	if (!options->trace) {
		options->trace = text;
	} else if (options->gdb && state->quoted) {
		options->gdb_arguments = &state->argv[state->next - 1];
		state->next = state->argc;
	} else {
		argp_error(state, "unexpected '%s': more than one trace given", text);
	}
}

static void check(void *input, struct argp_state *state)
{
	const struct replay_options *options = input;

	if (!options->trace)
		argp_error(state, "missing trace file");
	check_live(options, state);
}

#define FIELD(member) OPTION_FIELD(struct replay_options, member)
#define GIVEN(member) .given = offsetof(struct replay_options, member)

static const struct option_row rows[] = {
	{ "keep-going", 'k', NULL, "continue after a difference while possible", 0, OPTION_FLAG,
	  FIELD(cursor.keep_going) },
	{ "only", 0, "NAME[,NAME]", "replay only these guests of a lab", 0, OPTION_TEXT,
	  FIELD(only) },
	{ "json", 0, NULL, "print the verdict as JSON", 0, OPTION_FLAG, FIELD(json) },
	{ "report", 0, "FILE",
	  "write the result to FILE: .json, .md, or both without one of these endings", 0,
	  OPTION_LIST, FIELD(report) },
	{ "until", 0, "POINT",
	  "stop each guest at a record (812), a virtual time (0.41s), irq:N, console:REGEX, or one "
	  "guest's n2:irq:N",
	  0, OPTION_CALL, .take = take_until },
	{ "gdb", 0, "GUEST",
	  "hold this guest at the point of --until, or at its start, and run gdb on it; arguments "
	  "after -- are for gdb",
	  0, OPTION_TEXT, FIELD(gdb) },
	{ "dump-memory", 0, "GUEST FILE",
	  "write this guest's memory to FILE at the stop, or where it diverges, as an ELF core", 0,
	  OPTION_CALL, .take = take_dump },
	{ "kernel", 0, "[NAME=]FILE",
	  "run this kernel instead, for all guests or one, and report how far it agrees", 0,
	  OPTION_LIST, FIELD(replace[GUEST_KERNEL]) },
	{ "initrd", 0, "[NAME=]FILE", "run this initrd instead, for all guests or one", 0,
	  OPTION_LIST, FIELD(replace[GUEST_INITRD]) },
	{ "continue-live", 0, NULL,
	  "continue live from the first difference, and record that: see CHECKING A FIX", 0,
	  OPTION_FLAG, FIELD(continue_live) },
	{ "then-live", .kind = OPTION_OTHER },
	{ "output", 'o', "FILE",
	  "with --continue-live: write the trace to FILE (default again.zst)", 0, OPTION_TEXT,
	  FIELD(output) },
	{ "disk", 0, "[NAME=]FILE",
	  "with --continue-live: use this image, for all disks or those of one guest", 0,
	  OPTION_LIST, FIELD(disk) },
	{ "console", 0, NULL, "show the consoles of the guests", 0, OPTION_FLAG, FIELD(console) },
	{ "hang-timeout", 0, "TIME",
	  "wait for the guest for this wall time (default 30s; 0: forever)", 0, OPTION_TIME,
	  FIELD(cursor.hang_timeout), GIVEN(hang_timeout_given) },
	{ "max-memory", 0, "SIZE",
	  "limit the memory of the trace's files and guests together (default: what is available)",
	  0, OPTION_SIZE, FIELD(max_memory), GIVEN(max_memory_given) },
	{ "max-disk", 0, "SIZE",
	  "limit the disk space for --dump-memory, --gdb, and sandboxes that are a directory "
	  "(default: the free space)",
	  0, OPTION_SIZE, FIELD(max_disk) },
	{ "max-cpu", 0, "TIME",
	  "limit the CPU time of each guest, all its processes together (default: no limit)", 0,
	  OPTION_TIME, FIELD(max_cpu) },
	{ "max-wall", 0, "TIME", "limit the wall time of the replay (default: no limit)", 0,
	  OPTION_TIME, FIELD(max_wall) },
	{ "trust", 0, NULL, "run the trace's program even if it cannot be isolated", 0, OPTION_FLAG,
	  FIELD(trust) },
	{ "flip-bit", 0, "RECORD:REGION:ADDRESS:BIT",
	  "flip a bit of guest memory (region 0: ram, 1: data+bss) before a record, to test that "
	  "it is found",
	  0, OPTION_CALL, .take = take_flip },
	{ 0 },
};

static const struct command_line command = {
	.usage = "TRACE [-- GDB-OPTION...]",
	.doc = "Run recorded guests again, each on its own, and check that they are identical to "
	       "the recording.\v" EXIT_STATUS_HELP,
	.table = { { rows, 0 }, { ci_rows, offsetof(struct replay_options, ci) } },
	.take = take_argument,
	.check = check,
};

void replay_options_parse(int argc, char **argv, struct replay_options *options)
{
	*options = (struct replay_options){ .cursor = { .compare_memory = true,
							.until_record = UINT64_MAX,
							.hang_timeout = DEFAULT_HANG } };
	command_line_parse(&command, argc, argv, options);
	if (!options->max_memory)
		options->max_memory = host_memory_available();
}
