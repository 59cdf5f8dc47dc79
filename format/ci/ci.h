/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The CI report of a run or a replay: annotations, a summary, collapsible sections, JUnit XML.
 *
 * A command collects its results in a suite, case by case, and publishes it. Names, messages and
 * console text are untrusted: each format escapes them.
 */
#ifndef TTREC_CI_H
#define TTREC_CI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "format/ci/ci_console.h"
#include "format/ci/ci_options.h"
#include "format/base/diagnosis.h"
#include "format/ci/finding.h"

/* One result. Strings are copied when it is added; NULL means none. */
struct ci_case {
	const char *guest; /* whose it is; NULL: of all */
	const char *name;  /* "run", "replay", "says REGEX", the name of a KTAP test */
	enum ci_outcome outcome;
	uint64_t now;	     /* virtual ns at which it was decided */
	uint64_t took;	     /* of virtual time, ns */
	const char *code;    /* of the finding that failed it, which is not copied */
	const char *message; /* why it failed or was skipped: a line */
	const char *details; /* more of it: lines */
	const char *console; /* console lines up to then or around it */
};

struct ci_suite {
	const char *command;	      /* "ttrec run" */
	const char *name;	      /* of the lab, the kernel or the trace */
	const char *verdict;	      /* in a line */
	const struct findings *found; /* those that are not failures are shown, too; NULL */
	const char *seed;	      /* which reproduces the run; NULL: unknown */
	const char *trace;	      /* file to attach to the job; NULL: none */
	const char *next;	      /* the command to type then; NULL */
	bool failed;		      /* the command ends with a status that is not 0 */
	uint64_t started;	      /* wall clock, s since 1970 */
	uint64_t wall_ns;	      /* that it took */
	struct ci_case *list;	      /* all of them, in order */
	size_t count;
};

/* Add a copy of @added. 0 or -ENOMEM. */
int ci_add(struct ci_suite *suite, const struct ci_case *added);

/* Take code, message, hint and time of @of from @failure; the message is in @line. */
void ci_case_blame(struct ci_case *of, const struct finding *failure, char line[FINDING_LINE]);

/* Add the one case of a command that could not begin, with this name. 0 or -ENOMEM. */
int ci_add_refused(struct ci_suite *suite, const char *name, const struct diagnosis *refused);

/* The next finding from *@position on, which starts at 0, other than failures; NULL: no more. */
const struct finding *ci_next_notice(const struct ci_suite *suite, size_t *position);

/* Of the tests that @console reported: whether there is one, and whether one failed. */
bool ci_has_tests(const struct ci_console *console);
bool ci_has_failed_test(const struct ci_console *console);

/* Add the tests that @console reported, as cases of @guest. 0 or -ENOMEM. */
int ci_add_tests(struct ci_suite *suite, const char *guest, const struct ci_console *console);

/* Frees the cases. */
void ci_release(struct ci_suite *suite);

size_t ci_count(const struct ci_suite *suite, enum ci_outcome outcome);

/* Whether a case failed or was not run, and the number of these. */
bool ci_is_bad(const struct ci_case *of);
size_t ci_count_bad(const struct ci_suite *suite);

/*
 * For output that shows all cases: whether a failed case of the same guest before this one has
 * shown the end of its console.
 */
bool ci_console_is_shown(const struct ci_suite *suite, size_t index);

/*
 * Output to @out from here to ci_guard_end() comes from guests, and must not issue commands to the
 * CI. With @title it is folded in the log under that name.
 */
void ci_guard_begin(struct ci_options *options, const char *title, FILE *out);
void ci_guard_end(const struct ci_options *options, const char *title, FILE *out);

/* Publish in all forms that @options ask for; output for the log goes to @log. */
int ci_publish(const struct ci_options *options, const struct ci_suite *suite, FILE *log,
	       struct diagnosis *why);

/* The formats. 0 or -errno. */
void ci_github_annotate(const struct ci_suite *suite, FILE *log);
int ci_github_summarise(const struct ci_suite *suite, const char *path, struct diagnosis *why);
void ci_gitlab_print(const struct ci_suite *suite, FILE *log);
int ci_junit_write(const struct ci_suite *suite, const char *path, struct diagnosis *why);

#endif
