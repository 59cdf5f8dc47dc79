// SPDX-License-Identifier: BSD-3-Clause
/* What the replay of a trace found: of one guest, or of each and all of several. */
#include "replayer/report/verdict_lab.h"

#include <stdio.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "replayer/report/verdict.h"

/* Guests with another kernel part or agree. */
enum result {
	RESULT_DIVERGED,
	RESULT_DIFFERENT,
	RESULT_FAILED,
	RESULT_AGREES,
	RESULT_IDENTICAL,
	RESULT_KINDS
};

static enum result find_result(const struct verdict *verdict)
{
	struct diagnosis why;

	if (verdict_failed(verdict, &why))
		return RESULT_FAILED;
	if (verdict_is_replaced(verdict))
		return verdict->guest->outcome->report.diverged ? RESULT_DIFFERENT : RESULT_AGREES;
	return verdict->guest->outcome->report.diverged ? RESULT_DIVERGED : RESULT_IDENTICAL;
}

bool verdict_lab_next(const struct verdict_lab *all, size_t *position, struct verdict *verdict)
{
	const struct replay_lab *lab = all->lab;

	while (*position < lab->count && !lab->guest[*position].wanted)
		++*position;
	if (*position == lab->count)
		return false;
	*verdict = (struct verdict){ .trace = all->trace,
				     .guest = &lab->guest[(*position)++],
				     .until = all->until,
				     .named = replay_lab_wanted(lab) > 1 };
	return true;
}

/* A signal for us, then what a user asked wrongly, then what was found, then what could not be. */
static unsigned int badness(int status)
{
	static const int order[] = { EXIT_IDENTICAL, EXIT_CANNOT, EXIT_DAMAGED, EXIT_DIVERGED,
				     EXIT_USAGE };
	unsigned int place = 0;

	while (place < ARRAY_SIZE(order) && order[place] != status)
		place++;
	return place;
}

static int worst_status(const struct verdict_lab *all)
{
	struct verdict verdict;
	int worst = EXIT_IDENTICAL;

	for (size_t i = 0; verdict_lab_next(all, &i, &verdict);)
		if (badness(verdict_status(&verdict)) > badness(worst))
			worst = verdict_status(&verdict);
	return worst;
}

/* ---- For people ----------------------------------------------------------------------------- */

/* All guests together. */
struct sum {
	size_t guests, found[RESULT_KINDS];
	uint64_t messages, interrupts, probed, digests, recorded_wall_ns;
	bool stopped;
	const char *extent, *note;
	struct verdict unprobed; /* a guest whose interrupts were not compared */
};

static void add_up(const struct verdict_lab *all, struct sum *sum)
{
	struct verdict verdict;

	*sum = (struct sum){ .extent = "", .note = "" };
	for (size_t i = 0; verdict_lab_next(all, &i, &verdict);) {
		const struct cursor_report *report = &verdict.guest->outcome->report;

		sum->guests++;
		sum->found[find_result(&verdict)]++;
		sum->messages += report->messages;
		sum->interrupts += report->interrupts;
		sum->probed += report->probed;
		sum->digests += report->digests;
		sum->stopped |= report->stopped;
		if (report->recorded_wall_ns)
			sum->recorded_wall_ns = report->recorded_wall_ns;
		if (*verdict_extent(report))
			sum->extent = verdict_extent(report);
		if (*report->note)
			sum->note = report->note;
		if (*verdict.guest->outcome->probe_reason)
			sum->unprobed = verdict;
	}
}

static const char *sum_word(const struct sum *sum)
{
	if (sum->found[RESULT_DIVERGED] + sum->found[RESULT_DIFFERENT])
		return "diverged";
	return sum->found[RESULT_FAILED] ? "not replayed" : "identical";
}

const char *verdict_lab_word(const struct verdict_lab *all)
{
	struct sum sum;

	add_up(all, &sum);
	return sum_word(&sum);
}

/* "DIVERGED: n2; not replayed: n3; identical: n1" */
static void print_found(const struct verdict_lab *all, const struct sum *sum)
{
	static const char *const heading[RESULT_KINDS] = { "DIVERGED", "agrees in part",
							   "not replayed", "agrees", "identical" };
	const char *separator = "";

	for (unsigned int kind = 0; kind < RESULT_KINDS; kind++) {
		struct verdict verdict;
		const char *comma = ": ";

		if (!sum->found[kind])
			continue;
		printf("%s%s%s", separator, heading[kind],
		       kind >= RESULT_AGREES ? sum->extent : "");
		separator = "; ";
		for (size_t i = 0; verdict_lab_next(all, &i, &verdict);) {
			if (find_result(&verdict) != kind)
				continue;
			printf("%s%s", comma, verdict.guest->name);
			comma = ", ";
		}
	}
}

static void print_sum(const struct verdict_lab *all, const struct sum *sum)
{
	char text[UNITS_TEXT];

	printf("; ");
	verdict_print_compared(stdout, sum->messages, sum->interrupts, sum->probed);
	printf("%s memory digests in %.2f s", count_text(sum->digests, text),
	       (double)all->wall_ns / NS_PER_S);
	if (sum->recorded_wall_ns && !sum->stopped)
		printf(" (%.2fx)", (double)all->wall_ns / (double)sum->recorded_wall_ns);
	putchar('\n');
	if (sum->unprobed.guest)
		verdict_print_common(&sum->unprobed, stdout);
	if (*sum->note)
		printf("  the recording ended with: %s\n", sum->note);
}

static void print_all(const struct verdict_lab *all)
{
	struct verdict verdict;
	struct sum sum;

	for (size_t i = 0; verdict_lab_next(all, &i, &verdict);)
		verdict_print(&verdict, stdout);
	add_up(all, &sum);
	print_found(all, &sum);
	print_sum(all, &sum);
}

/* ---- As JSON -------------------------------------------------------------------------------- */

static void print_json(json_t *json)
{
	if (!json)
		return;
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
}

json_t *verdict_lab_json(const struct verdict_lab *all)
{
	json_t *guests = json_array();
	struct verdict verdict;
	struct sum sum;

	add_up(all, &sum);
	for (size_t i = 0; verdict_lab_next(all, &i, &verdict);)
		json_array_append_new(guests, verdict_json(&verdict));
	return json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "verdict", sum_word(&sum),
			 "status", worst_status(all), "messages", (json_int_t)sum.messages,
			 "interrupts", (json_int_t)sum.interrupts, "probed", (json_int_t)sum.probed,
			 "digests", (json_int_t)sum.digests, "wall_ns", (json_int_t)all->wall_ns,
			 "recorded_wall_ns", (json_int_t)sum.recorded_wall_ns, "guests", guests);
}

int verdict_lab_report(const struct verdict_lab *all, bool json, struct diagnosis *why)
{
	struct verdict verdict;
	size_t position = 0;

	if (replay_lab_wanted(all->lab) > 1) {
		if (json)
			print_json(verdict_lab_json(all));
		else
			print_all(all);
		return worst_status(all);
	}
	verdict_lab_next(all, &position, &verdict);
	if (verdict_failed(&verdict, why))
		return verdict_status(&verdict);
	if (json)
		print_json(verdict_json(&verdict));
	else
		verdict_print(&verdict, stdout);
	return verdict_status(&verdict);
}
