/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cursor: follows one guest's records and compares the running guest with them. * No scheduler,
 * no devices, no other guest. A record from the guest is awaited and compared; a record to the
 * guest is sent, what a device wrote is written to its memory. The first difference is the
 * divergence.
 */
#ifndef TTREC_CURSOR_H
#define TTREC_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "format/base/diagnosis.h"
#include "format/text/console_compare.h"
#include "format/tttrace.h"
#include "kernel/guest/guest.h"
#include "kernel/instruction/guest_suspects.h"
#include "replayer/cursor/console.h"

struct probe;
struct cursor_report;

#define CURSOR_WHY 192

struct cursor_flip {
	bool wanted;
	uint64_t record, address;
	unsigned int region, bit;
};

/*
 * A visitor examines the guest at a stop: the guest sleeps until it gets its next input.
 */
struct cursor_visitor {
	/* Shall the guest rest before @next? */
	bool (*wants)(struct cursor_visitor *visitor, const struct trace_record *next);
	/*
	 * The guest sleeps before @next; NULL: the replay has ended, and @report says how. Returns
	 * 0 to continue, 1 to end the replay, or -errno with @why.
	 */
	int (*visit)(struct cursor_visitor *visitor, const struct trace_record *next,
		     const struct cursor_report *report, struct diagnosis *why);
	int end_fd; /* once it is readable the replay ends, whatever the guest does; or -1 */
	/*
	 * The visitor debugs the guest from now on. It may stop it for long: that it does nothing
	 * means nothing. Where it trapped, its host's signal frames, which are in its memory, have
	 * the number of the trap (trapno): that memory differs means nothing, either.
	 */
	bool debugs;
};

struct cursor_options {
	uint32_t guest;	     /* index in the trace */
	bool keep_going;     /* compare on after a difference, as far as it makes sense */
	bool compare_memory; /* a digest that differs is a divergence */
	/* Not what was recorded: it may print something else, and have it elsewhere in memory. */
	bool replaced;
	unsigned int instructions; /* a set: searched in the guest's programs at a divergence */
	struct probe
		*probe; /* interrupts are compared; NULL: the records of them are passed over */
	struct cursor_visitor *visitor;	 /* may be NULL */
	struct console_printer *printer; /* where the console is shown; may be NULL */
	uint64_t until_record;		 /* stop before this record; UINT64_MAX: never */
	uint64_t hang_timeout;		 /* ns of wall time to wait for the guest; 0 = forever */
	struct cursor_flip
		flip; /* flip one bit of guest memory before a record: proves that it is found */
};

/* Where the first differing memory block is. */
struct cursor_memory {
	bool differs;
	uint64_t record, now;
	unsigned int region;
	uint64_t address;
	uint32_t block_size;
	bool located;			     /* block hashes identified the block */
	struct memory_difference difference; /* of a located one */
};

/* Holds no pointers into anything: it is handed from one process to another. */
struct cursor_report {
	uint64_t messages, interrupts, digests, digests_unequal;
	bool marked; /* memory was not compared on after the first difference: it was debugged */
	uint64_t probed; /* interrupts that the probe saw, and that were the same */
	uint64_t virtual_ns, wall_ns, recorded_wall_ns;
	uint64_t next_record; /* where it stopped */
	bool diverged, stopped, flipped;
	uint64_t divergences;
	uint64_t record, now; /* of the first divergence */
	char expected[160], got[160];
	struct guest_process process; /* that the guest ran then; without a name: not known */
	struct guest_suspect suspect[GUEST_SUSPECTS_MAX];
	size_t suspects;
	struct cursor_memory memory;
	/* Of a replaced guest: */
	struct console_differences console; /* which end nothing */
	uint64_t records;		    /* of the whole trace, when it diverged */
	char end[64];	/* how the recorded guest ended: "its end by signal 11"; empty */
	char note[256]; /* the recorder's last diagnosis, when the recording ended with one */
	char probe_reason[CURSOR_WHY]; /* why interrupts were not compared to the end; empty */
	char unreplayable[CURSOR_WHY]; /* from here on records do not contain all input of the guest
					*/
	int stop_signal;	       /* that ended the replay with -EINTR, else 0 */
	int trace_error; /* 0, or how reading the trace ended early: -EPIPE, -EBADMSG */
};

/*
 * Follow @reader from its start; @guest is open and has got no message yet. @report says whether
 * the requested bit was flipped. Returns 0 with @report filled, or a negative errno with @why.
 */
int cursor_run(struct trace_reader *reader, struct guest *guest,
	       const struct cursor_options *options, struct cursor_report *report,
	       struct diagnosis *why);

/*
 * Set @why if @record, a meta record, says that its guest cannot be replayed ("replayable=no WHY"),
 * else leave it unchanged.
 */
bool cursor_read_unreplayable(const struct trace_record *record, char why[CURSOR_WHY]);

/*
 * Whether @record, a meta record, says if the interrupts of its guest are in the trace from here on
 * ("probe=1", "probe=0").
 */
bool cursor_read_probed(const struct trace_record *record, bool *probed);

#endif
