/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of values in records, in addition to the table of kinds. */
#ifndef TTREC_RECORD_NAMES_H
#define TTREC_RECORD_NAMES_H

#include <stdbool.h>

#include "format/tttrace.h"

/* "<-" from the guest, "->" to it, "==" checked in a replay, "--" side data. */
const char *record_arrow(const struct trace_record *record);

/* The same in words: "in", "out", "check", "side". */
const char *record_direction(const struct trace_record *record);

/* Name of the number in field @i, such as that of a vhost-user request; NULL: it has none. */
const char *record_field_name(const struct trace_record *record, unsigned int i);

/* Whether @record is of a device: its first field is then the number of the device. */
bool record_has_device(const struct trace_record *record);

#endif
