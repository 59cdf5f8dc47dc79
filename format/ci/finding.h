/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a recording or a replay found: failures, warnings, what was not compared, possible causes.
 *
 * A verdict is a list of findings. Its codes are stable: ttrec(7) lists them, programs and tests
 * compare them. One renderer for each of text, JSON and (markdown_finding()) Markdown.
 */
#ifndef TTREC_FINDING_H
#define TTREC_FINDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "format/base/diagnosis.h"

enum finding_severity {
	FINDING_FAILURE,      /* of what was recorded or replayed */
	FINDING_SHORTAGE,     /* this machine cannot do it, or lacks a resource: no verdict */
	FINDING_WARNING,      /* worth a look */
	FINDING_NOT_COMPARED, /* the verdict does not cover this */
	FINDING_CAUSE,	      /* a possible cause of a divergence */
};

/* X(name, code, severity, exit status where it decides one, meaning) */
#define FINDINGS(X)                                                                                \
	/* Why a recording failed */                                                               \
	X(PROGRAM_STATUS, "program-status", FAILURE, EXIT_DIVERGED,                                \
	  "the program ended with an exit status other than 0")                                    \
	X(PROGRAM_SIGNAL, "program-signal", FAILURE, EXIT_DIVERGED, "a signal killed the program") \
	X(PROGRAM_NOT_RUN, "program-not-run", FAILURE, EXIT_DIVERGED,                              \
	  "the program could not be run")                                                          \
	X(PROGRAM_UNFINISHED, "program-unfinished", FAILURE, EXIT_DIVERGED,                        \
	  "the guest went down before the program ended")                                          \
	X(CONSOLE_LINE, "console-line", FAILURE, EXIT_DIVERGED,                                    \
	  "a console line counts as a failure")                                                    \
	X(TEST_FAILED, "test-failed", FAILURE, EXIT_DIVERGED,                                      \
	  "a test in the guest reported not ok (only in reports for a CI)")                        \
	X(LINE_MISSING, "line-missing", FAILURE, EXIT_DIVERGED,                                    \
	  "no console line matches a pattern of --expect")                                         \
	X(GUEST_REBOOT, "guest-reboot", FAILURE, EXIT_DIVERGED,                                    \
	  "the guest rebooted instead of powering off")                                            \
	X(GUEST_LIMIT, "guest-limit", FAILURE, EXIT_DIVERGED,                                      \
	  "the guest exceeded a limit of its sandbox")                                             \
	X(GUEST_SIGNAL, "guest-signal", FAILURE, EXIT_DIVERGED, "a signal killed the guest")       \
	X(GUEST_STATUS, "guest-status", FAILURE, EXIT_DIVERGED,                                    \
	  "the guest ended with an exit status other than 0")                                      \
	X(GUEST_SILENT, "guest-silent", FAILURE, EXIT_DIVERGED,                                    \
	  "the guest ended before its first message")                                              \
	X(GUEST_KILLED, "guest-killed", SHORTAGE, EXIT_CANNOT, "this machine killed the guest")    \
	X(DEVICE_LOST, "device-lost", FAILURE, EXIT_PROTOCOL,                                      \
	  "a device of a guest was closed because of an error")                                    \
	X(ALL_ASLEEP, "all-asleep", FAILURE, EXIT_DIVERGED, "all clients sleep forever")           \
	X(LIMIT_VIRTUAL, "limit-virtual", FAILURE, EXIT_DIVERGED,                                  \
	  "the limit of virtual time was reached")                                                 \
	X(LIMIT_WALL, "limit-wall", FAILURE, EXIT_DIVERGED, "the limit of wall time was reached")  \
	X(NO_PROGRESS, "no-progress", FAILURE, EXIT_PROTOCOL,                                      \
	  "a guest or client sends no message, or virtual time does not pass")                     \
	X(PROTOCOL, "protocol", FAILURE, EXIT_PROTOCOL, "a guest or client broke the protocol")    \
	X(STOPPED, "stopped", FAILURE, EXIT_DIVERGED, "a signal stopped the command")              \
	X(TRACE_NOT_WRITTEN, "trace-not-written", SHORTAGE, EXIT_CANNOT,                           \
	  "the trace could not be written")                                                        \
	/* Of each command: one for each exit status of an error */                                \
	X(USAGE, "usage", FAILURE, EXIT_USAGE,                                                     \
	  "the command line is invalid, or a file that it names does not exist")                   \
	X(DAMAGED, "damaged", FAILURE, EXIT_DAMAGED, "the trace is damaged or ends early")         \
	X(HOST, "host", SHORTAGE, EXIT_CANNOT,                                                     \
	  "this machine or this kernel cannot do it, or a resource is short")                      \
	/* What a recording also found */                                                          \
	X(CONSOLE_WARNING, "console-warning", WARNING, EXIT_IDENTICAL,                             \
	  "console lines that are worth a warning")                                                \
	X(KERNEL_MESSAGE, "kernel-message", WARNING, EXIT_IDENTICAL,                               \
	  "the guest's kernel reported a problem with a known remedy")                             \
	X(DEVICE_UNUSED, "device-unused", WARNING, EXIT_IDENTICAL,                                 \
	  "a guest has no driver for a device of the lab")                                         \
	X(PROGRAM_UNTIMED, "program-untimed", WARNING, EXIT_IDENTICAL,                             \
	  "a device program interrupted guests by the clock of the host")                          \
	X(SHARE_INCOMPLETE, "share-incomplete", WARNING, EXIT_IDENTICAL,                           \
	  "files of a shared directory could not be read, or changed during the run")              \
	X(MEMORY_NOT_HASHED, "memory-not-hashed", NOT_COMPARED, EXIT_IDENTICAL,                    \
	  "memory could not be hashed at some WAITs")                                              \
	X(INTERRUPTS_INCOMPLETE, "interrupts-incomplete", NOT_COMPARED, EXIT_IDENTICAL,            \
	  "the interrupt probe missed some")                                                       \
	/* What a replay found */                                                                  \
	X(DIVERGED, "diverged", FAILURE, EXIT_DIVERGED,                                            \
	  "the guest did something else than in the recording")                                    \
	X(NOT_REPLAYABLE, "not-replayable", SHORTAGE, EXIT_CANNOT,                                 \
	  "the recording of this guest lacks what a replay needs")                                 \
	X(NOTHING_COMPARED, "nothing-compared", SHORTAGE, EXIT_CANNOT,                             \
	  "the recording ended before the first message of the guest")                             \
	X(NOT_STARTED, "not-started", SHORTAGE, EXIT_CANNOT,                                       \
	  "the replay ended before this guest was started")                                        \
	X(MEMORY_NOT_COMPARED, "memory-not-compared", NOT_COMPARED, EXIT_IDENTICAL,                \
	  "messages were compared, the guest's memory was not")                                    \
	X(INTERRUPTS_NOT_COMPARED, "interrupts-not-compared", NOT_COMPARED, EXIT_IDENTICAL,        \
	  "interrupts that the probe recorded were not compared")                                  \
	/* Possible causes of a divergence */                                                      \
	X(FLIPPED_BIT, "flipped-bit", CAUSE, EXIT_IDENTICAL,                                       \
	  "a bit of its memory was flipped on purpose")                                            \
	X(REPLACED, "replaced", CAUSE, EXIT_IDENTICAL, "it is not what was recorded")              \
	X(ALLOWED_ARGUMENT, "allowed-argument", CAUSE, EXIT_IDENTICAL,                             \
	  "it used unrecorded interfaces of the recording machine")                                \
	X(OTHER_MODEL, "other-processor-model", CAUSE, EXIT_IDENTICAL,                             \
	  "different processor model")                                                             \
	X(VIRTUAL_CPU, "virtual-cpu", CAUSE, EXIT_IDENTICAL,                                       \
	  "programs see another processor than when it was recorded")                              \
	X(OTHER_CPU, "other-cpu", CAUSE, EXIT_IDENTICAL, "it runs on a different CPU")             \
	X(OTHER_CPUID, "other-cpuid", CAUSE, EXIT_IDENTICAL, "CPUID differs")                      \
	X(SILENT, "silent", CAUSE, EXIT_IDENTICAL, "it runs forever, or this machine is too slow") \
	X(KILLED, "killed", CAUSE, EXIT_IDENTICAL, "it was killed by this machine")                \
	X(RECORDED_ISOLATION, "recorded-isolation", CAUSE, EXIT_IDENTICAL,                         \
	  "the recording's sandbox was not fully isolated")                                        \
	X(REPLAY_ISOLATION, "replay-isolation", CAUSE, EXIT_IDENTICAL,                             \
	  "the sandbox here is less isolated than the recording's")                                \
	X(RANDOM_KEPT, "random-numbers", CAUSE, EXIT_IDENTICAL,                                    \
	  "random numbers that were not recorded")                                                 \
	X(PROCESSOR_KEPT, "processor-identification", CAUSE, EXIT_IDENTICAL,                       \
	  "processor identification")                                                              \
	X(TIME_KEPT, "host-time", CAUSE, EXIT_IDENTICAL, "time other than virtual time")           \
	X(ADDRESS_KEPT, "host-addresses", CAUSE, EXIT_IDENTICAL,                                   \
	  "addresses or process ids of the host")                                                  \
	X(FILE_KEPT, "host-files", CAUSE, EXIT_IDENTICAL, "files or devices of the host")          \
	X(COUNTER, "time-stamp-counter", CAUSE, EXIT_IDENTICAL,                                    \
	  "a program in the guest read the processor's time stamp counter")                        \
	X(RANDOM, "processor-random", CAUSE, EXIT_IDENTICAL,                                       \
	  "a program in the guest used the processor's random numbers")                            \
	X(IDENTITY, "processor-identity", CAUSE, EXIT_IDENTICAL,                                   \
	  "a program in the guest used cpuid or rdpid")                                            \
	X(UNKNOWN, "unknown", CAUSE, EXIT_IDENTICAL,                                               \
	  "unknown: probably an interface that is not recorded")

enum finding_code {
#define FINDING(name, code, severity, status, meaning) FOUND_##name,
	FINDINGS(FINDING)
#undef FINDING
		FINDING_CODES
};

struct finding_info {
	const char *code;
	enum finding_severity severity;
	enum exit_status status; /* of a command that found this first */
	const char *meaning;
};

const struct finding_info *finding_info(enum finding_code code);

/* What stands before its text: "why", "warnings", "memory", "possible cause". */
const char *finding_label(enum finding_code code);

/* The code of an error with this exit status: usage, damaged, host, protocol. */
enum finding_code finding_code_of_status(int status);

struct finding {
	enum finding_code code;
	char guest[64]; /* whose it is; empty: of all */
	uint64_t now;	/* virtual ns */
	uint64_t id;	/* of the guest: at equal times, the order of findings */
	char text[640]; /* what was found, in one printable line */
	char hint[512]; /* what to do about it; may be empty */
};

/* Zeroed at the beginning. */
struct findings {
	struct finding *list;
	size_t count;
};

/*
 * Add one; @guest and @hint may be NULL. Returns it, to be used until the next one is added. NULL:
 * out of memory, and the output is incomplete (output_incomplete()).
 */
struct finding *findings_add(struct findings *found, enum finding_code code, const char *guest,
			     uint64_t now, const char *hint, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
void findings_release(struct findings *found);

bool finding_is_failure(const struct finding *finding);

/* The first failure or shortage: why a command ends with a status other than 0; NULL: none. */
const struct finding *findings_failure(const struct findings *found);

/* Order those from number @first on by time and id. */
void findings_sort(struct findings *found, size_t first);

/* "TEXT [CODE]" */
#define FINDING_LINE 704
const char *finding_line(const struct finding *finding, char line[FINDING_LINE]);

/*
 * "  LABEL: TEXT [CODE]", and the hint on a line of its own; @label NULL: finding_label(). Of a
 * possible cause the meaning of its code comes first, and the text is the evidence.
 */
void finding_print(FILE *out, const struct finding *finding, const char *label);

/* An array of all of them. */
json_t *findings_json(const struct findings *found);

#endif
