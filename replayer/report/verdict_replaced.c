// SPDX-License-Identifier: BSD-3-Clause
/* The verdict on a guest that was replayed with another kernel or initrd. */
#include "replayer/report/verdict.h"

#include <stdio.h>

#include "format/base/units.h"
#include "kernel/guest/guest_replace.h"

static const struct cursor_report *report_of(const struct verdict *verdict)
{
	return &verdict->guest->outcome->report;
}

bool verdict_is_replaced(const struct verdict *verdict)
{
	return verdict->guest->started && verdict->guest->started->replaced;
}

void verdict_print_difference(const struct verdict *verdict, FILE *out)
{
	const struct cursor_report *report = report_of(verdict);
	char record[UNITS_TEXT], records[UNITS_TEXT], time[UNITS_TEXT];

	if (verdict->named)
		fprintf(out, "%s: ", verdict->guest->name);
	fprintf(out, "agrees up to record %s of %s, t=%s s; then %s instead of %s\n",
		count_text(report->record, record), count_text(report->records, records),
		duration_exact(report->now, time), report->got, report->expected);
	fputs("  to continue live from there: --continue-live\n", out);
}

int verdict_add_replaced(const struct verdict *verdict, json_t *json)
{
	const struct cursor_report *report = report_of(verdict);
	char replaced[GUEST_REPLACED_TEXT];

	if (!verdict_is_replaced(verdict))
		return 0;
	return json_object_update_new(
		json, json_pack("{s:s, s:I, s:I, s:o}", "replaced",
				guest_replaced_text(verdict->guest->started, replaced), "records",
				(json_int_t)(report->diverged ? report->records
							      : report->next_record + 1),
				"console_differences", (json_int_t)report->console.count, "console",
				console_differences_json(&report->console)));
}
