/* SPDX-License-Identifier: BSD-3-Clause */
/* The device programs of a lab: started in time for its guests, and ended with them. */
#ifndef TTREC_RUN_PROGRAMS_H
#define TTREC_RUN_PROGRAMS_H

#include "recorder/run/run_lab.h"

/*
 * Start those that a guest has devices of and that have a command; the others must run. An untimed
 * one is waited for until it has made its socket. Before the process has threads.
 */
int run_programs_start(const struct run_options *options, struct run_lab *lab,
		       struct diagnosis *why);

/*
 * For `ttrec tap`: all guests are one partition, and have only devices that can be tapped. Before
 * run_programs_start().
 */
int run_programs_tap(struct run_lab *lab, struct diagnosis *why);

/* Register them with the session. After partitions, before devices. */
int run_programs_join(const struct run_options *options, struct run_lab *lab,
		      struct session *session);

/* How many clients they will be in partition @partition. */
uint32_t run_programs_expected(const struct run_lab *lab, size_t partition);

/* ---- Their end (run_programs_end.c) ---------------------------------------------------------- */

/*
 * Ask what was started to end (SIGTERM), and give it some time in which its sockets are still
 * there: to write a capture, for example. To be called while the session exists.
 */
void run_programs_end(struct run_lab *lab);

/* Kill what is left of it, and remove what was made for it. */
void run_programs_stop(struct run_lab *lab);

#endif
