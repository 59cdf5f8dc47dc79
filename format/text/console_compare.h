/* SPDX-License-Identifier: BSD-3-Clause */
/* What two guests printed, line by line: how many lines differ, and the first of them. */
#ifndef TTREC_CONSOLE_COMPARE_H
#define TTREC_CONSOLE_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONSOLE_SHOWN 3
#define CONSOLE_LINE  200

/* Starts as zeros; holds no pointers. */
struct console_differences {
	uint64_t count;
	struct {
		uint64_t record;				/* that the line comes before */
		char expected[CONSOLE_LINE], got[CONSOLE_LINE]; /* printable, "" for no line */
	} first[CONSOLE_SHOWN];
};

/*
 * Compare what was printed in both runs before record number @record: the first lines with each
 * other, the second ones, and so on.
 */
void console_compare(struct console_differences *differences, uint64_t record, const char *expected,
		     size_t expected_size, const char *got, size_t got_size);

/* How many of the first ones to show. */
size_t console_differences_shown(const struct console_differences *differences);

/* Print the number of differences and the first ones, each indented by two spaces; nothing if all
 * is equal.
 */
void console_differences_print(const struct console_differences *differences, FILE *out);

/* The first as an array of objects, a new reference; NULL: out of memory. */
json_t *console_differences_json(const struct console_differences *differences);

#endif
