/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `ttrec doctor` finds: a list that each part of it adds to and that is printed at the end.
 *
 * Order of calls: doctor_read_host(), then the doctor_check_* functions, then doctor_print_*().
 */
#ifndef TTREC_DOCTOR_H
#define TTREC_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "format/base/diagnosis.h"
#include "kernel/sandbox/host_checks.h"
#include "kernel/sandbox/sandbox.h"

enum check_level {
	CHECK_OK,
	CHECK_NOTE,    /* good to know */
	CHECK_WARNING, /* a recording is possible; something may go wrong */
	CHECK_MISSING, /* full isolation is not possible */
};

struct check {
	enum check_level level;
	const char *name; /* "pid namespace": what was looked at; a literal */
	char *text;	  /* what it is, or what is lost; may be empty */
	char *why;	  /* may be NULL */
	char *advice;	  /* may be NULL */
};

struct checks {
	struct check *item;
	size_t count;
	bool failed; /* out of memory: the list is incomplete */
};

/* Add a check; its texts are copied. @why and @advice may be NULL. */
void checks_add(struct checks *checks, enum check_level level, const char *name, const char *why,
		const char *advice, const char *format, ...) __attribute__((format(printf, 6, 7)));
bool checks_miss_something(const struct checks *checks);
void checks_free(struct checks *checks);

/* The host: its settings, and the results of trials. */
struct doctor_host {
	struct host_settings settings;
	int trial[HOST_TRIAL_COUNT]; /* 0 or -errno */
};

void doctor_read_host(struct doctor_host *host);

struct doctor_cause {
	const char *why, *advice;
};

/*
 * Why ISOLATION_* part @part does not hold on @host and what to do: the first cause that fits, else
 * NULL. Depends on @host only.
 */
const struct doctor_cause *doctor_explain(enum isolation_part part, const struct doctor_host *host);

/* What the machine is: Linux, CPUs, container. */
void doctor_check_machine(const struct doctor_host *host, struct checks *checks);

/* Open a sandbox, run ttrec itself in it, and return the parts of the isolation that held in
 * *@isolation. */
void doctor_check_isolation(const struct doctor_host *host, struct checks *checks,
			    unsigned int *isolation);

/* What a guest and its recorder need besides isolation. */
void doctor_check_needs(const struct doctor_host *host, unsigned int isolation,
			struct checks *checks);

/*
 * Check whether the file @kernel is a kernel that can be recorded. Starts it up to its first
 * message.
 */
void doctor_check_kernel(const char *kernel, struct checks *checks);

/*
 * Print the instructions that read processor state (kernel/instruction/instruction.h) in all
 * programs and libraries in @path, a file, a directory or an archive.
 */
int doctor_list_instructions(const char *path, bool json, struct diagnosis *why);

void doctor_print_text(const struct checks *checks, unsigned int isolation);
/* Returns 0 or -ENOMEM. */
int doctor_print_json(const struct checks *checks, unsigned int isolation, int status);

#endif
