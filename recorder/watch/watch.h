/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Watches consoles line by line for what the user expects, for what counts as failure, and for what
 * is worth a warning.
 */
#ifndef TTREC_WATCH_H
#define TTREC_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/base/diagnosis.h"
#include "recorder/watch/program_end.h"

struct watch;

#define WATCH_LINE_MAX 512

/*
 * Patterns are matched against each line without its printk time stamp; lists end with NULL, and
 * NULL is an empty one, but for @fail_on. Where matching a line takes too many steps, the guest
 * fails: it matches what fails, and neither what is expected nor what is allowed.
 */
struct watch_options {
	size_t consoles;
	const char *const *expect;  /* lines that have to come */
	const char *const *fail_on; /* NULL, and "default" in it, is the table in watch.c */
	const char *const *allow;   /* lines that are not judged */
	bool defaults;		    /* what of the table does not fail is a warning */
	bool program;		    /* console 0 is to say how a program ended, see program_end.h */
};

/* Lines of a kind: how many there were, and the first of them, the earliest in virtual time. */
struct watch_find {
	uint64_t count;
	char line[WATCH_LINE_MAX];
	size_t console; /* the number of the one that said it */
	uint64_t now;	/* virtual time at which it did, ns */
};

struct watch_verdict {
	struct watch_find failure, warning;
	const char *missing; /* the first expected pattern not seen; NULL when all were */
	struct program_end program;
};

/* A bad expression is diagnosed as a usage error. */
int watch_create(const struct watch_options *options, struct watch **watch, struct diagnosis *why);
void watch_destroy(struct watch *watch);

/* Lines of console number @console that are not judged either; at most once for each. */
int watch_allow(struct watch *watch, size_t console, const char *const *allow,
		struct diagnosis *why);

/* Bytes of console number @console as they come, at @now; lines may be cut anywhere. */
void watch_feed(struct watch *watch, size_t console, uint64_t now, const char *text, size_t size);

/* What is known after all that was fed, an unfinished last line included. */
void watch_judge(struct watch *watch, struct watch_verdict *verdict);

/* What console number @console has said by now, in whole lines, that fails it; NULL: nothing. */
const struct watch_find *watch_failure(const struct watch *watch, size_t console);

/* Whether the last message of the kernel of console number @console is that it restarts; *@now is
 * when.
 */
bool watch_restarted(const struct watch *watch, size_t console, uint64_t *now);

/* The expected pattern number @index as it was given, and whether it was seen. False: no more. */
bool watch_expectation(const struct watch *watch, size_t index, const char **text, bool *seen);

#endif
