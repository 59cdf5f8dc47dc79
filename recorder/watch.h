/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches consoles line by line for what the user expects and for what counts as failure. */
#ifndef TTREC_WATCH_H
#define TTREC_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/diagnosis.h"

struct watch;

#define WATCH_LINE_MAX 512

struct watch_verdict {
	bool failed;		   /* a fail-on pattern matched */
	char line[WATCH_LINE_MAX]; /* the first line that did */
	size_t console;		   /* the number of the console that said it */
	uint64_t now;		   /* virtual time at which it did, ns */
	const char *missing;	   /* the first expected pattern not seen; NULL when all were */
};

/*
 * Patterns are POSIX extended regular expressions, matched against each line of @consoles
 * consoles without its printk time stamp. NULL-terminated lists; a NULL @fail_on stands for the
 * default: kernel panic, BUG:, and KUnit's `not ok`. A bad expression is diagnosed as a usage
 * error.
 */
int watch_create(const char *const *expect, const char *const *fail_on, size_t consoles,
		 struct watch **watch, struct diagnosis *why);
void watch_destroy(struct watch *watch);

/* Bytes of console number @console as they come, at @now; lines may be cut anywhere. */
void watch_feed(struct watch *watch, size_t console, uint64_t now, const char *text, size_t size);

/* What is known after all that was fed, an unfinished last line included. */
void watch_judge(struct watch *watch, struct watch_verdict *verdict);

/* Did console number @console say what fails it, first of all, by now? */
bool watch_failed(const struct watch *watch, size_t console);

/* The expected pattern number @index as it was given, and whether it was seen. False: no more. */
bool watch_expectation(const struct watch *watch, size_t index, const char **text, bool *seen);

#endif
