// SPDX-License-Identifier: BSD-3-Clause
/* ttdump diff: what was found, for people. */
#include <inttypes.h>

#include "format/base/printable.h"
#include "format/ttdump/diff/diff.h"
#include "format/base/units.h"

/* So many lines of what was started differently, and names of guests that are equal. */
#define START_LINES 16
#define EQUAL_NAMES 8

static const char *const ordinals[2] = { "first", "second" };
static const char signs[2] = { '-', '+' };

static const char *guest_name(const struct diff *diff, uint32_t guest, char text[NAME_SIZE])
{
	return name_table_guest(&diff->names[guest >= diff->names[0].count], guest, text);
}

static void print_start_line(const struct diff *diff, int s, const struct diff_line *line)
{
	char name[NAME_SIZE];

	printf("  %c ", signs[s]);
	if (line->guest != DIFF_ALL_GUESTS)
		printf("%s: ", name_table_guest(&diff->names[s], (uint32_t)line->guest, name));
	puts(printable(line->text));
}

static void print_start(const struct diff *diff, const struct diff_start *start)
{
	char count[UNITS_TEXT];

	if (!start->count[0] && !start->count[1])
		return;
	puts("\nstarted differently:");
	for (int s = 0; s < 2; s++) {
		for (size_t i = 0; i < start->count[s] && i < START_LINES; i++)
			print_start_line(diff, s, &start->line[s][i]);
		if (start->count[s] > START_LINES)
			printf("  %c and %s more\n", signs[s],
			       count_text(start->count[s] - START_LINES, count));
	}
}

/* "record 4301", or "record 4301 (4299 in the second)" */
static void print_numbers(const uint64_t number[2])
{
	printf("record %" PRIu64, number[0]);
	if (number[0] != number[1])
		printf(" (%" PRIu64 " in the second)", number[1]);
}

static void print_place(const struct trace_difference *first)
{
	char time[UNITS_TEXT];
	int s = !first->there[0];

	if (first->there[0] && first->there[1])
		print_numbers(first->number);
	else
		printf("record %" PRIu64 " of the %s", first->number[s], ordinals[s]);
	printf(", t=%s", duration_exact(first->now[s], time));
}

/* ---- The first difference ------------------------------------------------------------------ */

static int print_first(struct diff *diff)
{
	const struct trace_difference *first = &diff->compare.first;
	struct difference_pair pair;
	char name[NAME_SIZE];
	int err;

	printf("different: %s at ", guest_name(diff, first->guest, name));
	print_place(first);
	fputs("\n  ", stdout);
	err = difference_load(diff->reader[0], diff->reader[1], first, &pair);
	if (err)
		return err;
	difference_print(pair.pair[0], pair.pair[1], stdout);
	fputs("\n\n", stdout);
	return diff_print_context(diff);
}

/* ---- How guests go on ---------------------------------------------------------------------- */

/* "time 18, seq 3" of the fields in which records of @kind differ. */
static void print_fields(const struct diff_kind *kind, const struct trace_kind_info *info)
{
	const char *separator = " (";
	char count[UNITS_TEXT];

	for (unsigned int i = 0; i < info->field_count; i++) {
		if (!kind->field[i])
			continue;
		printf("%s%s %s", separator, info->field[i].name,
		       count_text(kind->field[i], count));
		separator = ", ";
	}
	if (kind->payload)
		printf("%spayload %s", separator, count_text(kind->payload, count));
	putchar(')');
}

/* One line of kinds: of @s 0 and 1 those that only one has, of -1 those that are changed. */
static void print_kinds(const struct diff_tail *tail, const char *title, int s)
{
	const char *separator = "";
	char count[UNITS_TEXT];

	if (!(s < 0 ? tail->changed : tail->only[s]))
		return;
	printf("    %s: ", title);
	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++) {
		const struct trace_kind_info *info = trace_kind_info(i);
		const struct diff_kind *kind = &tail->kind[i];
		uint64_t number = s < 0 ? kind->changed : kind->only[s];

		if (!number)
			continue;
		printf("%s%s %s", separator, info ? info->name : "of an unknown kind",
		       count_text(number, count));
		if (s < 0 && info)
			print_fields(kind, info);
		separator = ", ";
	}
	putchar('\n');
}

static void print_again(const struct diff_tail *tail)
{
	const struct diff_streak *streak = &tail->crossings;
	char a[UNITS_TEXT], b[UNITS_TEXT];

	if (!streak->count) {
		puts("    different to the end");
		return;
	}
	fputs("    identical from ", stdout);
	print_numbers(streak->number);
	printf(", t=%s, to the end: %s record%s", duration_exact(streak->now[0], a),
	       count_text(streak->count, b), streak->count == 1 ? "" : "s");
	if (streak->shifted)
		printf(", %s of them with different counters", count_text(streak->shifted, a));
	if (tail->unlike_checks)
		printf("; but memory or interrupts differ there, %s times",
		       count_text(tail->unlike_checks, a));
	putchar('\n');
}

static void print_count(uint64_t count, const char *what)
{
	char text[UNITS_TEXT];

	if (count)
		printf(", %s %s", count_text(count, text), what);
}

static void print_tail(const struct diff *diff, const struct trace_difference *first,
		       const struct diff_tail *tail)
{
	char name[NAME_SIZE], count[UNITS_TEXT];

	printf("  %s: diverges at ", guest_name(diff, first->guest, name));
	print_place(first);
	printf("\n    from there: %s records equal", count_text(tail->equal, count));
	print_count(tail->shifted, "equal except for counters");
	print_count(tail->changed, "changed");
	print_count(tail->only[0], "only in the first");
	print_count(tail->only[1], "only in the second");
	putchar('\n');
	print_kinds(tail, "changed", -1);
	print_kinds(tail, "only in the first", 0);
	print_kinds(tail, "only in the second", 1);
	print_again(tail);
}

static void print_equal_guests(const struct diff *diff)
{
	const struct compare *compare = &diff->compare;
	char name[NAME_SIZE], count[UNITS_TEXT];
	uint32_t equal = 0;

	for (uint32_t i = 0; i < compare->guest_count; i++) {
		const struct compare_guest *guest = &compare->guest[i];

		if (guest->diverged || !(guest->seen[0] || guest->seen[1]) ||
		    (diff->guest && i != diff->options.guest))
			continue;
		if (equal++ < EQUAL_NAMES)
			printf("%s%s", equal > 1 ? ", " : "  ", guest_name(diff, i, name));
	}
	if (equal > EQUAL_NAMES)
		printf(" and %s more", count_text(equal - EQUAL_NAMES, count));
	if (equal)
		printf(": equal %s\n", compare->cut ? "as far as it goes" : "to the end");
}

static void print_guests(const struct diff *diff)
{
	puts("\nguests:");
	print_equal_guests(diff);
	for (uint32_t i = 0; i < diff->compare.guest_count; i++)
		if (diff->compare.guest[i].diverged && diff_tail(diff, i))
			print_tail(diff, &diff->compare.guest[i].first, diff_tail(diff, i));
}

static void print_ends(const struct diff *diff)
{
	char name[512];

	for (int s = 0; s < 2; s++) {
		if (diff->end[s] >= 0)
			continue;
		snprintf(name, sizeof(name), "%s", diff->path[s]);
		printf("\ncannot read the rest of %s: %s\n", printable(name), diff->problem[s]);
	}
}

int diff_print_text(struct diff *diff, const struct diff_start *start)
{
	int err = 0;

	if (diff->compare.diverged)
		err = print_first(diff);
	else
		puts(diff_verdict(diff));
	print_start(diff, start);
	if (!diff->only_first)
		print_guests(diff);
	print_ends(diff);
	return err;
}
