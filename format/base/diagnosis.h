/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What went wrong, carried from where it happened up to the command that prints it.
 *
 * A function that can fail in a way a user has to understand takes a `struct diagnosis *` as its
 * last argument, fills it with diagnose() and returns the negative errno that diagnose() hands
 * back. Only the command prints, once: "ttrec: WHAT\n  hint: ADVICE".
 */
#ifndef TTREC_DIAGNOSIS_H
#define TTREC_DIAGNOSIS_H

/*
 * Exit status of ttrec, ttreplay and ttdump; the numbers are documented (ttrec(7)) and stable. With
 * EXIT_STATUS_HELP, exit_status_of_file() and EXIT STATUS in ttrec(7) this is the one table of
 * them.
 */
enum exit_status {
	EXIT_IDENTICAL = 0, /* identical, or recorded and passed */
	EXIT_DIVERGED = 1,  /* the replay diverged, or the guest failed */
	EXIT_USAGE = 2,	   /* the command line is invalid, or a file that it names does not exist */
	EXIT_DAMAGED = 3,  /* the trace is damaged or ends early */
	EXIT_CANNOT = 4,   /* this machine or this kernel cannot do it */
	EXIT_PROTOCOL = 5, /* a guest or participant broke the protocol or hung */
};

/* At the end of --help. */
#define EXIT_STATUS_HELP                                                                           \
	"Exit status: 0 success, 1 failed, diverged or different, 2 the command line is invalid "  \
	"or a "                                                                                    \
	"file does not exist, 3 the trace is damaged or ends early, 4 this machine cannot do it, " \
	"5 a guest or client broke the protocol or hung, 128+N stopped by signal N."

/*
 * The status of a command that cannot open, read or write a file named by its user, for this
 * negative errno: EXIT_USAGE if another name would help, EXIT_DAMAGED for a damaged trace, else
 * EXIT_CANNOT.
 */
enum exit_status exit_status_of_file(int error);

struct diagnosis {
	char what[512];	  /* what failed, on what, and why; no newline at the end */
	char advice[512]; /* what to do about it; may be empty */
	int status;	  /* an enum exit_status, 0 while nothing failed */
};

/*
 * Fill @diagnosis (may be NULL) and return @error unchanged, so that a caller can write
 * `return diagnose(d, EXIT_CANNOT, -errno, "advice", "cannot open %s: %s", path, strerror(errno))`.
 * @advice may be NULL.
 */
int diagnose(struct diagnosis *diagnosis, enum exit_status status, int error, const char *advice,
	     const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * The status for @error of reading a trace: only -EBADMSG and -EPIPE are about the trace, all
 * others about this machine; a trace is not called damaged for lack of memory.
 */
enum exit_status diagnosis_trace_status(int error);

/* @error of reading a trace if the host caused it; 0 if the trace did. */
int diagnosis_host_error(int error);

/* A hint for @error if the host lacks a resource; else NULL. */
const char *diagnosis_shortage(int error);

/* Print "COMMAND: what" and the advice to stderr; returns the exit status to leave with. */
int diagnosis_print(const struct diagnosis *diagnosis, const char *command);

#endif
