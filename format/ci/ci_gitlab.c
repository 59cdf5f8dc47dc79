// SPDX-License-Identifier: BSD-3-Clause
/*
 * GitLab CI: failures are in the log, in colour; the last console lines, in collapsible sections.
 *
 * Source: docs.gitlab.com, "Job logs", custom collapsible sections.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/ci/ci.h"
#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

#define RED   "\033[31;1m"
#define GREEN "\033[32;1m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"
/* Sections of one job; a log of megabytes is cut by the runner. */
#define SECTIONS_MAX 50

/* Without sequences that the log would interpret. */
static void print_lines(FILE *log, const char *indent, const char *text)
{
	auto_free char *copy = console_lines_copy(text, strlen(text));

	for (char *rest = copy; rest && *rest;)
		fprintf(log, "%s%s\n", indent, strsep(&rest, "\n"));
}

static void print_line(FILE *log, const char *text)
{
	auto_free char *copy = output_copy(text);

	if (copy)
		fputs(console_line_clean(copy), log);
}

static void print_title(FILE *log, const struct ci_case *of)
{
	if (of->guest) {
		print_line(log, of->guest);
		fputs(": ", log);
	}
	print_line(log, of->name);
}

static void print_section(FILE *log, size_t number, const struct ci_case *of, const char *what,
			  const char *text)
{
	uint64_t now = (uint64_t)time(NULL);

	fprintf(log, "\033[0Ksection_start:%" PRIu64 ":ttrec_%zu_%s[collapsed=true]\r\033[0K" BOLD,
		now, number, what);
	print_title(log, of);
	fprintf(log, ": %s" PLAIN "\n", strcmp(what, "console") ? "verdict" : "its console");
	print_lines(log, "  ", text);
	fprintf(log, "\033[0Ksection_end:%" PRIu64 ":ttrec_%zu_%s\r\033[0K\n", now, number, what);
}

static void print_case(FILE *log, const struct ci_suite *suite, size_t number)
{
	const struct ci_case *of = &suite->list[number];
	char time[UNITS_TEXT];

	fprintf(log, RED "FAILED" PLAIN " " BOLD);
	print_title(log, of);
	fprintf(log, PLAIN " at t=%s s: ", duration_exact(of->now, time));
	print_line(log, of->message ?: "failed");
	fputc('\n', log);
	if (of->details && number < SECTIONS_MAX)
		print_section(log, number, of, "found", of->details);
	if (of->console && number < SECTIONS_MAX && !ci_console_is_shown(suite, number))
		print_section(log, number, of, "console", of->console);
}

static void print_next(const struct ci_suite *suite, FILE *log)
{
	if (suite->trace) {
		fprintf(log, BOLD "attach:" PLAIN " ");
		print_line(log, suite->trace);
		fprintf(log, " (artifacts: paths:)\n");
	}
	if (suite->next) {
		fprintf(log, BOLD "then:" PLAIN "   ");
		print_line(log, suite->next);
		fputc('\n', log);
	}
}

void ci_gitlab_print(const struct ci_suite *suite, FILE *log)
{
	const struct finding *notice;
	char line[FINDING_LINE];

	for (size_t i = 0; i < suite->count; i++)
		if (ci_is_bad(&suite->list[i]))
			print_case(log, suite, i);
	for (size_t i = 0; (notice = ci_next_notice(suite, &i));) {
		fprintf(log, BOLD "%s:" PLAIN " ", finding_label(notice->code));
		print_line(log, finding_line(notice, line));
		fputc('\n', log);
	}
	fprintf(log, "%s" PLAIN " ", suite->failed ? RED "FAILED" : GREEN "passed");
	print_line(log, suite->verdict);
	if (suite->seed) {
		fprintf(log, "; seed ");
		print_line(log, suite->seed);
	}
	fprintf(log, "; %zu passed, %zu failed, %zu skipped\n", ci_count(suite, CI_PASSED),
		ci_count_bad(suite), ci_count(suite, CI_SKIPPED));
	if (suite->failed)
		print_next(suite, log);
}
