/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A console in a CI report: some of its lines, and the tests that it reported (KTAP, as KUnit
 * and kselftest print it; Documentation/dev-tools/ktap.rst, Linux 6.12).
 */
#ifndef TTREC_CI_CONSOLE_H
#define TTREC_CI_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

enum ci_outcome { CI_PASSED, CI_FAILED, CI_ERROR, CI_SKIPPED, CI_OUTCOMES };

/* A test that a console reported. */
struct ci_test {
	char *name; /* "suite.subtest.test" */
	enum ci_outcome outcome;
	uint64_t now, took; /* virtual ns: when it was reported, since the one before */
	char *reason;	    /* of a skipped one; NULL */
	char *text;	    /* console lines during a failed one; NULL */
};

struct ci_console;

/* NULL: out of memory. */
struct ci_console *ci_console_create(void);
void ci_console_destroy(struct ci_console *console);

/*
 * Console bytes at the virtual time @now in ns; lines may be split anywhere. ci_console_tests()
 * reports lack of memory.
 */
void ci_console_feed(struct ci_console *console, uint64_t now, const char *text, size_t size);

/* Nothing more comes: an unfinished line is one. */
void ci_console_finish(struct ci_console *console);

/* Mark the last line: lines around it are kept. Only the first call counts. */
void ci_console_mark(struct ci_console *console);

/*
 * The lines around the mark, else the last ones; printable and without escape sequences. The caller
 * frees it; NULL: no output, or out of memory.
 */
char *ci_console_excerpt(const struct ci_console *console);

/* The tests, in order. Beyond some thousands they are only counted, in *@left_out. 0 or -ENOMEM. */
int ci_console_tests(const struct ci_console *console, const struct ci_test **tests, size_t *count,
		     size_t *left_out);

#endif
