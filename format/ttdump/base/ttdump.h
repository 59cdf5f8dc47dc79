/* SPDX-License-Identifier: BSD-3-Clause */
/* What the verbs of ttdump share. Each verb is one file, ttdump_VERB.c. */
#ifndef TTREC_TTDUMP_H
#define TTREC_TTDUMP_H

#include <argp.h>
#include <jansson.h>

#include "format/base/cleanup.h"
#include "format/base/diagnosis.h"
#include "format/text/record_text.h"
#include "format/text/trace_open.h"
#include "format/tttrace.h"

/*
 * A verb: @argv[0] is "ttdump VERB". Returns 0 or a negative errno with @diagnosis filled. A wrong
 * command line ends the program inside.
 */
typedef int dump_verb(int argc, char **argv, struct diagnosis *diagnosis);

dump_verb dump_show, dump_stat, dump_diff, dump_export, dump_verify, dump_salvage, dump_extract,
	dump_pack;

static inline void dump_close(struct trace_reader **reader)
{
	trace_reader_close(*reader);
}

#define auto_trace cleanup(dump_close) struct trace_reader

/* Reading @path stopped with @error: say where and why. Returns @error. */
int dump_damaged(const char *path, const struct trace_reader *reader, int error,
		 struct diagnosis *diagnosis);

/* Prints the error and returns -ENOMEM. */
int dump_no_memory(struct diagnosis *diagnosis);

/* Print @object on one line and drop it. */
void dump_json(json_t *object);

#endif
