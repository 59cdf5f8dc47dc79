/* SPDX-License-Identifier: BSD-3-Clause */
/* The shares of a guest without a lab file: --share DIRECTORY[:TAG[:WRITE]]. */
#ifndef TTREC_RUN_SHARES_H
#define TTREC_RUN_SHARES_H

#include "format/base/diagnosis.h"
#include "format/tttrace.h"
#include "recorder/lab/lab.h"
#include "recorder/run/run_options.h"

/* Where the guest of a program has them, each in a directory with its tag as name. */
#define RUN_SHARES_VARIABLE "ttrec_shares"

/* Add those of @options to @lab, if it has no file, and check whether a trace may have its own. */
int run_shares_add(const struct run_options *options, struct lab *lab, struct diagnosis *why);

/* "ttrec_shares=TAG:TAG", for the init of a program's guest; NULL with 0: no shares. */
int run_shares_argument(const struct run_options *options, char **argument, struct diagnosis *why);

/* As options, with absolute paths, for a later recording. */
int run_shares_write(const struct lab *lab, struct trace_writer *writer);

#endif
