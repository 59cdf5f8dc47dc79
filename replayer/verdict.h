/* SPDX-License-Identifier: BSD-3-Clause */
/* What a replay found, for people and as JSON. */
#ifndef TTREC_VERDICT_H
#define TTREC_VERDICT_H

#include <stdbool.h>

#include "kernel/guest.h"
#include "replayer/cursor.h"

struct verdict {
	const char *trace; /* path, for the next command */
	const struct guest_spec *spec;
	const struct guest_origin *origin;
	const struct cursor_report *report;
	char memory_reason[192]; /* why memory was not compared; empty when it was */
};

/* The exit status the replay ends with. */
int verdict_status(const struct verdict *verdict);

void verdict_print(const struct verdict *verdict);
void verdict_print_json(const struct verdict *verdict);

#endif
