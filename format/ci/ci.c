// SPDX-License-Identifier: BSD-3-Clause
/* The CI report of a run or a replay: collects cases, and publishes them in all requested forms. */
#include "format/ci/ci.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "format/base/array.h"

/* If the last lines of two consoles are equal, only one is shown. */
#define COMMON_LINES 8

static void free_case(struct ci_case *freed)
{
	free((char *)freed->guest);
	free((char *)freed->name);
	free((char *)freed->message);
	free((char *)freed->details);
	free((char *)freed->console);
}

/* NULL gives NULL; a failed copy sets *@err. */
static const char *copy_text(const char *text, int *err)
{
	char *copy = text && *text ? strdup(text) : NULL;

	if (text && *text && !copy)
		*err = -ENOMEM;
	return copy;
}

int ci_add(struct ci_suite *suite, const struct ci_case *added)
{
	struct ci_case copy = *added;
	int err = 0;

	copy.guest = copy_text(added->guest, &err);
	copy.name = copy_text(added->name, &err);
	copy.message = copy_text(added->message, &err);
	copy.details = copy_text(added->details, &err);
	copy.console = copy_text(added->console, &err);
	if (!err)
		err = array_push(suite->list, suite->count, copy);
	if (err)
		free_case(&copy);
	return err;
}

void ci_case_blame(struct ci_case *of, const struct finding *failure, char line[FINDING_LINE])
{
	of->code = finding_info(failure->code)->code;
	of->message = finding_line(failure, line);
	of->details = failure->hint;
	of->now = failure->now;
}

int ci_add_refused(struct ci_suite *suite, const char *name, const struct diagnosis *refused)
{
	struct ci_case added = {
		.name = name,
		.outcome = CI_ERROR,
		.code = finding_info(finding_code_of_status(refused->status))->code,
		.message = refused->what,
		.details = refused->advice
	};

	suite->verdict = refused->what;
	suite->failed = true;
	return ci_add(suite, &added);
}

const struct finding *ci_next_notice(const struct ci_suite *suite, size_t *position)
{
	while (suite->found && *position < suite->found->count) {
		const struct finding *finding = &suite->found->list[(*position)++];

		if (!finding_is_failure(finding))
			return finding;
	}
	return NULL;
}

static int add_left_out(struct ci_suite *suite, const char *guest, size_t left_out)
{
	char message[96];
	struct ci_case added = {
		.guest = guest, .name = "more tests", .outcome = CI_SKIPPED, .message = message
	};

	snprintf(message, sizeof(message), "%zu more tests were reported, see the console",
		 left_out);
	return left_out ? ci_add(suite, &added) : 0;
}

bool ci_has_tests(const struct ci_console *console)
{
	const struct ci_test *test;
	size_t count, left_out;

	return !ci_console_tests(console, &test, &count, &left_out) && count;
}

bool ci_has_failed_test(const struct ci_console *console)
{
	const struct ci_test *test;
	size_t count, left_out;

	if (ci_console_tests(console, &test, &count, &left_out))
		return false;
	for (size_t i = 0; i < count; i++)
		if (test[i].outcome == CI_FAILED)
			return true;
	return false;
}

int ci_add_tests(struct ci_suite *suite, const char *guest, const struct ci_console *console)
{
	const struct ci_test *test;
	size_t count, left_out;
	int err = ci_console_tests(console, &test, &count, &left_out);

	for (size_t i = 0; !err && i < count; i++) {
		struct ci_case added = { .guest = guest,
					 .name = test[i].name,
					 .outcome = test[i].outcome,
					 .now = test[i].now,
					 .took = test[i].took,
					 .message = test[i].reason,
					 .console = test[i].text };

		if (added.outcome == CI_FAILED) {
			added.code = finding_info(FOUND_TEST_FAILED)->code;
			added.message = "console output: not ok";
		}
		err = ci_add(suite, &added);
	}
	return err ? err : add_left_out(suite, guest, left_out);
}

void ci_release(struct ci_suite *suite)
{
	for (size_t i = 0; i < suite->count; i++)
		free_case(&suite->list[i]);
	free(suite->list);
	suite->list = NULL;
	suite->count = 0;
}

size_t ci_count(const struct ci_suite *suite, enum ci_outcome outcome)
{
	size_t count = 0;

	for (size_t i = 0; i < suite->count; i++)
		count += suite->list[i].outcome == outcome;
	return count;
}

bool ci_is_bad(const struct ci_case *of)
{
	return of->outcome == CI_FAILED || of->outcome == CI_ERROR;
}

size_t ci_count_bad(const struct ci_suite *suite)
{
	return ci_count(suite, CI_FAILED) + ci_count(suite, CI_ERROR);
}

/* The last lines of @text, as excerpts around failures begin at different lines. */
static const char *last_lines(const char *text)
{
	const char *start = text + strlen(text);

	for (size_t lines = 0; start > text; start--)
		if (start[-1] == '\n' && ++lines > COMMON_LINES)
			break;
	return start;
}

static bool is_same_guest(const struct ci_case *one, const struct ci_case *other)
{
	return one->guest && other->guest && !strcmp(one->guest, other->guest);
}

bool ci_console_is_shown(const struct ci_suite *suite, size_t index)
{
	const struct ci_case *of = &suite->list[index];

	if (!of->console)
		return false;
	for (size_t i = 0; i < index; i++) {
		const struct ci_case *before = &suite->list[i];

		if (ci_is_bad(before) && before->console && is_same_guest(before, of) &&
		    strstr(before->console, last_lines(of->console)))
			return true;
	}
	return false;
}

/* ---- Around what guests print --------------------------------------------------------------- */

/* A token that no guest can guess. */
static void make_token(char token[CI_TOKEN])
{
	uint64_t random[2] = { 0 };

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		random[0] = (uint64_t)time(NULL);
	snprintf(token, CI_TOKEN, "ttrec-%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

/* Of a section; used only by GitLab. */
static void print_section(FILE *out, const char *which, const char *title)
{
	fprintf(out, "\033[0Ksection_%s:%" PRIu64 ":ttrec_%s%s\r\033[0K", which,
		(uint64_t)time(NULL), title, strcmp(which, "start") ? "" : "[collapsed=true]");
}

void ci_guard_begin(struct ci_options *options, const char *title, FILE *out)
{
	if (options->service == CI_GITHUB) {
		if (!*options->token)
			make_token(options->token);
		if (title)
			fprintf(out, "::group::%s\n", title);
		fprintf(out, "::stop-commands::%s\n", options->token);
	} else if (options->service == CI_GITLAB && title) {
		print_section(out, "start", title);
		fprintf(out, "%s\n", title);
	}
	fflush(out);
}

/* Starts a new line, whatever a guest printed last. */
void ci_guard_end(const struct ci_options *options, const char *title, FILE *out)
{
	if (options->service == CI_GITHUB) {
		fprintf(out, "%s::%s::\n", title ? "\n" : "", options->token);
		if (title)
			fprintf(out, "::endgroup::\n");
	} else if (options->service == CI_GITLAB && title) {
		fprintf(out, "\n\033[0m");
		print_section(out, "end", title);
		fputc('\n', out);
	}
	fflush(out);
}

/* ---- Everything that was asked for ---------------------------------------------------------- */

int ci_publish(const struct ci_options *options, const struct ci_suite *suite, FILE *log,
	       struct diagnosis *why)
{
	const char *summary = getenv("GITHUB_STEP_SUMMARY");
	int err = options->junit ? ci_junit_write(suite, options->junit, why) : 0;

	if (options->service == CI_GITHUB)
		ci_github_annotate(suite, log);
	if (options->service == CI_GITLAB)
		ci_gitlab_print(suite, log);
	fflush(log);
	if (!err && options->service == CI_GITHUB && summary && *summary)
		err = ci_github_summarise(suite, summary, why);
	return err;
}
