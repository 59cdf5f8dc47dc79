// SPDX-License-Identifier: BSD-3-Clause
/* The options of `ttrec run`, `ttrec tap` and `ttrec serve`: tables, read by argp. */
#include "recorder/run_options.h"

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
#include "recorder/lab.h"

/*
 * 2026-01-01 00:00:00 UTC: a date of its own, so that nothing depends on the day of the recording.
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
	KEY_SEAL,
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
const char *const run_seal_names[] = { "auto", "full", "none", NULL };

/* Options all of them have. */
static const struct argp_option common_options[] = {
	{ "output", KEY_OUTPUT, "FILE", 0, "the trace (default trace.zst); 'none': no trace", 1 },
	{ "cpu", KEY_CPU, "N", 0, "the CPU for the scheduler and the guest it starts", 2 },
	{ "limit-wall", KEY_LIMIT_WALL, "TIME", 0, "fail after this much wall time", 3 },
	{ "hang-timeout", KEY_HANG_TIMEOUT, "TIME", 0,
	  "wall time a guest may run without a message (default 30s; 0: forever)", 3 },
	{ "quiet", KEY_QUIET, NULL, 0, "do not show console or status", 5 },
	{ "json", KEY_JSON, NULL, 0, "print the result as JSON; implies --quiet", 5 },
	{ 0 },
};

static const struct argp_option guest_options[] = {
	{ "file", KEY_FILE, "LAB", 0, "record the guests of this lab file, see ttrec-lab(5)", 1 },
	{ "cpus", KEY_CPUS, "N", 0,
	  "spread the guests of a lab over so many CPUs (default 1: waking another CPU is slow)",
	  2 },
	{ "seed", KEY_SEED, "N", 0, "where entropy and all else random comes from (default 1)", 2 },
	{ "work-cost", KEY_WORK_COST, "SYSCALL,FAULT|off", 0,
	  "virtual ns that a system call and a page fault cost (default " GUEST_WORK_DEFAULT ")",
	  2 },
	{ "id", KEY_ID, "N", 0, "the guest's id for the scheduler (default 1)", 2 },
	{ "digest", KEY_DIGEST, "auto|every|off|N", 0,
	  "hash memory at some WAITs (auto), every one, none, every N-th", 2 },
	{ "probe", KEY_PROBE, NULL, 0,
	  "record every interrupt too, by BPF (needs root; takes some 100 ms)", 2 },
	{ "seal", KEY_SEAL, "auto|full|none", 0,
	  "how sealed the room must be: as far as allowed, wholly or not at all", 2 },
	{ "expect", KEY_EXPECT, "REGEX", 0, "fail unless a console line matches", 4 },
	{ "fail-on", KEY_FAIL_ON, "REGEX", 0,
	  "fail if a console line matches; 'default': what kernels and tests report, see ttrec(1)",
	  4 },
	{ "allow-line", KEY_ALLOW_LINE, "REGEX", 0, "do not judge console lines that match", 4 },
	{ "add", KEY_ADD, "FILE[:/PATH]", 0,
	  "beside PROGRAM, put this file or directory into the guest", 1 },
	{ "memory", KEY_MEMORY, "SIZE", 0,
	  "of the guest that runs PROGRAM (default 128M, more if its files need it)", 2 },
	{ "keep", KEY_KEEP, "always|on-failure", 0, "when to keep the trace (default always)", 1 },
	{ "no-embed", KEY_NO_EMBED, NULL, 0, "name kernel, initrd and libraries, do not embed them",
	  1 },
	{ "allow", KEY_ALLOW, "NAME", 0,
	  "accept a kernel argument that breaks determinism (ubd, hostfs, ...)", 4 },
	{ 0 },
};

/* Options of those that schedule. */
static const struct argp_option schedule_options[] = {
	{ "tod", KEY_TOD, "TIME", 0,
	  "time of day at virtual time 0: 2026-01-01T00:00:00Z (default) or seconds since 1970",
	  2 },
	{ "grant", KEY_GRANT, "each|window", 0,
	  "ask for every event (default), or run ahead while nobody else has one", 2 },
	{ "limit-virtual", KEY_LIMIT_VIRTUAL, "TIME", 0, "fail at this virtual time (10s, 1.5ms)",
	  3 },
	{ 0 },
};

/* Options of tap besides those of the guests: whoever schedules them decides the rest. */
static const struct argp_option tap_only_options[] = {
	{ "upstream", KEY_UPSTREAM, "PATH", 0, "the socket of the scheduler that runs the guests",
	  1 },
	{ "socket", KEY_SOCKET, "PATH", 0, "take clients that come by themselves, too", 1 },
	{ 0 },
};

static const struct argp_option serve_only_options[] = {
	{ "socket", KEY_SOCKET, "PATH", 0, "where clients connect (time-travel=ext:PATH)", 1 },
	{ "clients", KEY_CLIENTS, "N", 0, "how many must be there before time starts", 1 },
	{ 0 },
};

static uint64_t parse_number(const char *text, const char *option, uint64_t max,
			     struct argp_state *state)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || end == text || *text == '-')
		argp_error(state, "%s '%s': give a whole number", option, text);
	if (value > max)
		argp_error(state, "%s '%s': at most %llu", option, text, (unsigned long long)max);
	return value;
}

static int parse_cpu(const char *text, struct argp_state *state)
{
	unsigned int number = (unsigned int)parse_number(text, "--cpu", INT_MAX, state);
	int err = cpu_check(number);

	if (err)
		argp_error(state, "--cpu %u cannot be used: %s", number, strerror(-err));
	return (int)number;
}

static uint64_t parse_time(const char *text, const char *option, struct argp_state *state)
{
	uint64_t ns = 0;

	if (duration_parse(text, &ns))
		argp_error(state, "%s '%s': give a time such as 10s, 1.5ms, 100us or 2m", option,
			   text);
	return ns;
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
		argp_error(state, "--tod '%s': give 2026-01-01T00:00:00Z or seconds since 1970",
			   text);
	return ns;
}

void run_options_add(const char **list, const char *text, const char *option,
		     struct argp_state *state)
{
	if (!words_add(list, RUN_PATTERNS_MAX, text))
		argp_error(state, "%s: at most %d of them", option, RUN_PATTERNS_MAX);
}

/* The index of @text in @names, which ends with NULL; a usage error when it is none of them. */
static int choose(const char *text, const char *option, const char *const *names,
		  struct argp_state *state)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(text, names[i]))
			return i;
	argp_error(state, "%s '%s': see --help for the choices", option, text);
	return 0;
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
	session->digest_every = (uint32_t)parse_number(text, "--digest", UINT32_MAX, state);
	if (!session->digest_every)
		argp_error(state, "--digest 0: say off");
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
			(enum calendar_grant)choose(text, "--grant", run_grant_names, state);
		break;
	case KEY_LIMIT_VIRTUAL:
		session->calendar.limit = parse_time(text, "--limit-virtual", state);
		break;
	case KEY_LIMIT_WALL:
		session->limit_wall = parse_time(text, "--limit-wall", state);
		break;
	case KEY_HANG_TIMEOUT:
		session->hang_timeout = parse_time(text, "--hang-timeout", state);
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
	if (!options->kernel && !options->lab && !options->socket && !options->again)
		argp_error(state, "what? give the path of a program, of a User-Mode-Linux kernel, "
				  "or a lab file with -f");
	if (options->kernel && options->lab)
		argp_error(state, "'%s': the kernels of a lab are named in its file",
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
 * The first word that is no option is the kernel or program; all that follows is its own. Behind a
 * kernel an option of ours is most likely meant for us, and a recording without it would not be
 * what was asked for. Behind "--", before the kernel or among its words, all is the guest's.
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
		options->cpus = (unsigned int)parse_number(text, "--cpus", CPU_SETSIZE, state);
		if (!options->cpus)
			argp_error(state, "--cpus 0: at least one");
		break;
	case KEY_SEED:
		options->session.seed = parse_number(text, "--seed", UINT64_MAX, state);
		break;
	case KEY_WORK_COST:
		if (guest_work_check(text))
			argp_error(state,
				   "--work-cost '%s': give SYSCALL,FAULT[,COUNTER[,STEP]] "
				   "in ns, or off",
				   text);
		options->work_cost = text;
		options->work_cost_given = true;
		break;
	case KEY_ID:
		options->id = parse_number(text, "--id", UINT64_MAX, state);
		break;
	case KEY_DIGEST:
		parse_digest(text, &options->session, state);
		break;
	case KEY_SEAL:
		options->seal = choose(text, "--seal", run_seal_names, state);
		break;
	case KEY_EXPECT:
		run_options_add(options->expect, text, "--expect", state);
		break;
	case KEY_FAIL_ON:
		run_options_add(options->fail_on, text, "--fail-on", state);
		break;
	case KEY_ALLOW_LINE:
		run_options_add(options->allow_line, text, "--allow-line", state);
		break;
	case KEY_ADD:
		run_options_add(options->add, text, "--add", state);
		break;
	case KEY_MEMORY:
		options->memory = parse_memory(text, state);
		break;
	case KEY_ALLOW:
		run_options_add(options->allow, text, "--allow", state);
		break;
	case KEY_KEEP:
		options->keep = (enum keep_policy)choose(text, "--keep", keeps, state);
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
	{ &guest_argp, 0, NULL, 0 },  { &again_argp, 0, NULL, 0 }, { &schedule_argp, 0, NULL, 0 },
	{ &common_argp, 0, NULL, 0 }, { &ci_argp, 0, NULL, 0 },	   { 0 }
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
			argp_error(state, "who schedules? give the socket of that with --upstream "
					  "PATH; `ttrec run` does it itself");
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
			(uint32_t)parse_number(text, "--clients", UINT32_MAX, state);
		if (!options->session.calendar.expected)
			argp_error(state, "--clients 0: at least one client is needed");
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': serve takes options only", text);
		break;
	case ARGP_KEY_END:
		if (!options->socket)
			argp_error(state, "where? give --socket PATH");
		if (!options->session.calendar.expected)
			argp_error(state, "for how many? give --clients N");
		break;
	default:
		return pass_down(serve_children, key, state);
	}
	return 0;
}

static const struct argp run_argp = {
	.parser = parse_run,
	.args_doc = "PROGRAM [ARGS...]\nKERNEL [KERNEL-ARGS...]\n-f LAB\n"
		    "--again TRACE [PROGRAM [ARGS...]]",
	.doc = "Record User-Mode-Linux guests in sealed rooms, so that `ttreplay` can run them "
	       "again bit for bit: one that runs a program of this machine, one with a kernel and "
	       "arguments of your own, or all of a lab file.\v" EXIT_STATUS_HELP,
	.children = run_children,
};

static const struct argp tap_argp = {
	.options = tap_only_options,
	.parser = parse_tap,
	.args_doc = "--upstream PATH KERNEL [KERNEL-ARGS...]\n--upstream PATH -f LAB\n"
		    "--upstream PATH --socket PATH",
	.doc = "Record guests that another scheduler runs: they are started in sealed rooms, or "
	       "come "
	       "to --socket by themselves, and what they and the scheduler say is passed on. It is "
	       "not needed to replay them.\v" EXIT_STATUS_HELP,
	.children = tap_children,
};

static const struct argp serve_argp = {
	.options = serve_only_options,
	.parser = parse_serve,
	.args_doc = "--socket PATH --clients N",
	.doc = "Schedule guests and simulators that are started elsewhere, and record their "
	       "messages; ends when the last client has left.\v" EXIT_STATUS_HELP,
	.children = serve_children,
};

static void set_defaults(struct run_options *options)
{
	*options = (struct run_options){ .output = DEFAULT_OUTPUT,
					 .id = DEFAULT_ID,
					 .seal = -1,
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
	if (!options->again) {
		guest_work_complete(options->work_cost, options->work_cost_whole);
		options->work_cost = options->work_cost_whole;
	}
	if (session->digest == DIGEST_UNSET)
		session->digest = DIGEST_AUTO;
	options->seal = options->seal < 0 ? RUN_SEAL_AUTO : options->seal;
	options->wanted = options->seal == RUN_SEAL_NONE ? 0 : SEAL_FULL;
	options->seal_required = options->seal == RUN_SEAL_FULL;
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
