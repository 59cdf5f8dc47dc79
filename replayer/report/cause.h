/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Possible causes of a divergence: what is known to make guests differ (docs/architecture.md,
 * Isolation), checked for this recording and this machine.
 */
#ifndef TTREC_CAUSE_H
#define TTREC_CAUSE_H

#include "replayer/cursor/replay_guest.h"

#define CAUSES_MAX 8

/*
 * All causes: code and wording. The codes are stable: ttreplay(1) lists them, programs and tests
 * compare them.
 */
#define CAUSES(X)                                                                                 \
	X(FLIPPED_BIT, "flipped-bit", "a bit of its memory was flipped on purpose")               \
	X(REPLACED, "replaced", "it is not what was recorded")                                    \
	X(ALLOWED_ARGUMENT, "allowed-argument",                                                   \
	  "it used unrecorded interfaces of the recording machine")                               \
	X(OTHER_MODEL, "other-processor-model", "different processor model")                      \
	X(VIRTUAL_CPU, "virtual-cpu", "programs see another processor than when it was recorded") \
	X(OTHER_CPU, "other-cpu", "it runs on a different CPU")                                   \
	X(OTHER_CPUID, "other-cpuid", "CPUID differs")                                            \
	X(SILENT, "silent", "it runs forever, or this machine is too slow")                       \
	X(KILLED, "killed", "it was killed by this machine")                                      \
	X(RECORDED_ISOLATION, "recorded-isolation",                                               \
	  "the recording's sandbox was not fully isolated")                                       \
	X(REPLAY_ISOLATION, "replay-isolation",                                                   \
	  "the sandbox here is less isolated than the recording's")                               \
	X(RANDOM_KEPT, "random-numbers", "random numbers that were not recorded")                 \
	X(PROCESSOR_KEPT, "processor-identification", "processor identification")                 \
	X(TIME_KEPT, "host-time", "time other than virtual time")                                 \
	X(ADDRESS_KEPT, "host-addresses", "addresses or process ids of the host")                 \
	X(FILE_KEPT, "host-files", "files or devices of the host")                                \
	X(COUNTER, "time-stamp-counter",                                                          \
	  "a program in the guest read the processor's time stamp counter")                       \
	X(RANDOM, "processor-random",                                                             \
	  "a program in the guest used the processor's random numbers")                           \
	X(IDENTITY, "processor-identity", "a program in the guest used cpuid or rdpid")           \
	X(UNKNOWN, "unknown", "unknown: probably an interface that is not recorded")

enum cause_kind {
#define CAUSE(name, code, what) CAUSE_##name,
	CAUSES(CAUSE)
#undef CAUSE
};

struct cause {
	enum cause_kind kind;
	char evidence[320]; /* the evidence */
	char advice[320];   /* what to do about it */
};

/*
 * The causes that have evidence, the strongest first: at least one, the last of which may be
 * that nothing known does. Returns how many.
 */
size_t causes_find(const struct replay_guest *guest, struct cause causes[CAUSES_MAX]);

/* "other-cpu", and "it runs on a different CPU" */
const char *cause_code(enum cause_kind kind);
const char *cause_text(enum cause_kind kind);

#endif
