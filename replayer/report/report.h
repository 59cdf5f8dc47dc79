/* SPDX-License-Identifier: BSD-3-Clause */
/* The report of a replay (ttreplay --report): a file for programs, and one for people. */
#ifndef TTREC_REPORT_H
#define TTREC_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "replayer/report/verdict_lab.h"

/*
 * Write the report to @path: JSON if it ends in .json, Markdown if it ends in .md, else both, to
 * @path with these endings.
 */
int report_write(const struct verdict_lab *all, const char *path, struct diagnosis *why);

/* The same to a stream. 0 or -ENOMEM; whether @out could be written is for the caller to see. */
int report_json(const struct verdict_lab *all, FILE *out);
int report_markdown(const struct verdict_lab *all, FILE *out);

#endif
