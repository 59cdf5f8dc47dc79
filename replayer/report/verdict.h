/* SPDX-License-Identifier: BSD-3-Clause */
/* What the replay of one guest found, for people and as JSON. */
#ifndef TTREC_VERDICT_H
#define TTREC_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "format/ci/finding.h"
#include "replayer/cursor/replay_guest.h"

struct verdict {
	const char *trace; /* path, for the next command */
	const struct replay_guest *guest;
	bool named;	   /* one of several: say which */
	const char *until; /* where it was to stop, if that is not a record, as it was given */
};

/* Whether the guest was not replayed, or not far enough; *@why says why. */
bool verdict_failed(const struct verdict *verdict, struct diagnosis *why);

/* Add what was found of the guest: why it failed, what was not compared, possible causes. */
void verdict_find(const struct verdict *verdict, struct findings *found);

/* The exit status that the guest alone would have. */
int verdict_status(const struct verdict *verdict);

/* "identical", or the word for a guest with another kernel. */
const char *verdict_agreement(const struct verdict *verdict);

/* What that covers: " up to where it was stopped". */
const char *verdict_extent(const struct cursor_report *report);

/* "1,080 messages, 25 device interrupts, ": what was compared, without what there was none of. */
void verdict_print_compared(FILE *out, uint64_t messages, uint64_t interrupts, uint64_t probed);

void verdict_print(const struct verdict *verdict, FILE *out);

/* What was not compared of any guest, which verdict_print() leaves out of the verdict on one of
 * several. */
void verdict_print_common(const struct verdict *verdict, FILE *out);

/* The command that shows more of a divergence, without a newline. */
void verdict_print_next(const struct verdict *verdict, FILE *out);

/* The one that stops there with a debugger, of a guest as it was recorded. */
void verdict_print_debug(const struct verdict *verdict, FILE *out);

/* One object; NULL: out of memory. verdict_json.c */
json_t *verdict_json(const struct verdict *verdict);

/* ---- A guest that was replayed with another kernel or initrd (verdict_replaced.c) -------------
 */

/* Is it such a guest? */
bool verdict_is_replaced(const struct verdict *verdict);

/* "agrees up to record 812 (t=0.41 s), of 2,314: then X instead of Y", and what one can do. */
void verdict_print_difference(const struct verdict *verdict, FILE *out);

/* The keys of both in the verdict's object. 0 or -1. */
int verdict_add_replaced(const struct verdict *verdict, json_t *json);

#endif
