/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A directory for a kind of failure: DIR/KIND with trace.zst, lab.yaml and report.html.
 *
 * The failing run is repeated with a trace, which must fail in the same way, and replayed. The
 * directory has another name until it is complete.
 */
#ifndef TTREC_FOUND_H
#define TTREC_FOUND_H

#include "recorder/explore/trial/trial.h"

#define FOUND_REPLAYS 3

struct lab;

struct found_request {
	struct trial trial;	      /* the run that failed */
	struct trial_outcome outcome; /* of it */
	const struct lab *lab;	      /* NULL: a program, or a kernel with arguments */
	const char *directory;	      /* DIR */
	char name[KIND_NAME];	      /* KIND */
};

struct found_result {
	bool same;		/* it failed in the same way again */
	char again[KIND_TEXT];	/* how it ended if not */
	unsigned int replays;	/* that ran, FOUND_REPLAYS where this machine can replay */
	unsigned int identical; /* of them */
	bool kept;		/* DIR/KIND is there */
	char problem[256];	/* what could not be done on this machine; empty */
};

/* A worker_function of a struct found_request; prints what found_read() reads. */
int found_make(void *request);

/* @text is what it printed, @status is that of waitpid(2). */
void found_read(const char *text, int status, struct found_result *result);

#endif
