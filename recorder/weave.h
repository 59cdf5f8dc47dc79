/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Merges the records of guests that run in parallel.
 *
 * In a window guests of different partitions run in parallel, and their records arrive in an order
 * that depends on the host. Each partition's records are kept in a strand of their own and go to
 * the trace in the order of (virtual time, island) once nothing earlier can come any more: the
 * trace is the same whatever the number of CPUs.
 */
#ifndef TTREC_WEAVE_H
#define TTREC_WEAVE_H

#include <stddef.h>
#include <stdint.h>

#include "format/tttrace.h"

struct weave;

/* Told of each record as it is written; it has no number. */
typedef void weave_observer(void *context, const struct trace_record *record);

/* @strands is fixed; with one, records go straight to @writer. */
int weave_create(size_t strands, struct trace_writer *writer, struct weave **weave);
void weave_destroy(struct weave *weave);

void weave_observe(struct weave *weave, weave_observer *observer, void *context);

/* Copy @record into @strand; times within a strand never go back. 0 or -errno. */
int weave_add(struct weave *weave, size_t strand, const struct trace_record *record);

/* Write all records before @time, ns; UINT64_MAX: all there are. 0 or the writer's error. */
int weave_write(struct weave *weave, uint64_t time);

/* Bytes that are kept, to be bounded by the caller. */
size_t weave_size(const struct weave *weave);

/* Records written so far. */
uint64_t weave_written(const struct weave *weave);

#endif
