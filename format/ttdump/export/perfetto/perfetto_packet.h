/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets of Perfetto's trace format, each written as soon as it is known.
 *
 * A file is a head, then descriptors of tracks, each before what happens on the track, and events
 * in any order of time. Names that come back are interned: the head lists all of them.
 */
#ifndef TTREC_PERFETTO_PACKET_H
#define TTREC_PERFETTO_PACKET_H

#include <stdint.h>
#include <stdio.h>

#include "format/tttrace.h"

struct perfetto_writer {
	FILE *out;
	uint8_t *packed; /* one packet */
	size_t room;
	int err; /* -ENOMEM, and nothing is written any more */
};

/* Names of events beside those of operations (perfetto_operation) and kinds (perfetto_kind). */
enum perfetto_word { WORD_RUN, WORD_WAIT };

/* Numbers of interned names. */
uint64_t perfetto_word(enum perfetto_word word);
uint64_t perfetto_kind(uint32_t kind);
uint64_t perfetto_operation(uint64_t op); /* 0: unknown */

enum perfetto_type { PERFETTO_BEGIN = 1, PERFETTO_END, PERFETTO_INSTANT, PERFETTO_COUNTER };

#define PERFETTO_FLOWS 2

struct perfetto_event {
	uint64_t now; /* ns */
	uint64_t track;
	enum perfetto_type type;
	uint64_t name;	  /* an interned one, or */
	const char *text; /* valid UTF-8 */
	int64_t value;	  /* of a counter */
	/* Its description: all fields of a record, or the number of one. */
	const struct trace_record *record;
	const uint64_t *number;
	const char *peer;      /* a guest, or NULL */
	const uint64_t *bytes; /* or NULL */
	/* Flows that begin here and that end here; each has a number of its own. */
	const uint64_t *begins;
	size_t begin_count;
	uint64_t ends[PERFETTO_FLOWS];
	size_t end_count;
};

struct perfetto_track {
	uint64_t id;	 /* 0 is the whole trace */
	uint64_t parent; /* or 0 */
	const char *name;
	const char *description; /* or NULL */
	int32_t pid;		 /* of a process track: its number, from 1; else 0 */
	enum { PERFETTO_SLICES, PERFETTO_COUNT, PERFETTO_BYTES } shows;
};

/* Identity of the trace and all interned names. Processes are in the order of their numbers. */
void perfetto_head(struct perfetto_writer *writer, const uint8_t uuid[16]);

/* At virtual time 0 the guests' clocks were at @tod, ns since 1970. */
void perfetto_clock(struct perfetto_writer *writer, uint64_t tod);

void perfetto_track(struct perfetto_writer *writer, const struct perfetto_track *track);
void perfetto_event(struct perfetto_writer *writer, const struct perfetto_event *event);

#endif
