// SPDX-License-Identifier: BSD-3-Clause
/* The options of `ttrec run`, `ttrec tap` and `ttrec serve`. */
#include "recorder/run/run_options.h"

#include <limits.h>
#include <sched.h>
#include <string.h>

#include "format/base/command_line.h"
#include "format/base/units.h"
#include "kernel/guest/guest_patches.h"
#include "recorder/lab/lab.h"

/*
 * 2026-01-01 00:00:00 UTC: a fixed date, so that nothing depends on the day of the recording.
 */
#define DEFAULT_TOD    (1767225600ULL * NS_PER_S)
#define DEFAULT_SEED   1
#define DEFAULT_ID     1
#define DEFAULT_HANG   (30 * NS_PER_S)
#define DEFAULT_OUTPUT "trace.zst"

const char *const run_grant_names[] = { "each", "window", NULL };
const char *const run_isolation_names[] = { "auto", "full", "none", NULL };

static const char *const keep_names[] = { "always", "on-failure", NULL };

#define FIELD(member) OPTION_FIELD(struct run_options, member)
#define GIVEN(member) .given = offsetof(struct run_options, member)

static void take_cpu(char *text, void *input, struct argp_state *state)
{
	unsigned int number = (unsigned int)option_number(text, "--cpu", INT_MAX, state);
	int err = cpu_check(number);

	if (err && diagnosis_shortage(err))
		argp_failure(state, EXIT_CANNOT, -err, "cannot try --cpu %u", number);
	if (err)
		argp_error(state, "cannot use --cpu %u: %s", number, strerror(-err));
	((struct run_options *)input)->cpu = (int)number;
}

static void take_tod(char *text, void *input, struct argp_state *state)
{
	if (tod_parse(text, &((struct run_options *)input)->session.calendar.tod))
		argp_error(state,
			   "invalid --tod '%s': expected e.g. 2026-01-01T00:00:00Z, or seconds "
			   "since 1970",
			   text);
}

static void take_work_cost(char *text, void *input, struct argp_state *state)
{
	struct run_options *options = input;

	if (guest_work_check(text))
		argp_error(state,
			   "invalid --work-cost '%s': expected "
			   "SYSCALL,FAULT[,COUNTER[,STEP]] in ns, or off",
			   text);
	options->work_cost = text;
}

static void take_digest(char *text, void *input, struct argp_state *state)
{
	struct session_options *session = &((struct run_options *)input)->session;

	session->digest_every = 1;
	if (!strcmp(text, "auto"))
		session->digest = DIGEST_AUTO;
	else if (!strcmp(text, "off"))
		session->digest = DIGEST_OFF;
	else
		session->digest = DIGEST_EVERY;
	if (session->digest != DIGEST_EVERY || !strcmp(text, "every"))
		return;
	session->digest_every = (uint32_t)option_number(text, "--digest", UINT32_MAX, state);
	if (!session->digest_every)
		argp_error(state, "invalid --digest '0': use off");
}

/* Options all of them have. */
static const struct option_row common_rows[] = {
	{ "output", 'o', "FILE", "write the trace to FILE (default trace.zst); 'none': no trace", 1,
	  OPTION_TEXT, FIELD(output), GIVEN(output_given) },
	{ "cpu", 0, "N", "run the scheduler and its guest on CPU N", 2, OPTION_CALL,
	  .take = take_cpu },
	{ "quiet", 'q', NULL, "do not show console or status", 5, OPTION_FLAG, FIELD(quiet) },
	{ "json", 0, NULL, "print the result as JSON; implies --quiet", 5, OPTION_FLAG,
	  FIELD(json) },
	{ 0 },
};

/* Limits of one recording. */
const struct option_row run_limit_rows[] = {
	{ "limit-wall", 0, "TIME", "fail after this much wall time", 3, OPTION_TIME,
	  FIELD(session.limit_wall) },
	{ "hang-timeout", 0, "TIME",
	  "fail when a guest runs for this wall time without a message (default 30s; 0: wait "
	  "forever)",
	  3, OPTION_TIME, FIELD(session.hang_timeout) },
	{ 0 },
};

/* Of a recording that is kept, besides those of its guests. */
static const struct option_row record_rows[] = {
	{ "cpus", 0, "N",
	  "spread the guests of a lab over N CPUs (default 1: waking another CPU is slow)", 2,
	  OPTION_NUMBER, FIELD(cpus), .least = 1, .most = CPU_SETSIZE },
	{ "seed", 0, "N", "seed all random streams (default 1)", 2, OPTION_NUMBER,
	  FIELD(session.seed) },
	{ "digest", 0, "auto|every|off|N",
	  "hash memory at some WAITs (auto), every one, none, or every N-th", 2, OPTION_CALL,
	  .take = take_digest },
	{ "probe", 0, NULL, "also record every interrupt, with BPF (needs root; takes some 100 ms)",
	  2, OPTION_FLAG, FIELD(probe) },
	{ "keep", 0, "always|on-failure", "keep the trace always (default) or only of a failed run",
	  1, OPTION_CHOICE, FIELD(keep), .names = keep_names },
	{ "no-embed", 0, NULL, "store only names and hashes of kernel, initrd and libraries", 1,
	  OPTION_FLAG, FIELD(no_embed) },
	{ "store", 0, "DIR|none",
	  "keep large files of the trace in this store (default: those of 64 MiB or more in the "
	  "user's, but not in a CI job)",
	  1, OPTION_TEXT, FIELD(store) },
	{ "embed-disks", 0, NULL,
	  "put disk images into the trace, so that it can be re-recorded without them", 1,
	  OPTION_FLAG, FIELD(embed_disks) },
	{ 0 },
};

const struct option_row run_guest_rows[] = {
	{ "file", 'f', "LAB", "record the guests of this lab file, see ttrec-lab(5)", 1,
	  OPTION_TEXT, FIELD(lab) },
	{ "work-cost", 0, "SYSCALL,FAULT|off",
	  "set the virtual ns that a system call and a page fault cost "
	  "(default " GUEST_WORK_DEFAULT ")",
	  2, OPTION_CALL, .take = take_work_cost, GIVEN(work_cost_given) },
	{ "id", 0, "N", "set the guest's id for the scheduler (default 1)", 2, OPTION_NUMBER,
	  FIELD(id) },
	{ "isolation", 0, "auto|full|none",
	  "isolate guests as far as this machine allows, completely or not at all", 2,
	  OPTION_CHOICE, FIELD(isolation), .names = run_isolation_names },
	{ "seal", .kind = OPTION_OTHER },
	{ "expect", 0, "REGEX", "fail unless a console line matches", 4, OPTION_LIST,
	  FIELD(expect) },
	{ "fail-on", 0, "REGEX",
	  "fail if a console line matches; 'default': failures that kernels and tests report, see "
	  "ttrec(1)",
	  4, OPTION_LIST, FIELD(fail_on) },
	{ "allow-line", 0, "REGEX", "ignore console lines that match", 4, OPTION_LIST,
	  FIELD(allow_line) },
	{ "add", 0, "FILE[:/PATH]", "also put this file or directory into the guest of PROGRAM", 1,
	  OPTION_LIST, FIELD(add) },
	{ "root", 0, "PATH",
	  "boot this root file system: a directory, an image or a tar archive, which is not "
	  "changed",
	  1, OPTION_TEXT, FIELD(root) },
	{ "append", 0, "ARG", "give this argument to the kernel of the guest of PROGRAM or --root",
	  2, OPTION_LIST, FIELD(append) },
	{ "share", 0, "DIR[:TAG[:WRITE]]",
	  "let the guest mount this directory: read-only, or with the WRITE copy or through", 1,
	  OPTION_LIST, FIELD(share) },
	{ "memory", 0, "SIZE",
	  "set the RAM of the guest of PROGRAM (default 128M, more if its files need it)", 2,
	  OPTION_SIZE, FIELD(memory) },
	{ "allow", 0, "NAME", "accept a kernel argument that breaks determinism (ubd, hostfs, ...)",
	  4, OPTION_LIST, FIELD(allow) },
	{ 0 },
};

/* Options of those that schedule. */
const struct option_row run_schedule_rows[] = {
	{ "tod", 0, "TIME",
	  "set the time of day at virtual time 0: 2026-01-01T00:00:00Z (default) or "
	  "seconds since 1970",
	  2, OPTION_CALL, .take = take_tod },
	{ "grant", 0, "each|window",
	  "exchange messages for every event (default), or run ahead while nothing else can happen",
	  2, OPTION_CHOICE, FIELD(session.calendar.grant), .names = run_grant_names },
	{ "limit-virtual", 0, "TIME", "fail at this virtual time (10s, 1.5ms)", 3, OPTION_TIME,
	  FIELD(session.calendar.limit) },
	{ 0 },
};

/* Options of tap besides those of the guests: the scheduler decides the rest. */
static const struct option_row tap_rows[] = {
	{ "upstream", 0, "PATH", "connect guests to the scheduler at this socket", 1, OPTION_TEXT,
	  FIELD(upstream) },
	{ "socket", 0, "PATH", "also accept other clients at this socket", 1, OPTION_TEXT,
	  FIELD(socket) },
	{ 0 },
};

static const struct option_row serve_rows[] = {
	{ "socket", 0, "PATH", "listen here for clients (time-travel=ext:PATH)", 1, OPTION_TEXT,
	  FIELD(socket) },
	{ "clients", 0, "N", "wait for N clients before time starts", 1, OPTION_NUMBER,
	  FIELD(session.calendar.expected), .least = 1 },
	{ "net", 0, "PATH",
	  "connect the guests' network cards here (virtio_uml.device=PATH:1) with each other", 1,
	  OPTION_TEXT, FIELD(net) },
	{ "net-delay", 0, "TIME", "virtual time of a frame from guest to guest (100us)", 1,
	  OPTION_TIME, FIELD(net_delay) },
	{ 0 },
};

/*
 * The first non-option word is the kernel or program; everything after it is passed to it. A ttrec
 * option after a kernel is probably a mistake, and a recording without it would not be what was
 * requested. After "--", before the kernel or among its words, everything is the guest's.
 */
void run_take_guest_words(char *text, void *input, struct argp_state *state)
{
	struct run_options *options = input;
	char *const *word = &state->argv[state->next - 1];

	(void)text;
	options->kernel = word;
	options->quoted = state->quoted;
	state->next = state->argc;
	if (state->quoted)
		return;
	for (word++; *word && !options->misplaced && strcmp(*word, "--"); word++)
		if (command_line_has(state, *word))
			options->misplaced = *word;
}

static void check_common(struct run_options *options)
{
	if (options->output && !strcmp(options->output, "none"))
		options->output = NULL;
	options->quiet |= options->json;
}

void run_options_check_guests(struct run_options *options, struct argp_state *state)
{
	check_common(options);
	if (!options->kernel && !options->lab && !options->socket && !options->rerecord &&
	    !options->root)
		argp_error(state, "missing PROGRAM or KERNEL, or a lab file with -f");
	if (options->root && options->lab)
		argp_error(state, "--root is for a guest without a lab file: write 'root: PATH' "
				  "into the lab file");
	if (options->kernel && options->lab)
		argp_error(state, "unexpected '%s': a lab file names its kernels",
			   options->kernel[0]);
}

static void check_run(void *input, struct argp_state *state)
{
	rerecord_options_check(input, state);
	run_options_check_guests(input, state);
}

static void check_tap(void *input, struct argp_state *state)
{
	const struct run_options *options = input;

	run_options_check_guests(input, state);
	if (!options->upstream)
		argp_error(state, "missing --upstream PATH, the socket of the scheduler; "
				  "`ttrec run` has its own scheduler");
}

static void check_serve(void *input, struct argp_state *state)
{
	const struct run_options *options = input;

	check_common(input);
	if (!options->socket)
		argp_error(state, "missing --socket PATH");
	if (!options->session.calendar.expected)
		argp_error(state, "missing --clients N");
	if (options->net_delay != RUN_UNSET && !options->net)
		argp_error(state, "--net-delay requires --net PATH");
}

static const struct command_line run_command = {
	.usage = "PROGRAM [ARGS...]\nKERNEL [KERNEL-ARGS...]\n-f LAB\n--rerecord TRACE [PROGRAM "
		 "[ARGS...]]",
	.doc = "Record User-Mode-Linux guests in isolated sandboxes, so that `ttreplay` can run "
	       "them again bit for bit: a guest that runs PROGRAM, a guest with your own KERNEL "
	       "and arguments, or the guests of a lab file.\v" EXIT_STATUS_HELP,
	.table = { { run_guest_rows, 0 },
		   { record_rows, 0 },
		   { rerecord_rows, 0 },
		   { run_schedule_rows, 0 },
		   { run_limit_rows, 0 },
		   { common_rows, 0 },
		   { ci_rows, offsetof(struct run_options, ci) } },
	.take = run_take_guest_words,
	.check = check_run,
	.flags = ARGP_IN_ORDER,
};

static const struct command_line tap_command = {
	.usage = "--upstream PATH KERNEL [KERNEL-ARGS...]\n--upstream PATH -f LAB\n"
		 "--upstream PATH --socket PATH",
	.doc = "Record guests that another scheduler runs: start them in isolated sandboxes, or "
	       "accept them at --socket, and relay their messages. A replay does not need that "
	       "scheduler.\v" EXIT_STATUS_HELP,
	.table = { { tap_rows, 0 },
		   { run_guest_rows, 0 },
		   { record_rows, 0 },
		   { run_limit_rows, 0 },
		   { common_rows, 0 },
		   { ci_rows, offsetof(struct run_options, ci) } },
	.take = run_take_guest_words,
	.check = check_tap,
	.flags = ARGP_IN_ORDER,
};

static const struct command_line serve_command = {
	.usage = "--socket PATH --clients N",
	.doc = "Schedule guests and simulators that are started elsewhere, and record their "
	       "messages, until the last client has left.\v" EXIT_STATUS_HELP,
	.table = { { serve_rows, 0 },
		   { run_schedule_rows, 0 },
		   { run_limit_rows, 0 },
		   { common_rows, 0 } },
	.check = check_serve,
};

void run_options_defaults(struct run_options *options)
{
	*options = (struct run_options){ .output = DEFAULT_OUTPUT,
					 .id = DEFAULT_ID,
					 .isolation = -1,
					 .cpu = -1,
					 .cpus = 1,
					 .packed.fd = -1,
					 .until_record = UINT64_MAX,
					 .until_time = UINT64_MAX };
	options->session.seed = options->net_delay = RUN_UNSET;
	options->session.calendar.grant = (enum calendar_grant) - 1;
	options->session.calendar.tod = options->session.calendar.limit = RUN_UNSET;
	options->session.limit_wall = RUN_UNSET;
	options->session.hang_timeout = RUN_UNSET;
	options->session.digest = DIGEST_UNSET;
	options->session.digest_every = 1;
}

static void settle(uint64_t *value, uint64_t from_lab, uint64_t otherwise)
{
	if (*value == RUN_UNSET)
		*value = from_lab;
	if (*value == RUN_UNSET)
		*value = otherwise;
}

void run_options_settle(struct run_options *options, const struct lab *lab)
{
	struct session_options *session = &options->session;
	struct calendar_options *calendar = &session->calendar;

	settle(&session->seed, lab ? lab->seed : RUN_UNSET, DEFAULT_SEED);
	settle(&session->limit_wall, lab ? lab->limit_wall : RUN_UNSET, 0);
	settle(&calendar->tod, lab ? lab->tod : RUN_UNSET, DEFAULT_TOD);
	settle(&calendar->limit, lab ? lab->limit_virtual : RUN_UNSET, 0);
	settle(&session->hang_timeout, RUN_UNSET, DEFAULT_HANG);
	if (!options->work_cost && lab && lab->work_cost) {
		options->work_cost = lab->work_cost;
		options->work_cost_given = true;
	}
	if (!options->work_cost)
		options->work_cost = GUEST_WORK_DEFAULT;
	/* What an older trace leaves out is the kernel's default. */
	if (!options->rerecord) {
		guest_work_complete(options->work_cost, options->work_cost_whole);
		options->work_cost = options->work_cost_whole;
	}
	if (session->digest == DIGEST_UNSET)
		session->digest = DIGEST_AUTO;
	options->isolation = options->isolation < 0 ? RUN_ISOLATION_AUTO : options->isolation;
	options->wanted = options->isolation == RUN_ISOLATION_NONE ? 0 : ISOLATION_FULL;
	options->isolation_required = options->isolation == RUN_ISOLATION_FULL;
	if ((int)calendar->grant < 0 && lab && lab->grant >= 0)
		calendar->grant = (enum calendar_grant)lab->grant;
	if ((int)calendar->grant < 0)
		calendar->grant = CALENDAR_GRANT_EACH;
}

void run_options_parse(int argc, char **argv, struct run_options *options)
{
	run_options_defaults(options);
	options->session.calendar.windowed = true;
	command_line_parse(&run_command, argc, argv, options);
	options->session.show_console = !options->quiet;
	options->session.show_status = !options->quiet;
}

void tap_options_parse(int argc, char **argv, struct run_options *options)
{
	run_options_defaults(options);
	command_line_parse(&tap_command, argc, argv, options);
	options->session.show_console = options->session.show_status = !options->quiet;
}

void serve_options_parse(int argc, char **argv, struct run_options *options)
{
	run_options_defaults(options);
	command_line_parse(&serve_command, argc, argv, options);
	run_options_settle(options, NULL);
	options->session.show_status = !options->quiet;
}
