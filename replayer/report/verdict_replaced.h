/* SPDX-License-Identifier: BSD-3-Clause */
/* The verdict on a guest that was replayed with another kernel or initrd. */
#ifndef TTREC_VERDICT_REPLACED_H
#define TTREC_VERDICT_REPLACED_H

#include "replayer/report/verdict.h"

/* Is it such a guest? */
bool verdict_is_replaced(const struct verdict *verdict);

/* "agrees up to record 812 (t=0.41 s), of 2,314: then X instead of Y", and what one can do. */
void verdict_print_difference(const struct verdict *verdict, FILE *out);

/* The keys of both in the verdict's object. 0 or -1. */
int verdict_add_replaced(const struct verdict *verdict, json_t *json);

#endif
