/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal: all records go through it into the trace (journal -> merge -> writer).
 *
 * Each partition appends in the order of its own virtual time; the merge makes one order of all. A
 * record that cannot be written ends the recording (SESSION_STORAGE).
 */
#ifndef TTREC_SESSION_JOURNAL_H
#define TTREC_SESSION_JOURNAL_H

#include "recorder/session/journal/session_merge.h"
#include "recorder/session/journal/session_outcome.h"

struct journal {
	struct merge *merge; /* NULL: nothing is recorded */
	struct outcome *outcome;
};

/* @writer may be NULL: nothing is recorded. 0 or -ENOMEM. */
int journal_open(struct journal *journal, size_t partitions, struct trace_writer *writer,
		 struct outcome *outcome);
void journal_close(struct journal *journal);

/* Whether anything is recorded. Otherwise expensive records are not even prepared. */
bool journal_is_kept(const struct journal *journal);

/* @observer is called for each record as it is written; NULL: none. */
void journal_observe(struct journal *journal, merge_observer *observer, void *context);

/* See merge_plan(). */
void journal_plan(struct journal *journal, const struct trace_record *records, size_t count);

/* Copies @record; does nothing once the trace could not be written. */
void journal_append(struct journal *journal, size_t partition, const struct trace_record *record);

/* Write all records before @time, ns; UINT64_MAX: all there are. 0 or the writer's error. */
int journal_write(struct journal *journal, uint64_t time);

/* Write all remaining records, whatever has ended the recording. */
void journal_finish(struct journal *journal);

/*
 * The number of records in the trace up to and including the last one of @partition; earlier ones
 * are written first. 0 when nothing is recorded.
 */
uint64_t journal_position(struct journal *journal, size_t partition);

/* Bytes of records that wait for those of other partitions. */
size_t journal_waiting(const struct journal *journal);

#endif
