/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compares a recording with the one that it repeats, record by record as it is written: up to the
 * first difference both are equal, from there on it continues live.
 */
#ifndef TTREC_RERECORD_COMPARE_H
#define TTREC_RERECORD_COMPARE_H

#include <jansson.h>

#include "format/text/console_compare.h"
#include "recorder/rerecord/rerecord.h"

enum rerecord_outcome {
	RERECORD_AGREES, /* as far as both go, or to where it was to be compared */
	RERECORD_DIVERGED,
	RERECORD_DAMAGED, /* the old trace cannot be read any further */
};

struct rerecord_result {
	enum rerecord_outcome outcome;
	bool stopped; /* it was to be compared no further, or the new one was stopped */
	bool ended;   /* the old one, while the new one went on */
	uint64_t compared;
	uint64_t record, now; /* in the old trace: the last equal one, or the first difference */
	uint64_t records;     /* of the old trace; only if they diverged */
	char guest[64];	      /* whose record that is */
	char difference[400]; /* "X instead of Y" */
	char share[64];	      /* the share whose answer that is; empty: none */
	struct console_differences console; /* of guests with another kernel or initrd */
	/* Why memory was not compared, or empty; of several guests, that of the first one */
	char memory_reason[192], memory_guest[64];
};

struct rerecord_compare;

/* Of the guests of @lab, which are open. 0 or -ENOMEM. */
int rerecord_compare_create(const struct run_options *options, struct rerecord *rerecord,
			    const struct run_lab *lab, struct rerecord_compare **compare);
void rerecord_compare_destroy(struct rerecord_compare *compare);

/* @record was written: a session_observer. */
void rerecord_compare_record(void *compare, const struct trace_record *record);

/* No more comes. @stopped: because the new recording was stopped from outside. */
const struct rerecord_result *rerecord_compare_finish(struct rerecord_compare *compare,
						      bool stopped);

/* Print lines for the end of the report. @trace is the path of the old trace. */
void rerecord_report_print(const struct rerecord_result *result, const char *trace, FILE *out);

/* An object (a new reference); NULL: out of memory. */
json_t *rerecord_report_json(const struct rerecord_result *result, const char *trace);

#endif
