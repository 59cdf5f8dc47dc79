/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Merges the records of guests that run at the same time into one order.
 *
 * In a window guests of different partitions run in parallel, and the order in which their records
 * arrive depends on the host. Each partition's records are kept in a strand of their own and go to
 * the trace in the order of (virtual time, partition) once no earlier one can follow, so the trace
 * does not depend on the number of CPUs.
 */
#ifndef TTREC_SESSION_MERGE_H
#define TTREC_SESSION_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "format/tttrace.h"

struct merge;

/* Called for each record when it is written; the record has no number. */
typedef void merge_observer(void *context, const struct trace_record *record);

/* @strands is fixed; with one, records go straight to @writer. */
int merge_create(size_t strands, struct trace_writer *writer, struct merge **merge);
void merge_destroy(struct merge *merge);

void merge_observe(struct merge *merge, merge_observer *observer, void *context);

/*
 * @count records whose times are known in advance, in the order of these times; they stay the
 * caller's. Each is written before the first record that is not earlier, and not at all without
 * one.
 */
void merge_plan(struct merge *merge, const struct trace_record *records, size_t count);

/* Copy @record into @strand; times within a strand never go back. 0 or -errno. */
int merge_add(struct merge *merge, size_t strand, const struct trace_record *record);

/* Write all records before @time, ns; UINT64_MAX: all there are. 0 or the writer's error. */
int merge_write(struct merge *merge, uint64_t time);

/*
 * Write the records of @strand, and of the others what comes before the last of them. 0 or the
 * writer's error.
 */
int merge_write_strand(struct merge *merge, size_t strand);

/* Bytes that are kept, to be bounded by the caller. */
size_t merge_size(const struct merge *merge);

/* Records written so far. */
uint64_t merge_written(const struct merge *merge);

#endif
