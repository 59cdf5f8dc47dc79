// SPDX-License-Identifier: BSD-3-Clause
/* The options of `ttrec run`, `ttrec tap` and `ttrec serve`: tables, read by argp. */
#include "recorder/run/run_options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/command_line.h"
#include "format/base/units.h"
#include "format/base/words.h"
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

enum option_key {
	KEY_FILE = 'f',
	KEY_OUTPUT = 'o',
	KEY_QUIET = 'q',
	KEY_SEED = 0x100,
	KEY_TOD,
	KEY_ID,
	KEY_DIGEST,
	KEY_GRANT,
	KEY_LIMIT_VIRTUAL,
	KEY_LIMIT_WALL,
	KEY_HANG_TIMEOUT,
	KEY_EXPECT,
	KEY_FAIL_ON,
	KEY_ALLOW_LINE,
	KEY_ADD,
	KEY_MEMORY,
	KEY_KEEP,
	KEY_NO_EMBED,
	KEY_JSON,
	KEY_ISOLATION,
	KEY_CPU,
	KEY_CPUS,
	KEY_WORK_COST,
	KEY_ALLOW,
	KEY_PROBE,
	KEY_SOCKET,
	KEY_UPSTREAM,
	KEY_CLIENTS,
};

const char *const run_grant_names[] = { "each", "window", NULL };
const char *const run_isolation_names[] = { "auto", "full", "none", NULL };

/* Options all of them have. */
static const struct argp_option common_options[] = {
	{ "output", KEY_OUTPUT, "FILE", 0,
	  "write the trace to FILE (default trace.zst); 'none': no trace", 1 },
	{ "cpu", KEY_CPU, "N", 0, "run the scheduler and its guest on CPU N", 2 },
	{ "limit-wall", KEY_LIMIT_WALL, "TIME", 0, "fail after this much wall time", 3 },
	{ "hang-timeout", KEY_HANG_TIMEOUT, "TIME", 0,
	  "fail when a guest runs for this wall time without a message (default 30s; 0: wait "
	  "forever)",
	  3 },
	{ "quiet", KEY_QUIET, NULL, 0, "do not show console or status", 5 },
	{ "json", KEY_JSON, NULL, 0, "print the result as JSON; implies --quiet", 5 },
	{ 0 },
};

static const struct argp_option guest_options[] = {
	{ "file", KEY_FILE, "LAB", 0, "record the guests of this lab file, see ttrec-lab(5)", 1 },
	{ "cpus", KEY_CPUS, "N", 0,
	  "spread the guests of a lab over N CPUs (default 1: waking another CPU is slow)", 2 },
	{ "seed", KEY_SEED, "N", 0, "seed all random streams (default 1)", 2 },
	{ "work-cost", KEY_WORK_COST, "SYSCALL,FAULT|off", 0,
	  "set the virtual ns that a system call and a page fault cost "
	  "(default " GUEST_WORK_DEFAULT ")",
	  2 },
	{ "id", KEY_ID, "N", 0, "set the guest's id for the scheduler (default 1)", 2 },
	{ "digest", KEY_DIGEST, "auto|every|off|N", 0,
	  "hash memory at some WAITs (auto), every one, none, or every N-th", 2 },
	{ "probe", KEY_PROBE, NULL, 0,
	  "also record every interrupt, with BPF (needs root; takes some 100 ms)", 2 },
	{ "isolation", KEY_ISOLATION, "auto|full|none", 0,
	  "isolate guests as far as this machine allows, completely or not at all", 2 },
	{ "seal", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "expect", KEY_EXPECT, "REGEX", 0, "fail unless a console line matches", 4 },
	{ "fail-on", KEY_FAIL_ON, "REGEX", 0,
	  "fail if a console line matches; 'default': failures that kernels and tests report, see "
	  "ttrec(1)",
	  4 },
	{ "allow-line", KEY_ALLOW_LINE, "REGEX", 0, "ignore console lines that match", 4 },
	{ "add", KEY_ADD, "FILE[:/PATH]", 0,
	  "also put this file or directory into the guest of PROGRAM", 1 },
	{ "memory", KEY_MEMORY, "SIZE", 0,
	  "set the RAM of the guest of PROGRAM (default 128M, more if its files need it)", 2 },
	{ "keep", KEY_KEEP, "always|on-failure", 0,
	  "keep the trace always (default) or only of a failed run", 1 },
	{ "no-embed", KEY_NO_EMBED, NULL, 0,
	  "store only names and hashes of kernel, initrd and libraries", 1 },
	{ "allow", KEY_ALLOW, "NAME", 0,
	  "accept a kernel argument that breaks determinism (ubd, hostfs, ...)", 4 },
	{ 0 },
};

/* Options of those that schedule. */
static const struct argp_option schedule_options[] = {
	{ "tod", KEY_TOD, "TIME", 0,
	  "set the time of day at virtual time 0: 2026-01-01T00:00:00Z (default) or "
	  "seconds since 1970",
	  2 },
	{ "grant", KEY_GRANT, "each|window", 0,
	  "exchange messages for every event (default), or run ahead while nothing else can happen",
	  2 },
	{ "limit-virtual", KEY_LIMIT_VIRTUAL, "TIME", 0, "fail at this virtual time (10s, 1.5ms)",
	  3 },
	{ 0 },
};

/* Options of tap besides those of the guests: the scheduler decides the rest. */
static const struct argp_option tap_only_options[] = {
	{ "upstream", KEY_UPSTREAM, "PATH", 0, "connect guests to the scheduler at this socket",
	  1 },
	{ "socket", KEY_SOCKET, "PATH", 0, "also accept other clients at this socket", 1 },
	{ 0 },
};

static const struct argp_option serve_only_options[] = {
	{ "socket", KEY_SOCKET, "PATH", 0, "listen here for clients (time-travel=ext:PATH)", 1 },
	{ "clients", KEY_CLIENTS, "N", 0, "wait for N clients before time starts", 1 },
	{ 0 },
};

static int parse_cpu(const char *text, struct argp_state *state)
{
	unsigned int number = (unsigned int)option_number(text, "--cpu", INT_MAX, state);
	int err = cpu_check(number);

	if (err && diagnosis_shortage(err))
		argp_failure(state, EXIT_CANNOT, -err, "cannot try --cpu %u", number);
	if (err)
		argp_error(state, "cannot use --cpu %u: %s", number, strerror(-err));
	return (int)number;
}

/* A number of bytes with K, M or G behind it. */
static uint64_t parse_memory(const char *text, struct argp_state *state)
{
	static const char units[] = "KMG";
	unsigned long long value;
	const char *unit;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || *text == '-' || !value || value > 1u << 20 || !unit || end[1])
		argp_error(state, "invalid --memory '%s': expected a size such as 256M or 2G",
			   text);
	return (uint64_t)value << (10 * (unit - units + 1));
}

static uint64_t parse_tod(const char *text, struct argp_state *state)
{
	uint64_t ns = 0;

	if (tod_parse(text, &ns))
		argp_error(state,
			   "invalid --tod '%s': expected e.g. 2026-01-01T00:00:00Z, or seconds "
			   "since 1970",
			   text);
	return ns;
}

static void parse_digest(const char *text, struct session_options *session,
			 struct argp_state *state)
{
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

static error_t parse_common(int key, char *text, struct argp_state *state)
{
	struct run_options *options = state->input;
	struct session_options *session = &options->session;

	switch (key) {
	case KEY_OUTPUT:
		options->output = strcmp(text, "none") ? text : NULL;
		options->output_given = true;
		break;
	case KEY_TOD:
		session->calendar.tod = parse_tod(text, state);
		break;
	case KEY_GRANT:
		session->calendar.grant =
			(enum calendar_grant)option_choice(text, "--grant", run_grant_names, state);
		break;
	case KEY_LIMIT_VIRTUAL:
		session->calendar.limit = option_time(text, "--limit-virtual", state);
		break;
	case KEY_LIMIT_WALL:
		session->limit_wall = option_time(text, "--limit-wall", state);
		break;
	case KEY_HANG_TIMEOUT:
		session->hang_timeout = option_time(text, "--hang-timeout", state);
		break;
	case KEY_CPU:
		options->cpu = parse_cpu(text, state);
		break;
	case KEY_JSON:
		options->json = true;
		/* fall through */
	case KEY_QUIET:
		options->quiet = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void check_guests(const struct run_options *options, struct argp_state *state)
{
	if (!options->kernel && !options->lab && !options->socket && !options->rerecord)
		argp_error(state, "missing PROGRAM or KERNEL, or a lab file with -f");
	if (options->kernel && options->lab)
		argp_error(state, "unexpected '%s': a lab file names its kernels",
			   options->kernel[0]);
}

/* Is @word an option of @argp or of its children, alone or with "=" and a value behind it? */
static bool is_option_of(const struct argp *argp, const char *word)
{
	for (const struct argp_option *option = argp->options;
	     option && (option->name || option->key || option->doc); option++) {
		size_t length = option->name ? strlen(option->name) : 0;

		if (length && !strncmp(word, "--", 2) && !strncmp(word + 2, option->name, length) &&
		    (!word[2 + length] || word[2 + length] == '='))
			return true;
		if (word[0] == '-' && word[1] && word[1] == option->key && !word[2])
			return true;
	}
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		if (is_option_of(child->argp, word))
			return true;
	return false;
}

/*
 * The first non-option word is the kernel or program; everything after it is passed to it. A ttrec
 * option after a kernel is probably a mistake, and a recording without it would not be what was
 * requested. After "--", before the kernel or among its words, everything is the guest's.
 */
static void take_guest_words(struct run_options *options, struct argp_state *state)
{
	char *const *word = &state->argv[state->next - 1];

	options->kernel = word;
	state->next = state->argc;
	if (state->quoted)
		return;
	for (word++; *word && !options->misplaced && strcmp(*word, "--"); word++)
		if (is_option_of(state->root_argp, *word))
			options->misplaced = *word;
}

static error_t parse_guests(int key, char *text, struct argp_state *state)
{
	static const char *const keeps[] = { "always", "on-failure", NULL };
	struct run_options *options = state->input;

	switch (key) {
	case KEY_FILE:
		options->lab = text;
		break;
	case KEY_CPUS:
		options->cpus = (unsigned int)option_number(text, "--cpus", CPU_SETSIZE, state);
		if (!options->cpus)
			argp_error(state, "invalid --cpus '0': expected at least 1");
		break;
	case KEY_SEED:
		options->session.seed = option_number(text, "--seed", UINT64_MAX, state);
		break;
	case KEY_WORK_COST:
		if (guest_work_check(text))
			argp_error(state,
				   "invalid --work-cost '%s': expected "
				   "SYSCALL,FAULT[,COUNTER[,STEP]] in ns, or off",
				   text);
		options->work_cost = text;
		options->work_cost_given = true;
		break;
	case KEY_ID:
		options->id = option_number(text, "--id", UINT64_MAX, state);
		break;
	case KEY_DIGEST:
		parse_digest(text, &options->session, state);
		break;
	case KEY_ISOLATION:
		options->isolation = option_choice(text, "--isolation", run_isolation_names, state);
		break;
	case KEY_EXPECT:
		option_add(options->expect, RUN_PATTERNS_MAX, text, "--expect", state);
		break;
	case KEY_FAIL_ON:
		option_add(options->fail_on, RUN_PATTERNS_MAX, text, "--fail-on", state);
		break;
	case KEY_ALLOW_LINE:
		option_add(options->allow_line, RUN_PATTERNS_MAX, text, "--allow-line", state);
		break;
	case KEY_ADD:
		option_add(options->add, RUN_PATTERNS_MAX, text, "--add", state);
		break;
	case KEY_MEMORY:
		options->memory = parse_memory(text, state);
		break;
	case KEY_ALLOW:
		option_add(options->allow, RUN_PATTERNS_MAX, text, "--allow", state);
		break;
	case KEY_KEEP:
		options->keep = (enum keep_policy)option_choice(text, "--keep", keeps, state);
		break;
	case KEY_PROBE:
		options->probe = true;
		break;
	case KEY_NO_EMBED:
		options->embed = false;
		break;
	case ARGP_KEY_ARG:
		take_guest_words(options, state);
		break;
	case ARGP_KEY_END:
		check_guests(options, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp common_argp = { .options = common_options, .parser = parse_common };
static const struct argp schedule_argp = { .options = schedule_options, .parser = parse_common };
static const struct argp guest_argp = { .options = guest_options, .parser = parse_guests };
static const struct argp_child run_children[] = {
	{ &guest_argp, 0, NULL, 0 },	{ &rerecord_argp, 0, NULL, 0 },
	{ &schedule_argp, 0, NULL, 0 }, { &common_argp, 0, NULL, 0 },
	{ &ci_argp, 0, NULL, 0 },	{ 0 }
};
static const struct argp_child tap_children[] = {
	{ &guest_argp, 0, NULL, 0 }, { &common_argp, 0, NULL, 0 }, { &ci_argp, 0, NULL, 0 }, { 0 }
};
static const struct argp_child serve_children[] = { { &schedule_argp, 0, NULL, 0 },
						    { &common_argp, 0, NULL, 0 },
						    { 0 } };

/* All options, wherever they are listed, are of one struct; those about CI of one in it. */
static error_t pass_down(const struct argp_child *child, int key, struct argp_state *state)
{
	struct run_options *options = state->input;

	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	for (size_t i = 0; child[i].argp; i++)
		state->child_inputs[i] = child[i].argp == &ci_argp ? &options->ci : state->input;
	return 0;
}

static error_t parse_run(int key, char *text, struct argp_state *state)
{
	(void)text;
	return pass_down(run_children, key, state);
}

static error_t parse_tap(int key, char *text, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case KEY_SOCKET:
		options->socket = text;
		return 0;
	case KEY_UPSTREAM:
		options->upstream = text;
		return 0;
	case ARGP_KEY_END:
		if (!options->upstream)
			argp_error(state, "missing --upstream PATH, the socket of the scheduler; "
					  "`ttrec run` has its own scheduler");
		return 0;
	default:
		return pass_down(tap_children, key, state);
	}
}

static error_t parse_serve(int key, char *text, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case KEY_SOCKET:
		options->socket = text;
		break;
	case KEY_CLIENTS:
		options->session.calendar.expected =
			(uint32_t)option_number(text, "--clients", UINT32_MAX, state);
		if (!options->session.calendar.expected)
			argp_error(state, "invalid --clients '0': expected at least 1");
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", text);
		break;
	case ARGP_KEY_END:
		if (!options->socket)
			argp_error(state, "missing --socket PATH");
		if (!options->session.calendar.expected)
			argp_error(state, "missing --clients N");
		break;
	default:
		return pass_down(serve_children, key, state);
	}
	return 0;
}

static const struct argp run_argp = {
	.parser = parse_run,
	.args_doc = "PROGRAM [ARGS...]\nKERNEL [KERNEL-ARGS...]\n-f LAB\n--rerecord TRACE [PROGRAM "
		    "[ARGS...]]",
	.doc = "Record User-Mode-Linux guests in isolated sandboxes, so that `ttreplay` can run "
	       "them again bit for bit: a guest that runs PROGRAM, a guest with your own KERNEL "
	       "and arguments, or the guests of a lab file.\v" EXIT_STATUS_HELP,
	.children = run_children,
};

static const struct argp tap_argp = {
	.options = tap_only_options,
	.parser = parse_tap,
	.args_doc = "--upstream PATH KERNEL [KERNEL-ARGS...]\n--upstream PATH -f LAB\n"
		    "--upstream PATH --socket PATH",
	.doc = "Record guests that another scheduler runs: start them in isolated sandboxes, or "
	       "accept them at --socket, and relay their messages. A replay does not need that "
	       "scheduler.\v" EXIT_STATUS_HELP,
	.children = tap_children,
};

static const struct argp serve_argp = {
	.options = serve_only_options,
	.parser = parse_serve,
	.args_doc = "--socket PATH --clients N",
	.doc = "Schedule guests and simulators that are started elsewhere, and record their "
	       "messages, until the last client has left.\v" EXIT_STATUS_HELP,
	.children = serve_children,
};

static void set_defaults(struct run_options *options)
{
	*options = (struct run_options){ .output = DEFAULT_OUTPUT,
					 .id = DEFAULT_ID,
					 .isolation = -1,
					 .cpu = -1,
					 .cpus = 1,
					 .embed = true,
					 .packed.fd = -1,
					 .until_record = UINT64_MAX,
					 .until_time = UINT64_MAX };
	options->session.seed = RUN_UNSET;
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
	set_defaults(options);
	options->session.calendar.windowed = true;
	command_line_parse(&run_argp, argc, argv, ARGP_IN_ORDER, options);
	options->session.show_console = !options->quiet;
	options->session.show_status = !options->quiet;
}

void tap_options_parse(int argc, char **argv, struct run_options *options)
{
	set_defaults(options);
	command_line_parse(&tap_argp, argc, argv, ARGP_IN_ORDER, options);
	options->session.show_console = options->session.show_status = !options->quiet;
}

void serve_options_parse(int argc, char **argv, struct run_options *options)
{
	set_defaults(options);
	command_line_parse(&serve_argp, argc, argv, 0, options);
	run_options_settle(options, NULL);
	options->session.show_status = !options->quiet;
}
