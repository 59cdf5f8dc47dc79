/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that did not do what the lab has them for, although nothing failed: a guest without the
 * driver for one, a program whose interrupts have no place in virtual time.
 */
#ifndef TTREC_RUN_REPORT_DEVICES_H
#define TTREC_RUN_REPORT_DEVICES_H

#include <jansson.h>
#include <stdio.h>

#include "recorder/report/run_report.h"

/* Two lines for each: what it is, and a hint. */
void run_devices_print(const struct run_report *report, FILE *out);

/* A list of {"what", "hint"}. */
json_t *run_devices_json(const struct run_report *report);

#endif
