// SPDX-License-Identifier: BSD-3-Clause
/* How far a re-recording agrees with the recorded trace. */
#include "recorder/rerecord/rerecord_compare.h"

#include "format/base/units.h"

/* "up to record 1,126, t=0.000036024 s", or "up to record 1,126 of 1,734, t=0.000036024 s" */
static void print_place(const struct rerecord_result *result, bool of_all, FILE *out)
{
	char text[UNITS_TEXT];

	fprintf(out, "up to record %s", count_text(result->record, text));
	if (of_all)
		fprintf(out, " of %s", count_text(result->records, text));
	fprintf(out, ", t=%s s", duration_exact(result->now, text));
}

static void print_diverged(const struct rerecord_result *result, FILE *out)
{
	print_place(result, true, out);
	fprintf(out, "; then guest %s: %s; continued live\n", result->guest, result->difference);
	if (*result->share)
		fprintf(out, "  %s of %s: files have changed since they were recorded\n",
			result->share, result->guest);
}

static void print_agrees(const struct rerecord_result *result, FILE *out)
{
	if (result->outcome == RERECORD_DAMAGED) {
		fputs("as far as it can be read, ", out);
		print_place(result, false, out);
		fputs("; continued live\n", out);
	} else if (result->stopped) {
		print_place(result, false, out);
		fputs(", and was not compared further\n", out);
	} else if (result->ended) {
		fputs("to its end, ", out);
		print_place(result, false, out);
		fputs("; continued live\n", out);
	} else {
		fputs("to the end\n", out);
	}
}

void rerecord_report_print(const struct rerecord_result *result, const char *trace, FILE *out)
{
	fprintf(out, "  re-recorded: agrees with %s ", trace);
	if (result->outcome == RERECORD_DIVERGED)
		print_diverged(result, out);
	else
		print_agrees(result, out);
	if (*result->memory_reason)
		fprintf(out, "  memory: not compared: %s%s%s\n", result->memory_guest,
			*result->memory_guest ? ": " : "", result->memory_reason);
	console_differences_print(&result->console, out);
}

json_t *rerecord_report_json(const struct rerecord_result *result, const char *trace)
{
	static const char *const outcomes[] = { [RERECORD_AGREES] = "agrees",
						[RERECORD_DIVERGED] = "parted",
						[RERECORD_DAMAGED] = "damaged" };
	json_t *json = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:b, s:s, s:I, s:o}", "trace", trace, "outcome",
		outcomes[result->outcome], "compared", (json_int_t)result->compared, "record",
		(json_int_t)result->record, "now_ns", (json_int_t)result->now, "complete",
		result->outcome == RERECORD_AGREES && !result->stopped && !result->ended,
		"memory_reason", result->memory_reason, "console_differences",
		(json_int_t)result->console.count, "console",
		console_differences_json(&result->console));

	if (json && result->outcome == RERECORD_DIVERGED)
		json_object_update_new(
			json, json_pack("{s:I, s:s, s:s}", "records", (json_int_t)result->records,
					"guest", result->guest, "difference", result->difference));
	return json;
}
