/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of `ttdump diff` share. */
#ifndef TTREC_DIFF_H
#define TTREC_DIFF_H

#include "format/trace/compare.h"
#include "format/text/name_table.h"
#include "format/text/difference.h"
#include "format/ttdump/diff/diff_grid.h"
#include "format/ttdump/base/ttdump.h"

/* ---- How a guest goes on after its histories part (diff_align.c) ----------------------------- */

/* Records of one kind that are not the same in both. */
struct diff_kind {
	uint64_t changed;
	uint64_t field[TRACE_FIELDS_MAX]; /* of the changed: in how many each field differs */
	uint64_t payload;
	uint64_t only[2]; /* one trace has it and the other has nothing in its place */
};

/* Records in a row that are equal, or shifted, in both: where they begin, and how many. */
struct diff_streak {
	uint64_t number[2];
	uint64_t now[2];
	uint64_t count, shifted;
};

struct diff_tail {
	uint64_t equal;
	uint64_t shifted; /* the same but for what counts them: seq of a message, sequence of a call
			   */
	uint64_t changed;
	uint64_t only[2];
	struct diff_kind kind[TRACE_KIND_LIMIT];
	struct diff_streak streak; /* up to the last record */
	/* The same without what is only measured (memory digests, probed interrupts). */
	struct diff_streak crossings;
	uint64_t unlike_checks; /* measured differently since crossings began */
};

struct diff {
	const char *path[2];
	struct trace_reader *reader[2];
	struct trace_compare_options options;
	const char *guest; /* as given, or NULL */
	uint32_t context;  /* records around the first difference */
	bool json, only_first;
	struct compare compare;
	struct name_table names[2];
	int end[2];		 /* what ended the reading of each early, or 0 */
	char problem[2][256];	 /* and in words */
	struct diff_tail **tail; /* by guest; NULL: it has not diverged */
	uint32_t tail_count;
	struct diff_grid *grid; /* where records are paired */
};

/* A compare_follow; its context is a struct diff. */
compare_follow diff_follow;
void diff_free_tails(struct diff *diff);
const struct diff_tail *diff_tail(const struct diff *diff, uint32_t guest);

/* ---- What does not count (diff_ignore.c) --------------------------------------------------- */

/* Add the kind, the field or KIND.FIELD that @word names. False: there is none. */
bool diff_ignore(const char *word, struct trace_compare_options *options);

/* ---- How both were started (diff_start.c) -------------------------------------------------- */

#define DIFF_ALL_GUESTS -1

/* What is in the head of one trace and not in that of the other. */
struct diff_line {
	int64_t guest; /* whose line it is, or DIFF_ALL_GUESTS */
	char *text;
};
struct diff_start {
	struct diff_line *line[2];
	size_t count[2];
};

/* Reads both heads, and enters their guests and devices in the name table of @diff. 0 or -ENOMEM.
 */
int diff_start_read(struct diff *diff, struct diff_start *start);
void diff_start_free(struct diff_start *start);

/* ---- What was found (diff_text.c, diff_json.c) --------------------------------------------- */

int diff_print_text(struct diff *diff, const struct diff_start *start);
int diff_print_json(struct diff *diff, const struct diff_start *start);

/* The records around the first difference (diff_context.c). */
int diff_print_context(struct diff *diff);

/* "equal", "different", or "equal as far as it goes". */
const char *diff_verdict(const struct diff *diff);

#endif
