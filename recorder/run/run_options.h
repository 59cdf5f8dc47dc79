/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of `ttrec run`, `ttrec tap` and `ttrec serve`. */
#ifndef TTREC_RUN_OPTIONS_H
#define TTREC_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/guest/guest_patches.h"
#include "kernel/guest/guest_replace.h"
#include "format/base/command_line.h"
#include "format/ci/ci_options.h"
#include "recorder/session/session.h"

#define RUN_PATTERNS_MAX 64

enum run_isolation { RUN_ISOLATION_AUTO, RUN_ISOLATION_FULL, RUN_ISOLATION_NONE };
enum keep_policy { KEEP_ALWAYS, KEEP_ON_FAILURE };

struct run_options {
	const char *output; /* path of the trace; NULL: nothing is recorded */
	const char *store;  /* directory for its large files, "none"; NULL: the default */
	bool output_given;
	const char *socket;   /* of serve and tap */
	const char *upstream; /* of tap: the scheduler's socket */
	const char *net;      /* of serve: where network cards connect; NULL */
	uint64_t net_delay;   /* ns, from guest to guest */
	struct session_options session;
	uint64_t id;
	int isolation;		 /* enum run_isolation; -1: not said */
	unsigned int wanted;	 /* ISOLATION_* parts, from @isolation */
	bool isolation_required; /* --isolation=full: less is an error */
	int cpu;		 /* -1: run takes the one it is started on, serve does not pin */
	const char *work_cost;	 /* virtual time of work, see guest_patches.h; NULL: not said */
	char work_cost_whole[GUEST_WORK_TEXT]; /* what @work_cost points at once it is settled */
	bool work_cost_given;		       /* by the user, here or in the lab */
	unsigned int cpus; /* number of CPUs, from that one on, for the partitions of a lab */
	const char *lab;   /* path of the lab file; NULL: one guest */
	const char *root;  /* path of the one guest's root file system; NULL */
	const char *expect[RUN_PATTERNS_MAX + 1];
	const char *fail_on[RUN_PATTERNS_MAX + 1];
	const char *allow_line[RUN_PATTERNS_MAX + 1];
	const char *allow[RUN_PATTERNS_MAX + 1];
	enum keep_policy keep;
	bool no_embed, embed_disks, quiet, json;
	struct ci_options ci;
	bool probe; /* record interrupts too */
	/* A trace to re-record, or NULL; and what to replace */
	const char *rerecord;
	const char *replace[GUEST_PARTS][RUN_PATTERNS_MAX + 1]; /* [NAME=]FILE */
	const char *disks[RUN_PATTERNS_MAX + 1];		/* [NAME[:N]=]FILE */
	uint64_t until_record, until_time; /* compared as far as this; UINT64_MAX: to the end */
	uint64_t max_memory;		   /* bytes for all that it takes; 0: what is available */
	bool trust;			   /* it may run commands, and where it is not locked in */
	/* KERNEL and its arguments, or PROGRAM and its until guest_program.c settles that; NULL */
	char *const *kernel;
	bool quoted;	       /* "--" is in front of it */
	const char *misplaced; /* an option of ours among the words behind it, or NULL */
	const char *add[RUN_PATTERNS_MAX + 1];	  /* FILE[:/PATH] beside it */
	const char *append[RUN_PATTERNS_MAX + 1]; /* arguments of its guest's kernel */
	const char *share[RUN_PATTERNS_MAX + 1];  /* DIRECTORY[:TAG[:WRITE]] for a guest */
	uint64_t memory;			  /* of its guest, bytes; 0: not said */
	const char *program;			  /* that the guest runs, as it was named; NULL */
	struct {
		int fd;		 /* its initial file system; -1 */
		char initrd[32]; /* the path of that; empty: there is none */
		char memory[32]; /* mem= */
		char *kernel;
		char *shares; /* an argument, or NULL */
		/* Kernel, memory, those of @append, @shares; ends with NULL. */
		char *words[RUN_PATTERNS_MAX + 4];
		char *root;	   /* where the root file system is */
		char **root_words; /* as words, with those of the user */
	} packed;
};

/* A number that was not given: the lab file's counts, else the default. */
#define RUN_UNSET UINT64_MAX

/* Words for values of enums; each list ends with NULL. */
extern const char *const run_grant_names[], *const run_isolation_names[];

struct lab;

/* Settings in neither the command line nor @lab (may be NULL) get their defaults. */
void run_options_settle(struct run_options *options, const struct lab *lab);

/*
 * Tables of options: of guests, of those that schedule, limits; and what reads the other words and
 * checks both. For commands whose options are more than those of `ttrec run`, whose input begins
 * with struct run_options.
 */
extern const struct option_row run_guest_rows[], run_schedule_rows[], run_limit_rows[];
void run_options_defaults(struct run_options *options);
void run_take_guest_words(char *text, void *input, struct argp_state *state);
void run_options_check_guests(struct run_options *options, struct argp_state *state);

/* rerecord_options.c: those of --rerecord. */
extern const struct option_row rerecord_rows[];
void rerecord_options_check(const struct run_options *options, struct argp_state *state);

/* Parse; on a usage error prints it and exits with EXIT_USAGE, as argp does. */
void run_options_parse(int argc, char **argv, struct run_options *options);
void tap_options_parse(int argc, char **argv, struct run_options *options);
void serve_options_parse(int argc, char **argv, struct run_options *options);

#endif
