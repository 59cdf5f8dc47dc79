/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Devices that did not do what the lab has them for, although nothing failed: a guest without the
 * driver for one, a program whose interrupts have no place in virtual time, a shared directory with
 * files that could not be read.
 */
#ifndef TTREC_RUN_JUDGE_DEVICES_H
#define TTREC_RUN_JUDGE_DEVICES_H

#include "recorder/report/run_report.h"

void run_judge_devices(const struct run_report *report, struct findings *found);

#endif
