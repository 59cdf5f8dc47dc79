/* SPDX-License-Identifier: BSD-3-Clause */
/* gdb on a guest that is replayed: started where the guest rests, asked how far it may go. */
#ifndef TTREC_DEBUGGER_H
#define TTREC_DEBUGGER_H

#include "replayer/cursor/replay_guest.h"

struct debugger;

/* Is there a gdb, and has it Python? Nothing is started but that. */
int debugger_check(struct diagnosis *why);

struct debugger_options {
	const char *trace;
	const struct replay_guest *guests; /* of the trace, all of them */
	size_t count;
	const struct replay_guest *replayed; /* the one of them that is debugged, and as it runs */
	struct guest *guest;
	char *const *arguments; /* more for gdb, NULL-terminated; NULL */
};

/* Nothing is started yet; what @options points to must stay. NULL: out of memory. */
struct debugger *debugger_create(const struct debugger_options *options);

/* Ends gdb if it still runs, and takes its files away. */
void debugger_destroy(struct debugger *debugger);

/* Does gdb run? Then the guest comes to @next: is it to be held before it? */
bool debugger_runs(const struct debugger *debugger);
bool debugger_pass(struct debugger *debugger, const struct trace_record *next);

/*
 * Hold the guest, which sleeps before @next, until gdb resumes it; the first time gdb is started.
 * @text: nothing comes any more, and why; gdb can only be left then. Returns 0 to go on, 1 when
 * gdb has ended, or -errno with @why.
 */
int debugger_hold(struct debugger *debugger, const struct trace_record *next, const char *text,
		  struct diagnosis *why);

/* Readable once gdb has ended. */
int debugger_end_fd(const struct debugger *debugger);

#endif
