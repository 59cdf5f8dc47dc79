// SPDX-License-Identifier: BSD-3-Clause
/* A console in a CI report: some of its lines, and the tests that it reported. */
#include "format/ci/ci_console.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/base/array.h"
#include "format/base/console_line.h"
#include "format/base/write_error.h"

#define LINES	     40
#define CONSOLE_LINE 512
#define TESTS_MAX    5000
#define TEXT_TESTS   200 /* failed tests whose own lines are kept */
#define AFTER_MARK   10	 /* lines after the marked one */
#define DEPTH	     8
#define INDENT	     4
#define TEST_NAME    256

struct ci_console {
	char line[LINES][CONSOLE_LINE]; /* a ring */
	uint64_t lines;			/* that there were */
	char open[CONSOLE_LINE];	/* the current line, so far */
	size_t open_size;
	uint64_t now;
	struct ci_test *test;
	size_t count, left_out, texts;
	bool failed; /* memory ran out */
	bool marked;
	unsigned int after_mark; /* lines that are still to come */
	char *excerpt;
	uint64_t reported;		    /* virtual ns of the last test */
	uint64_t said_until;		    /* earlier lines belong to earlier tests */
	char subtest[DEPTH + 1][TEST_NAME]; /* whose tests are indented so */
	size_t inner[DEPTH + 1]; /* tests reported at this depth since the last outer one */
	size_t inner_failed[DEPTH + 1];
};

struct ci_console *ci_console_create(void)
{
	return calloc(1, sizeof(struct ci_console));
}

void ci_console_destroy(struct ci_console *console)
{
	if (!console)
		return;
	for (size_t i = 0; i < console->count; i++) {
		free(console->test[i].name);
		free(console->test[i].reason);
		free(console->test[i].text);
	}
	free(console->excerpt);
	free(console->test);
	free(console);
}

/* ---- Lines ---------------------------------------------------------------------------------- */

/* The lines from number @first on that are still there. */
static char *join_lines(const struct ci_console *console, uint64_t first)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (console->lines - first > LINES)
		first = console->lines - LINES;
	out = output_buffer_open(&text, &size);
	if (!out)
		return NULL;
	for (; first < console->lines; first++)
		fprintf(out, "%s\n", console->line[first % LINES]);
	output_buffer_close(out);
	if (size)
		return text;
	free(text);
	return NULL;
}

void ci_console_mark(struct ci_console *console)
{
	if (!console->marked)
		console->after_mark = AFTER_MARK;
	console->marked = true;
}

char *ci_console_excerpt(const struct ci_console *console)
{
	return console->excerpt ? output_copy(console->excerpt) : join_lines(console, 0);
}

/* ---- Tests ---------------------------------------------------------------------------------- */

/* "suite.subtest.test": with the names of enclosing tests, which are in their own lines. */
static char *full_name(const struct ci_console *console, size_t depth, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = output_buffer_open(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 1; i <= depth; i++)
		if (*console->subtest[i])
			fprintf(out, "%s.", console->subtest[i]);
	fputs(name, out);
	output_buffer_close(out);
	return text;
}

/* The directive after a '#', "SKIP reason" or "TODO", is cut off the name. */
static enum ci_outcome take_directive(char *name, bool ok, const char **reason)
{
	char *mark = strstr(name, "# ");

	*reason = NULL;
	if (!mark)
		return ok ? CI_PASSED : CI_FAILED;
	*mark = '\0';
	mark += 2;
	if (strncasecmp(mark, "SKIP", 4) && strncasecmp(mark, "TODO", 4))
		return ok ? CI_PASSED : CI_FAILED;
	*reason = mark;
	return CI_SKIPPED;
}

static void trim(char *text)
{
	size_t length = strlen(text);

	while (length && text[length - 1] == ' ')
		text[--length] = '\0';
}

static int add_test(struct ci_console *console, size_t depth, char *name, bool ok)
{
	struct ci_test *test;
	const char *reason;

	if (console->count >= TESTS_MAX) {
		console->left_out++;
		return 0;
	}
	test = array_add(console->test, console->count);
	if (!test)
		return -ENOMEM;
	*test = (struct ci_test){ .now = console->now, .took = console->now - console->reported };
	test->outcome = take_directive(name, ok, &reason);
	trim(name);
	test->name = full_name(console, depth, *name ? name : "unnamed");
	test->reason = reason ? output_copy(reason) : NULL;
	if (test->outcome == CI_FAILED && console->texts++ < TEXT_TESTS)
		test->text = join_lines(console, console->said_until);
	return test->name && !reason == !test->reason ? 0 : -ENOMEM;
}

/* A test that only sums up those within it, which were reported before it. */
static bool is_sum(const struct ci_console *console, size_t depth, bool ok)
{
	return depth < DEPTH && console->inner[depth + 1] &&
	       (ok || console->inner_failed[depth + 1]);
}

static int report_test(struct ci_console *console, size_t depth, char *name, bool ok)
{
	int err = 0;

	if (!is_sum(console, depth, ok))
		err = add_test(console, depth, name, ok);
	console->inner[depth]++;
	console->inner_failed[depth] += !ok;
	for (size_t i = depth + 1; i <= DEPTH; i++) {
		console->inner[i] = console->inner_failed[i] = 0;
		*console->subtest[i] = '\0';
	}
	console->reported = console->now;
	console->said_until = console->lines;
	return err;
}

/* After "ok " or "not ok ": a number, optionally a dash, then the name. */
static const char *skip_number(const char *text)
{
	if (!isdigit((unsigned char)*text))
		return NULL;
	text += strspn(text, "0123456789");
	if (*text && *text != ' ')
		return NULL;
	text += strspn(text, " ");
	if (text[0] == '-' && (text[1] == ' ' || !text[1]))
		text += 1 + strspn(text + 1, " ");
	return text;
}

static int read_line(struct ci_console *console, const char *line)
{
	const char *text = console_line_text(line), *name;
	size_t depth = strspn(text, " ") / INDENT;
	bool ok;
	char copy[TEST_NAME];

	text += strspn(text, " ");
	depth = depth > DEPTH ? DEPTH : depth;
	if (!strncmp(text, "# Subtest: ", 11)) {
		snprintf(console->subtest[depth], TEST_NAME, "%s", text + 11);
		trim(console->subtest[depth]);
		return 0;
	}
	ok = !strncmp(text, "ok ", 3);
	if (!ok && strncmp(text, "not ok ", 7))
		return 0;
	name = skip_number(text + (ok ? 3 : 7));
	if (!name)
		return 0;
	snprintf(copy, sizeof(copy), "%s", name);
	return report_test(console, depth, copy, ok);
}

/* ---- Bytes ---------------------------------------------------------------------------------- */

static void end_line(struct ci_console *console)
{
	char *line = console->line[console->lines++ % LINES];

	console->open[console->open_size] = '\0';
	console->open_size = 0;
	console_line_clean(console->open);
	memcpy(line, console->open, CONSOLE_LINE);
	if (read_line(console, line))
		console->failed = true;
	if (console->after_mark && !--console->after_mark)
		console->excerpt = join_lines(console, 0);
}

void ci_console_feed(struct ci_console *console, uint64_t now, const char *text, size_t size)
{
	console->now = now;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n' || console->open_size == CONSOLE_LINE - 1)
			end_line(console);
		if (text[i] != '\n' && text[i] != '\r' && text[i])
			console->open[console->open_size++] = text[i];
	}
}

void ci_console_finish(struct ci_console *console)
{
	if (console->open_size)
		end_line(console);
}

int ci_console_tests(const struct ci_console *console, const struct ci_test **tests, size_t *count,
		     size_t *left_out)
{
	*tests = console->test;
	*count = console->count;
	*left_out = console->left_out;
	return console->failed ? -ENOMEM : 0;
}
