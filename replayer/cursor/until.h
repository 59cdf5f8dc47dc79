/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Points of a trace that a replay can stop at: a record, a time, an interrupt, a line of a console.
 *
 *	812  0.41s  irq:5  n2:irq:5  console:REGEX  n2:console:REGEX  +10  +1ms
 *
 * All are found from the trace alone, before or while a guest runs, as the number of a record.
 */
#ifndef TTREC_UNTIL_H
#define TTREC_UNTIL_H

#include "replayer/cursor/replay_guest.h"

enum until_kind { UNTIL_NEVER, UNTIL_RECORD, UNTIL_TIME, UNTIL_INTERRUPT, UNTIL_CONSOLE };

struct until {
	enum until_kind kind;
	const char *text;  /* as it was given; the caller's */
	size_t guest_size; /* bytes of the guest's name at its start; 0: none is named */
	bool ahead;	   /* number of records of the guest, or ns, from its current position */
	uint64_t number;   /* record; time, ns; or which interrupt, from 1 */
	const char *regex; /* in @text */
};

/* Parse @text: 0, or -EINVAL with @why. Does not check whether the point is in the trace. */
int until_parse(const char *text, struct until *until, struct diagnosis *why);

/* From where it is asked. */
struct until_scope {
	const struct replay_guest *guest; /* all of the trace; where none is named, the wanted */
	size_t count;
	uint64_t first; /* no record before this one is meant: it has passed */
	/* For what is ahead: */
	uint64_t now;  /* of the place that it is ahead of, ns */
	uint32_t here; /* whose records are counted */
};

/*
 * Find the record; moves @reader. Returns 0 with *@record set, or -ERANGE with @why saying what
 * there is instead, or another error.
 */
int until_find(const struct until *until, const struct until_scope *scope,
	       struct trace_reader *reader, uint64_t *record, struct diagnosis *why);

#endif
