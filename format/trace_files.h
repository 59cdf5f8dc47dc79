/* SPDX-License-Identifier: BSD-3-Clause */
/* Embedded files that need not fit into memory: from descriptors, and to them. Not installed. */
#ifndef TTREC_TRACE_FILES_H
#define TTREC_TRACE_FILES_H

#include "format/tttrace.h"

/*
 * As trace_writer_embed, of @size bytes of the file @fd from @offset on, read by the writer's
 * thread: @fd must stay open, and its content as it is, until the writer is closed.
 */
int trace_writer_embed_file(struct trace_writer *writer, const char *path, uint32_t mode, int fd,
			    uint64_t offset, uint64_t size);

/*
 * Write the content of the embedded file @path to @fd, from its position on. In a regular file
 * zeros become holes; @fd -1: it is only checked. The SHA-256 is checked at the end. More than
 * @max_bytes that are not zeros are -EFBIG. Returns 1, 0 when there is no such file, or an error,
 * of writing, too.
 */
int trace_reader_copy(struct trace_reader *reader, const char *path, int fd, uint64_t max_bytes);

/*
 * Write to @output a trace with everything that is in @input, and with what it has in a store. 0,
 * -EINVAL when both are the same file, -ENODATA or -ESTALE when the store is not here or damaged,
 * else as trace_verify and trace_salvage; @report is filled as by trace_verify for @input.
 */
int trace_pack(const char *input, const char *output, struct trace_report *report);

#endif
