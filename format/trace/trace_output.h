/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace that is being written: under another name, until it is whole and wanted.
 *
 * PATH.part is written and, when kept, renamed to PATH. So whatever was there stays until then, and
 * what a killed recorder leaves is PATH.part, a trace that ends early. A device or a pipe is
 * written directly.
 */
#ifndef TTREC_TRACE_OUTPUT_H
#define TTREC_TRACE_OUTPUT_H

#define TRACE_OUTPUT_PART ".part"

struct trace_output {
	char *path; /* what @part becomes, symbolic links followed; NULL: nothing is being written
		     */
	char *part; /* what is to be written; @path itself when that is not a regular file */
	int lock;   /* a descriptor of @part, locked against other writers; -1 */
};

/* Zeroed; nothing to be closed. */
#define TRACE_OUTPUT_NONE ((struct trace_output){ .lock = -1 })

/*
 * Prepare to write @path. Returns 0, -EEXIST when it or its part is a file that is not a trace,
 * -EBUSY when another process is writing it, or the error of the host. On error there is nothing to
 * close.
 */
int trace_output_open(const char *path, struct trace_output *output);

/*
 * What was written, and closed, is what @path is from now on. On error it stays where it is. Both
 * do nothing when nothing is open, and leave nothing open.
 */
int trace_output_keep(struct trace_output *output);
void trace_output_discard(struct trace_output *output);

#endif
