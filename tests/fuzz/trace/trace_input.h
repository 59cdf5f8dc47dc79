/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inputs that are traces: files, and mutations of them that a reader does not refuse at once.
 *
 * Bytes of a trace that are changed as they stand are found out by checksums. So a mutator takes a
 * trace apart, changes a part, and puts it together with the right checksums, numbers and chains.
 */
#ifndef TTREC_FUZZ_TRACE_INPUT_H
#define TTREC_FUZZ_TRACE_INPUT_H

#include "format/tttrace.h"
#include "tests/fuzz/fuzz.h"

#define TRACE_INPUT_MAX (1u << 20) /* bytes of a trace that a mutator takes apart */

/* Is it what reading a file may end with, whatever is in that? */
bool trace_input_is_answer(int err);

/* Read a file back. Returns its size, 0 when it is not there or has more than @max bytes. */
size_t trace_input_load(const char *path, uint8_t *data, size_t max);

/*
 * Change the trace of @size bytes at @data, which has room for @max. Each returns the new size; 0
 * when it cannot: it is not a trace, or there is no room.
 */
size_t trace_mutate_chunk(uint8_t *data, size_t size, size_t max, struct fuzz_random *random);
size_t trace_mutate_record(uint8_t *data, size_t size, size_t max, struct fuzz_random *random);

/* One of these, at random, or now and then the bytes as they stand. Never 0 unless @size is. */
size_t trace_mutate(uint8_t *data, size_t size, size_t max, struct fuzz_random *random);

#endif
