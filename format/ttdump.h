/* SPDX-License-Identifier: BSD-3-Clause */
/* What the verbs of ttdump share. Each verb is one file, ttdump_VERB.c. */
#ifndef TTREC_TTDUMP_H
#define TTREC_TTDUMP_H

#include <argp.h>
#include <jansson.h>

#include "format/cleanup.h"
#include "format/diagnosis.h"
#include "format/tttrace.h"

/*
 * A verb: @argv[0] is "ttdump VERB". Returns 0 or a negative errno with @diagnosis filled. A wrong
 * command line ends the program inside.
 */
typedef int dump_verb(int argc, char **argv, struct diagnosis *diagnosis);

dump_verb dump_show, dump_stat, dump_verify, dump_salvage, dump_extract;

static inline void dump_close(struct trace_reader **reader)
{
	trace_reader_close(*reader);
}

#define auto_trace cleanup(dump_close) struct trace_reader

/* Open a trace, or say why not. */
int dump_open(const char *path, struct trace_reader **reader, struct diagnosis *diagnosis);

/* Reading @path stopped with @error: say where and why. Returns @error. */
int dump_damaged(const char *path, const struct trace_reader *reader, int error,
		 struct diagnosis *diagnosis);

/* One record as a line of text, and as a JSON object with stable keys (a new reference). */
void dump_record_text(const struct trace_record *record, FILE *out);
json_t *dump_record_json(const struct trace_record *record);

/* The fields of a record of a device or an interrupt; false: it is none, nothing was printed. */
bool dump_device_text(const struct trace_record *record, FILE *out);

/* Print @object on one line and drop it. */
void dump_json(json_t *object);

/* "6ba7b810-9dad-41d1-80b4-00c04fd430c8" */
#define DUMP_UUID_TEXT 37
const char *dump_uuid_text(const uint8_t uuid[16], char text[DUMP_UUID_TEXT]);

/* Lower-case hex digits of @size bytes and a NUL. */
void dump_hex_text(const uint8_t *data, size_t size, char *text);

#endif
