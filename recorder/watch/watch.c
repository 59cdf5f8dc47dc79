// SPDX-License-Identifier: BSD-3-Clause
/* Watches consoles line by line for what the user expects and for what counts as failure. */
#include "recorder/watch/watch.h"

#include <errno.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "format/pattern/pattern.h"

struct wanted {
	const char *text;
	struct pattern *pattern;
	bool seen;
};

struct pattern_list {
	struct wanted *wanted;
	size_t count;
};

/* A line of the table below, ready to be matched. */
struct rule {
	struct pattern *pattern, *except;
};

/* The current line. */
struct console_line {
	char text[WATCH_LINE_MAX];
	size_t length;
	uint64_t now;		   /* of its last bytes */
	unsigned int report_lines; /* so many more may belong to what a kernel reports */
	struct pattern_list allow; /* besides those of all consoles */
	bool restarted;		   /* it said so last */
	uint64_t restarted_now;
	struct watch_find failure, warning;
};

struct watch {
	struct pattern_list expect, fail_on, allow;
	struct rule *rule; /* the table, or NULL: only what was asked for is judged */
	struct rule any;   /* whether one of them matches, at once: most often none does */
	bool rules_fail;   /* what they class as failures does fail */
	bool awaits_program;
	struct console_line *line; /* by console */
	size_t consoles;
	struct program_end program;
};

enum class { FAILS, WARNS, TRACE };

/*
 * The default table; ttrec(1) lists it. Kernel reports of its own faults fail a run. WARN() only
 * warns, as test suites provoke it on purpose. A call trace belongs to a report in the lines before
 * it; without one it is a warning.
 */
static const struct {
	enum class class;
	const char *pattern, *except;
} table[] = {
	/* Tests: KTAP and TAP, and the init of `ttrec run PROGRAM` */
	{ FAILS, "^ *not ok( [0-9]| - |$)", "# *(SKIP|skip|TODO|todo)" },
	{ FAILS, "^ *Bail out!", NULL },
	/* Faults of the kernel, and what its sanitizers find (KASAN, KCSAN, KFENCE: "BUG: K...") */
	{ FAILS, "Kernel panic", NULL },
	{ FAILS, "(^|[^A-Za-z])BUG:", NULL },
	{ FAILS, "kernel BUG at ", NULL },
	{ FAILS, "Oops( -|:)", NULL },
	{ FAILS, "general protection fault", NULL },
	{ FAILS, "[Uu]nable to handle (kernel|page fault)", NULL },
	{ FAILS, "(KASAN|KCSAN|KFENCE|KMSAN|UBSAN): ", NULL },
	/* lockdep: kernel/locking/lockdep.c */
	{ FAILS, "possible (circular|recursive) locking|possible irq lock inversion", NULL },
	{ FAILS, "unsafe lock order detected|inconsistent lock state|bad unlock balance", NULL },
	{ FAILS, "bad contention detected|held lock freed|still has locks held", NULL },
	{ FAILS, "lock held when returning to user|[Nn]ested lock was not taken", NULL },
	{ FAILS, "suspicious RCU usage", NULL },
	/* Nothing moves any more */
	{ FAILS, "rcu.*(self-detected stall|detected (expedited )?stalls? on)", NULL },
	{ FAILS, "INFO: task .* blocked for more than", NULL },
	/* A program crashed, and there may be no other report */
	{ FAILS, "segfault at [0-9a-f]", NULL },
	{ FAILS, "Initramfs unpacking failed", NULL },
	{ WARNS, "WARNING:", NULL },
	{ WARNS, "Out of memory: ", NULL },
	{ TRACE, "Call Trace:", NULL },
};

/* A report with registers, modules and locks has no more lines before its call trace. */
#define REPORT_LINES 100

/* Among patterns to fail on it means those of the table. */
static const char table_word[] = "default";

static int compile(const char *const *texts, const char *option, struct pattern_list *list,
		   struct diagnosis *why)
{
	size_t count = 0;

	while (texts && texts[count])
		count++;
	list->wanted = calloc(count + 1, sizeof(*list->wanted));
	if (!list->wanted)
		return -ENOMEM;
	for (; list->count < count; list->count++) {
		struct wanted *wanted = &list->wanted[list->count];
		char reason[PATTERN_REASON];
		int err;

		wanted->text = texts[list->count];
		err = pattern_compile(wanted->text, &wanted->pattern, reason);
		if (err == -EINVAL)
			return diagnose(why, EXIT_USAGE, err, PATTERN_HINT,
					"invalid %s '%s': not a regular expression: %s", option,
					wanted->text, reason);
		if (err)
			return err;
	}
	return 0;
}

static void release(struct pattern_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		pattern_free(list->wanted[i].pattern);
	free(list->wanted);
}

/* 1, 0, or -ELOOP when none matches of those that do not take too many steps. */
static int any_matches(const struct pattern_list *list, const char *text)
{
	int any = 0;

	for (size_t i = 0; i < list->count && any != 1; i++) {
		int found = pattern_match(list->wanted[i].pattern, text, false, NULL);

		if (found)
			any = found;
	}
	return any;
}

/* ---- The table ------------------------------------------------------------------------------ */

static int compile_rule(const char *pattern, const char *except, struct rule *rule)
{
	char reason[PATTERN_REASON];
	int err = pattern_compile(pattern, &rule->pattern, reason);

	if (!err && except)
		err = pattern_compile(except, &rule->except, reason);
	return err;
}

/* "a|b|c" of all patterns; the caller frees it. NULL: out of memory. */
static char *join_patterns(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		fprintf(out, "%s%s", i ? "|" : "", table[i].pattern);
	fclose(out);
	return text;
}

static int compile_rules(struct watch *watch)
{
	auto_free char *any = join_patterns();
	int err = any ? compile_rule(any, NULL, &watch->any) : -ENOMEM;

	watch->rule = calloc(ARRAY_SIZE(table), sizeof(*watch->rule));
	if (!watch->rule)
		return -ENOMEM;
	for (size_t i = 0; !err && i < ARRAY_SIZE(table); i++)
		err = compile_rule(table[i].pattern, table[i].except, &watch->rule[i]);
	return err;
}

static void release_rule(struct rule *rule)
{
	pattern_free(rule->pattern);
	pattern_free(rule->except);
}

static void release_rules(struct watch *watch)
{
	release_rule(&watch->any);
	for (size_t i = 0; watch->rule && i < ARRAY_SIZE(table); i++)
		release_rule(&watch->rule[i]);
	free(watch->rule);
}

static bool rule_matches(const struct rule *rule, const char *text)
{
	return pattern_match(rule->pattern, text, false, NULL) &&
	       !(rule->except && pattern_match(rule->except, text, false, NULL) == 1);
}

/* ---- Making one ----------------------------------------------------------------------------- */

/* Copies @texts but for the word that means the table; the caller frees the list. */
static const char **without_table_word(const char *const *texts, bool *found)
{
	const char **list;
	size_t count = 0;

	while (texts[count])
		count++;
	list = calloc(count + 1, sizeof(*list));
	count = 0;
	for (; list && *texts; texts++) {
		if (strcmp(*texts, table_word))
			list[count++] = *texts;
		else
			*found = true;
	}
	return list;
}

static int compile_fail_on(struct watch *watch, const char *const *fail_on, struct diagnosis *why)
{
	auto_free const char **list = NULL;

	if (!fail_on) {
		watch->rules_fail = true;
		return 0;
	}
	list = without_table_word(fail_on, &watch->rules_fail);
	return list ? compile(list, "--fail-on", &watch->fail_on, why) : -ENOMEM;
}

int watch_create(const struct watch_options *options, struct watch **out, struct diagnosis *why)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	watch->consoles = options->consoles;
	watch->awaits_program = options->program;
	watch->line = calloc(options->consoles, sizeof(*watch->line));
	err = watch->line ? 0 : -ENOMEM;
	if (!err)
		err = compile(options->expect, "--expect", &watch->expect, why);
	if (!err)
		err = compile_fail_on(watch, options->fail_on, why);
	if (!err)
		err = compile(options->allow, "--allow-line", &watch->allow, why);
	if (!err && (options->defaults || watch->rules_fail))
		err = compile_rules(watch);
	if (err)
		watch_destroy(watch);
	else
		*out = watch;
	return err;
}

int watch_allow(struct watch *watch, size_t console, const char *const *allow,
		struct diagnosis *why)
{
	return compile(allow, "allow-line", &watch->line[console].allow, why);
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	release(&watch->expect);
	release(&watch->fail_on);
	release(&watch->allow);
	release_rules(watch);
	for (size_t i = 0; watch->line && i < watch->consoles; i++)
		release(&watch->line[i].allow);
	free(watch->line);
	free(watch);
}

/* ---- Judging -------------------------------------------------------------------------------- */

static void find(struct watch_find *found, const struct watch *watch, size_t console,
		 const char *text)
{
	if (found->count++)
		return;
	found->console = console;
	found->now = watch->line[console].now;
	snprintf(found->line, sizeof(found->line), "%s", text);
}

/*
 * Consoles of guests that run side by side come in any order: the first line is the earliest in
 * virtual time, of several at once that of the lowest number.
 */
static void add_find(struct watch_find *all, const struct watch_find *found)
{
	uint64_t count = all->count + found->count;

	if (found->count && (!all->count || found->now < all->now))
		*all = *found;
	all->count = count;
}

/* Which class of the table @text is of; -1. */
static int classify(const struct watch *watch, const char *text)
{
	if (!watch->rule || !rule_matches(&watch->any, text))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (rule_matches(&watch->rule[i], text))
			return (int)table[i].class;
	return -1;
}

/*
 * What would fail, were it not that something else was asked for, is worth a warning. A line that
 * is allowed takes the call trace that follows with it.
 */
static void judge_text(struct watch *watch, size_t console, const char *text)
{
	struct console_line *line = &watch->line[console];
	int class = classify(watch, text);
	bool in_report = line->report_lines;

	line->report_lines -= in_report;
	if (class == FAILS || class == WARNS)
		line->report_lines = REPORT_LINES;
	if (any_matches(&watch->allow, text) == 1 || any_matches(&line->allow, text) == 1)
		return;
	if (any_matches(&watch->fail_on, text) || (class == FAILS && watch->rules_fail))
		find(&line->failure, watch, console, text);
	else if (class == FAILS || class == WARNS || (class == TRACE && !in_report))
		find(&line->warning, watch, console, text);
}

static bool begins_with(const char *text, const char *begin)
{
	return !strncmp(text, begin, strlen(begin));
}

/*
 * What a kernel says last before it ends; one that is powered off says something else after what a
 * program may have printed. Sources: kernel/reboot.c, drivers/tty/sysrq.c, Linux 5.10 to 7.2.
 */
static void note_end(struct console_line *line, const char *text)
{
	bool restarts = begins_with(text, "reboot: Restarting system") ||
			begins_with(text, "sysrq: Resetting");

	if (restarts)
		line->restarted_now = line->now;
	if (restarts || begins_with(text, "reboot: "))
		line->restarted = restarts;
}

static void judge_line(struct watch *watch, size_t console)
{
	struct console_line *line = &watch->line[console];
	const char *text;

	line->text[line->length] = '\0';
	text = console_line_text(line->text);
	note_end(line, text);
	for (size_t i = 0; i < watch->expect.count; i++)
		if (pattern_match(watch->expect.wanted[i].pattern, text, false, NULL) == 1)
			watch->expect.wanted[i].seen = true;
	/* The last word counts: what a program itself says of its end comes before that. */
	if (!watch->awaits_program || !program_end_parse(text, &watch->program))
		judge_text(watch, console, text);
	line->length = 0;
}

void watch_feed(struct watch *watch, size_t console, uint64_t now, const char *text, size_t size)
{
	struct console_line *line = &watch->line[console];

	line->now = now;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			judge_line(watch, console);
		} else if (text[i] != '\r' && text[i]) {
			if (line->length == WATCH_LINE_MAX - 1)
				judge_line(watch, console);
			line->text[line->length++] = text[i];
		}
	}
}

void watch_judge(struct watch *watch, struct watch_verdict *verdict)
{
	*verdict = (struct watch_verdict){ 0 };
	for (size_t i = 0; i < watch->consoles; i++) {
		if (watch->line[i].length)
			judge_line(watch, i);
		add_find(&verdict->failure, &watch->line[i].failure);
		add_find(&verdict->warning, &watch->line[i].warning);
	}
	verdict->program = watch->program;
	for (size_t i = 0; i < watch->expect.count && !verdict->missing; i++)
		if (!watch->expect.wanted[i].seen)
			verdict->missing = watch->expect.wanted[i].text;
}

const struct watch_find *watch_failure(const struct watch *watch, size_t console)
{
	const struct watch_find *failure = &watch->line[console].failure;

	return failure->count ? failure : NULL;
}

bool watch_restarted(const struct watch *watch, size_t console, uint64_t *now)
{
	*now = watch->line[console].restarted_now;
	return watch->line[console].restarted;
}

bool watch_expectation(const struct watch *watch, size_t index, const char **text, bool *seen)
{
	if (index >= watch->expect.count)
		return false;
	*text = watch->expect.wanted[index].text;
	*seen = watch->expect.wanted[index].seen;
	return true;
}
