/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What went wrong, carried from where it happened up to the command that prints it.
 *
 * A function that can fail in a way a user has to understand takes a `struct diagnosis *` as its
 * last argument, fills it with diagnose() and returns the negative errno that diagnose() hands
 * back. Only the command prints, once: "ttrec: WHAT\n  to do: ADVICE".
 */
#ifndef TTREC_DIAGNOSIS_H
#define TTREC_DIAGNOSIS_H

/* Exit status of ttrec, ttreplay and ttdump; the numbers are documented and stable. */
enum exit_status {
	EXIT_IDENTICAL = 0, /* identical, or recorded and passed */
	EXIT_DIVERGED = 1,  /* the replay diverged, or the guest failed */
	EXIT_USAGE = 2,	    /* the command line is wrong */
	EXIT_DAMAGED = 3,   /* the trace is damaged or ends early */
	EXIT_CANNOT = 4,    /* this machine or this kernel cannot do it */
	EXIT_PROTOCOL = 5,  /* a guest or participant broke the protocol or hung */
};

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

/* Print "COMMAND: what" and the advice to stderr; returns the exit status to leave with. */
int diagnosis_print(const struct diagnosis *diagnosis, const char *command);

#endif
